"""The days, which days an asset reads, and when the last day is due."""

from datetime import timedelta

import dagster as dg

from causalrec.home import Home
from causalrec.settings.deployment.operations import Operations
from causalrec.settings.file import read_setting
from causalrec.settings.learning import parse_learning

_home = Home.current()
_sources = read_setting(_home, "sources.yaml")
_learning = parse_learning(read_setting(_home, "learning.yaml"), _sources)
_last_day = _sources.get("last_day")
_history_days = _sources.get("history_days", 28)
if not isinstance(_history_days, int) or _history_days < 1:
    _history_days = 28  # The step that reads the wrong value says so; the graph must still load to show it.

days = dg.DailyPartitionsDefinition(
    start_date=_learning.first_day.isoformat(),
    # A source that has ended (a sample, a simulation) names its last day; a live one is open.
    end_date=(_last_day + timedelta(days=1)).isoformat() if _last_day else None,
)

yesterday = dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1, allow_nonexistent_upstream_partitions=True)

history_mapping = dg.TimeWindowPartitionMapping(
    # `history` carries on from the day before and takes out the day that leaves its window. Only these two are read; a
    # mapping can say no less than the days from the one to the other.
    start_offset=-_history_days,
    end_offset=-1,
    allow_nonexistent_upstream_partitions=True,
)

maturing_mapping = dg.TimeWindowPartitionMapping(
    # An outcome counts on the day on which it is known, so that `history` reads the days whose outcomes may still come.
    start_offset=-_learning.maturity_days,
    end_offset=0,
    allow_nonexistent_upstream_partitions=True,
)

learning_window_mapping = dg.TimeWindowPartitionMapping(
    # The days that a learning partition reads, for the lineage in the UI; the gate reads them one by one and stops at
    # a hole, which this mapping alone would not.
    start_offset=-(_learning.maturity_days + _learning.judgement_days + _learning.window_days) + 1,
    end_offset=-_learning.maturity_days,
    allow_nonexistent_upstream_partitions=True,
)

_hour, _minute = Operations.read(_home).retrain.fresh_by
due_every_day = dg.FreshnessPolicy.cron(
    # What people and shops read must be of the last complete day from this time of day on; the UI warns when it is not.
    deadline_cron=f"{_minute} {_hour} * * *",
    lower_bound_delta=timedelta(days=1) - timedelta(minutes=1),
)
