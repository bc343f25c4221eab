"""The log assets: `items`, `users`, `clean_events`, `history`, `units`."""

from collections.abc import Mapping

import dagster as dg
import polars as pl

from causalrec_assets.answers import not_available
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.gated import gated_asset
from causalrec_assets.gate.inputs import Inputs
from causalrec_assets.gate.metadata import listing, table
from causalrec_assets.gate.one_file import read_parquet, scan_parquet
from causalrec_assets.logs.cleaning import clean_day, too_many_wrong
from causalrec_assets.logs.cleaning_rules import FILE as CLEANING
from causalrec_assets.logs.covariate_settings import HISTORY_COVARIATES, covariate_settings
from causalrec_assets.logs.covariates import as_of, attribute_names, covariate_names, user_attributes
from causalrec_assets.logs.day_counts import day_before, days_read, outcomes_come_on_the_day, reach, too_late
from causalrec_assets.logs.drift import schema_drift
from causalrec_assets.logs.facts import facts_of
from causalrec_assets.logs.far_values import far_values, in_words
from causalrec_assets.logs.forgotten import FILE as FORGOTTEN
from causalrec_assets.logs.forgotten import Forgotten, without_forgotten
from causalrec_assets.logs.forgotten_list import read_forgotten
from causalrec_assets.logs.gaps import NO_ITEMS, NO_USER_ID, NO_USERS
from causalrec_assets.logs.good_version import require_no_fall, require_no_smaller_snapshot
from causalrec_assets.logs.history import (
    history_before,
    leaving_days,
    state_parts,
    states_read,
    summary,
    tables_of,
    within_window,
    write_history,
)
from causalrec_assets.logs.landing_zone import LandingZone
from causalrec_assets.logs.lineage import (
    LANDED_EVENTS,
    LANDED_ITEMS,
    LANDED_USERS,
    clean_events_lineage,
    history_lineage,
    items_lineage,
    units_lineage,
    users_lineage,
)
from causalrec_assets.logs.snapshots import item_snapshot, user_snapshot
from causalrec_assets.logs.sources import Source, parse_source
from causalrec_assets.logs.units import action_context, unit_columns, unit_roles, unlisted_rows, write_units
from causalrec_assets.partitions import history_mapping, maturing_mapping, yesterday
from resources.lake import Lake


def _source(inputs: Inputs) -> Source:
    return parse_source(inputs.setting("sources.yaml"))


def _zone(inputs: Inputs) -> LandingZone:
    inputs.setting(CLEANING)
    return LandingZone.of(inputs.home)


def _forgotten(inputs: Inputs) -> Forgotten:
    inputs.setting(FORGOTTEN)
    forgotten, said = read_forgotten(inputs.home, inputs.store)
    inputs.warnings.extend(said)
    return forgotten


