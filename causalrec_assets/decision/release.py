"""The asset `release`: the decision between champion and challenger."""

import json
from datetime import date

import dagster as dg
import polars as pl
from pydantic import Field

from causalrec.answers import InputError
from causalrec.evaluation.notes import VerdictNotes
from causalrec.evaluation.verdict import headline
from causalrec.logs.landing.zone import LandingZone
from causalrec.model.outcome.notes import OutcomeModelNotes
from causalrec.policy.notes import PolicyNotes
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.gate.draft import Draft
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.lake.releases import Champion, ChampionConflict, ReleaseLog
from causalrec_assets.serving.release import ReleaseNotes, carry_out, decide, held_by_roll_back, release_row, roll_back
from causalrec_assets.serving.released import POLICY_JSON, TABLES, bundle_hash, check_lineage, make_bundle
from resources.lake import Lake
from resources.tracking.resource import Tracking, Training, held_out_metrics


class RollBack(dg.Config):
    """Given in the launchpad to let an earlier champion serve again; left out, the evidence decides."""

    roll_back_to: int | None = Field(
        default=None, description="Entry of the release log that is to serve again; 0 is the logging policy."
    )
    because: str = Field(default="", description="Who wants it, and why.")


@gated_asset(
    "release",
    group_name="serving",
    deps=[
        "evaluation_report",
        "off_policy_report",
        "target_policy",
        "causal_graph",
        "adjustment_sets",
        "item_embeddings",
        "outcome_model",
    ],
)
def release(context: dg.AssetExecutionContext, config: RollBack, lake: Lake, tracking: Tracking) -> Draft:
    """Whether the challenger becomes the champion. The release log decides; the model registry mirrors it."""
    inputs = lake.inputs(context)
    log, newest = ReleaseLog(inputs.store), LandingZone.of(inputs.home).newest_day
    if config.roll_back_to is not None:
        return _rolled_back(inputs, config.roll_back_to, config.because, newest, log, tracking, context)
    # Wrong settings are refused before anything moves; they are no input of this table.
    tracking.configured(inputs.home)
    tables = {name: inputs.table(name) for name in ("evaluation_report", "off_policy_report", "target_policy", *TABLES)}
    check_lineage(tables)
    before = inputs.champion()
    policies, model = tables["target_policy"], tables["outcome_model"]
    judged, verdict = policies.notes_as(PolicyNotes), tables["evaluation_report"].notes_as(VerdictNotes)
    if judged.champion != (before.bundle_hash if before else None):
        raise InputError(
            f"the challenger of {inputs.day} was judged against another champion than the one before it now; "
            "materialise target_policy and what follows again"
        )
    # What was judged, not what the settings say by now.
    bundle = None
    if model.answer.answered and POLICY_JSON in policies.files:
        bundle = make_bundle(inputs.day, tables, json.loads(policies.file(POLICY_JSON)), judged.objective)
    challenger = bundle_hash(bundle) if bundle else None
    is_newest = newest == inputs.day
    inputs.note("newest", str(is_newest))
    decided = decide(verdict.verdict, verdict.reason, is_newest, challenger, before.bundle_hash if before else None)
    decided = held_by_roll_back(decided, inputs.day, log)
    try:
        decided = carry_out(decided, inputs.day, bundle, before, log)
    except ChampionConflict as error:
        raise InputError(str(error)) from error
    window = inputs.learning
    mirrored = tracking.mirror(
        inputs.home,
        Training(
            partition=inputs.day,
            dagster_run=inputs.run_id,
            verdict=verdict.verdict,
            decision=decided.outcome.value,
            bundle=bundle,
            newest=is_newest,
            trained_in=model.pointer.run_id if model.answer.answered else None,
            files={name: model.file(name) for name in model.files},
            params={
                "train_days": len(window.train_days),
                "judge_days": len(window.judge_days),
                "seed": inputs.seed,
            },
            scores=held_out_metrics(model.notes_as(OutcomeModelNotes).log_loss) if model.answer.answered else {},
            metrics=_values(tables["off_policy_report"].frame),
        ),
        log.current(),
        context.log,
    )
    return Draft(
        inputs,
        release_row(inputs.day, verdict.verdict, bundle, before, decided),
        notes=ReleaseNotes(bundle, decided.outcome.value),
        metadata={
            "decision": decided.outcome.value,
            "verdict": verdict.verdict,
            "reason": decided.reason,
            "newest_day": is_newest,
            "serves": _served_by(log.current()),
            **mirrored,
            "bundle": dg.MetadataValue.json(bundle or {}),
        },
    )


def _rolled_back(
    inputs: Inputs,
    to: int,
    because: str,
    newest: date | None,
    log: ReleaseLog,
    tracking: Tracking,
    context: dg.AssetExecutionContext,
) -> Draft:
    before = log.current()
    try:
        decided = roll_back(inputs.day, newest, to, because, log)
    except ChampionConflict as error:
        raise InputError(str(error)) from error
    return Draft(
        inputs,
        release_row(inputs.day, "not_asked", None, before, decided),
        notes=ReleaseNotes(None, decided.outcome.value),
        metadata={
            "decision": decided.outcome.value,
            "reason": because,
            "newest_day": True,
            "serves": _served_by(log.current()),
            **tracking.mirror_champion(inputs.home, log.current(), context.log),
        },
    )


def _served_by(champion: Champion | None) -> str:
    return f"release {champion.entry}, of {champion.partition}" if champion else "the logging policy"


def _values(judged: pl.DataFrame) -> dict[str, float]:
    """The values of the challenger that decide, by name."""
    values: dict[str, float] = {}
    for row in headline(judged).drop_nulls("estimate").iter_rows(named=True):
        values |= {f"{row['metric']}_{name}": row[name] for name in ("estimate", "difference", "difference_lower")}
    return values
