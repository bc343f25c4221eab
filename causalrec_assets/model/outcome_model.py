"""The asset `outcome_model`: the model of potential outcomes."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace

import dagster as dg
import polars as pl

from causalrec.answers import Answer, insufficient_evidence
from causalrec.embeddings.item_vectors import ItemVectors
from causalrec.hashing import canonical, sha256
from causalrec.logs.clusters import cluster_codes
from causalrec.model.effects.notes import PropensitiesNotes
from causalrec.model.outcome.calibration import OutcomeEvaluation, evaluate, prediction_table
from causalrec.model.outcome.lift import Lift
from causalrec.model.outcome.model import OutcomeModel
from causalrec.model.outcome.notes import OutcomeModelNotes
from causalrec.model.outcome.plan import TrainingPlan, plan_training
from causalrec.model.outcome.training import Trained, lift_of, train_outcome_model
from causalrec.model.plots import calibration_plot, training_plot
from causalrec.settings.learning import parse_learning
from causalrec.settings.logs.sources import parse_source
from causalrec.settings.model import ModelSettings
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.partitions import learning_window_mapping
from causalrec_assets.common.reads import withheld_from_policies
from causalrec_assets.common.ui import picture, table
from causalrec_assets.gate.draft import Draft
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.model.rest_of_request import rest_model, rest_table
from causalrec_assets.model.shared import UNITS, training_units
from resources.compute import GPU_OP_TAGS, GPU_POOL, Compute
from resources.lake import Lake
from resources.tracking.resource import Attempt, Tracking, held_out_metrics
from resources.tracking.tracker import Result


@dg.failure_hook(required_resource_keys={"lake", "tracking"})
def ends_tracking(context: dg.HookContext) -> None:
    """The MLflow run of a training that the gate has refused says FAILED, as the step does."""
    context.resources.tracking.step_failed(context.resources.lake.where, context.run_id)


@gated_asset(
    "outcome_model",
    group_name="model",
    deps=[
        UNITS,
        "adjustment_sets",
        "treatment_propensities",
        "item_embeddings",
        *(dg.AssetDep(asset, partition_mapping=learning_window_mapping) for asset in ("items", "users", "history")),
    ],
    pool=GPU_POOL,
    op_tags=GPU_OP_TAGS,
    hooks={ends_tracking},
)
def outcome_model(context: dg.AssetExecutionContext, lake: Lake, compute: Compute, tracking: Tracking) -> Draft:
    """Click and purchase if recommended and if not, from the adjustment set and the item's content."""
    inputs = lake.inputs(context)
    if not inputs.learning.enough:
        return _no_model(inputs, insufficient_evidence(inputs.learning.reason))
    settings = ModelSettings.parse(inputs.setting("model.yaml"))
    inputs.note("compute", compute.fingerprint)
    rows, notes = training_units(inputs)
    source = parse_source(inputs.setting("sources.yaml"))
    withheld = withheld_from_policies(inputs, source)
    propensities = inputs.table("treatment_propensities")
    plan = plan_training(
        rows,
        notes,
        inputs.table("adjustment_sets").frame,
        propensities.frame,
        propensities.answer,
        propensities.notes_as(PropensitiesNotes).answers,
        withheld,
    )
    if isinstance(plan, Answer):
        return _no_model(inputs, plan)
    embeddings = inputs.table("item_embeddings")
    vectors = ItemVectors.from_frame(embeddings.frame) if embeddings.answer.answered else None
    # What was read names the folder: a killed run resumes only from its like.
    reads = sha256(canonical(inputs.recorded))[:16]
    checkpoints = compute.checkpoint_folder(inputs.home) / "outcome_model" / reads
    params = _params(inputs, plan, settings, vectors, compute)
    attempt = Attempt(inputs.day, inputs.run_id, params, dict(inputs.recorded))
    with tracking.training(inputs.home, attempt, context.log) as run:
        trained = train_outcome_model(
            plan, vectors, settings, inputs.seed, compute.trainer_kwargs(), checkpoints, run.loggers()
        )
        rest = rest_model(inputs, source, notes, trained.model, vectors, settings)
        lift = lift_of(plan, trained.model, vectors, cluster_codes(plan.rows, notes.cluster), settings, inputs.seed)
        trained = replace(trained, model=replace(trained.model, rest=rest, lift=lift))
        judged = inputs.window("units", inputs.learning.judge_days).frame
        predictions = prediction_table(judged, trained.model.predict(judged, vectors))
        evaluations = evaluate(predictions, plan.rows, trained.model.outcomes, notes.held_out_policies)
        draft = Draft(
            inputs,
            predictions,
            notes=OutcomeModelNotes.of(plan, trained, evaluations),
            files=trained.model.save(),
            params=_contract_params(trained.model, evaluations),
            metadata=_shown(plan, trained, evaluations),
        )
        scores = {one.outcome: one.scores for one in evaluations}
        metrics = {"best_epoch": trained.best_epoch + 1.0, **held_out_metrics(scores)}
        run.complete(Result(trained.curve, metrics, draft.files, inputs.recorded))
        shutil.rmtree(checkpoints)
    return replace(draft, metadata={**draft.metadata, **run.metadata})


