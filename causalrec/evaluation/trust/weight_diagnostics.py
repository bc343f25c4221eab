"""Whether weights and outcomes carry an off-policy estimate; if not, how many more rounds it takes, or what to log."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from causalrec.answers import ANSWERED, Answer, insufficient_evidence, not_available, not_identifiable
from causalrec.estimators.policy_value import Rounds
from causalrec.estimators.weights import WeightSummary, effective_sample_size, summarise_weights
from causalrec.evaluation.trust.needed import (
    mean_weight_answer,
    more_rounds,
    rounds_for_effective,
    rounds_for_share,
    rounds_for_share_of,
)
from causalrec.settings.release import OUTCOMES, ReleaseRule


def check_weights(weights: WeightSummary, rule: ReleaseRule, pace: float | None = None) -> Answer:
    """Whether a set of importance weights carries an estimate.

    No number of rounds helps where the logging policy never shows what the policy would: `not_identifiable`.

    Args:
        pace: Rounds a week; None: nobody knows.
    """
    if weights.effective_rows == 0:
        return not_identifiable(
            f"of {weights.rows:,} rounds none shows what this policy would show, and more rounds like these would not "
            "either; let the logging policy explore"
        )
    if weights.effective_rows < rule.min_effective_rounds:
        count, more = int(weights.effective_rows), rounds_for_effective(weights, rule.min_effective_rounds)
        return insufficient_evidence(
            f"{count:,} effective round{'' if count == 1 else 's'} of {weights.rows:,} (at least "
            f"{rule.min_effective_rounds:,.0f} are needed): the logging policy hardly ever showed what this "
            f"policy would show; let it explore more, or judge on {more_rounds(more, pace)}"
        )
    if abs(weights.mean - 1) > rule.max_mean_weight_gap:
        return mean_weight_answer(weights, rule.max_mean_weight_gap, pace)
    if weights.largest_share > rule.max_weight_share:
        or_more = ""
        if rule.max_weight_share > 0:
            or_more = f", or judge on {more_rounds(rounds_for_share(weights, rule.max_weight_share), pace)}"
        return insufficient_evidence(
            f"one round carries {weights.largest_share:.0%} of all weight (at most "
            f"{rule.max_weight_share:.0%} is trusted); let the logging policy explore more{or_more}"
        )
    return ANSWERED


def check_outcomes(rounds: Rounds, metric: str, rule: ReleaseRule, pace: float | None = None) -> Answer:
    """Whether outcomes are frequent enough, after weighting, for an interval to cover what it says.

    Of 0/1 outcomes both count: where nearly every round satisfies, the few that do not carry all that is not known. Of
    counts, such as those of a whole request, both sides of their mean do, each round by how far it is from it: for
    0/1 outcomes that is the same.

    Args:
        pace: Rounds a week; None: nobody knows.
    """
    zeros_and_ones = np.isin(rounds.reward, (0.0, 1.0)).all()
    kinds = {"that brought money": rounds.reward}
    if metric == "satisfaction" and zeros_and_ones:
        kinds = {"satisfied": rounds.reward, "unsatisfied": 1.0 - rounds.reward}
    elif metric == "satisfaction":
        from_mean = rounds.reward - np.average(rounds.reward, weights=rounds.weight)
        kinds = {
            "with more outcomes than the mean": np.maximum(from_mean, 0.0),
            "with fewer outcomes than the mean": np.maximum(-from_mean, 0.0),
        }
    elif metric != "revenue":
        kinds = {"with some of the objective": np.abs(rounds.reward)}
    for kind, happened in kinds.items():
        effective = effective_sample_size(rounds.weight * happened)
        if effective < rule.min_effective_outcomes:
            rounds_of = f"rounds {kind}" if " " in kind else f"{kind} rounds"
            settled = "; none was logged, so how many rounds it would take cannot be said: judge on more days"
            if effective:
                more = rounds_for_share_of(len(rounds.reward), effective, rule.min_effective_outcomes)
                settled = f"; judge on {more_rounds(more, pace)}"
            return insufficient_evidence(
                f"{effective:,.0f} effective {rounds_of} of {len(rounds.reward):,} (at least "
                f"{rule.min_effective_outcomes:,.0f} are needed, release.yaml: {OUTCOMES}): with so few an interval is "
                f"too short{settled}"
            )
    return ANSWERED


def check_model(rounds: Rounds, metric: str) -> Answer:
    """Whether the outcome model expects something of every round; more of them would not change it."""
    if rounds.has_model:
        return ANSWERED
    if metric == "revenue":
        return not_available(
            "the outcome model expects no revenue of these rounds (an item of the catalogue has no price, "
            "or it has no purchase to learn from), and only weighting can tell it; log purchases and all prices"
        )
    return not_available("there is no outcome model for these rounds; only weighting can tell their value")


def check_rounds(
    rounds: Rounds,
    champion: Rounds | None,
    metric: str,
    rule: ReleaseRule,
    needs_model: bool,
    pace: float | None = None,
) -> Answer:
    """The first thing that keeps an estimate from being made, of the policy or of the champion that it is held against.

    Weights first, then the model where one is needed, then how many outcomes there are.

    Args:
        pace: How many such rounds a week the logs bring, to say in weeks what is missing; None: nobody knows.
    """
    checks: list[Callable[[Rounds], Answer]] = [lambda each: check_weights(summarise_weights(each.weight), rule, pace)]
    if needs_model:
        checks.append(lambda each: check_model(each, metric))
    checks.append(lambda each: check_outcomes(each, metric, rule, pace))
    for check in checks:
        for who, each in (("", rounds), ("of the champion: ", champion)):
            if each is not None and not (answer := check(each)).answered:
                return Answer(answer.status, f"{who}{answer.reason}")
    return ANSWERED
