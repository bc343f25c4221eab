"""The asset `release`: the decision between champion and challenger."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from causalrec.answers import InputError, Status
from causalrec.evaluation.deciding_rows import evidence_of, headline, never_told
from causalrec.evaluation.notes import VerdictNotes
from causalrec.evaluation.trials.notes import TrialNotes
from causalrec.evaluation.trials.refresh import decide_refresh, spent_on
from causalrec.evaluation.trials.trial import Refresh
from causalrec.logs.landing.zone import LandingZone
from causalrec.model.outcome.notes import OutcomeModelNotes
from causalrec.policy.notes import PolicyNotes
from causalrec.settings.logs.sources import parse_source
from causalrec.settings.release import ReleaseRule
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.gate.draft import Draft
from causalrec_assets.lake.inputs import Inputs, Table
from causalrec_assets.lake.releases import Champion, ChampionConflict, DrawnBy, ReleaseLog
from causalrec_assets.lake.trials import TrialConflict, TrialLog
from causalrec_assets.serving.release import (
    Decided,
    ReleaseNotes,
    carry_out,
    decide,
    decide_by_trial,
    held_by_roll_back,
    override,
    release_row,
    roll_back,
)
from causalrec_assets.serving.released import POLICY_JSON, TABLES, bundle_hash, check_lineage, make_bundle, same_recipe
from causalrec_assets.serving.trial_steps import Terms, Today
from causalrec_assets.serving.trials import TrialsOfRun, refreshes_of
from resources.lake import Lake
from resources.tracking.resource import Tracking, Training, held_out_metrics

REPORTS = ("evaluation_report", "off_policy_report", "trial_report", "trial_policy", "target_policy")


class Person(dg.Config):
    """Given in the launchpad where a person decides; left out, the evidence does."""

    roll_back_to: int | None = Field(
        default=None, description="Entry of the release log that is to serve again; 0 is the logging policy."
    )
    override: str | None = Field(
        default=None,
        description="release_trial: the running trial's challenger serves; release_today: today's; keep: the champion "
        "stays and the running trial ends.",
    )
    because: str = Field(default="", description="Who wants it, and why.")


@gated_asset(
    "release",
    group_name="serving",
    deps=[
        "evaluation_report",
        "off_policy_report",
        "trial_report",
        "trial_policy",
        "target_policy",
        "causal_graph",
        "adjustment_sets",
        "item_embeddings",
        "outcome_model",
    ],
)
def release(context: dg.AssetExecutionContext, config: Person, lake: Lake, tracking: Tracking) -> Draft:
    """Whether the challenger becomes the champion. The release log decides; the model registry mirrors it."""
    inputs = lake.inputs(context)
    log, newest = ReleaseLog(inputs.store), LandingZone.of(inputs.home).newest_day
    if config.roll_back_to is not None:
        return _rolled_back(inputs, config.roll_back_to, config.because, newest, log, tracking, context)
    # Wrong settings are refused before anything moves; they are no input of this table.
    tracking.configured(inputs.home)
    rule = ReleaseRule.parse(inputs.setting("release.yaml"))
    tables = {name: inputs.table(name) for name in (*REPORTS, *TABLES)}
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
    is_newest = newest == inputs.day
    inputs.note("newest", str(is_newest))
    trials = TrialsOfRun(TrialLog(inputs.store), inputs.day)
    try:
        if config.override is not None:
            said, decided = (
                "not_asked",
                override(config.override, config.because, inputs.day, newest, bundle, log, trials),
            )
        elif rule.retrospective is not None:
            said = verdict.verdict
            decided = _looked_back(inputs.day, verdict, is_newest, bundle, before, log)
        else:
            today = _today(inputs, bundle, tables, rule, before, refreshes_of(trials.entries))
            said, decided = decide_by_trial(today, is_newest, before, trials, log)
            if trials.current is None and said == "wait":
                # Why none runs, where the report says so.
                said = verdict.verdict
    except (ChampionConflict, TrialConflict) as error:
        raise InputError(str(error)) from error
    window = inputs.learning
    mirrored = tracking.mirror(
        inputs.home,
        Training(
            partition=inputs.day,
            dagster_run=inputs.run_id,
            verdict=said,
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
        release_row(inputs.day, said, bundle, before, decided),
        notes=ReleaseNotes(bundle, decided.outcome.value),
        metadata={
            "decision": decided.outcome.value,
            "verdict": said,
            "reason": decided.reason,
            "trial": decided.trial,
            "newest_day": is_newest,
            "serves": _served_by(log.current()),
            **mirrored,
            "bundle": dg.MetadataValue.json(bundle or {}),
        },
    )


def _looked_back(
    day: date,
    verdict: VerdictNotes,
    newest: bool,
    bundle: Mapping[str, Any] | None,
    before: Champion | None,
    log: ReleaseLog,
) -> Decided:
    """By the one look back at the judgement days of the challenger."""
    challenger = bundle_hash(bundle) if bundle else None
    decided = decide(verdict.verdict, verdict.reason, newest, challenger, before.bundle_hash if before else None)
    return carry_out(held_by_roll_back(decided, day, log), day, bundle, before, log)


def _today(
    inputs: Inputs,
    bundle: Mapping[str, Any] | None,
    tables: Mapping[str, Table],
    rule: ReleaseRule,
    before: Champion | None,
    refreshes: Sequence[Refresh],
) -> Today:
    """What the day brings to the trial, or to a refresh where today's bundle is of the champion's own recipe.

    Args:
        refreshes: All attempts so far.
    """
    notes, judged = tables["trial_report"].notes_as(TrialNotes), tables["off_policy_report"]
    estimand = rule.deciding_estimand(parse_source(inputs.setting("sources.yaml")))
    # At most; which policy has made the logs of its days is known when a look is made.
    error = rule.error_a_look(champion_logs=True)
    terms = Terms(estimand, error, rule.trial_weeks, rule.model_dump(mode="json"))
    refresh, days = None, inputs.learning.judge_days
    own = bundle is not None and before is not None and same_recipe(bundle, before.bundle)
    if own and rule.refresh and days and judged.answer.answered:
        assert bundle is not None and before is not None
        evidence = evidence_of(judged.frame, estimand)
        spent = spent_on(refreshes, before.bundle_hash, rule)
        refresh = decide_refresh(bundle_hash(bundle), before.entry, days, evidence, rule, spent)
    never = never_told(judged.frame, estimand) if judged.answer.answered else judged.answer
    if never is not None and never.status is Status.INSUFFICIENT_EVIDENCE:
        never = None
    return Today(inputs.day, bundle, notes.looks, notes.entry, terms, refresh, never)


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
        decided = roll_back(inputs.day, newest, to, because, log, TrialsOfRun(TrialLog(inputs.store), inputs.day))
    except (ChampionConflict, TrialConflict) as error:
        raise InputError(str(error)) from error
    return Draft(
        inputs,
        release_row(inputs.day, "not_asked", None, before, decided),
        notes=ReleaseNotes(None, decided.outcome.value),
        metadata={
            "decision": decided.outcome.value,
            "reason": because,
            "trial": decided.trial,
            "newest_day": True,
            "serves": _served_by(log.current()),
            **tracking.mirror_champion(inputs.home, log.current(), context.log),
        },
    )


def _served_by(champion: Champion | None) -> str:
    if champion is None:
        return "the logging policy"
    return f"release {champion.entry}, of {champion.partition}; its slates are logged as {DrawnBy(champion.entry)}"


def _values(judged: pl.DataFrame) -> dict[str, float]:
    """The values of the challenger that decide, by name."""
    values: dict[str, float] = {}
    for row in headline(judged).drop_nulls("estimate").iter_rows(named=True):
        values |= {f"{row['metric']}_{name}": row[name] for name in ("estimate", "difference", "difference_lower")}
    return values
