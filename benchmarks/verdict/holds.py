"""When a figure holds: a one-sided test against the harmful side at 1 %, Holm-corrected over a row's cells, is silent.

A correct method fails a row in at most 1 % of all runs, whatever the number of its cells; there are no bands around a
target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

LEVEL = 0.01


@dataclass(frozen=True)
class Share:
    """How often something happened in independent draws, and what is claimed of it.

    Attributes:
        name: Of the cell.
        count, draws: It happened in so many of so many.
        claimed: "at most" or "at least" this share.
        side: Which of them.
    """

    name: str
    count: int
    draws: int
    claimed: float
    side: Literal["at most", "at least"] = "at most"

    @property
    def share(self) -> float:
        return self.count / self.draws

    @property
    def p(self) -> float:
        """The chance of a count as harmful as this one, or more, if the share is just what is claimed."""
        from scipy.stats import binom

        if self.side == "at most":
            return float(binom.sf(self.count - 1, self.draws, self.claimed))
        return float(binom.cdf(self.count, self.draws, self.claimed))

    def power(self, true: float, cells: int = 1) -> float:
        """The chance that the test finds a share that is really `true`, in a row of so many cells."""
        from scipy.stats import binom

        level = LEVEL / cells
        if self.side == "at most":
            critical = binom.isf(level, self.draws, self.claimed) + 1
            return float(binom.sf(critical - 1, self.draws, true))
        critical = binom.ppf(level, self.draws, self.claimed) - 1
        return float(binom.cdf(critical, self.draws, true))


def holm(p_values: Sequence[float], level: float = LEVEL) -> list[bool]:
    """Which hypotheses are rejected.

    Args:
        p_values: One a cell, in any order.
        level: Of the whole row.

    Returns:
        In the same order.

    Source:
        Holm (1979), Scandinavian Journal of Statistics 6(2).
    """
    rejected, going = [False] * len(p_values), True
    for rank, cell in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        going = going and p_values[cell] <= level / (len(p_values) - rank)
        rejected[cell] = going
    return rejected


def hold(cells: Sequence[Share]) -> list[bool]:
    """Which cells of a row hold."""
    return [not rejected for rejected in holm([cell.p for cell in cells])]


def no_more_often(count: int, draws: int, other: int, other_draws: int) -> float:
    """The p-value against "no more often than the other": Fisher's exact test, one-sided."""
    from scipy.stats import hypergeom

    return float(hypergeom.sf(count - 1, draws + other_draws, count + other, draws))
