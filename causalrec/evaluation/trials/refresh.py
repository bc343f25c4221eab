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


def decide_refresh(bundle: str, champion: int, days: Sequence[date], evidence: Evidence, rule: ReleaseRule) -> Refresh:
    """Hold a newer bundle of the champion's recipe against the champion, on days that neither was trained on.

    It takes the champion's place where the evidence is trusted, a loss of `refresh_margin` of what the champion brings
    is ruled out (value + margin >= b se), and revenue shows what the rule asks of it. One attempt a week, each with the
    one-sided error `refresh_share` x 7 / `per_days`: of histories of `per_days` days of a recipe whose newer bundles
    are worse by the margin or more, at most `refresh_share` hold a refresh (Bonferroni over the weeks).

    Args:
        bundle: The hash of the newer bundle.
        champion: The release log's entry that it is held against.
        days: The judged days.
        evidence: What is known of them, the newer bundle being the challenger.
        rule: Its `refresh_` keys, and what is asked of revenue.

    Returns:
        The attempt, done or not, with its reason.
    """
    from scipy.special import ndtri

    def attempt(done: bool, reason: str) -> Refresh:
        return Refresh(bundle, champion, days[0], days[-1], done, reason)

    decided = evidence.satisfaction
    if decided is None or not evidence.trusted.answered:
        return attempt(False, f"The evidence does not carry a refresh: {evidence.trusted.reason}.")
    bound = -float(ndtri(rule.refresh_error()))
    margin = rule.refresh_margin * abs(decided.base)
    reach = as_student(bound, decided.degrees) * decided.std_error
    told = (
        f"a loss of {rule.refresh_margin:.1%} of what the champion brings ({margin:.5f} a slot), the difference being "
        f"{decided.value:+.5f}, at least {decided.value - reach:+.5f} (one-sided error {rule.refresh_error():.2%})"
    )
    if decided.value - reach < -margin:
        return attempt(False, f"The newer bundle of the champion's recipe does not rule out {told}.")
    against = [condition.words for condition in ask_of_revenue(evidence, bound, rule) if not condition.met]
    if against:
        return attempt(False, " ".join(against))
    return attempt(True, f"The newer bundle of the champion's recipe rules out {told}.")


def may_refresh(earlier: Sequence[Refresh], days: Sequence[date]) -> bool:
    """Whether some days may be judged for a refresh: each is judged once, and a week brings one attempt at most."""
    return bool(days) and all(
        one.last_day < days[0] and (days[-1] - one.last_day).days >= DAYS_A_LOOK for one in earlier
    )
