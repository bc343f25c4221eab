"""The tests of independence between columns, and which of them a search gets.

A new one is a file with a class of `IndependenceTest` and a line in `TESTS`; the first that fits the columns is used.
"""

from __future__ import annotations

from collections.abc import Sequence

from causalrec.arrays import Codes
from causalrec.graph.independence.blocks import BlockTest
from causalrec.graph.independence.counts import ContingencyTest
from causalrec.graph.independence.protocol import IndependenceTest, MeasuredColumn, RedrawnTests, Tests
from causalrec.registry import by_name

TESTS: dict[str, IndependenceTest] = by_name(ContingencyTest, BlockTest)
"""By name, in order of preference; the last one fits all columns."""


def tests_of(columns: Sequence[MeasuredColumn], floor: float) -> Tests:
    """The first tests that fit columns whose rows are independent.

    Args:
        floor: Dependences weaker than this are called independent.
    """
    return next(test for test in TESTS.values() if test.fits(columns)).build(columns, floor)


def clustered_tests_of(columns: Sequence[MeasuredColumn], floor: float, clusters: Sequence[Codes] = ()) -> RedrawnTests:
    """The first tests that fit columns whose rows may depend on each other, and that rows can be drawn anew of.

    Args:
        floor: Dependences weaker than this are called independent.
        clusters: Codes of each row, (rows,) per way of clustering: rows of one are not independent draws.
    """
    fitting = next(test for test in TESTS.values() if test.clustered and test.fits(columns))
    tests = fitting.build(columns, floor, clusters)
    if not isinstance(tests, RedrawnTests):
        raise TypeError(f"the test `{fitting.name}` says that it is clustered, but its rows cannot be drawn anew")
    return tests
