"""Slots and organic rows judged with few candidates and a lump: what the whole grid gives under the same definition."""

from itertools import permutations
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest

from causalrec.arrays import Floats
from causalrec.policy.columns import Candidates
from causalrec.policy.grid import Scored
from causalrec.policy.organic.left_out import logged_in_slots, whole_slates, with_left_out
from causalrec.policy.organic.rows import organic_rows
from causalrec.policy.organic.scored_again import Then, score_again
from causalrec.policy.policies import CHALLENGER, FittedPolicy, named_policies
from causalrec.policy.policies.judged import SCHEMA, SLOT, UNDER_POLICY, asked_of, evaluate_slots
from causalrec.policy.policies.temperature import mean_entropy, with_temperature
from causalrec.policy.slots import judged_slots
from causalrec.settings.objective import Objective
from causalrec.settings.policy import PolicyConfig
from tests.policy.organic.test_left_out import logs

MANY = 7
OBJECTIVE = Objective.parse({"satisfying": "click", "lambda": 0.5, "margin": 0.5})
CONFIG = PolicyConfig.parse(
    {
        "temperature": 0.8, "exploration": 0.3, "slate_size": 2, "named": [], "match": [], "report_by": [],
        "candidates": 3,
    }
)  # fmt: skip
RNG = np.random.default_rng(5)
CLICK, IF_NOT = RNG.uniform(0.05, 0.6, MANY), RNG.uniform(0.01, 0.3, MANY)
PURCHASE, PRICE, CHEAP = CLICK / 3, RNG.uniform(1, 9, MANY), RNG.normal(size=MANY)
ITEMS = pl.DataFrame({"item_id": [*"abcdefg"]})
CANDIDATES = Candidates.best(CHEAP, np.zeros(MANY, dtype=np.int64), 3)


class Defined(NamedTuple):
    """The policy of the definition, on the whole grid."""

    name: str = CHALLENGER
    label: str = "defined"
    fitted: bool = True

    def probabilities(self, part: Scored) -> Floats:
        value = OBJECTIVE.value(*OBJECTIVE.terms(part))
        weight = np.where(CANDIDATES.chosen, np.exp(value / 0.8), 0.0)
        return np.asarray(0.7 * weight / weight.sum(axis=1, keepdims=True) + 0.3 / MANY)


def whole_grid(contexts: int) -> Scored:
    def tiled(values: Floats) -> Floats:
        return np.tile(values, (contexts, 1))

    every = np.ones((contexts, MANY), dtype=bool)
    return Scored(slice(0, contexts), every, tiled(CLICK), tiled(PURCHASE), PRICE, tiled(IF_NOT), tiled(IF_NOT / 3))


def few_columns(contexts: int, asked: tuple[np.ndarray, np.ndarray], sampled: int, seed: int = 0) -> Scored:
    of = np.zeros(contexts, dtype=np.int64)
    columns = CANDIDATES.columns(of, *asked, sampled, np.random.default_rng(seed))
    at = np.maximum(columns.items, 0)
    arms = (CLICK[at], PURCHASE[at], PRICE[at], IF_NOT[at], IF_NOT[at] / 3)
    return Scored(slice(0, contexts), columns.eligible, *arms, columns=columns)


def judged(sampled: int | None, repeats: int = 1) -> pl.DataFrame:
    """Every slate of four items with the others met beside it; None: on the whole grid."""
    units = logs(np.array([0.4, 0.3, 0.2, 0.1]))
    slots = judged_slots(units, ITEMS, ["request_id"], [])
    found = organic_rows(units, ITEMS, slots)
    organic = with_left_out(found, slots, logged_in_slots(units, slots, found), whole_slates(units, slots))
    contexts = slots.contexts.height
    assert contexts == len(list(permutations(range(4), 2)))
    policies = [FittedPolicy(CHALLENGER, CONFIG, OBJECTIVE), *named_policies(["uniform"])]
    if sampled is None:
        own = [Defined(), *named_policies(["uniform"])]
        return evaluate_slots(slots, [whole_grid(contexts)], own, OBJECTIVE, organic)
    asked = asked_of(slots, organic)
    frames = [
        evaluate_slots(slots, [few_columns(contexts, asked, sampled, seed)], policies, OBJECTIVE, organic)
        for seed in range(repeats)
    ]
    keys = ["unit_id", "policy"]
    means = pl.concat(frames).group_by(keys, maintain_order=True).agg(pl.col(pl.Float64).mean())
    return frames[0].select(keys).join(means, on=keys, maintain_order="left").join(
        frames[0].select(*keys, "kind", "candidates", "in_lump"), on=keys, maintain_order="left"
    )  # fmt: skip


