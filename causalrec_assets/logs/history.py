"""The asset `history`: what is known of users and items at the end of the day."""

import dagster as dg

from causalrec.answers import not_available
from causalrec.engine.one_file import scan_parquet
from causalrec.logs.gaps import NO_USER_ID
from causalrec.logs.units.day_counts import day_before, days_read, outcomes_come_on_the_day, reach, too_late
from causalrec.logs.units.history import leaving_days, state_parts, states_read, summary, within_window, write_history
from causalrec.logs.units.lineage import (
    history_lineage,
)
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.partitions import history_mapping, maturing_mapping
from causalrec_assets.common.reads import tables_of
from causalrec_assets.common.ui import table
from causalrec_assets.gate.draft import Draft
from causalrec_assets.logs.shared import source_of
from resources.lake import Lake


@gated_asset(
    "history",
    group_name="logs",
    deps=[
        "items",
        dg.AssetDep("clean_events", partition_mapping=maturing_mapping),
        dg.AssetDep("history", partition_mapping=history_mapping),
    ],
)
def history(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What is known of users and items at the end of the day: exact sums over the last days, carried on by a day."""
    inputs = lake.inputs(context)
    source = source_of(inputs)
    if not source.has("user_id"):
        return Draft(
            inputs,
            None,
            answer=not_available(NO_USER_ID),
            params={"within_window": True, "outcomes_come_on_the_day": True},
        )
    has = tables_of(inputs, source)
    if source.sparse:
        inputs.note("before:history", str(day_before(source, inputs.day, has)))
    states = {day: inputs.table("history", day).scan() for day in states_read(source, inputs.day, has)}
    events = {day: inputs.table("clean_events", day).scan() for day in days_read(source, inputs.day, has)}
    target = inputs.store.staging(inputs.asset, inputs.day, inputs.run_id)
    write_history(state_parts(states, events, inputs.table("items").frame, source, inputs.day, has), target)
    state = scan_parquet(target)
    late = too_late(events[inputs.day], source, inputs.day)
    return Draft(
        inputs,
        staged=target,
        lineage=history_lineage(source),
        params={
            "within_window": within_window(state, inputs.day, source.history_days),
            "outcomes_come_on_the_day": outcomes_come_on_the_day(source),
        },
        metadata={
            "state": table(summary(state)),
            "days_that_leave": ", ".join(map(str, leaving_days(source, inputs.day, has))) or "none yet",
            "outcomes_known_on_later_days": reach(source),
            "outcomes_that_come_too_late_to_count": late,
        },
    )
