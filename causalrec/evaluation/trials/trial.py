"""A trial: what was enrolled, which days its looks take, and what each look said."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from causalrec.evaluation.trials.evidence import Difference
from causalrec.settings.release import DAYS_A_LOOK


class LookDecision(StrEnum):
    """What a look at a trial leads to."""

    RELEASE = "release"
    GO_ON = "go_on"
    FUTILE = "futile"
    """The gain that is asked for has become unlikely; the trial ends."""
    OVER = "over"
    """The last look has not released; the trial ends."""

    @property
    def ends(self) -> bool:
        return self is not LookDecision.GO_ON


@dataclass(frozen=True)
class Condition:
    """One thing that is asked before a challenger is released.

    Attributes:
        name: `gain`, `least_gain`, `revenue` or `trust`.
        words: What is asked, and what was seen.
    """

    name: str
    met: bool
    words: str


@dataclass(frozen=True)
class Look:
    """One look, as it was made: it is never made again.

    Attributes:
        number: 1, 2, ...
        first_day, last_day: The days that it takes, both included.
        error: The one-sided error that it spends.
        trusted: Whether its evidence carries a decision. If not, its error is forfeited.
        bound: In standard errors of a normal statistic; None where the look is not trusted.
        decided: The difference that decides; None where it has no estimate.
        z: Its normal statistic, value / std_error by way of Student's t.
        lower, upper: The repeated interval: at all looks of the trial together it misses the gain on either side with
            at most the trial's error. None where the look is not trusted.
        unbiased: The median-unbiased gain, of a look that ends the trial; None elsewhere.
        conditions: What was asked.
        reason: In words.
    """

    number: int
    first_day: date
    last_day: date
    error: float
    trusted: bool
    decision: LookDecision
    reason: str
    bound: float | None = None
    decided: Difference | None = None
    z: float | None = None
    lower: float | None = None
    upper: float | None = None
    unbiased: float | None = None
    conditions: tuple[Condition, ...] = ()

    @property
    def information(self) -> float | None:
        """1 / std_error^2; None where there is no estimate."""
        return None if self.decided is None or not self.decided.std_error else self.decided.std_error**-2


@dataclass(frozen=True)
class Trial:
    """One fixed challenger against the champion.

    Attributes:
        opened: The partition that enrolled the challenger. The days after it count.
        challenger: The hash of its bundle.
        champion: The release log's entry that it is held against; None: the logging policy.
        estimand: The value that decides.
        error: The one-sided error of each look, at most: less is spent where another policy than the champion made the
            logs of its days.
        weeks: How many looks there are at most.
        looks: Those that were made, in order.
        closed: Why it ended; None while it runs.
    """

    opened: date
    challenger: str
    champion: int | None
    estimand: str
    error: float
    weeks: int
    looks: tuple[Look, ...] = ()
    closed: str | None = None

    def days_of(self, look: int) -> tuple[date, ...]:
        """The days that a look takes: the first 7 k calendar days after the enrolment."""
        return tuple(self.opened + timedelta(days=1 + k) for k in range(DAYS_A_LOOK * look))

    def due(self, last_mature: date) -> tuple[int, ...]:
        """The looks that are due and have not been made, in the order in which they are to be made.

        Args:
            last_mature: The last day whose outcomes are final, with all days before it.
        """
        if self.closed is not None:
            return ()
        passed = max((last_mature - self.opened).days, 0) // DAYS_A_LOOK
        return tuple(range(len(self.looks) + 1, min(passed, self.weeks) + 1))

    def next_look(self) -> date | None:
        """The last day of the next look; None where there is none."""
        if self.closed is not None or len(self.looks) >= self.weeks:
            return None
        return self.days_of(len(self.looks) + 1)[-1]

    def after(self, look: Look) -> Trial:
        """The trial with one more look; it is closed by one that ends it.

        Raises:
            ValueError: The look is not the next one, or the trial has ended.
        """
        if self.closed is not None or look.number != len(self.looks) + 1 or look.number > self.weeks:
            raise ValueError(f"look {look.number} does not follow {len(self.looks)} of {self.weeks} ({self.closed})")
        return replace(self, looks=(*self.looks, look), closed=look.reason if look.decision.ends else None)

    def ended(self, reason: str) -> Trial:
        """The trial, ended for a reason that is no look's."""
        return replace(self, closed=reason)


@dataclass(frozen=True)
class Refresh:
    """One attempt to let the champion's own recipe, trained on newer days, take its place.

    Attributes:
        bundle: Of the newer bundle.
        champion: The release log's entry that it was held against.
        first_day, last_day: The days that both were judged on.
        done: Whether it took the champion's place.
        reason: In words.
        spent: The loss, as a share of what the champion of the last release brought, that is not ruled out of this
            bundle: what this refresh and those before it may have lost together. None where it cannot be told, and in
            what earlier versions wrote, which kept no account.
        revenue_spent: The same of revenue, where the rule asks for a loss of it to be ruled out.
    """

    bundle: str
    champion: int
    first_day: date
    last_day: date
    done: bool
    reason: str
    spent: float | None = None
    revenue_spent: float | None = None
