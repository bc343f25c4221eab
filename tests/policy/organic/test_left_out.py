"""A shop of four items and two slots, whose every slate is enumerated: weights against the true "not offered"."""

from datetime import UTC, datetime
from itertools import permutations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.arrays import Floats
from causalrec.policy.grid import Scored
from causalrec.policy.organic.left_out import logged_in_slots, whole_slates, with_left_out
from causalrec.policy.organic.rows import LeftOutOfSlate, organic_rows
from causalrec.policy.policies.judged import ORGANIC, evaluate_slots
from causalrec.policy.slots import judged_slots
from causalrec.settings.objective import Objective

ITEMS = ["a", "b", "c", "d"]
OBJECTIVE = Objective.parse({"satisfying": "click"})
SLATES = list(permutations(range(4), 2))


class Fixed:
    """The same first slot in every context."""

    name, label, fitted = "fixed", "fixed", False

    def __init__(self, p: Floats) -> None:
        self.p = p

    def probabilities(self, part: Scored) -> Floats:
        return np.tile(self.p, (part.contexts.stop - part.contexts.start, 1))


def logs(p0: Floats) -> pl.DataFrame:
    """A request for every slate; each item that is not in it was met in the request once."""
    rows = []
    for k, (one, two) in enumerate(SLATES):
        shown = [(one, 1, p0[one]), (two, 2, p0[two] / (1 - p0[one]))]
        rows += [(f"s{k}{at}", f"r{k}", ITEMS[item], at, p, None, 1) for item, at, p in shown]
        rows += [(f"o{k}{a}", f"r{k}", ITEMS[a], None, None, p0[a], 0) for a in range(4) if a not in (one, two)]
    schema = {
        "unit_id": pl.String, "request_id": pl.String, "item_id": pl.String, "position": pl.Int64,
        "action_propensity": pl.Float64, "first_slot_propensity": pl.Float64, "recommended": pl.Int8,
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.with_columns(
        time=pl.lit(datetime(2026, 3, 2, 9, tzinfo=UTC)), user_id=pl.lit("x"), policy=pl.lit("shop")
    )


def judged(units: pl.DataFrame, pi: Floats) -> pl.DataFrame:
    items = pl.DataFrame({"item_id": ITEMS})
    slots = judged_slots(units, items, [], [])
    found = organic_rows(units, items, slots)
    organic = with_left_out(found, slots, logged_in_slots(units, slots, found), whole_slates(units, slots))
    unknown = np.full((slots.contexts.height, 4), 0.5)
    scored = Scored(slice(0, slots.contexts.height), np.ones_like(unknown, dtype=bool), unknown, None, None, None)
    return evaluate_slots(slots, [scored], [Fixed(pi)], OBJECTIVE, organic).filter(kind=ORGANIC)


def distribution(rng: np.random.Generator) -> Floats:
    return np.asarray(0.9 * rng.dirichlet(np.ones(4)) + 0.025)


def not_offered(p0: Floats, pi: Floats, comes: dict[tuple[int, tuple[int, int]], float]) -> float:
    """The outcomes of what the policy would put into each slot, if the logging policy could not offer it from there on.

    Args:
        comes: (item, slate) -> expected organic outcome of the item beside a slate that does not hold it.
    """
    total = 0.0
    for a in range(4):
        q = np.where(np.arange(4) == a, 0.0, p0) / (1 - p0[a])
        # The first slot is the policy's: both slots are drawn without the item.
        total += pi[a] * sum(
            q[one] * q[two] / (1 - q[one]) * comes[a, (one, two)] for one, two in SLATES if a not in (one, two)
        )
        # The second slot is the policy's: the first one is as logged, and the second drawn without the item.
        for one, two in SLATES:
            if a not in (one, two):
                below = p0[two] / (1 - p0[one] - p0[a])
                total += p0[one] * pi[a] / (1 - pi[one]) * below * comes[a, (one, two)]
    return total


@given(st.integers(0, 10_000))
def test_weighted_outcomes_are_those_of_a_slate_that_does_not_offer_the_item(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p0, pi = distribution(rng), distribution(rng)
    # What is met depends on the whole slate beside it.
    comes = {(a, slate): float(rng.random()) for a in range(4) for slate in SLATES}
    weights = dict(judged(logs(p0), pi).select("unit_id", "not_shown_weight").iter_rows())
    expected = sum(
        p0[one] * p0[two] / (1 - p0[one]) * weights[f"o{k}{a}"] * comes[a, (one, two)]
        for k, (one, two) in enumerate(SLATES)
        for a in range(4)
        if a not in (one, two)
    )
    assert expected == pytest.approx(not_offered(p0, pi, comes), rel=1e-12)


@given(st.integers(0, 10_000))
def test_the_logging_policys_own_weights_are_those_of_a_policy_that_draws_as_it_does(seed: int) -> None:
    p0 = distribution(np.random.default_rng(seed))
    rows = judged(logs(p0), p0)
    assert rows["logging_not_shown_weight"].to_list() == pytest.approx(rows["not_shown_weight"].to_list())
    # Nothing here says how often items are met.
    assert rows["logging_met_weight"].null_count() == rows["met_weight"].null_count() == rows.height


def test_the_least_probability_is_that_of_the_whole_slate_without_the_item() -> None:
    p0 = np.array([0.4, 0.3, 0.2, 0.1])
    rows = judged(logs(p0), np.full(4, 0.25))
    k = SLATES.index((0, 1))
    least = dict(rows.select("unit_id", "not_shown_least").iter_rows())[f"o{k}2"]
    assert least == pytest.approx((1 - 0.2) * (1 - 0.2 / 0.6))


def test_an_item_that_the_slate_shows_below_has_no_weight_there() -> None:
    p0 = np.array([0.4, 0.3, 0.2, 0.1])
    again = logs(p0).filter(request_id="r0")
    b = again.filter(unit_id="o02").with_columns(item_id=pl.lit("b"), first_slot_propensity=pl.lit(0.3))
    weights = judged(pl.concat([again.filter(recommended=1), b]), np.full(4, 0.25))["not_shown_weight"].to_list()
    # Slot 2 shows it, so neither slot left it out.
    assert SLATES[0] == (0, 1) and weights == [0.0]


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_the_least_of_a_row_is_unknown_where_one_of_its_probabilities_is_and_of_that_row_alone() -> None:
    out = LeftOutOfSlate(np.array([0.5, np.nan, 0.3, 0.9]), np.zeros(4, dtype=bool), np.zeros(4))
    least = out.least(np.array([0, 0, 1, 1]), 2)
    assert np.isnan(least[0]) and least[1] == 0.3


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("lost", ["a slot below", "a slot's propensity", "the item's own"])
def test_what_is_not_wholly_logged_has_no_weight(lost: str) -> None:
    units = logs(np.array([0.4, 0.3, 0.2, 0.1]))
    second = pl.col("position") == 2
    if lost == "a slot below":
        units = units.with_columns(position=pl.when(second).then(3).otherwise("position"))
    elif lost == "a slot's propensity":
        units = units.with_columns(action_propensity=pl.when(second).then(None).otherwise("action_propensity"))
    else:
        units = units.with_columns(first_slot_propensity=pl.lit(None, pl.Float64))
    rows = judged(units, np.full(4, 0.25))
    assert rows.height and rows["not_shown_weight"].null_count() == rows["not_shown_least"].null_count() == rows.height
