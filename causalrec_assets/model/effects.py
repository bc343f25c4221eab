"""The asset `effects`: what each treatment changes."""

from typing import Any

import dagster as dg
import numpy as np
import polars as pl

from causalrec.estimators.intervals import Estimate
from causalrec.graph.discovery.sample_split import graph_half
from causalrec.graph.identification.table import AdjustmentNotes
from causalrec.logs.clusters import ClusterCounts, cluster_codes, count_clusters
from causalrec.logs.far_values import far_values
from causalrec.model.effects import back_door as fit
from causalrec.model.effects.notes import EffectsNotes, PropensitiesNotes
from causalrec.model.effects.strategies import covariates_of, estimate_question
from causalrec.settings.model import parse_model_settings
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.ui import table
from causalrec_assets.gate.draft import Draft
from causalrec_assets.model.shared import UNITS, training_units
from resources.lake import Lake


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
        cluster = notes.cluster
        # Where units are split, those that the graph was found on may teach propensities, but say nothing of effects.
        split = sets.notes_as(AdjustmentNotes).split
        of_effects = ~graph_half(rows, cluster) if split else pl.repeat(True, rows.height, eager=True)
        clusters = cluster_codes(rows, cluster)[of_effects.to_numpy()]
        counted = count_clusters(rows.filter(of_effects), cluster)
        far = [one.words for one in far_values(rows.filter(of_effects), _read_by(sets.frame))]
    found: list[dict[str, Any]] = []
    diagnostics: dict[str, dict[str, Any]] = {}
    refused = propensities.notes_as(PropensitiesNotes).answers
    for question in sets.frame.iter_rows(named=True):
        name, answer = question["question"], fit.answer_of(question)
        estimates: dict[str, Estimate] = {}
        if answer.answered:
            answer = fit.propensity_answer(propensities.answer, refused, name)
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
        notes=EffectsNotes(diagnostics, counted, tuple(far)),
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
