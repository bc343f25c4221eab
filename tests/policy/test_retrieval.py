"""Contexts scored against few candidates of a catalogue, by a real network."""

import tracemalloc
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from causalrec.arrays import Ints
from causalrec.logs.units.covariates import AsOf, context_covariates, item_covariates
from causalrec.logs.units.user_category_rates import Tastes
from causalrec.model.design_matrix import DesignMatrix
from causalrec.model.outcome.model import OutcomeModel
from causalrec.policy import retrieval
from causalrec.policy.bundle import Bundled
from causalrec.policy.grid import score_grid
from causalrec.policy.plackett_luce import draw_slates
from causalrec.policy.policies import CHALLENGER, FittedPolicy
from causalrec.policy.retrieval import SAMPLED, Asked, score, unscored, value_to_anybody
from causalrec.settings.logs.sources import parse_source
from causalrec.settings.objective import Objective
from tests.policy.policies.test_judged import CONFIG

DAY = date(2026, 3, 9)
SOURCE = parse_source(
    {
        "first_day": DAY,
        "events": {
            "folder": "events",
            "columns": {"time": "t", "user_id": "u", "item_id": "i", "recommended": "r", "click": "c", "shelf": "s"},
        },
        "items": {
            "folder": "items",
            "columns": {"item_id": "i", "price": "price", "category": "category", "shelf": "s"},
            "extra": {"shelf": "text"},
        },
        "context": {"shelf": "text"},
        "outcomes": {"click": {}},
        "organic_rows": "none",
    }
)
READS = ["hour", "shelf", "price", "item_click_rate", "user_category_click_rate"]
NOBODY = Asked.nothing([1, 2])


def catalogue(many: int) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "item_id": [f"i{k}" for k in range(many)],
            "price": rng.uniform(1, 9, many),
            "category": [f"c{k % 5}" for k in range(many)],
            "shelf": [("x", "y", None)[k % 3] for k in range(many)],
        }
    )


def contexts(many: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "time": [datetime(2026, 3, 9, tzinfo=UTC) + timedelta(hours=k % 24) for k in range(many)],
            "user_id": [f"u{k % 40}" for k in range(many)],
            "shelf": [("x", "y", "unknown")[k % 3] for k in range(many)],
        }
    )


def state(items: pl.DataFrame) -> AsOf:
    """What is known of items, and of some users in some categories."""
    rng = np.random.default_rng(1)
    seen = items.select("item_id", item_click_rate=pl.Series(rng.uniform(0, 0.5, items.height)))
    seen = seen.with_columns(priced=pl.lit(1), price_sum=pl.lit(1))
    users = pl.DataFrame({"user_id": [f"u{k}" for k in range(30)]})
    tastes = users.join(pl.DataFrame({"category": ["c0", "c1", "c2"]}), how="cross")
    tastes = tastes.with_columns(rate=pl.Series(rng.uniform(0, 0.5, tastes.height)))
    return AsOf(DAY, users, seen, Tastes.of(tastes), {"user_category_click_rate": 0.1, "item_click_rate": 0.1})


def bundle(items: pl.DataFrame, candidates: int | None, match: tuple[str, ...] = (), size: int = 2) -> Bundled:
    """An untrained network: what it says matters to nobody here."""
    import torch

    from causalrec.model.outcome.network import OutcomeNetwork

    frame = context_covariates(contexts(items.height), state(items))
    known = item_covariates(items, state(items), SOURCE).drop("shelf")
    both = pl.concat([frame, known], how="horizontal").with_columns(
        user_category_click_rate=pl.lit(0.1) * pl.col("hour")
    )
    design = DesignMatrix.fit(both, READS)
    torch.manual_seed(0)
    network = OutcomeNetwork(design.width, 0, 1, 4).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(3.0)
    changes = {"candidates": candidates, "match": match, "slate_size": size}
    config = CONFIG.model_copy(update=changes)
    return Bundled(OutcomeModel(network, design, "both", False), None, config, Objective.parse({"satisfying": "click"}))


