"""What the first lines say of a trial: how far it is, and how sure its last look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from causalrec.answers import Status
from causalrec.evaluation.plots import LookMark

DAYS_A_WEEK = 7


@dataclass(frozen=True)
class LookStory:
    """One look at a trial.

    Attributes:
        look: 1 for the first.
        last_day: The last day that it counts.
        mark: Its gain, repeated interval and bound; None where the gain could not be told.
        unbiased: The median-unbiased gain where the trial stopped at this look.
        words: What was decided, and why.
    """

    look: int
    last_day: date
    mark: LookMark | None
    unbiased: float | None
    words: str


@dataclass(frozen=True)
class TrialStory:
    """A trial, as far as it is told on a day.

    Attributes:
        challenger: The hash of the bundle that was enrolled.
        first_day: The first day that it counts.
        weeks: How long it lasts.
        days: How many of its days are judged by now.
        looks: Those that were made.
        next_look: The day whose outcomes complete the next look; None where there is none.
        information: Of what the last look is expected to have, the share that the last one made has.
        error: The one-sided error of each look.
        share: Of histories of `per_days` days without a better challenger, at most this share holds a release.
        per_days: The length of such a history.
    """

    challenger: str
    first_day: date
    weeks: int
    days: int
    looks: Sequence[LookStory]
    next_look: date | None
    information: float | None
    error: float
    share: float
    per_days: int

    def far(self) -> str:
        """How far it is, in a sentence or two."""
        made = len(self.looks)
        words = (
            f"Day {self.days} of {DAYS_A_WEEK * self.weeks} of the trial of {self.challenger[:8]}, which counts from "
            f"{self.first_day} on; {made} of {self.weeks} weekly looks {'is' if made == 1 else 'are'} made"
        )
        if self.information is not None:
            words += f", with {self.information:.0%} of the information that the last one is expected to have"
        coming = f"once the outcomes of {self.next_look} are in" if self.next_look else "none, the trial is over"
        return f"{words}. Next look: {coming}."

    def sure(self, digits: int = 2) -> tuple[str, str]:
        """How sure the last look is, and the `Status` of that."""
        budget = (
            f"Each look may release an equal policy with a chance of {self.error:.2%}; all looks of {self.per_days} "
            f"days together do so in at most {self.share:.0%} of histories."
        )
        told = [look for look in self.looks if look.mark is not None]
        if not told:
            return f"Nothing is known yet: no look could tell the gain. {budget}", Status.INSUFFICIENT_EVIDENCE.value
        look, mark = told[-1], told[-1].mark
        if mark is None:
            raise AssertionError("looks without a mark were left out")

        def points(x: float) -> str:
            return f"{100 * x:+.{digits}f}"

        words = (
            f"At look {look.look} the gain is {points(mark.gain)} points, and between {points(mark.lower)} and "
            f"{points(mark.upper)} at all looks at once (repeated interval); "
        )
        words += (
            "the look is not trusted, so that it releases nothing"
            if mark.bound is None
            else f"it takes {points(mark.bound)} to release"
        )
        if look.unbiased is not None:
            words += (
                f". A trial that stops at a good moment exaggerates: the gain without that (median-unbiased) is "
                f"{points(look.unbiased)} points"
            )
        return f"{words}. {budget}", Status.ANSWERED.value
