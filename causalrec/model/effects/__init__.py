"""Effects of questions by the strategy that identifies them. One file and one line here make another strategy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from causalrec.answers import Answer, Status, insufficient_evidence, not_available
from causalrec.engine.threads import one_thread
from causalrec.model.effects.back_door import BackDoor
from causalrec.model.effects.front_door import FrontDoor
from causalrec.model.effects.instrument import Instrument
from causalrec.model.effects.positivity import check_binary
from causalrec.model.effects.study import EffectResult, EffectStudy
from causalrec.registry import by_name


class Strategy(Protocol):
    """How an identified effect is estimated.

    Attributes:
        name: In the column `strategy` of `adjustment_sets`.
        adjusts: Whether all rests on no unmeasured confounding, so that an e-value says how much of it there would
            have to be.
    """

    @property
    def name(self) -> str: ...
    @property
    def adjusts(self) -> bool: ...

    def reads(self, question: Mapping[str, Any]) -> list[str]:
        """The columns that it reads beside the treatment, the outcome and the adjustment set.

        Args:
            question: A row of `adjustment_sets` with an answer, as in all that follow.
        """
        ...

    def estimand(self, question: Mapping[str, Any]) -> str:
        """Whose effect it gives, and of what kind, in words; empty for the total effect among all."""
        ...

    def assumptions(self, question: Mapping[str, Any]) -> str:
        """What it takes for granted, as a sentence without its full stop."""
        ...

    def estimate(self, study: EffectStudy) -> EffectResult:
        """The estimates of the study, or the answer that says why there are none."""
        ...


STRATEGIES: dict[str, Strategy] = by_name(BackDoor(), FrontDoor(), Instrument())
"""The preferred one first."""


def strategy_of(question: Mapping[str, Any]) -> Strategy:
    """The strategy of a row of `adjustment_sets`; a table without the column is all back doors."""
    return STRATEGIES[question.get("strategy") or BackDoor.name]


@one_thread()
def estimate_effect(study: EffectStudy) -> EffectResult:
    """The estimates of an answered question by its strategy: naive, weighted and doubly robust beside each other.

    A direct effect adjusts for the held mediators beside the adjustment set. Under a front door and an instrument an
    estimator's name stands for what that strategy makes of its role.
    """
    question, units, strategy = study.question, study.units, strategy_of(study.question)
    t, y = question["treatment"], question["outcome"]
    for column in (y, *strategy.reads(question)):
        if missing := units[column].null_count():
            return EffectResult(
                not_available(
                    f"`{column}` is missing in {missing:,} of {units.height:,} units; a contrast of those in which it "
                    "was seen is not an effect"
                )
            )
    for column, asked_as in ((t, "treatment"), (y, "outcome")):
        binary = check_binary(units[column], asked_as)
        if not binary.answered:
            return EffectResult(binary)
    if units[t].n_unique() < 2:
        return EffectResult(
            insufficient_evidence(f"the units that the effect is estimated on have one arm of `{t}` only")
        )
    result = strategy.estimate(study)
    answer = Answer(Status.ANSWERED, strategy.estimand(question)) if result.answer.answered else result.answer
    diagnostics = {"strategy": strategy.name, **result.diagnostics} if result.diagnostics else {}
    return EffectResult(answer, result.estimates, diagnostics)
