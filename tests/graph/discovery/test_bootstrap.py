"""How sure edges are: users drawn anew."""

import numpy as np
import pytest

from causalrec.graph.discovery.bootstrap import DIRECTION, EDGE, Confidence, _dealt, bootstrap, calibrated
from causalrec.graph.independence.blocks import BlockTest
from causalrec.graph.independence.columns import Levels, numbers
from causalrec.settings.discovery import Search

SEARCH = Search(bootstraps=20, bootstrap_seconds=600.0)


def columns(rows: int, weak: float = 0.0, seed: int = 0) -> dict[str, object]:
    """a -> b; c has thirty levels and depends on nothing, d on c weakly."""
    rng = np.random.default_rng(seed)
    a, noise, other = rng.normal(size=(3, rows))
    level = rng.integers(0, 30, rows)
    return {
        "a": numbers(a),
        "b": numbers(0.5 * a + noise),
        "c": Levels(level.astype(np.uint8), 30),
        "d": numbers(weak * (level % 2) + other),
    }


def confidence(found, rows, seed=1, users=None, **settings):
    tests = BlockTest(list(found.values()), SEARCH.floor)
    users = np.arange(rows) // 5 if users is None else users
    return bootstrap(tests, dict.fromkeys(found, 0), SEARCH.model_copy(update=settings), users, seed)


@pytest.mark.parametrize("groups", [7, 60])
def test_counted_groups_are_rows_counted_one_by_one(groups):
    rng = np.random.default_rng(groups)
    tests = BlockTest(list(columns(3_000, 0.3).values()), 0.0)
    codes = rng.permutation(np.arange(3_000) % groups)
    times = rng.integers(0, 4, groups).astype(float)
    counted, weighted = tests.in_groups(codes).counted(times), tests.reweighted(times[codes])
    np.testing.assert_allclose(counted.correlation, weighted.correlation, atol=1e-12)
    np.testing.assert_allclose(counted.effective_rows, weighted.effective_rows)
    assert counted.added_chance == pytest.approx(weighted.added_chance)
    assert counted.test(0, 1, (3,)) == pytest.approx(weighted.test(0, 1, (3,)), rel=1e-9)


def test_a_users_rows_go_together_into_groups_alike_in_size():
    users = np.random.default_rng(2).integers(0, 1_000, 20_000)
    groups = _dealt(users, 64, np.random.default_rng(3))
    assert len(set(zip(users.tolist(), groups.tolist(), strict=True))) == len(set(users.tolist()))
    owners = np.bincount(groups[np.unique(users, return_index=True)[1]])
    assert len(owners) == 64 and owners.max() - owners.min() <= 1


def test_few_users_are_drawn_themselves():
    users = np.arange(300) // 10
    assert len(np.unique(_dealt(users, 64, np.random.default_rng(0)))) == 30


def test_strong_edges_are_sure_weak_ones_are_not_and_none_comes_from_the_drawing():
    found = columns(4_000, weak=0.16)
    sure = confidence(found, 4_000)
    assert sure.share("a", "b") == 1.0
    assert 0.05 < sure.share("c", "d") < 0.95
    for pair in (("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")):
        assert sure.share(*pair) <= 0.2


def test_rows_that_belong_together_make_less_sure():
    """Twenty users, each with one value of a and one of b: how the two go together is of twenty users, not of 4,000
    rows, and comes and goes with them."""
    rng = np.random.default_rng(5)
    users = np.arange(4_000) // 200
    a, b = rng.normal(size=(2, 20))
    b += 0.4 * a
    found = {"a": numbers(a[users] + 0.1 * rng.normal(size=4_000)), "b": numbers(b[users] + 3 * rng.normal(size=4_000))}
    as_rows, as_users = (
        confidence(found, 4_000, users=of, bootstraps=60).share("a", "b") for of in (np.arange(4_000), users)
    )
    assert as_rows > 0.95 and as_users < 0.9


def test_the_same_seed_gives_the_same_shares_and_another_one_others():
    found = columns(4_000, weak=0.16)
    one, same, other = (confidence(found, 4_000, seed) for seed in (1, 1, 2))
    assert one.adjacent == same.adjacent and one.directed == same.directed
    assert one.adjacent != other.adjacent


def test_when_the_time_is_over_the_draws_made_until_then_are_said():
    sure = confidence(columns(500), 500, bootstrap_seconds=1e-9)
    assert sure.draws == 1 and sure.in_words() == "1 draw of users of 20: the time was over (bootstrap_seconds)"


def test_without_draws_nothing_is_known():
    nothing = confidence(columns(500), 500, bootstraps=0)
    assert nothing.share("a", "b") is None and nothing.direction_share("a", "b") is None
    assert "not asked for" in nothing.in_words()


def test_an_open_edge_is_half_of_each_direction():
    sure = Confidence(10, 10, {("a", "b"): 8}, {("a", "b"): 4, ("b", "a"): 1})
    assert sure.share("b", "a") == 0.8
    assert sure.direction_share("a", "b") == pytest.approx((4 + 1.5) / 8)
    assert sure.direction_share("a", "b") + sure.direction_share("b", "a") == pytest.approx(1.0)
    assert sure.direction_share("a", "c") is None and sure.share("a", "c") == 0.0


@pytest.mark.parametrize("line", [EDGE, DIRECTION])
def test_a_larger_share_is_surer_and_no_share_is_certain(line):
    stated = [calibrated(k / 50, 50, line) for k in range(51)]
    assert stated == sorted(stated) and 0 < stated[0] < stated[-1] < 1
    assert calibrated(1.0, 3, line) < calibrated(1.0, 50, line)


def test_what_is_stated_is_the_share_calibrated():
    sure = Confidence(10, 10, {("a", "b"): 8}, {("a", "b"): 4, ("b", "a"): 1})
    assert sure.edge("a", "b") == calibrated(0.8, 10, EDGE) > 0.8
    assert sure.direction("a", "b") == calibrated(5.5 / 8, 8, DIRECTION)
    assert sure.direction("a", "c") is None
