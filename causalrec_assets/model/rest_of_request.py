"""What showing an item does to the rest of its request, fitted on the training days."""

from __future__ import annotations

import polars as pl

from causalrec.embeddings.item_vectors import ItemVectors
from causalrec.logs.units.notes import UnitsNotes
from causalrec.model.outcome.model import OutcomeModel
from causalrec.model.outcome.own_organic import fit_own_organic
from causalrec.model.outcome.own_organic_rows import MOST_REQUESTS, DayPairs, ItemsNotShown, own_organic_rows
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
    share = max(1, days - 1)
    draw = InTheirPlaces(source, model, vectors, match, most=max(1, MOST_SLOTS // share))
    reads = [name for name in ("position",) if name in model.design.names]
    not_shown = ItemsNotShown(source, reads, draw.features, max(1, MOST_REQUESTS // share))
    slots: list[DaySlots] = []
    pairs: list[DayPairs | None] = []
    for day in training_days(inputs, source, model):
        seed = [inputs.seed, day.day.toordinal()]
        shown = rest_of_requests(day.units, "price" in day.units.columns)
        slots.append(draw.of_day(shown, day.catalogue, day.state, seed))
        pairs.append(not_shown.of_day(day.units, day.catalogue, day.state, [*seed, 1]))
    rows, others = rest_rows(slots, notes.cluster), own_organic_rows(pairs, notes.cluster)
    if rows is None:
        return None
    own = fit_own_organic(others, len(model.heads), inputs.seed) if others is not None else {}
    return fit_rest(rows, settings.folds, inputs.seed, settings.weight_quantile, own)


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
                "own outcome told": ("purchase" if name == "sales" else name) in rest.own if rest else False,
            }
            for name, one in (rest.outcomes if rest else {}).items()
        ],
        schema={
            "rest of the request": pl.String,
            "slots": pl.Int64,
            "mean": pl.Float64,
            "item matters": pl.Boolean,
            "context matters": pl.Boolean,
            "own outcome told": pl.Boolean,
        },
    )
