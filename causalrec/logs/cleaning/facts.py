"""What a day's clean events say as a whole, read off their file without holding it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from causalrec.engine.one_file import scan_parquet
from causalrec.settings.logs.columns import OUTCOMES
from causalrec.settings.logs.sources import Source


@dataclass(frozen=True)
class Facts:
    """What a day's clean events say as a whole.

    Attributes:
        any_outcome: Whether anything came of any event.
        weighable: Whether there are recommended rounds, and each has its action propensity.
        rates: Rows and the mean of each outcome, by arm.
    """

    any_outcome: bool
    weighable: bool
    rates: pl.DataFrame


def facts_of(path: Path, source: Source) -> Facts:
    """Read off a file of clean events, without holding it."""
    means = [pl.col(name).mean().round(5) for name in OUTCOMES]
    unweighed = pl.col("action_propensity").is_null().sum().alias("unweighed")
    some = [(pl.col(name) != 0).any().alias(f"any_{name}") for name in source.outcomes]
    by_arm = scan_parquet(path).group_by("recommended").agg(pl.len().alias("rows"), unweighed, *means, *some)
    arms = by_arm.sort("recommended").collect(engine="streaming")
    shown = arms.filter(pl.col("recommended") == 1)
    return Facts(
        any_outcome=any(bool(arms[f"any_{name}"].any()) for name in source.outcomes),
        weighable=shown.height > 0 and shown["unweighed"].sum() == 0,
        rates=arms.select("recommended", "rows", *(name for name in OUTCOMES if arms[name].null_count() < arms.height)),
    )
