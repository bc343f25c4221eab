"""The asset `clean_events`: the day's events under our names and types."""

from collections.abc import Mapping

import dagster as dg

from causalrec.logs.cleaning.clean import clean_day, too_many_wrong
from causalrec.logs.cleaning.facts import facts_of
from causalrec.logs.landing.drift import schema_drift
from causalrec.logs.units.lineage import (
    LANDED_EVENTS,
    clean_events_lineage,
)
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.ui import listing, table
from causalrec_assets.gate.draft import Draft
from causalrec_assets.logs.good_version import require_no_fall
from causalrec_assets.logs.shared import forgotten_users, source_of, zone_of
from resources.lake import Lake


@gated_asset("clean_events", group_name="logs", deps=[LANDED_EVENTS])
def clean_events(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """The day's events, under our names and types; each landed row is here or set aside with its reason."""
    inputs = lake.inputs(context)
    source, zone = source_of(inputs), zone_of(inputs)
    inputs.note("landing:events", zone.fingerprint("events", inputs.day))
    landed = zone.landed_day(inputs.day)
    target, set_aside = (inputs.store.staging(inputs.asset, inputs.day, inputs.run_id) for _ in range(2))
    cleaned = clean_day(landed, source, zone.rules, target, set_aside, forgotten_users(inputs))
    require_no_fall(inputs, zone, cleaned)
    drift = schema_drift(zone.events, inputs.day, source.events)
    inputs.warnings.extend([*drift, *(warning for index in zone.indexes for warning in index.passed_over)])
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
            "logs_first_slots": source.has("first_slot_propensity"),
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


def _counts(counts: Mapping[str, int]) -> list[str]:
    return [f"{name}: {count:,}" for name, count in sorted(counts.items())]
