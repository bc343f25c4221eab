"""Which columns of `units` become nodes, in which tier, and which are left out and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
HISTORY_PREFIXES = (
    "user_exposures",
    "user_clicks",
    "user_purchases",
    "user_recency",
    "user_tenure",
    "user_category",
    "item_exposures",
    "item_click_rate",
    "item_purchase_rate",
    "item_mean_rating",
    "item_price_change",
)
NOMINAL_NUMBERS = ("hour", "weekday", "month")
MAX_LEVELS = 30
NOT_THERE = "the source does not have it"
"""Why a column without any value is no node."""
TIERS = ("context and item", "history", "treatment", "mediator", "click", "later outcomes")


@dataclass(frozen=True)
class Dropped:
    """A column that is no node."""

    column: str
    reason: str
    same_as: str | None = None
    """The node that it is identical to."""


@dataclass(frozen=True)
class Node:
    """A column as numbers: one column of normal scores, or one indicator per level but one of a nominal column."""

    name: str
    tier: int
    block: Floats


def tier_of(column: str, role: str) -> int:
    """What can come before what: an earlier tier is never an effect of a later one."""
    if role == "treatment":
        return 2
    if role == "mediator":
        return 3
    if role == "outcome":
        return 4 if column == "click" else 5
    return 1 if column.startswith(HISTORY_PREFIXES) else 0


def choose_nodes(
    units: pl.DataFrame, roles: Mapping[str, str], outcomes: Sequence[str]
) -> tuple[list[Node], list[Dropped]]:
    """Turn covariates, treatment and the questions' outcomes into nodes.

    A mediator such as `position` exists on recommended rows only: no test on all rows can see it, so it is left to the
    expert graph. Missing values of a covariate are their own level (nominal) or the median (numbers), and are said so.

    Args:
        units: The window's units.
        roles: Column -> role.
        outcomes: The outcomes that questions ask about.
    """
    nodes: list[Node] = []
    dropped: list[Dropped] = []
    for column, role in roles.items():
        if role not in ("pre_treatment", "treatment", "mediator") and column not in outcomes:
            continue
        values = units[column]
        if values.null_count() == len(values):
            dropped.append(Dropped(column, NOT_THERE))
        elif values.drop_nulls().n_unique() == 1 and (
            values.null_count() == 0 or role != "pre_treatment" or not _is_nominal(values)
        ):
            who = "every unit" if values.null_count() == 0 else "every unit that has one"
            dropped.append(Dropped(column, f"constant: {who} has {values.drop_nulls()[0]}"))
        elif role in ("mediator", "treatment", "outcome") and values.null_count():
            dropped.append(Dropped(column, "exists on a part of the rows only; left to the expert graph"))
        else:
            node = Node(column, tier_of(column, role), _block(values))
            same = next((n for n in nodes if role == "pre_treatment" and _duplicate(n, node)), None)
            if same is not None:
                dropped.append(Dropped(column, f"duplicate: it is a function of `{same.name}`, one to one", same.name))
            else:
                nodes.append(node)
    return nodes, dropped


def _is_nominal(values: pl.Series) -> bool:
    return values.dtype == pl.String or values.name in NOMINAL_NUMBERS


def _block(values: pl.Series) -> Floats:
    if _is_nominal(values):
        text = values.cast(pl.String).fill_null("(missing)")
        levels = (
            text.value_counts(sort=True, name="n").sort(["n", text.name], descending=[True, False])[text.name].to_list()
        )
        # The commonest level is the reference; rare levels beyond the cap share the reference too.
        kept = levels[1:MAX_LEVELS]
        return (
            np.column_stack([(text == level).to_numpy().astype(np.float64) for level in kept])
            if kept
            else np.zeros((len(text), 1))
        )
    numbers = values.cast(pl.Float64)
    return normal_scores(numbers.fill_null(numbers.median()).to_numpy())[:, None]


def normal_scores(x: Floats) -> Floats:
    """Ranks turned into standard normal quantiles, ties at their mean rank: the Gaussian copula's scale."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    return np.asarray(ndtri(rankdata(x) / (len(x) + 1)))


def _duplicate(a: Node, b: Node) -> bool:
    if a.block.shape[1] != 1 or b.block.shape[1] != 1:
        return a.block.shape == b.block.shape and bool((a.block == b.block).all())
    return bool(abs(np.corrcoef(a.block[:, 0], b.block[:, 0])[0, 1]) > 1 - 1e-9)
