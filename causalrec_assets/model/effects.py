"""The asset `effects`: what each treatment changes."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
import numpy as np
import polars as pl

from causalrec.estimators.effects import EFFECT_ESTIMATORS
from causalrec.graph.discovery.sample_split import is_discovery_half
from causalrec.graph.identification.table import AdjustmentNotes
from causalrec.logs.clusters import ClusterCounts, cluster_codes, count_clusters
from causalrec.logs.far_values import far_values
from causalrec.model.effects import estimate_effect
from causalrec.model.effects.notes import EffectsNotes, PropensitiesNotes
from causalrec.model.effects.propensities import Propensities, aligned, propensity_answer
from causalrec.model.effects.sets import answer_of, covariates_of
from causalrec.model.effects.study import EffectResult, EffectStudy
from causalrec.model.effects.table import SCHEMA, effect_rows
from causalrec.settings.model import ModelSettings
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.ui import table
from causalrec_assets.gate.draft import Draft
from causalrec_assets.model.shared import UNITS, training_units
from resources.lake import Lake


@gated_asset("effects", group_name="model", deps=[UNITS, "adjustment_sets", "treatment_propensities"])
def effects(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What the treatment changes about each outcome, over the training units: naive, weighted and doubly robust."""
    inputs = lake.inputs(context)
    sets = inputs.table("adjustment_sets")
    propensities = inputs.table("treatment_propensities")
    settings = ModelSettings.parse(inputs.setting("model.yaml"))
    rows, of_effects, clusters = pl.DataFrame(), pl.Series(dtype=pl.Boolean), np.empty(0, dtype=np.int64)
    counted: ClusterCounts | None = None
    far: list[str] = []
    if propensities.answer.answered:
        rows, notes = training_units(inputs)
        cluster = notes.cluster
        # Where units are split, those that the graph was found on may teach propensities, but say nothing of effects.
        split = sets.notes_as(AdjustmentNotes).split
        of_effects = ~is_discovery_half(rows, cluster) if split else pl.repeat(True, rows.height, eager=True)
        clusters = cluster_codes(rows, cluster)[of_effects.to_numpy()]
        counted = count_clusters(rows.filter(of_effects), cluster)
        far = [one.words for one in far_values(rows.filter(of_effects), _read_by(sets.frame))]
    estimated: list[dict[str, Any]] = []
    diagnostics: dict[str, Mapping[str, Any]] = {}
    refused = propensities.notes_as(PropensitiesNotes).answers
    for question in sets.frame.iter_rows(named=True):
        name, answer = question["question"], answer_of(question)
        if answer.answered:
            answer = propensity_answer(propensities.answer, refused, name)
        result = EffectResult(answer)
        if answer.answered:
            of_units = aligned(propensities.frame, name, rows).filter(of_effects)
            fitted = Propensities(of_units["propensity"].to_numpy(), of_units["fold"].to_numpy())
            study = EffectStudy(rows.filter(of_effects), question, fitted, clusters, settings, inputs.seed)
            result = estimate_effect(study)
            diagnostics[name] = result.diagnostics
        estimated.extend(effect_rows(question, result))
    frame = pl.DataFrame(estimated, schema=SCHEMA)
    shown = frame.select("question", "estimator", "estimate", "lower", "upper", "status", "reason")
    overlap = pl.DataFrame([{"question": name, **numbers} for name, numbers in diagnostics.items() if numbers])
    return Draft(
        inputs,
        frame,
        notes=EffectsNotes(diagnostics, counted, tuple(far)),
        params={"rows": len(EFFECT_ESTIMATORS) * sets.frame.height, "estimators": list(EFFECT_ESTIMATORS)},
        metadata={
            "effects": table(shown),
            "trust": table(overlap),
            "clustered": counted.words if counted else "nothing was estimated",
            "far_values": "; ".join(far) or "none",
        },
    )


def _read_by(sets: pl.DataFrame) -> list[str]:
    """The covariates of all questions, each once."""
    return list(dict.fromkeys(c for question in sets.iter_rows(named=True) for c in covariates_of(question)))
