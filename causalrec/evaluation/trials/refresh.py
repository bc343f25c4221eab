"""A refresh: the champion's own recipe, trained on newer days, takes its place when it is shown not to be worse.

Nothing is claimed to be better, so it needs no trial; what it needs is a budget for harm of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from causalrec.estimators.sequential.after import as_student
from causalrec.evaluation.trials.evidence import Evidence
from causalrec.evaluation.trials.guardrail import ask_of_revenue
from causalrec.evaluation.trials.trial import Refresh
from causalrec.settings.release import DAYS_A_LOOK, ReleaseRule


def decide_refresh(
    bundle: str, champion: int, days: Sequence[date], evidence: Evidence, rule: ReleaseRule, spent: float
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
    any before it. A shown gain pays back what was spent; it saves nothing up.

    Args:
        bundle: The hash of the newer bundle.
        champion: The release log's entry that it is held against.
        days: The judged days.
        evidence: What is known of them, the newer bundle being the challenger.
        rule: Its `refresh_` keys, and what is asked of revenue.
        spent: Of the margin, by the refreshes that made the champion what it is: see `spent_on`.

    Returns:
        The attempt, done or not, with its reason.
    """
    from scipy.special import ndtri

    def attempt(done: bool, reason: str, after: float | None = None) -> Refresh:
        return Refresh(bundle, champion, days[0], days[-1], done, reason, after)

    decided = evidence.satisfaction
    if decided is None or not evidence.trusted.answered:
        return attempt(False, f"The evidence does not carry a refresh: {evidence.trusted.reason}.")
    if not decided.base:
        return attempt(False, "The champion brings nothing on these days, so no share of it can be ruled out.")
    bound = -float(ndtri(rule.refresh_error()))
    at_least = decided.value - as_student(bound, decided.degrees) * decided.std_error
    after = max(0.0, 1.0 - (1.0 - spent) * (1.0 + at_least / abs(decided.base)))
    told = (
        f"a loss of {rule.refresh_margin:.1%} of what the champion brings "
        f"({rule.refresh_margin * abs(decided.base):.5f} a slot), the difference being {decided.value:+.5f}, at least "
        f"{at_least:+.5f} (one-sided error {rule.refresh_error():.2%})"
    )
    if spent:
        told = f"{told}, {spent:.1%} of the margin being spent by refreshes before it"
    if after > rule.refresh_margin:
        return attempt(False, f"The newer bundle of the champion's recipe does not rule out {told}.", after)
    against = [condition.words for condition in ask_of_revenue(evidence, bound, rule) if not condition.met]
    if against:
        return attempt(False, " ".join(against), after)
    return attempt(True, f"The newer bundle of the champion's recipe rules out {told}.", after)


def spent_on(earlier: Sequence[Refresh], serves: str, rule: ReleaseRule) -> float:
    """What refreshes have spent of the margin on the way to a champion: 0 where a trial or a person has chosen it.

    Args:
        earlier: All attempts, oldest first.
        serves: The hash of the champion's bundle.
    """
    made = next((one for one in reversed(earlier) if one.done and one.bundle == serves), None)
    if made is None:
        return 0.0
    # An earlier version has ruled out a loss of the margin, and nothing less.
    return rule.refresh_margin if made.spent is None else made.spent


def may_refresh(earlier: Sequence[Refresh], days: Sequence[date]) -> bool:
    """Whether some days may be judged for a refresh: each is judged once, and a week brings one attempt at most."""
    return bool(days) and all(
        one.last_day < days[0] and (days[-1] - one.last_day).days >= DAYS_A_LOOK for one in earlier
    )
