"""How much more evidence an answer would take: by what rule a number of rounds settles it, or that none does.

Effective rounds grow as the rounds do, one round's share of all weight falls as they grow, and an interval narrows with
their root. All of it says: of rounds like those that were judged, by the policies that were judged. In weeks: at the
pace of the judged days.
"""

from __future__ import annotations

import math
from datetime import date

import polars as pl

from causalrec.answers import Answer, insufficient_evidence, not_identifiable
from causalrec.estimators.weights import WeightSummary

ERRORS_OF_THE_MEAN = 3.0
"""A mean weight is off, and not by chance, when it is further from 1 than so many of its standard errors. Rounds of one
user hang together, which makes the standard error here, of independent rounds, too short: so three and not two."""


def rounds_for_effective(weights: WeightSummary, least: float) -> int:
    """More rounds until `least` effective ones: n (least / effective - 1). The effective ones are more than 0."""
    return _whole(weights.rows * (least / weights.effective_rows - 1))


def rounds_for_share_of(rounds: int, have: float, least: float) -> int:
    """More rounds until something that grows as they do, and is more than 0, reaches `least`: n (least / have - 1)."""
    return _whole(rounds * (least / have - 1))


def rounds_for_share(weights: WeightSummary, most: float) -> int:
    """More rounds until the heaviest carries at most a share `most` of all weight: n (share / most - 1)."""
    return _whole(weights.rows * (weights.largest_share / most - 1))


def rounds_for_width(rounds: int, half_width: float, wanted: float) -> int:
    """More rounds until an interval is as narrow as wanted: n ((half width / wanted)^2 - 1)."""
    return _whole(rounds * ((half_width / wanted) ** 2 - 1))


def rounds_a_week(rounds: int, days: int) -> float:
    """How many rounds a week some days of logs bring."""
    return 7 * rounds / days


def pace_of(rounds: pl.DataFrame) -> float | None:
    """Rounds a week, from the first `day` of some rounds to their last; None where there are none."""
    first, last = rounds["day"].min(), rounds["day"].max()
    if not isinstance(first, date) or not isinstance(last, date):
        return None
    return rounds_a_week(rounds.height, (last - first).days + 1)


def in_weeks(more: float, pace: float | None) -> str:
    """So many rounds in weeks, in brackets; empty where nobody knows how many a week brings.

    Args:
        pace: Rounds a week.
    """
    if not pace:
        return ""
    weeks = more / pace
    if weeks < 1:
        return " (less than a week at this pace)"
    return f" (about {weeks:.1f} weeks at this pace)" if weeks < 9.95 else f" (about {weeks:,.0f} weeks at this pace)"


def more_rounds(more: int, pace: float | None) -> str:
    """What is missing, in rounds and weeks."""
    return f"about {more:,} more rounds like these{in_weeks(more, pace)}"


def _whole(rounds: float) -> int:
    """Up, but not for what only the last digits of a float say."""
    return math.ceil(round(rounds, 6))


def mean_weight_answer(weights: WeightSummary, most: float, pace: float | None = None) -> Answer:
    """What a mean importance weight that is further than `most` from 1 says.

    Its standard error is mean x sqrt((n / effective - 1) / n).

    Args:
        pace: Rounds a week; None: nobody knows.
    """
    off = abs(weights.mean - 1)
    error = weights.mean * math.sqrt(max(weights.rows / weights.effective_rows - 1, 0.0) / weights.rows)
    sentence = f"the mean importance weight is {weights.mean:.2f}, it should be about 1"
    if off <= ERRORS_OF_THE_MEAN * error:
        more = rounds_for_width(weights.rows, ERRORS_OF_THE_MEAN * error, most) if most > 0 else None
        enough = f"; {more_rounds(more, pace)} would tell" if more else ""
        return insufficient_evidence(f"{sentence}, which may still be chance (standard error {error:.2f}){enough}")
    why = (
        "some of what this policy would show is never shown by the logging policy: let it explore that, or judge a "
        "policy that shows less of it"
        if weights.mean < 1
        else "the logged ones are smaller than those with which items were chosen: log the real ones"
    )
    return not_identifiable(
        f"{sentence} (standard error {error:.2f}), and more rounds like these would not change that: the logged action "
        f"propensities do not cover this policy. Either they are not the probabilities with which items were really "
        f"chosen, or {why}"
    )