def _params(
    inputs: Inputs, plan: TrainingPlan, settings: ModelSettings, vectors: ItemVectors | None, compute: Compute
) -> dict[str, object]:
    """What a person compares trainings by."""
    learning = parse_learning(inputs.setting("learning.yaml"), inputs.setting("sources.yaml"))
    train, judge = inputs.learning.train_days, inputs.learning.judge_days
    return {
        **{f"model.{name}": value for name, value in settings.model_dump().items()},
        "columns": plan.columns,
        "arms": plan.arms,
        "divides_by": plan.divides_by,
        "purchases": plan.purchases,
        "item_content": vectors is not None,
        "training_units": plan.rows.height,
        "seed": inputs.seed,
        "window_days": learning.window_days,
        "judgement_days": learning.judgement_days,
        "maturity_days": learning.maturity_days,
        "train_first_day": train[0],
        "train_last_day": train[-1],
        "judge_first_day": judge[0],
        "judge_last_day": judge[-1],
        "compute": compute.fingerprint,
    }


def _no_model(inputs: Inputs, answer: Answer) -> Draft:
    params = {"beats": True, "both_arms": False, "has_purchases": False}
    return Draft(inputs, None, answer=answer, params=params)


def _contract_params(model: OutcomeModel, evaluations: Sequence[OutcomeEvaluation]) -> dict[str, bool]:
    """What the contract's rules ask about."""
    return {
        "beats": bool(evaluations) and all(one.beats_constant for one in evaluations),
        "both_arms": model.arms == "both",
        "has_purchases": model.purchases,
    }


def _shown(plan: TrainingPlan, trained: Trained, evaluations: Sequence[OutcomeEvaluation]) -> dict[str, object]:
    """What the Dagster UI shows: how the training went, and how good the model is on the judgement days."""
    summary = [
        {"outcome": one.outcome, "units": one.rows, **asdict(one.scores), "beats_constant": one.beats_constant}
        for one in evaluations
    ]
    return {
        "judgement": table(pl.DataFrame(summary)),
        "training": picture(training_plot(trained.curve)),
        **{f"calibration_{one.outcome}": picture(calibration_plot(one.curve, one.outcome)) for one in evaluations},
        "best_epoch": trained.best_epoch + 1,
        "weight_clip": trained.clip,
        "arms": trained.model.arms,
        "reads": ", ".join(trained.model.design.names),
        "rest_of_request": table(rest_table(trained.model.rest)),
        "lift": table(_lift_table(trained.model.lift)),
        "sensitive_and_not_read": ", ".join(plan.withheld) or "none",
    }


def _lift_table(lift: Lift | None) -> pl.DataFrame:
    """For people: how much recommending adds to each outcome, and whether it is told that it differs."""
    rows = [
        {"outcome": name, "log-odds": one.level, "differs": one.penalty is not None, "units": one.rows}
        for name, one in (lift.outcomes if lift else {}).items()
    ]
    kinds = {"outcome": pl.String, "log-odds": pl.Float64, "differs": pl.Boolean, "units": pl.Int64}
    return pl.DataFrame(rows, schema=kinds)
