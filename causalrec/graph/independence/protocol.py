"""What a test of independence is: a kind that fits columns or not, and, built on columns, answers for their pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import polars as pl

from causalrec.arrays import Codes, Floats
from causalrec.graph.independence.columns import Column


class MeasuredColumn(Protocol):
    """A column as tests read it."""

    @property
    def block(self) -> Column | Floats:
        """Its numbers; an array (rows, width) stands for itself."""

    @property
    def values(self) -> pl.Series | None:
        """As it was logged; None where only its numbers are at hand."""


class Tests(Protocol):
    """What a search asks of tests between columns 0, 1, ..."""

    floor: float

    def test(self, x: int, y: int, given: Sequence[int] = ()) -> tuple[float, float]:
        """(p-value, strength) of x and y given others; the floor is not applied."""

    def __call__(self, x: int, y: int, given: Sequence[int] = ()) -> float:
        """The p-value that the search sees: 1 where the dependence is weaker than the floor."""


class CountedGroups(Protocol):
    """Groups of rows that can be counted any number of times."""

    def counted(self, times: Floats) -> Tests:
        """The tests where each group is there so many times, (groups,)."""


@runtime_checkable
class RedrawnTests(Tests, Protocol):
    """Tests of rows that can be drawn anew.

    Attributes:
        rows: How many there are.
        bytes_of_a_group: What one group of `in_groups` takes.
    """

    rows: int

    @property
    def bytes_of_a_group(self) -> int: ...

    def in_groups(self, groups: Codes) -> CountedGroups:
        """The same rows as groups, (rows,) codes from 0, none left out."""


class IndependenceTest(Protocol):
    """A kind of tests.

    Attributes:
        name: Of the kind.
        clustered: Whether it knows of rows that depend on each other, and its rows can be drawn anew (`RedrawnTests`).
    """

    name: str
    clustered: bool

    def fits(self, columns: Sequence[MeasuredColumn]) -> bool:
        """Whether it can test all pairs of these columns."""

    def build(self, columns: Sequence[MeasuredColumn], floor: float, clusters: Sequence[Codes] = ()) -> Tests:
        """The tests between the columns.

        Args:
            floor: Dependences weaker than this are called independent.
            clusters: Codes of each row, (rows,) per way of clustering: rows of one are not independent draws.
        """
