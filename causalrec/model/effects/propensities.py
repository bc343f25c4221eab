"""Treatment propensities of the questions, on the training window's units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from causalrec.answers import Answer, InputError
from causalrec.arrays import Codes, Floats
from causalrec.engine.threads import one_thread
from causalrec.model.crossfit import cross_fit_calibrated, folds_by_cluster
from causalrec.model.design_matrix import DesignMatrix
from causalrec.model.effects.positivity import as_binary
from causalrec.settings.model import EffectSettings


@dataclass(frozen=True)
class Propensities:
    """P(T = 1 | x) of every unit, out of fold and calibrated, before any bound.

    Attributes:
        propensity: (n,) in (0, 1).
        fold: (n,) fold codes; the outcome models of the same question use the same folds.
    """

    propensity: Floats
    fold: Codes


@one_thread()
def treatment_propensities(
    units: pl.DataFrame,
    treatment: str,
    columns: Sequence[str],
    clusters: Codes,
    settings: EffectSettings,
    seed: int,
) -> Propensities:
    """The treatment propensity e(x) = P(T = 1 | x) of every unit, given an adjustment set.

    Folds are whole clusters; trees and their calibration are fitted on the other folds
    (`cross_fit_calibrated`).

    Args:
        units: (n rows) with the treatment and the columns.
        columns: The adjustment set; empty gives the share of the treated.
        clusters: (n,) codes.

    Raises:
        InputError: The treatment has values other than 0 and 1.
        ValueError: Fewer clusters than folds; ask `check_arms` first.
    """
    t = as_binary(units[treatment])
    x = DesignMatrix.fit(units, columns).plain(units)
    fold = folds_by_cluster(clusters, settings.folds, seed)
    return Propensities(cross_fit_calibrated(x, t, fold, seed), fold)


def propensity_answer(table: Answer, refused: Mapping[str, Answer], question: str) -> Answer:
    """Whether a question has propensities, or why not.

    Args:
        table: The answer of `treatment_propensities` as a whole.
        refused: Its note `answers`: the questions that it gave none.
    """
    return refused.get(question, table)


def aligned(table: pl.DataFrame, question: str, units: pl.DataFrame) -> pl.DataFrame:
    """`propensity` and `fold` of one question in the order of the units.

    Args:
        table: The table `treatment_propensities`.

    Returns:
        One row per unit, with the columns `propensity` and `fold`.

    Raises:
        InputError: The two are not about the same units: the units were made again after the propensities.
    """
    of_question = table.filter(pl.col("question") == question).select("unit_id", "propensity", "fold")
    joined = units.select("unit_id").join(of_question, on="unit_id", how="left", maintain_order="left")
    if of_question.height != units.height or joined["propensity"].null_count():
        raise InputError(
            f"treatment_propensities of `{question}` is about {of_question.height:,} units, the training window now "
            f"has {units.height:,}, {joined['propensity'].null_count():,} of them without one: `units` was "
            "made again. Materialise `treatment_propensities` again"
        )
    return joined.select("propensity", "fold")
