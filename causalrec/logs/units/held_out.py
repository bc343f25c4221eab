"""Logging policies whose rows are set aside to check estimates by: no fit reads them, nothing is judged from them."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl


def is_held_out(policies: Collection[str]) -> pl.Expr:
    """Whether a row was logged by one of these policies; false where nobody logged which.

    Args:
        policies: Names in the column `policy` (sources.yaml: held_out_policies).
    """
    return pl.col("policy").is_in(list(policies)).fill_null(False)


def without_held_out(units: pl.DataFrame, policies: Collection[str]) -> pl.DataFrame:
    """The units that fits and judgements may read.

    Args:
        units: With `policy`.
        policies: As in `is_held_out`.
    """
    return units.filter(~is_held_out(policies))
