"""Units: events seen as experiments, with the role of every column."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec_assets.logs.covariates import as_of, as_of_covariates, covariate_names
from causalrec_assets.logs.sources import Source

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
}


def build_units(
    events: pl.DataFrame, history: pl.DataFrame | None, items: pl.DataFrame, source: Source, day: date
) -> pl.DataFrame:
    """One unit per clean event of the day, in the events' order.

    Args:
        history: The state at the end of the day before; None where it is not available.
    """
    rows = events.rename({"event_id": "unit_id"}).with_columns(pl.lit(day).alias("day"))
    units = as_of_covariates(rows, as_of(history, day, source), items, source)
    covariates = covariate_names(source)
    # Where nobody knows a price, the column is there and empty, and no covariate.
    own = [c for c in (*ROLES, "price") if c not in covariates]
    return units.select(own + covariates)


def unit_roles(source: Source) -> dict[str, str]:
    """The role of every column of `units` in the questions about `recommended`."""
    return {**ROLES, "price": "logging", **dict.fromkeys(covariate_names(source), "pre_treatment")}


def action_context(source: Source) -> list[str]:
    """The context of the action question "which item in this slot"."""
    own = ["hour", "weekday", *source.context]
    return [*own, "position"] if source.has("position") else own


def cluster_codes(units: pl.DataFrame, cluster: str) -> npt.NDArray[np.int64]:
    """The cluster of each unit as an integer code: its user, its request, or its wall-clock hour."""
    key = units["time"].dt.truncate("1h") if cluster == "hour" else units[cluster]
    return np.asarray(key.rank("dense").fill_null(0).to_numpy(), dtype=np.int64)