@gated_asset("items", stage="logs", deps=[LANDED_ITEMS])
def items(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """The catalogue as of the day: one row per item, from the landed item files."""
    inputs = lake.inputs(context)
    source = _source(inputs)
    zone = LandingZone.of(inputs.home)
    inputs.note("landing:items", zone.fingerprint("items", inputs.day))
    if source.items is None:
        return Draft(inputs, None, answer=not_available(NO_ITEMS))
    assert zone.items is not None
    frame = item_snapshot(zone.items.until(inputs.day), source, zone.rules)
    require_no_smaller_snapshot(inputs, "landing:items", frame.height, zone.items, zone.rules)
    inputs.warnings.extend(zone.items.passed_over)
    by_category = frame.group_by("category").agg(pl.len().alias("items"), pl.col("price").mean().round(2))
    return Draft(
        inputs,
        frame,
        lineage=items_lineage(source),
        metadata={
            "with_title": int(frame["title"].is_not_null().sum()),
            "categories": table(by_category.sort("items", descending=True).head(20)),
        },
    )


@gated_asset("users", stage="logs", deps=[LANDED_USERS])
def users(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """The users as of the day. Their attributes are covariates; those declared sensitive are read by no policy."""
    inputs = lake.inputs(context)
    source = _source(inputs)
    zone = LandingZone.of(inputs.home)
    inputs.note("landing:users", zone.fingerprint("users", inputs.day))
    if source.users is None:
        reason = NO_USER_ID if not source.has("user_id") else NO_USERS
        return Draft(inputs, None, answer=not_available(reason))
    assert zone.users is not None
    listed = user_snapshot(zone.users.until(inputs.day), source, zone.rules)
    require_no_smaller_snapshot(inputs, "landing:users", listed.height, zone.users, zone.rules)
    inputs.warnings.extend(zone.users.passed_over)
    frame = without_forgotten(listed, _forgotten(inputs))
    attributes = [c for c in frame.columns if c != "user_id"]
    known = [f"{c}: {frame[c].n_unique()} values, {frame[c].null_count()} unknown" for c in attributes]
    return Draft(
        inputs,
        frame,
        lineage=users_lineage(source),
        notes={"sensitive": list(source.sensitive)},
        metadata={
            "sensitive": ", ".join(source.sensitive) or "none",
            "attributes": listing(known),
        },
    )


@gated_asset("clean_events", stage="logs", deps=[LANDED_EVENTS])
def clean_events(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """The day's events, under our names and types; each landed row is here or set aside with its reason."""
    inputs = lake.inputs(context)
    source, zone = _source(inputs), _zone(inputs)
    inputs.note("landing:events", zone.fingerprint("events", inputs.day))
    landed = zone.landed_day(inputs.day)
    target, set_aside = (inputs.store.staging(inputs.asset, inputs.day, inputs.run_id) for _ in range(2))
    cleaned = clean_day(landed, source, zone.rules, target, set_aside, _forgotten(inputs))
    require_no_fall(inputs, zone, cleaned)
    drift = schema_drift(zone.events, inputs.day, source.events)
    inputs.warnings.extend([*drift, *(said for index in zone.indexes for said in index.passed_over)])
    facts = facts_of(cleaned.path, source)
    listed = [f"{f.path.name} {f.sha256[:12]}: {f.rows_of_day[inputs.day]} rows" for f in landed.files]
    return Draft(
        inputs,
        staged=cleaned.path,
        lineage=clean_events_lineage(source),
        params={
            "published_rows": cleaned.landed_rows - cleaned.rows_elsewhere,
            "landed_rows": cleaned.landed_rows,
            "forgotten_rows": cleaned.forgotten_rows,
            "outcome_rows": sum(cleaned.outcome_rows.values()),
            "purchase_needs_click": source.purchase_needs_click,
            "logs_propensities": source.has("action_propensity"),
            "marks_recommended": source.has("recommended"),
            "few_wrong": too_many_wrong(cleaned, zone.rules) or True,
            "no_lines_lost": cleaned.lines_lost or True,
            "any_outcome": facts.any_outcome,
            "weighable": facts.weighable,
        },
        set_aside=cleaned.set_aside_path,
        metadata={
            "landed_rows": cleaned.landed_rows,
            "forgotten_rows": cleaned.forgotten_rows,
            "files": listing(listed or ["none: the day is declared empty"]),
            "rates": table(facts.rates),
            "set_aside": listing(_counts(cleaned.aside)),
            "outcomes_attributed": listing(_counts(cleaned.outcome_rows)),
            "outcomes_not_final_yet": ", ".join(sorted(landed.immature)) or "none",
            "schema_drift": listing(drift),
            "files_sent_again": ", ".join(path.name for path in zone.events.sent_again) or "none",
            "landed_rows_outside_of_the_sources_days": sum(file.outside for file in zone.events.files),
        },
    )


@gated_asset(
    "history",
    stage="logs",
    deps=[
        "items",
        dg.AssetDep("clean_events", partition_mapping=maturing_mapping),
        dg.AssetDep("history", partition_mapping=history_mapping),
    ],
)
def history(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What is known of users and items at the end of the day: exact sums over the last days, carried on by a day."""
    inputs = lake.inputs(context)
    source = _source(inputs)
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


@gated_asset(
    "units", stage="logs", deps=["clean_events", "items", "users", dg.AssetDep("history", partition_mapping=yesterday)]
)
def units(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """Events seen as experiments: covariates as of the end of the day before, treatment, outcomes, roles."""
    inputs = lake.inputs(context)
    source, settings = _source(inputs), covariate_settings(inputs)
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
        notes={
            "roles": {column: roles[column] for column in columns},
            "covariates": covariates,
            "sensitive": [c for c in covariates if c in source.sensitive],
            "action_context": action_context(source),
            "cluster": source.cluster,
            "organic_rows": source.organic_rows,
            "held_out_policies": list(source.held_out_policies),
            "unlisted": unlisted,
        },
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


def _counts(counts: Mapping[str, int]) -> list[str]:
    return [f"{name}: {count:,}" for name, count in sorted(counts.items())]


LANDED = [
    dg.AssetSpec(name, group_name="landing", kinds={"file"}, description=f"The landed {what}, as they came: {where}.")
    for name, what, where in (
        (LANDED_EVENTS, "events", "files below `data/landing`, under your own names (`data/sources.yaml`)"),
        (LANDED_ITEMS, "catalogues", "in `day=D` folders, each counts from its day on"),
        (LANDED_USERS, "users", "in `day=D` folders, each counts from its day on"),
    )
]
ASSETS: list[dg.AssetsDefinition | dg.AssetSpec] = [*LANDED, items, users, clean_events, history, units]
