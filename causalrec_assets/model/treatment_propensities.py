"""The asset `treatment_propensities`: cross-fitted e(x) of each question's treatment."""

from collections.abc import Mapping

import dagster as dg
import polars as pl

from causalrec.answers import ANSWERED, Answer, Status
from causalrec.estimators.scores import calibration_curve
from causalrec.logs.clusters import cluster_codes
from causalrec.model.effects.notes import PropensitiesNotes
from causalrec.model.effects.positivity import as_binary, check_arms
from causalrec.model.effects.propensities import Propensities
from causalrec.model.effects.propensities import treatment_propensities as fit_propensities
from causalrec.model.effects.sets import answer_of, covariates_of
from causalrec.model.plots import calibration_plot, overlap_plot
from causalrec.settings.model import ModelSettings
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.ui import picture, table
from causalrec_assets.gate.draft import Draft
from causalrec_assets.model.shared import UNITS, training_units
from resources.lake import Lake


@gated_asset("treatment_propensities", group_name="model", deps=[UNITS, "adjustment_sets"])
def treatment_propensities(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """P(treated | adjustment set) of every training unit and question, cross-fitted by cluster and calibrated."""
    inputs = lake.inputs(context)
    sets = inputs.table("adjustment_sets").frame
    questions = sets.filter(pl.col("status") == Status.ANSWERED)
    if questions.is_empty():
        return Draft(inputs, None, answer=answer_of(sets.row(0, named=True)), params={"rows": 0})
    settings = ModelSettings.parse(inputs.setting("model.yaml"))
    rows, notes = training_units(inputs)
    clusters = cluster_codes(rows, notes.cluster)
    parts: list[pl.DataFrame] = []
    pictures: dict[str, dg.MarkdownMetadataValue] = {}
    fitted: dict[tuple[str, ...], Propensities] = {}
    # A question that cannot be asked has an answer of its own, and ends no other.
    refused: dict[str, Answer] = {}
    for question in questions.iter_rows(named=True):
        name, treatment = question["question"], rows[question["treatment"]]
        answer = check_arms(treatment, clusters, settings)
        if not answer.answered:
            refused[name] = answer
            continue
        # Questions about one treatment often share their adjustment set, and so their propensities.
        key = (question["treatment"], *covariates_of(question))
        if key not in fitted:
            fitted[key] = fit_propensities(rows, *_split(key), clusters, settings, inputs.seed)
        of_units, t = fitted[key], as_binary(treatment)
        parts.append(
            pl.DataFrame(
                {
                    "unit_id": rows["unit_id"],
                    "question": name,
                    "treatment": treatment.cast(pl.Int8),
                    "propensity": of_units.propensity,
                    "fold": of_units.fold,
                }
            )
        )
        pictures[f"overlap_{name}"] = picture(overlap_plot(of_units.propensity, t))
        curve = calibration_curve(t, of_units.propensity)
        pictures[f"calibration_{name}"] = picture(calibration_plot(curve, "treatment propensity"))
    return Draft(
        inputs,
        pl.concat(parts) if parts else None,
        answer=ANSWERED if parts else next(iter(refused.values())),
        notes=PropensitiesNotes(refused),
        params={"rows": rows.height * len(parts)},
        metadata={"without_propensities": table(_refused_table(refused)), **pictures},
    )


def _refused_table(refused: Mapping[str, Answer]) -> pl.DataFrame:
    rows = [(name, answer.status.value, answer.reason) for name, answer in refused.items()]
    return pl.DataFrame(rows, schema=dict.fromkeys(("question", "status", "reason"), pl.String), orient="row")


def _split(key: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    return key[0], key[1:]