@pytest.mark.parametrize("match", [(), ("shelf",)], ids=["all", "by shelf"])
def test_columns_are_scored_as_the_grid_scores_their_items(
    match: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieval, "SAMPLED", 4)
    monkeypatch.setattr(retrieval, "CHUNK_PAIRS", 60)
    items, whom = catalogue(50), contexts(20)
    known, own = state(items), bundle(items, 5, match)
    row, item = np.nonzero(np.random.default_rng(3).random((20, 50)) < 0.1)
    parts = list(score(whom, items, known, SOURCE, own, Asked(row, item, [7])))
    (grid,) = score_grid(whom, items, known, SOURCE, own.model, None, match)
    best = value_to_anybody(whom, items, known, SOURCE, own)
    assert len(parts) > 1 and [p.contexts.start for p in parts[1:]] == [p.contexts.stop for p in parts[:-1]]
    asked = 0
    for part in parts:
        columns = part.columns
        assert columns is not None
        for k in range(part.contexts.stop - part.contexts.start):
            context = part.contexts.start + k
            there = columns.items[k] >= 0
            of = columns.items[k][there]
            assert part.click[k][there] == pytest.approx(grid.click[context, of], rel=1e-4)
            assert part.click_if_not is not None and grid.click_if_not is not None
            assert part.click_if_not[k][there] == pytest.approx(grid.click_if_not[context, of], rel=1e-4)
            assert part.eligible[k][there].tolist() == grid.eligible[context, of].tolist()
            assert part.count[k] == grid.eligible[context].sum()
            chosen = of[(columns.eligible & ~columns.in_lump)[k][there]]
            may = np.flatnonzero(grid.eligible[context])
            assert sorted(chosen.tolist()) == sorted(may[np.argsort(-best[may], kind="stable")][:5].tolist())
            asked += len(set(item[row == context].tolist()) & set(of.tolist()))
    assert asked == len(item)


@pytest.mark.parametrize("most", [None, 50, 80], ids=["left out", "as many as items", "more"])
def test_where_all_are_candidates_it_is_the_grid(most: int | None) -> None:
    items, whom = catalogue(50), contexts(12)
    known, own = state(items), bundle(items, most, ("shelf",))
    (part,) = score(whom, items, known, SOURCE, own, NOBODY)
    (grid,) = score_grid(whom, items, known, SOURCE, own.model, None, ("shelf",))
    assert part.columns is None
    np.testing.assert_array_equal(part.click, grid.click)
    np.testing.assert_array_equal(part.eligible, grid.eligible)
    (nothing,) = unscored(whom, items, ("shelf",), most, NOBODY)
    assert nothing.columns is None


def test_candidates_follow_from_the_bundle_and_not_from_who_asks() -> None:
    items = catalogue(50)
    known, own = state(items), bundle(items, 5)
    one, other = (value_to_anybody(contexts(many), items, known, SOURCE, own) for many in (1, 30))
    np.testing.assert_array_equal(one, other)
    assert len(np.unique(one)) == 50


def test_without_a_model_what_is_asked_for_has_its_column_and_one_stands_for_the_rest() -> None:
    items, whom = catalogue(50), contexts(3)
    row: Ints = np.array([0, 0, 2], dtype=np.int64)
    (part,) = unscored(whom, items, ("shelf",), 5, Asked(row, np.array([0, 1, 4]), [7]))
    assert part.columns is not None and part.eligible.shape == (3, 3)
    assert part.count.tolist() == [17, 17, 0]
    assert (part.eligible * part.columns.stands_for).sum(axis=1).tolist() == [17, 17, 0]


def test_a_catalogue_of_fifty_thousand_items_makes_no_grid() -> None:
    many, most, slates = 50_000, 500, 100
    items, whom = catalogue(many), contexts(slates)
    known, own = state(items), bundle(items, most)
    policy = FittedPolicy(CHALLENGER, own.config, own.objective)
    rng, widest, drawn = np.random.default_rng(0), 0, 0
    tracemalloc.start()
    for part in score(whom, items, known, SOURCE, own, NOBODY):
        widest = max(widest, part.click.shape[1])
        drawn += len(draw_slates(policy.probabilities(part), 2, rng, part.columns)[0])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert drawn == slates and widest == most + SAMPLED
    # 10 MB; the whole grid, in runs of five contexts, takes 36, and at once what the network reads of it alone 200.
    assert peak < 20e6
