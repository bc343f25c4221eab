"""What the first lines say of a trial, or of the one look back: how far it is, and how sure its last look."""

from __future__ import annotations

from datetime import date

from causalrec.answers import Status
from causalrec.evaluation.trials.trial import Look, Trial
from causalrec.settings.release import DAYS_A_LOOK, ReleaseRule


def far(trial: Trial, days: int) -> str:
    """How far a trial is, in days and in information.

    Args:
        days: How many of its days are judged by now.
    """
    length, made = DAYS_A_LOOK * trial.weeks, len(trial.looks)
    first = trial.days_of(1)[0]
    words = (
        f"Day {min(days, length)} of {length} of the trial of {trial.challenger[:8]}, which counts from {first} on; "
        f"{made} of {trial.weeks} weekly looks {'is' if made == 1 else 'are'} made"
    )
    told = [(look.number, look.decided.std_error) for look in trial.looks if look.decided is not None]
    if told and trial.closed is None and made < trial.weeks:
        number, error = told[-1]
        last = error * (number / trial.weeks) ** 0.5
        words += (
            f". The gain is known to {100 * error:.2f} per 100 slots (its standard error), by the last look to about "
            f"{100 * last:.2f}"
        )
    if trial.closed is None:
        return f"{words}."
    of_a_look = any(look.reason == trial.closed for look in trial.looks)
    return f"{words}. The trial is over{'.' if of_a_look else f': {trial.closed}'}"


def far_back(look: Look | None, first: date, last: date, rounds: int) -> str:
    """How far the one look back reaches."""
    days = (last - first).days + 1
    what = "Judged in one look back" if look else "Judged"
    return (
        f"{what}, on {days:,} day{'s' if days > 1 else ''} ({first} to {last}, {rounds:,} recommended slots) that no "
        "fit has read."
    )


def budget(trial: Trial | None, rule: ReleaseRule, look: Look | None = None) -> str:
    """How often an equal policy would be released.

    Args:
        look: The last one, which may have spent less than a look of the trial may; None: none was made.
    """
    if trial is None:
        error = rule.retrospective
        if error is None:
            return "No look is made at these days: they decide nothing."
        return f"Of challengers that are no better, {error:.1%} would be released by a look back like this one."
    error = trial.error if look is None else look.error
    share = error * rule.per_days / DAYS_A_LOOK
    return (
        f"Each look would release a challenger that is no better in {error:.2%} of cases; all looks of "
        f"{rule.per_days} days together in at most {share:.0%} of histories."
    )


def sure(look: Look | None, trial: Trial | None, rule: ReleaseRule, unit: str) -> tuple[str, str]:
    """How sure the last look is, and the `Status` of that.

    Args:
        unit: Of a hundredth of the gain.
    """
    spent = budget(trial, rule, look)
    if look is None:
        return f"Nothing is known yet: no look was made. {spent}", Status.INSUFFICIENT_EVIDENCE.value
    if look.lower is None or look.upper is None or look.decided is None:
        lost = "" if trial is None else " and has lost its error"
        return f"Not enough to decide: the look releases nothing{lost}. {spent}", Status.INSUFFICIENT_EVIDENCE.value
    at_once = ", at all looks at once (repeated interval)" if trial else ""
    words = (
        f"The gain is {_hundredths(look.decided.value)} {unit}, between {_hundredths(look.lower)} and "
        f"{_hundredths(look.upper)}{at_once}; it takes {_hundredths((look.upper - look.lower) / 2)} to release"
    )
    if trial and look.unbiased is not None:
        words += (
            f". Stopping at a good moment exaggerates: corrected for that (median-unbiased), it is "
            f"{_hundredths(look.unbiased)}"
        )
    return f"{words}. {spent}", Status.ANSWERED.value


def _hundredths(x: float) -> str:
    return f"{100 * x:+.2f}"
