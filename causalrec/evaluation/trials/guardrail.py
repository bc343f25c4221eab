"""What is asked of revenue before a challenger is released: a test of its own, which needs no share of the error.

A release needs the gain and the guardrail together, so that the chance of a false one is at most that of either
(intersection-union test; Berger 1982, Technometrics 24(4)).
"""

from __future__ import annotations

from causalrec.answers import Status
from causalrec.estimators.sequential.after import as_student
from causalrec.evaluation.trials.evidence import Difference, Evidence
from causalrec.evaluation.trials.trial import Condition
from causalrec.evaluation.trust.needed import in_weeks, rounds_a_week, rounds_for_width
from causalrec.settings.release import ReleaseRule


def ask_of_revenue(
    evidence: Evidence, bound: float, rule: ReleaseRule, days: int | None = None
) -> tuple[Condition, ...]:
    """The guardrail's condition; none where there is no revenue at all.

    - `no_sign_of_harm`: value + b se >= 0, a fall is not shown at the look's level.
    - `rule_out_loss`: value - b se >= -margin x base, a loss beyond the margin is ruled out at it.

    Args:
        bound: b, of the look.
        days: How many it takes, to say in weeks what is missing; None: nobody knows.
    """
    if evidence.revenue_trusted.status is Status.NOT_AVAILABLE:
        return ()
    if evidence.revenue is None or not evidence.revenue_trusted.answered:
        words = f"The revenue cannot be told: {evidence.revenue_trusted.reason}."
        return (Condition("revenue", False, words),)
    revenue = evidence.revenue
    reach = as_student(bound, revenue.degrees) * revenue.std_error
    margin = rule.revenue_margin * abs(revenue.base)
    pace = rounds_a_week(revenue.rounds, days) if days else None
    # Rounding is no sign of harm.
    slack = 1e-12 * abs(revenue.base)
    if rule.revenue == "no_sign_of_harm":
        met = revenue.value + reach >= -slack
        said = "is not shown to fall" if met else "is shown to fall"
        asked = f"Asked of revenue: no sign of harm. It {said}: {_interval(revenue, reach)}."
        return (Condition("revenue", met, f"{asked} {stricter(revenue, reach, margin, rule, pace)}"),)
    met = revenue.value - reach >= -margin - slack
    asked = f"Asked of revenue: a loss of more than {rule.revenue_margin:.0%} ({margin:.4f}) is ruled out."
    if met:
        return (Condition("revenue", True, f"{asked} It is: {_interval(revenue, reach)}."),)
    words = f"{asked} It is not: {_interval(revenue, reach)}. {stricter(revenue, reach, margin, rule, pace)}"
    return (Condition("revenue", False, words),)


def stricter(revenue: Difference, reach: float, margin: float, rule: ReleaseRule, pace: float | None = None) -> str:
    """How many rounds it would take to rule a loss beyond the margin out, if the difference stays what it is.

    Args:
        pace: Rounds a week; None: nobody knows.
    """
    loss = f"a loss of more than {rule.revenue_margin:.0%}"
    room = revenue.value + margin
    if room <= 0:
        return f"No number of rounds would rule out {loss}, for the estimate itself is no better."
    if reach <= room:
        return f"{loss.capitalize()} is ruled out, too."
    more = rounds_for_width(revenue.rounds, reach, room)
    rounds = f"about {more:,} more judged rounds{in_weeks(more, pace)}"
    return f"To rule out {loss} would take {rounds}, if the difference stays what it is."


def _interval(revenue: Difference, reach: float) -> str:
    return f"{revenue.value:+.4f} a recommendation, {revenue.value - reach:+.4f} to {revenue.value + reach:+.4f}"
