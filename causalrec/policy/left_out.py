"""How many slots of the judged days could not be judged, and why; and whether they are few enough to leave out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from causalrec.answers import ANSWERED, Answer, InputError, insufficient_evidence, not_available
from causalrec.policy.slots import ITEM_REASONS, Slots


@dataclass
class LeftOut:
    """A count over days.

    Attributes:
        judged: Slots that were judged.
        reasons: Why others were not -> how many.
        examples: Day -> items that its catalogue does not list.
    """

    judged: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[date, tuple[str, ...]] = field(default_factory=dict)

    def add(self, day: date, slots: Slots) -> None:
        """Count a day's slots."""
        self.judged += len(slots.row)
        self.reasons.update(slots.not_judged)
        if slots.unlisted:
            self.examples[day] = slots.unlisted

    def plus(self, other: LeftOut) -> LeftOut:
        """The count over the days of both."""
        return LeftOut(self.judged + other.judged, self.reasons + other.reasons, {**self.examples, **other.examples})

    def require_few(self, most: float) -> None:
        """Refuse too many slots that show what is no candidate.

        A slot is left out for its request whatever it shows; one is left out for its item because of what it shows, so
        the slots that stay are a selection by the action, and all the more wrong the more are left out.

        Args:
            most: The share of them that may be left out.

        Raises:
            InputError: More are.
        """
        foreign = {reason: self.reasons[reason] for reason in ITEM_REASONS if self.reasons[reason]}
        many, of = sum(foreign.values()), sum(foreign.values()) + self.judged
        if many <= most * of:
            return
        counts = "; ".join(f"{count:,}: {reason}" for reason, count in foreign.items())
        day, items = next(iter(self.examples.items()), (None, ()))
        example = f" (on {day} e.g. {list(items)})" if day else ""
        raise InputError(
            f"{many:,} of {of:,} recommended slots show an item that a policy which chooses among the candidates could "
            f"not have shown: {counts}{example}. At most {most:.1%} may be left out (policy.yaml: most_left_out). Land "
            "these items in the items files of their day, or correct `match`"
        )

    def answer(self) -> Answer:
        """Whether there is anything to judge."""
        if self.judged:
            return ANSWERED
        if not self.reasons:
            return not_available(NO_PROPENSITY)
        return not_available(f"no recommended unit of the window can be judged: {in_words(self.reasons)}")


def nothing_happened(units: pl.DataFrame, days: Sequence[date]) -> Answer | None:
    """Why there was nothing to judge on the judgement days, where they have no event, or none that was recommended.

    Args:
        units: Of the judgement days.
    """
    which = f"the judgement days ({days[0]} to {days[-1]})" if days else "the judgement days"
    if units.is_empty():
        return insufficient_evidence(
            f"nothing happened on {which}: they have no events, so no policy can be judged on them; judge on days that "
            "have some"
        )
    if not (units["recommended"] == 1).any():
        return insufficient_evidence(f"nothing was recommended on {which}, so no policy can be judged on them")
    return None


NO_PROPENSITY = "no recommended unit of the window has a logged action propensity, so no policy can be judged on it"


def in_words(reasons: Mapping[str, int]) -> str:
    """The reasons, the commonest first."""
    ordered = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    return "; ".join(f"{count:,} because {reason}" for reason, count in ordered)
