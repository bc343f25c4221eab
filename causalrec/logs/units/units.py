"""Units: events seen as experiments, with the role of every column."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl

from causalrec.engine.slices import write_table
from causalrec.logs.units.covariates import (
    AsOf,
    as_of,
    as_of_covariates,
    attribute_names,
    context_columns,
    covariate_names,
    user_attributes,
)
from causalrec.logs.units.day_counts import Frame
from causalrec.settings.logs.columns import WHERE_MAPPED
from causalrec.settings.logs.covariates import PLAIN, CovariateSettings
from causalrec.settings.logs.sources import Source

ROLES: dict[str, str] = {
    "unit_id": "identifier",
    "time": "identifier",
    "day": "identifier",
    "user_id": "identifier",
    "item_id": "identifier",
    "request_id": "logging",
    "policy": "logging",
    "action_propensity": "logging",
    "recommended": "treatment",
    "position": "mediator",
    "click": "outcome",
    "purchase": "outcome",
    "rating": "outcome",
    "revenue": "outcome",
    # When an outcome came says that it came.
    "click_time": "outcome",
    "purchase_time": "outcome",
    "rating_time": "outcome",
    "experiment_id": "logging",
    "variant": "logging",
    "unknown_item": "logging",
    "unknown_user": "logging",
}
SLICE_ROWS = 250_000


def build_units(
    events: pl.DataFrame,
    history: Frame | None,
    items: pl.DataFrame,
    source: Source,
    day: date,
    users: pl.DataFrame | None = None,
    settings: CovariateSettings = PLAIN,
) -> pl.DataFrame:
    """One unit per clean event of the day, in the events' order.

    Args:
        history: The state at the end of the day before; None where it is not available.
        users: The users of the day; None where the source lists none.
    """
    attributes = user_attributes(users, source, attribute_names(source, settings))
    return units_of(events, as_of(history, day, source, settings, attributes), items, source, users)


def units_of(
    events: pl.DataFrame, state: AsOf, items: pl.DataFrame, source: Source, users: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The units of some events of `state.day`, in their order. A unit is made of its own event and of `state` only.

    An item that the catalogue does not list, or a user that the users do not, is kept and marked with 1; the mark is
    null where there is no such list to look into, or no user.
    """
    catalogue = items if source.item_columns else None
    rows = events.rename({"event_id": "unit_id"}).with_columns(
        pl.lit(state.day).alias("day"),
        _unlisted("item_id", catalogue).alias("unknown_item"),
        _unlisted("user_id", users).alias("unknown_user"),
    )
    units = as_of_covariates(rows, state, items, source)
    return units.select(unit_columns(source, state.settings))


def unit_columns(source: Source, settings: CovariateSettings = PLAIN) -> list[str]:
    """The columns of `units`, in their order."""
    covariates = covariate_names(source, settings)
    # What nobody knows (a price, a campaign) is a column that is empty, and no covariate.
    mapped = [c for c in WHERE_MAPPED if source.events.has(c)]
    return [*(c for c in (*ROLES, *mapped, "price", "campaign_id") if c not in covariates), *covariates]


def write_units(
    events: pl.LazyFrame,
    state: AsOf,
    items: pl.DataFrame,
    source: Source,
    path: Path,
    users: pl.DataFrame | None = None,
    slice_rows: int = SLICE_ROWS,
) -> None:
    """Write the units of a day's events to a Parquet file, holding a slice of the events at a time.

    Args:
        events: Clean events in their file. Its bytes do not depend on `slice_rows`.
    """
    empty = units_of(pl.DataFrame(schema=events.collect_schema()), state, items, source, users)
    rows = int(events.select(pl.len()).collect().item())

    def slices() -> Iterator[pl.DataFrame]:
        for start in range(0, rows, slice_rows):
            part = events.slice(start, slice_rows).collect(engine="streaming")
            yield units_of(part, state, items, source, users)

    write_table(slices(), empty.schema, path)


def unlisted_rows(units: pl.LazyFrame) -> dict[str, int]:
    """How many units are of an item, and of a user, that no list has."""
    marked = units.select(pl.col("unknown_item", "unknown_user").cast(pl.Int64).sum()).collect(engine="streaming")
    return {name: int(count) for name, count in marked.row(0, named=True).items()}


def unit_roles(source: Source, settings: CovariateSettings = PLAIN) -> dict[str, str]:
    """The role of every column of `units` in the questions about `recommended`."""
    covariates = dict.fromkeys(covariate_names(source, settings), "pre_treatment")
    logging = [*(c for c in WHERE_MAPPED if source.events.has(c)), "price", "campaign_id"]
    return {**ROLES, **dict.fromkeys(logging, "logging"), **covariates}


def action_context(source: Source) -> list[str]:
    """The context of the action question "which item in this slot"."""
    own = ["hour", "weekday", *context_columns(source)]
    return [*own, "position"] if source.has("position") else own


def _unlisted(key: str, listed: pl.DataFrame | None) -> pl.Expr:
    if listed is None:
        return pl.lit(None, pl.Int8)
    known = pl.col(key).is_in(listed[key].implode())
    return (~known).cast(pl.Int8)
