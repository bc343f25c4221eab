"""A refresh: the champion's own recipe, trained on newer days, takes its place when it is shown not to be worse.

Nothing is claimed to be better, so it needs no trial; what it needs is a budget for harm of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from causalrec.estimators.sequential.after import as_student
from causalrec.evaluation.trials.evidence import Difference, Evidence
from causalrec.evaluation.trials.guardrail import ask_of_revenue
from causalrec.evaluation.trials.trial import Refresh
from causalrec.settings.release import DAYS_A_LOOK, ReleaseRule


@dataclass(frozen=True)
class Spent:
    """What refreshes have spent of the margins on the way to a champion: the loss, as a share, that is not ruled out.

    Attributes:
        satisfaction: Of `refresh_margin`, in the metric that decides.
        revenue: Of `revenue_margin`; it counts where the rule asks for a loss to be ruled out.
    """

    satisfaction: float = 0.0
    revenue: float = 0.0


def decide_refresh(
    bundle: str, champion: int, days: Sequence[date], evidence: Evidence, rule: ReleaseRule, spent: Spent
) -> Refresh:
    """Hold a newer bundle of the champion's recipe against the champion, on days that neither was trained on.

    It takes its place where the evidence is trusted, a loss of what is left of `refresh_margin` is ruled out,
    and revenue shows what the rule asks of it. One attempt a week, each with the one-sided error
    `refresh_share` x 7 / `per_days`.

    Each refresh is the baseline of the next, so that many small losses could add up to a large one. What is not ruled
    out of them is therefore added up: with l = (value - b se) / base of a refresh,

        spent after = max(0, 1 - (1 - spent before) (1 + l)), and it has to be at most `refresh_margin`.

    All bounds of `per_days` days hold at once with probability 1 - `refresh_share` or more (Bonferroni over the weeks,
    whichever of them are chosen), and then no champion of a chain of refreshes has lost more than the margin against
    any before it. A shown gain pays back what was spent; it saves nothing up. Of revenue the same is asked where the
    rule has a loss of `revenue_margin` ruled out.

    Args:
        bundle: The hash of the newer bundle.
        champion: The release log's entry that it is held against.
        days: The judged days.
        evidence: What is known of them, the newer bundle being the challenger.
        rule: Its `refresh_` keys, and what is asked of revenue.
        spent: Before this attempt: see `spent_on`.

    Returns:
        The attempt, done or not, with its reason.
    """
    from scipy.special import ndtri

    decided, bound = evidence.satisfaction, -float(ndtri(rule.refresh_error()))
    after = None if decided is None else _after(spent.satisfaction, decided, bound)
    # No sign of harm rules out no loss that could be added up.
    adds_up = rule.revenue == "rule_out_loss" and evidence.revenue_trusted.answered
    earned = _after(spent.revenue, evidence.revenue, bound) if adds_up and evidence.revenue is not None else None

    def attempt(done: bool, reason: str) -> Refresh:
        return Refresh(bundle, champion, days[0], days[-1], done, reason, after, earned)

    if decided is None or not evidence.trusted.answered:
        return attempt(False, f"The evidence does not carry a refresh: {evidence.trusted.reason}.")
    if after is None:
        return attempt(False, "The champion brings nothing on these days, so no share of it can be ruled out.")
    loss = (
        f"a loss of {rule.refresh_margin:.1%} of what the champion brings "
        f"({rule.refresh_margin * abs(decided.base):.5f} a slot), the difference being {decided.value:+.5f}, at least "
        f"{_at_least(decided, bound):+.5f} (one-sided error {rule.refresh_error():.2%})"
    )
    if spent.satisfaction:
        loss = f"{loss}, {spent.satisfaction:.1%} of the margin being spent by refreshes before it"
    if after > rule.refresh_margin:
        return attempt(False, f"The newer bundle of the champion's recipe does not rule out {loss}.")
    against = [condition.words for condition in ask_of_revenue(evidence, bound, rule) if not condition.met]
    if against:
        return attempt(False, " ".join(against))
    if earned is not None and earned > rule.revenue_margin:
        return attempt(
            False,
            f"Refreshes before it have spent {spent.revenue:.1%} of the margin of revenue; with this one a loss of "
            f"{earned:.1%} is not ruled out, and {rule.revenue_margin:.1%} may be lost.",
        )
    return attempt(True, f"The newer bundle of the champion's recipe rules out {loss}.")


def _at_least(difference: Difference, bound: float) -> float:
    return difference.value - as_student(bound, difference.degrees) * difference.std_error


def _after(spent: float, difference: Difference, bound: float) -> float | None:
    """What is spent after one more step; None where there is nothing that it could be a share of."""
    if not difference.base:
        return None
    return max(0.0, 1.0 - (1.0 - spent) * (1.0 + _at_least(difference, bound) / abs(difference.base)))


def spent_on(earlier: Sequence[Refresh], serves: str, rule: ReleaseRule) -> Spent:
    """What refreshes have spent on the way to a champion: nothing where a trial or a person has chosen it.

    Args:
        earlier: All attempts, oldest first.
        serves: The hash of the champion's bundle.
    """
    made = next((one for one in reversed(earlier) if one.done and one.bundle == serves), None)
    if made is None:
        return Spent()
    # Of what kept no account a loss of the margin may have been ruled out, and nothing less.
    return Spent(
        rule.refresh_margin if made.spent is None else made.spent,
        rule.revenue_margin if made.revenue_spent is None else made.revenue_spent,
    )


def may_refresh(earlier: Sequence[Refresh], days: Sequence[date]) -> bool:
    """Whether some days may be judged for a refresh: each is judged once, and a week brings one attempt at most."""
    return bool(days) and all(
        one.last_day < days[0] and (days[-1] - one.last_day).days >= DAYS_A_LOOK for one in earlier
    )
