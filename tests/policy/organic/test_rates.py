import numpy as np
import polars as pl
import pytest

from causalrec.policy.organic.rates import MetCounts, MetRates

COLUMNS = {"request_id": pl.String, "item_id": pl.String, "position": pl.Int64, "recommended": pl.Int8}


def day(organic: dict[str, int], requests: int, stood: dict[str, list[int]] | None = None) -> pl.DataFrame:
    rows = [(f"r{k % requests}", item, None, 0) for item, many in organic.items() for k in range(many)]
    rows += [(f"r{k}", item, at, 1) for item, positions in (stood or {}).items() for k, at in enumerate(positions)]
    rows += [(f"r{k}", "other", 9, 1) for k in range(requests)]
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def rates(
    items: list[str], days: list[tuple[pl.DataFrame, list[str]]], categories: list[str] | None = None
) -> MetRates:
    catalogue = pl.DataFrame({"item_id": items} | ({"category": categories} if categories else {}))
    return MetCounts.of((units, pl.DataFrame({"item_id": listed})) for units, listed in days).rates(catalogue)


def at(found: MetRates, item: int, position: int = 1) -> float:
    return float(found.below(np.array([item]), np.array([position]))[0])


def test_an_item_counts_the_requests_of_the_days_that_listed_it() -> None:
    found = rates(["a", "b"], [(day({"a": 40}, 100), ["a"]), (day({"a": 40, "b": 40}, 100), ["a", "b"])])
    assert found.requests.tolist() == [200, 100]
    assert [at(found, 0), at(found, 1)] == pytest.approx([0.4, 0.4])


def test_requests_in_which_it_stood_above_do_not_count_for_a_slot() -> None:
    found = rates(["a"], [(day({"a": 60}, 100, {"a": [1] * 10 + [2] * 20}), ["a"])])
    one = MetRates(found.impressions, found.requests, found.stood, np.zeros(1), np.zeros(1))
    assert [at(one, 0, slot) for slot in (1, 2, 3)] == pytest.approx([60 / 100, 60 / 90, 60 / 70])


def test_items_that_do_not_differ_beyond_chance_have_the_rate_of_their_category() -> None:
    found = rates(["a", "b", "c"], [(day({"a": 1, "b": 2, "c": 1}, 100), ["a", "b", "c"])])
    assert [at(found, k) for k in range(3)] == pytest.approx([4 / 300] * 3)


def test_what_was_seen_often_keeps_its_own_rate_and_what_is_new_has_its_categorys() -> None:
    listed = ["a", "b", "c", "d"]
    units = day({"a": 9_000, "b": 1_000, "c": 100, "d": 120}, 10_000)
    found = rates([*listed, "new"], [(units, listed)], ["x", "x", "y", "y", "y"])
    assert at(found, 0) == pytest.approx(0.9, rel=0.02)
    assert at(found, 1) == pytest.approx(0.1, rel=0.02)
    assert at(found, 4) == pytest.approx(0.011, rel=0.1)


def test_rates_that_are_shrunk_are_nearer_to_the_true_ones() -> None:
    """With rates of Gamma(4, 200) and 200 requests the posterior mean has half the error of a count."""
    rng = np.random.default_rng(3)
    counted, drawn = [], []
    for _ in range(20):
        true = rng.gamma(4, 1 / 200, 60)
        seen = {f"i{k}": int(rng.poisson(200 * rate)) for k, rate in enumerate(true)}
        found = rates(list(seen), [(day(seen, 200), list(seen))])
        counted.append(((found.impressions / 200 - true) ** 2).mean())
        drawn.append(((np.array([at(found, k) for k in range(60)]) - true) ** 2).mean())
    assert np.mean(drawn) < 0.65 * np.mean(counted)


def test_without_an_organic_row_no_rate_is_known() -> None:
    assert np.isnan(at(rates(["a"], [(day({}, 10), ["a"])]), 0))
    assert np.isnan(at(rates(["a"], []), 0))
