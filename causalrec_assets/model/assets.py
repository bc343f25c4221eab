"""The model assets: `treatment_propensities`, `action_propensities`, `effects`, `outcome_model`."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import dagster as dg
import numpy as np
import polars as pl

from causalrec_assets.answers import ANSWERED, Answer, Status, insufficient_evidence, not_available
from causalrec_assets.embeddings.item_vectors import ItemVectors
from causalrec_assets.estimators.intervals import Estimate
from causalrec_assets.estimators.scores import calibration_curve
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.gated import gated_asset
from causalrec_assets.gate.inputs import Inputs
from causalrec_assets.gate.metadata import picture, table
from causalrec_assets.gate.store import canonical, sha256
from causalrec_assets.gate.windows import parse_learning
from causalrec_assets.graph.halves import graph_half
from causalrec_assets.logs.clusters import ClusterCounts, cluster_codes, count_clusters
from causalrec_assets.logs.far_values import far_values
from causalrec_assets.logs.gaps import NO_ACTION_PROPENSITIES
from causalrec_assets.logs.sensitive import withheld_from_policies
from causalrec_assets.logs.sources import parse_source
from causalrec_assets.model import effects as fit
from causalrec_assets.model.judgement import judge, prediction_table
from causalrec_assets.model.outcome_training import Trained, train_outcome_model
from causalrec_assets.model.plan import Plan, plan_training
from causalrec_assets.model.plots import calibration_plot, overlap_plot, training_plot
from causalrec_assets.model.settings import ModelSettings, parse_model_settings
from causalrec_assets.model.strategies import covariates_of, estimate_question
from causalrec_assets.partitions import learning_window_mapping
from resources.compute import GPU_OP_TAGS, GPU_POOL, Compute
from resources.lake import Lake
from resources.tracking import Attempt, Tracking, held_out_metrics

UNITS = dg.AssetDep("units", partition_mapping=learning_window_mapping)


def training_units(inputs: Inputs) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The units of the training days that a fit may read, and their notes."""
    window = inputs.window("units", inputs.learning.train_days)
    held_out = window.notes["held_out_policies"]
    return window.frame.filter(~pl.col("policy").is_in(held_out).fill_null(False)), window.notes


