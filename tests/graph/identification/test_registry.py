"""A strategy of identification is a file and a line: it is asked in its turn, and a refusal has its words."""

import pytest

from causalrec.answers import Answer, Status
from causalrec.graph.identification import STRATEGIES
from causalrec.graph.identification.adjustment import Adjustment
from tests.graph.identification.test_strategies import CHAIN, HIDDEN, answer, ask


class Encouragement:
    """Identifies total effects by whoever was encouraged, once somebody says so."""

    name, effects, vouched = "encouragement", frozenset({"total"}), True

    def identify(self, problem):
        if problem.declared_only and "e" not in problem.question.instruments:
            return None
        return Adjustment(problem.question, Answer(Status.ANSWERED, "by encouragement"), (), self.name)

    def why_not(self, problem, roles):
        return f"nobody was encouraged (of {len(roles)} columns)"

    def how_to_vouch(self, adjustment):
        return f"declare who was encouraged to `{adjustment.question.treatment}`"


@pytest.fixture
def newcomer(monkeypatch):
    monkeypatch.setitem(STRATEGIES, Encouragement.name, Encouragement())


def test_a_newcomer_is_asked_after_those_before_it(newcomer):
    declared = ask(instruments=("e", "z"))
    assert answer(HIDDEN, question=declared).strategy == "encouragement"
    assert answer({*HIDDEN, ("z", "t")}, question=declared).strategy == "instrument"
    assert answer({("c", "t"), ("c", "y"), ("t", "y")}, question=declared).strategy == "back_door"


def test_a_refusal_has_its_words_and_how_to_vouch_for_it(newcomer):
    reason = answer(HIDDEN).answer.reason
    assert "nobody was encouraged (of 2 columns)" in reason and "declare who was encouraged to `t`" in reason


def test_it_is_not_asked_about_an_effect_that_it_cannot_identify(newcomer):
    arrows = {("t", "m"), ("m", "y"), ("t", "y"), ("u", "m"), ("u", "y")}
    direct = ask(effect="direct", held=("m",))
    refused = answer(arrows, roles={"m": "mediator"}, question=direct)
    assert refused.answer.status is Status.NOT_IDENTIFIABLE and "encouraged" not in refused.answer.reason


def test_each_strategy_goes_by_its_name_and_the_first_needs_nobody_to_vouch():
    assert all(strategy.name == name for name, strategy in STRATEGIES.items())
    first, *others = STRATEGIES.values()
    assert not first.vouched and all(strategy.vouched for strategy in others)
    adjustment = answer(CHAIN, roles={"m": "mediator"}, question=ask(effect="direct", held=("m",)))
    assert adjustment.strategy == first.name
