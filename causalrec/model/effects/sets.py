"""What the rows of `adjustment_sets` say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from causalrec.answers import Answer, Status

BACK_DOOR = "back_door"
NOTHING = "nothing (in the graph nothing that could be adjusted for causes both)"


def answer_of(row: Mapping[str, Any]) -> Answer:
    """The typed answer of a row of `adjustment_sets`."""
    return Answer(Status(row["status"]), row["reason"] or "")


def covariates_of(question: Mapping[str, Any]) -> list[str]:
    """What the treatment propensity of a question is given: its adjustment set, and the mediators that it holds.

    Args:
        question: A row of `adjustment_sets`.
    """
    return [*question["columns"], *(question.get("held") or [])]


def blocks_back_doors(sets: pl.DataFrame) -> pl.DataFrame:
    """The questions whose `columns` alone give the total effect: what a model of both arms may stand on.

    Args:
        sets: The table `adjustment_sets`.
    """
    answered = sets.filter(pl.col("status") == Status.ANSWERED)
    if "strategy" not in sets.columns:
        return answered
    return answered.filter((pl.col("strategy") == BACK_DOOR) & (pl.col("effect") == "total"))


def given(question: Mapping[str, Any]) -> str:
    """The adjustment set of a row of `adjustment_sets`, in words."""
    return ", ".join(question["columns"]) or NOTHING


def quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
