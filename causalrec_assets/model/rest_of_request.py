"""What showing an item does to the rest of its request, fitted on the training days."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from causalrec.embeddings.item_vectors import ItemVectors
from causalrec.logs.units.notes import UnitsNotes
from causalrec.model.outcome.model import OutcomeModel
from causalrec.model.outcome.rest import RestModel, fit_rest
from causalrec.model.outcome.rest_rows import MOST_SLOTS, DaySlots, InTheirPlaces, rest_of_requests, rest_rows
from causalrec.settings.logs.sources import Source
from causalrec.settings.model import ModelSettings
from causalrec.settings.objective import logs_whole_requests
from causalrec.settings.policy import FILE as POLICY
from causalrec_assets.common.training_days import training_days
from causalrec_assets.lake.inputs import Inputs


def rest_model(
    inputs: Inputs,
    source: Source,
    notes: UnitsNotes,
    model: OutcomeModel,
    vectors: ItemVectors | None,
    settings: ModelSettings,
) -> RestModel | None:
    """The model of the rest of a request; None where whole requests, or a catalogue, are not logged.

    Args:
        notes: Of the training units.
        model: The outcome model, trained.
    """
    if not logs_whole_requests(source) or not source.items:
        return None
    match = tuple(str(name) for name in inputs.setting_of(POLICY, "match") or ())
    days = len(inputs.learning.train_days)
    draw = InTheirPlaces(source, model, vectors, match, most=max(1, MOST_SLOTS // max(1, days - 1)))

    def parts() -> Iterator[DaySlots]:
        for day in training_days(inputs, source, model):
            slots = rest_of_requests(day.units, "price" in day.units.columns)
            yield draw.of_day(slots, day.catalogue, day.state, [inputs.seed, day.day.toordinal()])

    rows = rest_rows(parts(), notes.cluster)
    return None if rows is None else fit_rest(rows, settings.folds, inputs.seed, settings.weight_quantile)


def rest_table(rest: RestModel | None) -> pl.DataFrame:
    """For people: what was found of each outcome of the rest."""
    return pl.DataFrame(
        [
            {
                "rest of the request": name,
                "slots": one.rows,
                "mean": one.level,
                "item matters": one.item_penalty is not None,
                "context matters": one.context_penalty is not None,
            }
            for name, one in (rest.outcomes if rest else {}).items()
        ],
        schema={
            "rest of the request": pl.String,
            "slots": pl.Int64,
            "mean": pl.Float64,
            "item matters": pl.Boolean,
            "context matters": pl.Boolean,
        },
    )
