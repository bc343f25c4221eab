"""Making a look: release, go on, or end the trial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

import numpy as np

from causalrec.estimators.sequential.after import as_normal, as_student, median_unbiased
from causalrec.estimators.sequential.bounds import bounds
from causalrec.evaluation.trials.evidence import Difference, Evidence
from causalrec.evaluation.trials.guardrail import ask_of_revenue
from causalrec.evaluation.trials.trial import Condition, Look, LookDecision
from causalrec.settings.release import ReleaseRule


def decide_look(
    number: int, days: Sequence[date], evidence: Evidence, earlier: Sequence[Look], error: float, rule: ReleaseRule
) -> Look:
    """Make a look.

    A challenger is released where its evidence is trusted, its gain is at least the bound in standard errors, its
    estimate at least `min_gain` of what the champion brings, and what is asked of revenue is met. The bound spends the
    look's own error whatever the other conditions say: they can only keep back a release.

    From the second look on the trial ends where gain + standard error is below the least gain (`futility`); a rule that
    ignores this would be as right, since the bounds do not count on it.

    Args:
        number: Of the look, from 1.
        days: The days that it takes.
        evidence: What is known of them.
        earlier: The looks before it, in order.
        error: The one-sided error that each look of this trial spends.
        rule: `trial_weeks` says which look is the last; of a retrospective look there is one.

    Returns:
        The look, with its decision and its words.

    Raises:
        ValueError: The earlier looks are not those before this one, or there is no day.
    """
    if [look.number for look in earlier] != list(range(1, number)) or not days:
        raise ValueError(f"look {number} follows looks {[look.number for look in earlier]} on {len(days)} days")
    last = rule.retrospective is not None or number >= rule.trial_weeks
    decided = evidence.satisfaction
    if decided is None or not evidence.trusted.answered or not decided.std_error > 0:
        why = evidence.trusted.reason or "the difference of the two policies has no standard error: they never differ"
        trust = Condition("trust", False, f"The evidence does not carry a decision: {why}.")
        forfeited = "" if last else " The error of this look is forfeited."
        decision = LookDecision.OVER if last else LookDecision.GO_ON
        reason = f"{trust.words}{forfeited}"
        return Look(number, days[0], days[-1], error, False, decision, reason, decided=decided, conditions=(trust,))
    z = as_normal(decided.value / decided.std_error, decided.degrees)
    told = [look for look in earlier if look.trusted and look.information]
    information = [*(look.information or 0.0 for look in told), decided.std_error**-2]
    limits = bounds(information, [*(look.error for look in told), error])
    bound = float(limits[-1])
    reach = as_student(bound, decided.degrees) * decided.std_error
    lower, upper = decided.value - reach, decided.value + reach
    least = rule.min_gain * abs(decided.base)
    conditions = (
        Condition(
            "gain",
            z >= bound,
            f"The gain is {z:.2f} standard errors; this look asks for {bound:.2f} (one-sided error {error:.2%}).",
        ),
        Condition(
            "least_gain",
            decided.value >= least,
            f"The estimated gain is {_share(decided)} of what slots bring now; at least {rule.min_gain:.1%} is asked.",
        ),
        *ask_of_revenue(evidence, bound, rule, (days[-1] - days[0]).days + 1),
    )
    decision = _decision(conditions, number, last, decided, least, rule)
    passes = np.array([*(_passes_from(look, rule) for look in told), bound])
    unbiased = None
    if decision.ends:
        # Back from the normal scale: of one look alone the gain is the estimate itself, however few the clusters.
        normal = median_unbiased(information, passes, z) / decided.std_error
        unbiased = as_student(normal, decided.degrees) * decided.std_error
    return Look(
        number,
        days[0],
        days[-1],
        error,
        True,
        decision,
        _reason(conditions, decision, decided, least),
        decided=decided,
        bound=bound,
        z=z,
        lower=lower,
        upper=upper,
        unbiased=unbiased,
        conditions=conditions,
    )


def _passes_from(look: Look, rule: ReleaseRule) -> float:
    """The statistic from which a look would have released; infinite where revenue kept any release back.

    The gain that is stated later asks what would have ended the trial earlier, which is more than the bound. Revenue is
    taken as it was: whether it passes is no matter of the gain.
    """
    decided, bound = look.decided, look.bound
    if decided is None or bound is None or not all(each.met for each in look.conditions if each.name == "revenue"):
        return math.inf
    least = rule.min_gain * abs(decided.base) / decided.std_error
    return max(bound, as_normal(least, decided.degrees))


def _decision(
    conditions: Sequence[Condition], number: int, last: bool, decided: Difference, least: float, rule: ReleaseRule
) -> LookDecision:
    if all(condition.met for condition in conditions):
        return LookDecision.RELEASE
    if last:
        return LookDecision.OVER
    if rule.futility and number >= 2 and decided.value + decided.std_error < least:
        return LookDecision.FUTILE
    return LookDecision.GO_ON


def _reason(conditions: Sequence[Condition], decision: LookDecision, decided: Difference, least: float) -> str:
    if decision is LookDecision.RELEASE:
        return " ".join(condition.words for condition in conditions)
    missing = " ".join(condition.words for condition in conditions if not condition.met)
    if decision is LookDecision.FUTILE:
        return (
            f"The gain that is asked for has become unlikely: even one standard error more than the estimate "
            f"({decided.value + decided.std_error:+.5f}) is less than {least:.5f}. {missing}"
        )
    return missing


def _share(decided: Difference) -> str:
    return f"{decided.value / abs(decided.base):+.1%}" if decided.base and math.isfinite(decided.base) else "no share"
