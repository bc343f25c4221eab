"""The asset `units`: events seen as experiments."""

import dagster as dg

from causalrec.engine.one_file import read_parquet, scan_parquet
from causalrec.logs.cleaning.facts import facts_of
from causalrec.logs.far_values import far_values, in_words
from causalrec.logs.units.covariates import as_of, attribute_names, covariate_names, user_attributes
from causalrec.logs.units.day_counts import outcomes_come_on_the_day
from causalrec.logs.units.lineage import (
    units_lineage,
)
from causalrec.logs.units.notes import UnitsNotes
from causalrec.logs.units.units import action_context, unit_columns, unit_roles, unlisted_rows, write_units
from causalrec.settings.logs.columns import HISTORY_COVARIATES
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.partitions import yesterday
from causalrec_assets.common.reads import covariate_settings, history_before
from causalrec_assets.common.ui import listing, table
from causalrec_assets.gate.draft import Draft
from causalrec_assets.logs.shared import source_of
from resources.lake import Lake


@gated_asset(
    "units",
    group_name="logs",
    deps=["clean_events", "items", "users", dg.AssetDep("history", partition_mapping=yesterday)],
)
def units(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """Events seen as experiments: covariates as of the end of the day before, treatment, outcomes, roles."""
    inputs = lake.inputs(context)
    source, settings = source_of(inputs), covariate_settings(inputs)
    events, catalogue, listed = inputs.table("clean_events"), inputs.table("items").frame, inputs.table("users")
    before = history_before(inputs) if source.has("user_id") else None
    known = listed.frame if listed.answer.answered else None
    target = inputs.store.staging(inputs.asset, inputs.day, inputs.run_id)
    attributes = user_attributes(known, source, attribute_names(source, settings))
    state = as_of(before, inputs.day, source, settings, attributes)
    write_units(events.scan(), state, catalogue, source, target, known)
    roles, covariates = unit_roles(source, settings), covariate_names(source, settings)
    columns, unlisted = unit_columns(source, settings), unlisted_rows(scan_parquet(target))
    has = {f"has_{c}": c in covariates for c in HISTORY_COVARIATES}
    far = [one for c in covariates for one in far_values(read_parquet(target, [c]))]
    return Draft(
        inputs,
        staged=target,
        lineage=units_lineage(source, settings),
        notes=UnitsNotes(
            roles={column: roles[column] for column in columns},
            covariates=tuple(covariates),
            action_context=tuple(action_context(source)),
            cluster=source.cluster,
            organic_rows=source.organic_rows,
            held_out_policies=tuple(source.held_out_policies),
            sensitive=tuple(c for c in covariates if c in source.sensitive),
            unlisted=unlisted,
        ),
        params={
            "events": events.pointer.rows,
            "marks_recommended": source.has("recommended"),
            # A day has one weekday.
            "covariates": [c for c in covariates if c != "weekday"],
            **has,
            "outcomes_come_on_the_day": "user_clicks" in covariates and outcomes_come_on_the_day(source),
            "no_far_values": in_words(far),
        },
        metadata={
            "roles": listing(f"{c}: {roles[c]}" for c in columns),
            "items_not_in_catalogue": unlisted["unknown_item"],
            "users_not_listed": unlisted["unknown_user"],
            "rates": table(facts_of(target, source).rates),
        },
    )
