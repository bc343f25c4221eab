"""The model assets: `treatment_propensities`, `action_propensities`, `effects`, `outcome_model`."""

import shutil

import dagster as dg
import numpy as np
import polars as pl

from causalrec_assets.answers import Answer, Status, insufficient_evidence, not_available
from causalrec_assets.embeddings.assets import item_embeddings
from causalrec_assets.embeddings.item_vectors import ItemVectors
from causalrec_assets.estimators.scores import calibration_curve, calibration_error, log_loss
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.gated import gated_asset
from causalrec_assets.gate.inputs import Inputs
from causalrec_assets.gate.metadata import picture, table
from causalrec_assets.gate.store import canonical, sha256
from causalrec_assets.graph.assets import adjustment_sets
from causalrec_assets.logs.assets import units
from causalrec_assets.logs.units import cluster_codes
from causalrec_assets.model import effects as fit
from causalrec_assets.model.outcome_model import OutcomeModel
from causalrec_assets.model.outcome_training import Trained, check_columns, train_outcome_model
from causalrec_assets.model.plots import calibration_plot, overlap_plot, training_plot
from causalrec_assets.model.settings import ModelSettings, parse_model_settings
from causalrec_assets.partitions import learning_window_mapping
from resources.compute import GPU_OP_TAGS, GPU_POOL, Compute
from resources.lake import Lake

UNITS = dg.AssetDep(units, partition_mapping=learning_window_mapping)


def training_units(inputs: Inputs) -> tuple[pl.DataFrame, dict[str, object]]:
    """The units of the training days that a fit may read, and their notes."""
    window = inputs.window("units", inputs.learning.train_days)
    held_out = window.notes["held_out_policies"]
    return window.frame.filter(~pl.col("policy").is_in(held_out).fill_null(False)), window.notes


