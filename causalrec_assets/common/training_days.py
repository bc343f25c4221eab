"""Training days as they were known in the morning: their units, catalogue, and the history before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from causalrec.logs.units.covariates import AsOf, as_of, user_attributes
from causalrec.logs.units.held_out import without_held_out
from causalrec.logs.units.notes import UnitsNotes
from causalrec.model.outcome.model import OutcomeModel
from causalrec.settings.logs.sources import Source
from causalrec_assets.common.reads import covariate_settings, history_before
from causalrec_assets.lake.inputs import Inputs


@dataclass(frozen=True)
class TrainingDay:
    """A training day.

    Attributes:
        units: Those that a fit may read.
        catalogue: Of the day.
        state: What was known of users and items at the end of the day before.
    """

    day: date
    units: pl.DataFrame
    catalogue: pl.DataFrame
    state: AsOf


def training_days(
    inputs: Inputs, source: Source, model: OutcomeModel, newest: int | None = None
) -> Iterator[TrainingDay]:
    """The training days, the newest first; without the window's first, whose day before is not of the window.

    Args:
        model: Attributes of users that it reads are joined.
        newest: How many; None: all.
    """
    names = [name for name in source.user_attributes if name in model.design.names]
    for day in list(reversed(inputs.learning.train_days[1:]))[:newest]:
        units = inputs.table("units", day)
        attributes = None
        if names:
            users = inputs.table("users", day)
            attributes = user_attributes(users.frame if users.answer.answered else None, source, names)
        before = history_before(inputs, day) if source.has("user_id") else None
        yield TrainingDay(
            day,
            without_held_out(units.frame, units.notes_as(UnitsNotes).held_out_policies),
            inputs.table("items", day).frame,
            as_of(before, day, source, covariate_settings(inputs), attributes),
        )