@gated_asset("treatment_propensities", stage="model", deps=[UNITS, "adjustment_sets"])
def treatment_propensities(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """P(treated | adjustment set) of every training unit and question, cross-fitted by cluster and calibrated."""
    inputs = lake.inputs(context)
    sets = inputs.table("adjustment_sets").frame
    questions = sets.filter(pl.col("status") == Status.ANSWERED)
    if questions.is_empty():
        return Draft(inputs, None, answer=fit.answer_of(sets.row(0, named=True)), params={"rows": 0})
    settings = parse_model_settings(inputs.setting("model.yaml"))
    rows, notes = training_units(inputs)
    clusters = cluster_codes(rows, str(notes["cluster"]))
    parts: list[pl.DataFrame] = []
    pictures: dict[str, dg.MarkdownMetadataValue] = {}
    fitted: dict[tuple[str, ...], fit.Propensities] = {}
    # A question that cannot be asked has an answer of its own, and ends no other.
    refused: dict[str, Answer] = {}
    for question in questions.iter_rows(named=True):
        name, treatment = question["question"], rows[question["treatment"]]
        answer = fit.can_be_compared(treatment, clusters, settings)
        if not answer.answered:
            refused[name] = answer
            continue
        # Questions about one treatment often share their adjustment set, and so their propensities.
        key = (question["treatment"], *covariates_of(question))
        if key not in fitted:
            fitted[key] = fit.treatment_propensities(rows, *_split(key), clusters, settings, inputs.seed)
        found, t = fitted[key], fit.as_binary(treatment)
        parts.append(
            pl.DataFrame(
                {
                    "unit_id": rows["unit_id"],
                    "question": name,
                    "treatment": treatment.cast(pl.Int8),
                    "propensity": found.propensity,
                    "fold": found.fold,
                }
            )
        )
        pictures[f"overlap_{name}"] = picture(overlap_plot(found.propensity, t))
        curve = calibration_curve(t, found.propensity)
        pictures[f"calibration_{name}"] = picture(calibration_plot(curve, "treatment propensity"))
    return Draft(
        inputs,
        pl.concat(parts) if parts else None,
        answer=ANSWERED if parts else next(iter(refused.values())),
        notes={"answers": {name: {"status": a.status.value, "reason": a.reason} for name, a in refused.items()}},
        params={"rows": rows.height * len(parts)},
        metadata={"without_propensities": table(_refused_table(refused)), **pictures},
    )


def _refused_table(refused: Mapping[str, Answer]) -> pl.DataFrame:
    rows = [(name, answer.status.value, answer.reason) for name, answer in refused.items()]
    return pl.DataFrame(rows, schema=dict.fromkeys(("question", "status", "reason"), pl.String), orient="row")


def _split(key: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    return key[0], key[1:]


@gated_asset("action_propensities", stage="model", deps=[UNITS])
def action_propensities(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """P(item | slot) under the logging policy, as logged, for the recommended units of the window."""
    inputs = lake.inputs(context)
    if not inputs.learning.days:
        return Draft(inputs, None, answer=insufficient_evidence(inputs.learning.reason))
    units = inputs.window("units", inputs.learning.days).frame
    recommended = units.filter(pl.col("recommended") == 1)
    rounds = recommended.filter(pl.col("action_propensity").is_not_null())
    frame = rounds.select("unit_id", "action_propensity", pl.lit("logged").alias("origin"))
    answer = ANSWERED if frame.height else not_available(NO_ACTION_PROPENSITIES)
    if not recommended.height and units["recommended"].null_count() < max(1, units.height):
        answer = insufficient_evidence(
            "nothing was recommended in the window" if units.height else "nothing happened in the window"
        )
    return Draft(
        inputs,
        frame,
        answer=answer,
        metadata={
            "recommended_units": recommended.height,
            "with_propensity": frame.height,
            "smallest": str(frame["action_propensity"].min()),
        },
    )


@gated_asset("effects", stage="model", deps=[UNITS, "adjustment_sets", "treatment_propensities"])
def effects(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What the treatment changes about each outcome, over the training units: naive, SNIPS and AIPW."""
    inputs = lake.inputs(context)
    sets = inputs.table("adjustment_sets")
    propensities = inputs.table("treatment_propensities")
    settings = parse_model_settings(inputs.setting("model.yaml"))
    rows, of_effects, clusters = pl.DataFrame(), pl.Series(dtype=pl.Boolean), np.empty(0, dtype=np.int64)
    counted: ClusterCounts | None = None
    far: list[str] = []
    if propensities.answer.answered:
        rows, notes = training_units(inputs)
        cluster = str(notes["cluster"])
        # Where units are split, those that the graph was found on may teach propensities, but say nothing of effects.
        of_effects = ~graph_half(rows, cluster) if sets.notes["split"] else pl.repeat(True, rows.height, eager=True)
        clusters = cluster_codes(rows, cluster)[of_effects.to_numpy()]
        counted = count_clusters(rows.filter(of_effects), cluster)
        far = [one.words for one in far_values(rows.filter(of_effects), _read_by(sets.frame))]
    found: list[dict[str, Any]] = []
    diagnostics: dict[str, dict[str, Any]] = {}
    for question in sets.frame.iter_rows(named=True):
        name, answer = question["question"], fit.answer_of(question)
        estimates: dict[str, Estimate] = {}
        if answer.answered:
            answer = fit.propensity_answer(propensities.answer, propensities.notes.get("answers", {}), name)
        if answer.answered:
            mine = fit.aligned(propensities.frame, name, rows).filter(of_effects)
            answer, estimates, diagnostics[name] = estimate_question(
                rows.filter(of_effects),
                question,
                mine["propensity"].to_numpy(),
                mine["fold"].to_numpy(),
                clusters,
                settings,
                inputs.seed,
            )
        found.extend(fit.effect_rows(question, answer, estimates))
    frame = pl.DataFrame(found, schema=fit.SCHEMA)
    shown = frame.select("question", "estimator", "estimate", "lower", "upper", "status", "reason")
    trust = pl.DataFrame([{"question": name, **numbers} for name, numbers in diagnostics.items() if numbers])
    return Draft(
        inputs,
        frame,
        notes={"diagnostics": diagnostics, "clusters": asdict(counted) if counted else None, "far_values": far},
        params={"rows": len(fit.ESTIMATORS) * sets.frame.height},
        metadata={
            "effects": table(shown),
            "trust": table(trust),
            "clustered": counted.words if counted else "nothing was estimated",
            "far_values": "; ".join(far) or "none",
        },
    )


def _read_by(sets: pl.DataFrame) -> list[str]:
    """The covariates of all questions, each once."""
    return list(dict.fromkeys(c for question in sets.iter_rows(named=True) for c in covariates_of(question)))


@dg.failure_hook(required_resource_keys={"lake", "tracking"})
def ends_tracking(context: dg.HookContext) -> None:
    """The MLflow run of a training that the gate has refused says FAILED, as the step does."""
    context.resources.tracking.step_failed(context.resources.lake.where, context.run_id)


@gated_asset(
    "outcome_model",
    stage="model",
    deps=[UNITS, "adjustment_sets", "treatment_propensities", "item_embeddings"],
    pool=GPU_POOL,
    op_tags=GPU_OP_TAGS,
    hooks={ends_tracking},
)
def outcome_model(context: dg.AssetExecutionContext, lake: Lake, compute: Compute, tracking: Tracking) -> Draft:
    """Click and purchase if recommended and if not, from the adjustment set and the item's content."""
    inputs = lake.inputs(context)
    if not inputs.learning.enough:
        return _no_model(inputs, insufficient_evidence(inputs.learning.reason))
    settings = parse_model_settings(inputs.setting("model.yaml"))
    inputs.note("compute", compute.fingerprint)
    rows, notes = training_units(inputs)
    withheld = withheld_from_policies(inputs, parse_source(inputs.setting("sources.yaml")))
    propensities = inputs.table("treatment_propensities")
    plan = plan_training(
        rows,
        inputs.table("adjustment_sets").frame,
        propensities.frame,
        propensities.answer,
        notes["roles"],
        notes["covariates"],
        notes["action_context"],
        withheld,
        propensities.notes.get("answers", {}),
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
            plan.rows,
            plan.columns,
            vectors,
            plan.propensity,
            plan.arms,
            plan.purchases,
            settings,
            inputs.seed,
            compute.trainer_kwargs(),
            checkpoints,
            run.loggers(),
        )
        draft = _judged(inputs, plan, trained, vectors, notes["held_out_policies"])
        metrics = {"best_epoch": trained.best_epoch + 1.0, **held_out_metrics(draft.notes["log_loss"])}
        run.complete(trained.curve, metrics, draft.files, inputs.recorded)
        shutil.rmtree(checkpoints)
    return replace(draft, metadata={**draft.metadata, **run.metadata})


def _params(
    inputs: Inputs, plan: Plan, settings: ModelSettings, vectors: ItemVectors | None, compute: Compute
) -> dict[str, object]:
    """What a person compares trainings by."""
    learning = parse_learning(inputs.setting("learning.yaml"), inputs.setting("sources.yaml"))
    train, judge = inputs.learning.train_days, inputs.learning.judge_days
    return {
        **{f"model.{name}": value for name, value in asdict(settings).items()},
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


def _judged(inputs: Inputs, plan: Plan, trained: Trained, vectors: ItemVectors | None, held_out: list[str]) -> Draft:
    model = trained.model
    judged = inputs.window("units", inputs.learning.judge_days).frame
    frame = prediction_table(judged, model.predict(judged, vectors))
    found = judge(frame, plan.rows, model.outcomes, held_out)
    scores = {
        j.outcome: {"model": j.model, "constant": j.constant, "calibration_error": j.calibration_error} for j in found
    }
    beats = {j.outcome: j.beats_constant for j in found}
    summary = pl.DataFrame(
        [
            {"outcome": j.outcome, "units": j.rows, **scores[j.outcome], "beats_constant": j.beats_constant}
            for j in found
        ]
    )
    curves = {f"calibration_{j.outcome}": picture(calibration_plot(j.curve, j.outcome)) for j in found}
    return Draft(
        inputs,
        frame,
        notes={
            "heads": model.heads,
            "arms": model.arms,
            "columns": model.design.names,
            "withheld": plan.withheld,
            "item_content": model.reads_content,
            "divides_by": plan.divides_by,
            "log_loss": scores,
            "beats_constant": beats,
            "training_units": plan.rows.height,
            "epochs": len(trained.curve),
        },
        files=model.save(),
        params={
            "beats": bool(beats) and all(beats.values()),
            "both_arms": model.arms == "both",
            "has_purchases": model.purchases,
        },
        metadata={
            "judgement": table(summary),
            "training": picture(training_plot(trained.curve)),
            **curves,
            "best_epoch": trained.best_epoch + 1,
            "weight_clip": trained.clip,
            "arms": model.arms,
            "reads": ", ".join(model.design.names),
            "sensitive_and_not_read": ", ".join(plan.withheld) or "none",
        },
    )


ASSETS = [treatment_propensities, action_propensities, effects, outcome_model]