NUMBERS = [name for name, kind in SCHEMA.items() if kind == pl.Float64]


def same(one: pl.DataFrame, other: pl.DataFrame, names: list[str], within: float = 1e-12) -> None:
    assert one.select("unit_id", "policy").rows() == other.select("unit_id", "policy").rows()
    for name in names:
        assert one[name].is_null().to_list() == other[name].is_null().to_list(), name
        assert one[name].drop_nulls().to_list() == pytest.approx(other[name].drop_nulls().to_list(), abs=within), name


def test_with_the_whole_lump_everything_is_that_of_the_grid() -> None:
    grid, columns = judged(None), judged(sampled=MANY)
    same(columns, grid, [*NUMBERS, "candidates"])
    assert columns["not_shown_weight"].drop_nulls().len() and columns["model_click"].drop_nulls().len()


def test_with_a_sample_probabilities_and_weights_are_exact_and_expectations_unbiased() -> None:
    grid, columns = judged(None), judged(sampled=1, repeats=40)
    same(columns, grid, [*(name for name in NUMBERS if name not in UNDER_POLICY), "candidates"])
    # Of two or three items of the lump that nobody asks for one is drawn, 40 times.
    same(columns, grid, list(UNDER_POLICY), within=0.12)
    once = judged(sampled=1)
    assert abs(once["model_click"] - grid["model_click"]).max() > 1e-4
    assert abs((columns["model_click"] - grid["model_click"]).mean()) < 2e-3


def test_scored_again_few_columns_give_what_the_grid_gives() -> None:
    units = logs(np.array([0.4, 0.3, 0.2, 0.1]))
    slots = judged_slots(units, ITEMS, ["request_id"], [])
    organic = organic_rows(units, ITEMS, slots)
    # In the catalogue of then the items stood the other way round.
    then = Then(slots.row, np.arange(MANY)[::-1])
    contexts, policy = slots.contexts.height, FittedPolicy(CHALLENGER, CONFIG, OBJECTIVE)
    few = few_columns(contexts, then.asked(slots, organic), sampled=1)
    columns = score_again([few], policy.probabilities, then, slots, organic)
    grid = score_again([whole_grid(contexts)], Defined().probabilities, then, slots, organic)
    assert columns.shown == pytest.approx(grid.shown, abs=1e-12) and (columns.shown > 0).all()
    assert columns.met == pytest.approx(grid.met, abs=1e-12) and (columns.met > 0).all()
    assert few.columns is not None and few.columns.in_lump.any()


def test_who_is_shown_from_the_lump_is_said_of_policies_that_have_one() -> None:
    rows = judged(sampled=2).filter(kind=SLOT)
    shown = logs(np.array([0.4, 0.3, 0.2, 0.1])).select("unit_id", "item_id")
    rows = rows.join(shown, on="unit_id", maintain_order="left")
    outside = set(ITEMS["item_id"].filter(pl.Series(~CANDIDATES.chosen)))
    expected = (rows["policy"] == CHALLENGER) & rows["item_id"].is_in(list(outside))
    assert rows["in_lump"].to_list() == expected.to_list() and expected.any()


def test_the_temperature_is_found_by_the_entropy_over_all_items() -> None:
    nobody = np.zeros(0, dtype=np.int64)
    part = few_columns(3, (nobody, nobody), sampled=2)
    value = np.log(part.click)
    lump = part.columns
    assert lump is not None
    found = mean_entropy([value], [part.eligible], 0.8, 0.3, [lump])
    weight = np.where(CANDIDATES.chosen, np.exp(np.log(CLICK) / 0.8), 0.0)
    p = 0.7 * weight / weight.sum() + 0.3 / MANY
    assert found == pytest.approx(-(p * np.log(p)).sum())
    effect = OBJECTIVE.model_copy(update={"form": "effect_given_met", "weight": None})
    solved = with_temperature(CONFIG.model_copy(update={"temperature": None}), effect, [part])
    aim = mean_entropy([value], [part.eligible], 0.5, 0.3, [lump])
    assert mean_entropy(
        [part.click - np.asarray(part.click_if_not)], [part.eligible], solved.solved, 0.3, [lump]
    ) == pytest.approx(aim, abs=1e-6)
