"""The days, and which days an asset reads."""

from datetime import timedelta

import dagster as dg

from causalrec_assets.gate.inputs import read_setting
from causalrec_assets.gate.windows import parse_learning
from causalrec_assets.home import Home

_home = Home.current()
_sources = read_setting(_home, "sources.yaml")
_learning = parse_learning(read_setting(_home, "learning.yaml"), _sources)
_last_day = _sources.get("last_day")

days = dg.DailyPartitionsDefinition(
    start_date=_learning.first_day.isoformat(),
    # A source that has ended (a sample, a simulation) names its last day; a live one is open.
    end_date=(_last_day + timedelta(days=1)).isoformat() if _last_day else None,
)

yesterday = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1, allow_nonexistent_upstream_partitions=True)

learning_window_mapping = dg.TimeWindowPartitionMapping(
    # The days that a learning partition reads, for the lineage in the UI; the gate reads them one by one and stops at
    # a hole, which this mapping alone would not.
    start_offset=-(_learning.maturity_days + _learning.judgement_days + _learning.window_days) + 1,
    end_offset=-_learning.maturity_days,
    allow_nonexistent_upstream_partitions=True,
)
