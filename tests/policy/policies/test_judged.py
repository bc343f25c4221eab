"""One day of a tiny shop, judged by hand."""

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from causalrec.policy.grid import Scored, eligible_candidates, unscored_grid
from causalrec.policy.plackett_luce import first_slot
from causalrec.policy.policies import CHALLENGER, FittedPolicy, named_policies
from causalrec.policy.policies.judged import SCHEMA, VALUES, evaluate_slots
from causalrec.policy.slots import judged_slots
from causalrec.settings.objective import Objective
from causalrec.settings.policy import PolicyConfig

ITEMS = pl.DataFrame({"item_id": ["a", "b", "c"]})
UNITS = pl.DataFrame(
    {
        "unit_id": ["u1", "u2"],
        "time": [datetime(2026, 3, 2, 9, tzinfo=UTC)] * 2,
        "user_id": ["x", "x"],
        "item_id": ["b", "a"],
        "request_id": ["r", "r"],
        "position": [1, 2],
        "policy": ["shop", "shop"],
        "action_propensity": [0.5, 0.5],
        "recommended": [1, 1],
    },
    schema_overrides={"time": pl.Datetime("us", "UTC")},
)
CLICK, PURCHASE, PRICE = (
    np.array([[0.1, 0.4, 0.2]]),
    np.array([[0.05, 0.1, 0.2]]),
    np.array([10.0, 20.0, 5.0]),
)
CONFIG = PolicyConfig.parse(
    {
        "temperature": 1.0,
        "exploration": 0.3,
        "slate_size": 2,
        "named": ["uniform"],
        "match": [],
        "report_by": [],
    }
)
OBJECTIVE = Objective.parse({"satisfying": "click", "lambda": 0.5, "margin": 0.5})


def judged(
    purchase: np.ndarray | None, ranks_by: Objective = OBJECTIVE, judged_by: Objective | None = None
) -> pl.DataFrame:
    scored = Scored(slice(0, 1), np.ones((1, 3), dtype=bool), CLICK, purchase, PRICE, None)
    policies = [FittedPolicy(CHALLENGER, CONFIG, ranks_by), *named_policies(CONFIG.named)]
    return evaluate_slots(judged_slots(UNITS, ITEMS, [], []), [scored], policies, judged_by or ranks_by)


def row(frame: pl.DataFrame, unit: str, policy: str) -> dict[str, float]:
    return frame.filter((pl.col("unit_id") == unit) & (pl.col("policy") == policy)).row(0, named=True)


def test_a_row_per_slot_and_policy() -> None:
    frame = judged(PURCHASE)
    assert frame.schema == SCHEMA
    assert frame.select("unit_id", "policy").is_unique().all()
    assert dict(frame.select("policy", "fitted").unique().rows()) == {"challenger": True, "uniform": False}


def test_the_uniform_policy_chooses_among_those_that_are_left() -> None:
    frame = judged(PURCHASE)
    assert row(frame, "u1", "uniform")["action_probability"] == pytest.approx(1 / 3)
    below = row(frame, "u2", "uniform")
    assert below["action_probability"] == pytest.approx(1 / 2)
    assert below["model_click"] == pytest.approx((0.1 + 0.2) / 2)


def test_the_challenger_ranks_by_satisfaction_and_revenue() -> None:
    value = np.log(CLICK) + 0.5 * 0.5 * PRICE * PURCHASE
    p = first_slot(value, np.ones((1, 3), dtype=bool), 1.0, 0.3)[0]
    first, second = (row(judged(PURCHASE), unit, "challenger") for unit in ("u1", "u2"))
    assert first["action_probability"] == pytest.approx(p[1])
    assert first["model_click"] == pytest.approx(p @ CLICK[0])
    assert first["model_revenue"] == pytest.approx(p @ (0.5 * PRICE * PURCHASE[0]))
    assert second["action_probability"] == pytest.approx(p[0] / (p[0] + p[2]))
    assert second["model_satisfaction"] == pytest.approx((p[0] * np.log(0.1) + p[2] * np.log(0.2)) / (p[0] + p[2]))


def test_an_effect_is_ranked_by_its_shrunk_lift_and_judged_by_both_arms() -> None:
    arm, unprompted = CLICK - np.array([[0.05, 0.3, 0.1]]), CLICK - np.array([[0.02, 0.1, 0.15]])
    scored = Scored(
        slice(0, 1), np.ones((1, 3), dtype=bool), CLICK, None, PRICE, arm, click_unprompted=unprompted
    )  # fmt: skip
    effect = Objective.parse({"satisfying": "click", "form": "effect_given_met"})
    frame = evaluate_slots(
        judged_slots(UNITS, ITEMS, [], []), [scored], [FittedPolicy("challenger", CONFIG, effect)], effect
    )
    p = first_slot(CLICK - unprompted, np.ones((1, 3), dtype=bool), 1.0, 0.3)[0]
    first = row(frame, "u1", "challenger")
    assert first["action_probability"] == pytest.approx(p[1])
    assert first["model_click_if_not"] == pytest.approx(p @ arm[0])
    assert first["model_objective"] == pytest.approx(p @ (CLICK - arm)[0])
    # A bundle of an earlier release has no lift: it ranks by both arms, as it did.
    by_arms = FittedPolicy("champion", CONFIG, effect).probabilities(scored.by_arms)
    np.testing.assert_allclose(by_arms, first_slot(CLICK - arm, np.ones((1, 3), dtype=bool), 1.0, 0.3))


def test_the_item_shown_keeps_the_models_own_prediction() -> None:
    first = row(judged(PURCHASE), "u1", "challenger")
    assert first["shown_click"] == pytest.approx(0.4)
    assert first["shown_revenue"] == pytest.approx(0.5 * 20 * 0.1)


def test_without_purchases_revenue_is_null_and_not_zero() -> None:
    frame = judged(None)
    assert frame["model_revenue"].null_count() == frame["shown_revenue"].null_count() == frame.height
    assert frame["model_click"].null_count() == 0


def test_a_champion_ranks_by_its_own_objective_and_is_judged_by_todays_margin() -> None:
    today = Objective.parse({"satisfying": "click", "margin": 1.0})
    then, now = judged(PURCHASE), judged(PURCHASE, OBJECTIVE, today)
    assert now["action_probability"].equals(then["action_probability"])
    assert row(now, "u1", "challenger")["shown_revenue"] == pytest.approx(
        2 * row(then, "u1", "challenger")["shown_revenue"]
    )
    unstated = judged(PURCHASE, OBJECTIVE, Objective.parse({"satisfying": "click"}))
    assert unstated["model_revenue"].null_count() == unstated.height


def test_without_a_model_the_uniform_policys_probabilities_are_known_all_the_same() -> None:
    slots = judged_slots(UNITS, ITEMS, [], [])
    for satisfying in ("click", "purchase"):
        unscored = unscored_grid(slots.contexts, ITEMS, [])
        objective = Objective.parse({"satisfying": satisfying})
        frame = evaluate_slots(slots, unscored, named_policies(["uniform"]), objective)
        assert frame.schema == SCHEMA
        assert frame["action_probability"].to_list() == pytest.approx([1 / 3, 1 / 2])
        assert {frame[name].null_count() for name in VALUES} == {2}


def test_a_candidate_equals_its_context_in_every_matched_column() -> None:
    contexts, items = (
        pl.DataFrame({"section": ["men", "women"]}),
        pl.DataFrame({"section": ["women", "men", "men"]}),
    )
    assert eligible_candidates(contexts, items, ["section"]).tolist() == [
        [False, True, True],
        [True, False, False],
    ]
    assert eligible_candidates(contexts, items, []).all()