@gated_asset("treatment_propensities", stage="model", deps=[UNITS, adjustment_sets])
def treatment_propensities(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """P(treated | adjustment set) of every training unit, cross-fitted by cluster and calibrated, per answered question."""
    inputs = lake.inputs(context)
    sets = inputs.table("adjustment_sets").frame
    open_questions = sets.filter(pl.col("status") == Status.ANSWERED)
    if open_questions.is_empty():
        answer = fit.answer_of(sets.row(0, named=True))
        return Draft(inputs, None, answer=answer, params={"rows": 0})
    settings = parse_model_settings(inputs.setting("model.yaml"))
    rows, notes = training_units(inputs)
    clusters = cluster_codes(rows, str(notes["cluster"]))
    parts, pictures, seen = [], {}, {}
    for question in open_questions.iter_rows(named=True):
        key = (question["treatment"], *question["columns"])
        if key not in seen:
            seen[key] = fit.treatment_propensities(rows, question["treatment"], question["columns"], clusters, settings, inputs.seed)
        found = seen[key]
        t = rows[question["treatment"]]
        parts.append(pl.DataFrame({
            "unit_id": rows["unit_id"], "question": question["question"], "treatment": t, "propensity": found.propensity,
            "fold": found.fold,
        }))
        pictures[f"overlap_{question['question']}"] = picture(overlap_plot(found.propensity, t.to_numpy()))
        curve = calibration_curve(t.to_numpy(), found.propensity)
        pictures[f"calibration_{question['question']}"] = picture(calibration_plot(curve, "treatment propensity"))
    frame = pl.concat(parts)
    return Draft(inputs, frame, params={"rows": rows.height * open_questions.height}, metadata=pictures)


@gated_asset("action_propensities", stage="model", deps=[UNITS])
def action_propensities(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """P(item | slot) under the logging policy, as logged, for the recommended units of the window."""
    inputs = lake.inputs(context)
    window = inputs.window("units", inputs.learning.days).frame
    rounds = window.filter((pl.col("recommended") == 1) & pl.col("action_propensity").is_not_null())
    frame = rounds.select("unit_id", "action_propensity", pl.lit("logged").alias("origin"))
    recommended = window.filter(pl.col("recommended") == 1).height
    answer = {} if frame.height else {"answer": not_available(
        "the source logs no action propensities, so no policy but the logging one can be judged; log the probability with "
        "which each item was chosen")}
    return Draft(inputs, frame if frame.height else None, **answer, metadata={
        "recommended_units": recommended, "with_propensity": frame.height,
        "smallest": float(frame["action_propensity"].min()) if frame.height else "none",
    })


@gated_asset("effects", stage="model", deps=[UNITS, adjustment_sets, treatment_propensities])
def effects(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What the treatment changes about each outcome, over the training units: naive, SNIPS and AIPW beside each other."""
    inputs = lake.inputs(context)
    sets = inputs.table("adjustment_sets").frame
    propensities = inputs.table("treatment_propensities")
    settings = parse_model_settings(inputs.setting("model.yaml"))
    rows_out, diagnostics = [], {}
    if propensities.answer.answered:
        rows, notes = training_units(inputs)
        clusters = cluster_codes(rows, str(notes["cluster"]))
    for question in sets.iter_rows(named=True):
        answer = fit.answer_of(question)
        estimates = {}
        if answer.answered:
            mine = propensities.frame.filter(pl.col("question") == question["question"])
            answer, estimates, diagnostics[question["question"]] = fit.estimate_effect(
                rows, question["treatment"], question["outcome"], question["columns"], mine["propensity"].to_numpy(),
                mine["fold"].to_numpy(), clusters, settings, inputs.seed,
            )
        rows_out.extend(fit.effect_rows(question, answer, estimates))
    frame = pl.DataFrame(rows_out, schema=fit.SCHEMA)
    shown = frame.select("question", "estimator", "estimate", "lower", "upper", "status")
    return Draft(inputs, frame, notes={"diagnostics": diagnostics}, params={"rows": 3 * sets.height},
                 metadata={"effects": table(shown)})


@gated_asset(
    "outcome_model", stage="model", deps=[UNITS, adjustment_sets, treatment_propensities, item_embeddings], pool=GPU_POOL,
    op_tags=GPU_OP_TAGS,
)
def outcome_model(context: dg.AssetExecutionContext, lake: Lake, compute: Compute) -> Draft:
    """Click and purchase if recommended and if not, from the adjustment set and the item's content; trained by Lightning."""
    inputs = lake.inputs(context)
    no_rows = {"beats": True, "both_arms": False, "has_purchases": False}
    if not inputs.learning.enough:
        return Draft(inputs, None, answer=insufficient_evidence(inputs.learning.reason), params=no_rows)
    settings = parse_model_settings(inputs.setting("model.yaml"))
    inputs.note("compute", compute.fingerprint)
    rows, notes = training_units(inputs)
    plan, columns, propensity = _what_to_learn(inputs, rows, notes)
    if isinstance(plan, Answer):
        return Draft(inputs, None, answer=plan, params=no_rows)
    rows = rows if plan == "both" else rows.filter(pl.col("recommended") == 1)
    purchases = rows["purchase"].null_count() == 0 and int(rows["purchase"].sum()) > 0
    embeddings = inputs.table("item_embeddings")
    vectors = ItemVectors.from_frame(embeddings.frame) if embeddings.answer.answered else None
    checkpoints = inputs.home.lake / "checkpoints" / "outcome_model" / sha256(canonical(inputs.recorded))[:16]
    trained = train_outcome_model(rows, columns, vectors, propensity, plan, purchases, settings, inputs.seed,
                                  compute.trainer_options(), checkpoints)
    shutil.rmtree(checkpoints)
    return _judged(inputs, trained, vectors, rows)


def _what_to_learn(
    inputs: Inputs, rows: pl.DataFrame, notes: dict[str, object]
) -> tuple[str | Answer, list[str], np.ndarray | None]:
    """Both arms where an effect is identified, else the shown arm in its slot's context; with the columns to read."""
    sets = inputs.table("adjustment_sets").frame
    answered = sets.filter((pl.col("status") == Status.ANSWERED) & (pl.col("treatment") == "recommended"))
    roles, context = dict(notes["roles"]), list(notes["action_context"])
    if answered.height:
        columns = sorted({c for found in answered["columns"] for c in found})
        check_columns(columns, roles, ())
        propensities = inputs.table("treatment_propensities").frame
        first = propensities.filter(pl.col("question") == answered["question"][0])
        return "both", columns, first["propensity"].to_numpy()
    clicks = int(rows.filter(pl.col("recommended") == 1)["click"].sum())
    if not clicks:
        return insufficient_evidence("no recommended unit of the training window has a click"), [], None
    columns = [c for c in dict.fromkeys([*context, *notes["covariates"]]) if rows[c].n_unique() > 1]
    check_columns(columns, roles, context)
    return "shown", columns, None


def _judged(inputs: Inputs, trained: Trained, vectors: ItemVectors | None, rows: pl.DataFrame) -> Draft:
    model: OutcomeModel = trained.model
    judged = inputs.window("units", inputs.learning.judge_days).frame
    p = model.predict(judged, vectors)
    none = pl.Series([None] * judged.height, dtype=pl.Float64)
    frame = judged.select("unit_id", "policy", "recommended", "click", "purchase").with_columns(
        click_if_recommended=pl.Series(p.click_if_recommended),
        click_if_not=none if p.click_if_not is None else pl.Series(p.click_if_not),
        purchase_if_recommended=none if p.purchase_if_recommended is None else pl.Series(p.purchase_if_recommended),
        purchase_if_not=none if p.purchase_if_not is None else pl.Series(p.purchase_if_not),
    )
    scores, plots = {}, {}
    for outcome in ("click", "purchase") if model.purchases else ("click",):
        arm = pl.col("recommended") == 1
        taken = frame.select(pl.when(arm).then(f"{outcome}_if_recommended").otherwise(f"{outcome}_if_not"), outcome, "recommended")
        predicted, y = taken[f"{outcome}_if_recommended"].to_numpy(), taken[outcome].to_numpy().astype(float)
        # The constant of each arm, as known from the training window.
        rate = {t: float(r) for t, r in rows.group_by("recommended").agg(pl.col(outcome).mean()).iter_rows()}
        constant = np.clip(taken["recommended"].replace_strict(rate, return_dtype=pl.Float64).to_numpy(), 1e-6, 1 - 1e-6)
        scores[outcome] = {"model": log_loss(y, predicted), "constant": log_loss(y, constant),
                           "calibration_error": calibration_error(y, predicted)}
        plots[f"calibration_{outcome}"] = picture(calibration_plot(calibration_curve(y, predicted), outcome))
    beats = {outcome: s["model"] < s["constant"] for outcome, s in scores.items()}
    summary = pl.DataFrame([{"outcome": o, **s, "beats_constant": beats[o]} for o, s in scores.items()])
    return Draft(
        inputs,
        frame,
        notes={"arms": model.arms, "columns": model.design.names, "item_content": model.reads_content, "log_loss": scores,
               "beats_constant": beats, "training_units": rows.height, "epochs": len(trained.curve)},
        files=model.save(),
        params={"beats": all(beats.values()), "both_arms": model.arms == "both", "has_purchases": model.purchases},
        metadata={"judgement": table(summary), "training": picture(training_plot(trained.curve)), **plots,
                  "weight_clip": trained.clip, "arms": model.arms, "reads": ", ".join(model.design.names)},
    )


ASSETS = [treatment_propensities, action_propensities, effects, outcome_model]
