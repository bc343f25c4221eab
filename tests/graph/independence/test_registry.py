"""A test of independence is a file and a line: a search asks the first one that fits."""

import numpy as np
import polars as pl
import pytest

from causalrec.graph import independence
from causalrec.graph.discovery.evidence import gather
from causalrec.graph.discovery.frames import discover_frame
from causalrec.graph.discovery.nodes import plain_nodes
from causalrec.graph.independence.blocks import BlockTest
from causalrec.graph.independence.counts import ContingencyTest
from causalrec.settings.discovery import Search


class NothingDepends(BlockTest):
    """Calls all columns independent, and fits where none has a gap."""

    name, clustered = "nothing_depends", True

    @staticmethod
    def fits(columns):
        return all(column.values.null_count() == 0 for column in columns)

    def test(self, x, y, given=()):
        return 1.0, 0.0


class NotRedrawn(ContingencyTest):
    """Says that it knows of clusters, and cannot draw rows anew."""

    name, clustered = "not_redrawn", True


def frame(gaps=False):
    a = np.random.default_rng(0).integers(0, 3, 2_000)
    return pl.DataFrame({"a": a, "b": (a + 1) % 2}).with_columns(c=pl.when(pl.int_range(2_000) >= gaps).then(a % 2))


@pytest.fixture
def newcomer(monkeypatch):
    monkeypatch.setattr(independence, "TESTS", {NothingDepends.name: NothingDepends, **independence.TESTS})


def searched(data):
    nodes, _ = plain_nodes(data, {})
    return gather(nodes, Search(), [np.arange(data.height)], seed=0).found


def test_a_newcomer_is_asked_where_it_fits(newcomer):
    for discovered in (discover_frame(frame()).discovered, searched(frame())):
        assert isinstance(discovered.tests, NothingDepends) and discovered.table().is_empty()


def test_where_it_does_not_fit_the_next_one_is(newcomer):
    assert isinstance(discover_frame(frame(gaps=True)).discovered.tests, ContingencyTest)
    discovered = searched(frame(gaps=True))
    assert type(discovered.tests) is BlockTest and not discovered.table().is_empty()


def test_the_last_one_fits_all_columns_and_every_one_goes_by_its_name():
    assert list(independence.TESTS.values())[-1].fits([])
    assert all(test.name == name for name, test in independence.TESTS.items())


def test_rows_that_depend_on_each_other_are_no_matter_for_tables():
    nodes, _ = plain_nodes(frame(), {})
    assert ContingencyTest.fits(nodes)
    with pytest.raises(ValueError, match="no clusters"):
        ContingencyTest.build(nodes, 0.0, [np.arange(2_000)])
    assert isinstance(independence.clustered_tests_of(nodes, 0.0), BlockTest)


def test_who_says_that_rows_can_be_drawn_anew_is_held_to_it(monkeypatch):
    monkeypatch.setattr(independence, "TESTS", {NotRedrawn.name: NotRedrawn})
    nodes, _ = plain_nodes(frame(), {})
    with pytest.raises(TypeError, match="`not_redrawn` says that it is clustered"):
        independence.clustered_tests_of(nodes, 0.0)
