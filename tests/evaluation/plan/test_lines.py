"""A plan in words: what it says, and what it says instead where something is not there."""

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from causalrec.answers import ANSWERED, insufficient_evidence, not_available
from causalrec.estimators.policy_value import Rounds
from causalrec.evaluation.deciding_rows import evidence_of
from causalrec.evaluation.plan.lines import Seen, plan_lines
from causalrec.evaluation.plan.logged import logged_rounds
from causalrec.evaluation.rounds import EvaluationData
from causalrec.evaluation.trials.exploration import LoggedRounds
from tests.evaluation.looks import BACK, RULE, world
from tests.evaluation.test_policy_values import CHALLENGER, JUDGE, PROPENSITIES, UNITS, whole

NOT_TOLD = not_available("nobody logs how likely an item was")


def logged():
    draw = np.random.default_rng(0)
    reward, model = (draw.random(1000) < 0.1).astype(float), np.full(1000, 0.1)
    weight = draw.choice([0.5, 1.5], 1000)
    rounds = Rounds(reward, weight, model, model, np.arange(1000))
    return LoggedRounds(rounds, None, draw.choice([0.1, 0.3], 1000), np.full(1000, 5.0))


def seen(report=None, **changes):
    evidence = evidence_of(world() if report is None else report, "raw")
    known = {"satisfaction": logged(), "revenue": logged()}
    return replace(Seen(evidence, "raw", date(2026, 3, 2), date(2026, 3, 5), "logging policy", True, known), **changes)


def said(found, rule=RULE):
    return " ".join(plan_lines(found, rule))


def test_a_plan_says_gains_losses_and_what_exploration_buys():
    words = said(seen())
    # 1,000 rounds on four days; the standard error of 0.002 is of them, and the base is 0.1.
    assert "1,000 judged rounds on 2026-03-02 to 2026-03-05, 1,750 a week. Raw decides" in words
    assert "one round's difference has a standard deviation of 0.0632" in words
    assert "up to 4 weekly looks, each with a one-sided error of 0.39%" in words
    assert "To rule out a loss of more than 2% with 80% takes" in words
    assert all(f"{more} " in words for more in (" 2%", " 5%", " 10%", " 20%"))
    assert all(head in words for head in ("standard  ", "outcomes  ", "  revenue"))


def test_a_gain_below_what_a_release_asks_is_never_found():
    words = said(seen(), RULE.model_copy(update={"min_gain": 0.03}))
    assert "Never: a release asks for an estimate of at least 3.0%" in words
    assert "Never" not in said(seen(), RULE.model_copy(update={"min_gain": 0.0}))


@pytest.mark.parametrize("deviation", [0.002, 0.02, 2.0])
def test_a_plan_fits_a_terminal_and_its_rounds_are_no_more_exact_than_they_are_known(deviation):
    lines = list(plan_lines(seen(world((0.01, deviation), (0.05, 10 * deviation))), RULE))
    assert max(map(len, lines)) <= 100
    (ruled_out, _) = [line for line in lines if line.startswith("To rule out a loss")]
    digits = ruled_out.partition(" takes ")[2].partition(" rounds")[0].replace(",", "")
    assert int(digits) == float(f"{int(digits):.3g}")


def test_exploration_that_makes_nothing_surer_is_said_to_buy_nothing():
    # One of five at random is what the logs do already.
    at_random = replace(logged(), propensity=np.full(1000, 0.2))
    assert "It would make this comparison no surer" in said(seen(logged={"satisfaction": at_random}))
    # Half of what a policy shows is hardly ever shown, and one such round weighs 25.
    propensity = np.tile([0.9, 0.02], 500)
    told = logged()
    rare = replace(told, propensity=propensity, rounds=replace(told.rounds, weight=0.5 / propensity))
    error = (np.var(rare.rounds.weight * (told.rounds.reward - 0.1) - told.rounds.reward) / 1000) ** 0.5
    assert "no surer" not in said(seen(world((0.01, error)), logged={"satisfaction": rare}))


def test_rounds_that_are_not_those_of_the_report_price_no_exploration():
    far = replace(logged(), rounds=replace(logged().rounds, weight=np.tile([0.5, 40.0], 500)))
    words = said(seen(world((0.01, 1e-5)), logged={"satisfaction": far}))
    assert "What more exploration would buy is not told: the rounds in the lake are not those of this report" in words


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (seen(world(revenue=None)), "Revenue: not planned, there is no revenue to compare."),
        (
            seen(logged={"satisfaction": NOT_TOLD}),
            "What more exploration would buy is not told: nobody logs how likely an item was.",
        ),
        (seen(world(satisfaction=None)), "There is no variance to plan from: no judged round has"),
        (
            seen(world(satisfaction=(0.0, 0.0))),
            "There is no variance to plan from: the two policies never differ.",
        ),
        (
            seen(world(decision_status="insufficient_evidence", decision_reason="40 clusters of 90")),
            "Take it as a rough guide, for a decision could not be read from these days: 40 clusters of 90.",
        ),
    ],
)
def test_what_is_not_there_is_said(found, words):
    assert words in said(found)


def test_logs_that_have_ended_are_planned_as_trials():
    assert "judged in one look back" in said(seen(), BACK)
    assert "one-sided error of 0.39%" in said(seen(), BACK)


def test_revenue_that_cannot_be_told_is_not_planned():
    evidence = replace(seen().evidence, revenue=None, revenue_trusted=insufficient_evidence("3 purchases"))
    assert "Revenue: not planned, its difference cannot be told: 3 purchases." in said(seen(evidence=evidence))


def data(targets):
    return EvaluationData(UNITS, whole(targets), PROPENSITIES, "click", 0.3, "user_id", (), (), [JUDGE])


def test_the_rounds_are_those_of_the_report():
    champion = CHALLENGER.with_columns(policy=pl.lit("champion"), action_probability=pl.lit(0.25))
    targets = pl.concat([CHALLENGER, champion]).with_columns(candidates=pl.lit(4, pl.Int64))
    found = logged_rounds(data(targets), "raw", "satisfaction")
    assert found.rounds.weight.tolist() == [1.0, 0.5, 1.0, 2.0]
    assert found.base.weight.tolist() == [0.5, 0.5, 1.0, 1.0]
    assert found.rounds.reward.tolist() == [1, 0, 0, 1]
    assert (found.propensity.tolist(), found.candidates.tolist()) == ([0.5, 0.5, 0.25, 0.25], [4.0] * 4)


@pytest.mark.parametrize(
    ("targets", "estimand", "words"),
    [
        (CHALLENGER, "raw", "it is not known how many items could have been shown"),
        (CHALLENGER, "given_met", "takes off what would have happened anyway"),
        (CHALLENGER.clear(), "raw", "no judged round of the challenger"),
        (
            CHALLENGER.with_columns(candidates=pl.lit(4, pl.Int64), model_click=pl.lit(None, pl.Float64)),
            "raw",
            "the outcome model expects no satisfaction",
        ),
    ],
)
def test_rounds_that_cannot_be_told_have_a_reason(targets, estimand, words):
    answer = logged_rounds(data(targets), estimand, "satisfaction")
    assert answer != ANSWERED and words in answer.reason
