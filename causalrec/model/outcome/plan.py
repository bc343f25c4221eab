"""What the outcome model can learn from a training window: which arms, from which rows, reading which
columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from causalrec.answers import Answer, InputError, insufficient_evidence, not_available
from causalrec.arrays import Floats
from causalrec.logs.gaps import NO_CLICKS
from causalrec.logs.units.notes import UnitsNotes
from causalrec.model.effects.propensities import aligned
from causalrec.model.effects.propensities import propensity_answer as propensity_answer_of
from causalrec.model.effects.sets import blocks_back_doors

NONE_REFUSED: Mapping[str, Answer] = MappingProxyType({})


@dataclass(frozen=True)
class TrainingPlan:
    """How to train.

    Attributes:
        arms: "both" where the effect of `recommended` is identified; "shown" where only recommended units can
            be learned from.
        rows: The units to learn from.
        columns: What the model reads beside the item's content.
        propensity: (n,), P(recommended = 1 | x) of each row; None with "shown".
        purchases: Whether there is a purchase to learn.
        divides_by: The question whose treatment propensities the loss divides by; None with "shown".
        withheld: Columns that it would read and does not, for no policy may.
    """

    arms: str
    rows: pl.DataFrame
    columns: tuple[str, ...]
    propensity: Floats | None
    purchases: bool
    divides_by: str | None = None
    withheld: tuple[str, ...] = ()


def check_columns(columns: Sequence[str], roles: Mapping[str, str], context: Sequence[str]) -> None:
    """Refuse a column that the graph has not cleared.

    Args:
        columns: What the model would read.
        roles: Column -> role, of the notes of `units`.
        context: Columns of the action question's context, which may enter although they have another role;
            empty when effects are learned.

    Raises:
        InputError: A mediator, an outcome, a logging column or an identifier would enter the model.
    """
    for column in columns:
        role = roles.get(column, "unknown")
        if role != "pre_treatment" and column not in context:
            raise InputError(
                f"`{column}` has the role {role}: the outcome model reads pre-treatment columns only. A "
                "column from after the treatment would carry the effect it is meant to measure."
            )


def plan_training(
    units: pl.DataFrame,
    notes: UnitsNotes,
    sets: pl.DataFrame,
    propensities: pl.DataFrame,
    propensity_answer: Answer,
    refused: Mapping[str, Answer] = NONE_REFUSED,
    withheld: Collection[str] = (),
) -> TrainingPlan | Answer:
    """Both arms where an effect is identified, else the shown arm in its slot's context, else the reason why
    not.

    With an identified effect the model reads the adjustment sets of all questions about `recommended` together, and
    its loss divides by the treatment propensities of the first of them: each set alone blocks the back doors of its
    question. (That of a front door, an instrument or a direct effect does not, and is left out.) Without, it predicts
    what was shown from everything that was known before, the action question's context with it: a prediction, no
    effect.

    What no policy may read, the model does not read. The propensities still do, so that its loss is free of the choice
    of whom to show what, and its predictions are means over what was withheld.

    Args:
        units: Training units without the held-out policies' rows.
        notes: Theirs.
        sets: The table `adjustment_sets`.
        propensities, propensity_answer: The table `treatment_propensities` and its answer.
        refused: The note `answers` of `treatment_propensities`: why questions have none.
        withheld: Sensitive attributes that `policy.yaml` does not allow.

    Raises:
        InputError: A column of the adjustment set has a role other than pre_treatment, or the propensities
            are about other units.
    """
    if units.is_empty():
        return insufficient_evidence("the training window has no units to learn from")
    if units["click"].null_count() == units.height:
        return not_available(NO_CLICKS)
    identified = blocks_back_doors(sets).filter(pl.col("treatment") == "recommended")
    if identified.height:
        answers = {q: propensity_answer_of(propensity_answer, refused, q) for q in identified["question"]}
        fitted = identified.filter(pl.col("question").is_in([q for q, answer in answers.items() if answer.answered]))
        if fitted.is_empty():
            return next(iter(answers.values()))
        adjusted = sorted({c for columns in identified["columns"] for c in columns})
        columns = tuple(c for c in adjusted if c not in withheld)
        check_columns(adjusted, notes.roles, ())
        question = str(fitted["question"][0])
        known = aligned(propensities, question, units)
        seen = units["click"].is_not_null()
        propensity = known.filter(seen)["propensity"].to_numpy()
        kept_back = tuple(c for c in adjusted if c in withheld)
        return _with_clicks("both", units.filter(seen), columns, propensity, question, kept_back)
    shown = units.filter((pl.col("recommended") == 1) & pl.col("click").is_not_null())
    vary = [c for c in dict.fromkeys([*notes.action_context, *notes.covariates]) if shown[c].n_unique() > 1]
    columns = tuple(c for c in vary if c not in withheld)
    check_columns(columns, notes.roles, notes.action_context)
    return _with_clicks("shown", shown, columns, None, None, tuple(c for c in vary if c in withheld))


def _with_clicks(
    arms: str,
    rows: pl.DataFrame,
    columns: tuple[str, ...],
    propensity: Floats | None,
    question: str | None,
    withheld: tuple[str, ...],
) -> TrainingPlan | Answer:
    if not int(rows["click"].sum()):
        return insufficient_evidence("no unit to learn from has a click: nothing tells items apart")
    purchases = rows["purchase"].null_count() == 0 and int(rows["purchase"].sum()) > 0
    return TrainingPlan(arms, rows, columns, propensity, purchases, question, withheld)
