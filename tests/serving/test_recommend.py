import json
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from causalrec.answers import InputError
from causalrec.policy.grid import Scored
from causalrec.policy.plackett_luce import first_slot
from causalrec.settings.objective import Objective
from causalrec.settings.policy import PolicyConfig
from causalrec.settings.serving import ServingSettings
from causalrec_assets.serving.recommend import SCHEMA, latest_contexts, recommend, slate_sizes

ITEMS = ["a", "b", "c", "d"]
CLICK = np.array([[0.1, 0.4, 0.2, 0.3], [0.5, 0.1, 0.1, 0.2]])
PURCHASE = CLICK / 4
PRICE = np.array([10.0, 1.0, 40.0, 1.0])
CONTEXTS = pl.DataFrame({"time": [datetime(2026, 3, 2, tzinfo=UTC)] * 2, "user_id": ["x", "y"], "device": ["tv", None]})
OBJECTIVE = Objective.parse({"satisfying": "click", "lambda": 0.5, "margin": 0.5})


def config(**changes):
    dials = {
        "temperature": 1.0,
        "exploration": 0.2,
        "slate_size": 2,
        "named": [],
        "match": [],
        "report_by": [],
    }
    return PolicyConfig.parse(dials | changes)


def slates(eligible=None, purchase=PURCHASE, click_if_not=None, seed=(1, 2), policy=None, objective=OBJECTIVE):
    everything = np.ones_like(CLICK, dtype=bool) if eligible is None else eligible
    price = None if purchase is None else PRICE
    scored = [
        Scored(
            slice(k, k + 1),
            everything[k : k + 1],
            CLICK[k : k + 1],
            None if purchase is None else purchase[k : k + 1],
            price,
            None if click_if_not is None else click_if_not[k : k + 1],
        )
        for k in range(2)
    ]
    return recommend(CONTEXTS, ITEMS, scored, policy or config(), objective, ["device"], seed)


def test_every_context_gets_a_full_slate_of_different_items():
    frame = slates()
    assert frame.schema == SCHEMA
    assert frame["user_id"].to_list() == ["x", "x", "y", "y"]
    assert frame["rank"].to_list() == [1, 2, 1, 2]
    assert frame.select("user_id", "item_id").is_unique().all()
    assert [json.loads(context) for context in frame["context"]] == [{"device": "tv"}] * 2 + [{"device": None}] * 2


def test_the_propensity_of_a_rank_is_that_of_its_item_given_those_above():
    value = np.log(CLICK) + 0.5 * 0.5 * PRICE * PURCHASE
    p = first_slot(value, np.ones_like(CLICK, dtype=bool), 1.0, 0.2)
    frame = slates()
    for k, user in enumerate(("x", "y")):
        first, second = (ITEMS.index(i) for i in frame.filter(pl.col("user_id") == user)["item_id"])
        found = frame.filter(pl.col("user_id") == user)["action_propensity"].to_list()
        assert found == pytest.approx([p[k, first], p[k, second] / (1 - p[k, first])])


def test_potential_outcomes_are_those_of_the_item():
    frame = slates(click_if_not=CLICK / 2)
    for row in frame.iter_rows(named=True):
        k, i = ("x", "y").index(row["user_id"]), ITEMS.index(row["item_id"])
        assert row["click_if_recommended"] == CLICK[k, i]
        assert row["click_if_not"] == CLICK[k, i] / 2
        assert row["purchase_if_recommended"] == PURCHASE[k, i]
        assert row["revenue_if_recommended"] == pytest.approx(0.5 * PRICE[i] * PURCHASE[k, i])


def test_what_was_never_seen_is_null_and_said():
    frame = slates(purchase=None)
    for column in ("click_if_not", "purchase_if_recommended", "revenue_if_recommended"):
        assert frame[column].null_count() == frame.height
    assert frame["reason"].str.contains("was never logged").all()


def test_only_eligible_items_are_recommended():
    eligible = np.array([[True, True, False, False], [False, False, True, True]])
    frame = slates(eligible)
    assert set(frame.filter(pl.col("user_id") == "x")["item_id"]) == {"a", "b"}
    assert set(frame.filter(pl.col("user_id") == "y")["item_id"]) == {"c", "d"}


def test_a_section_with_one_item_or_none_shortens_no_other_slate():
    thin = np.array([[True, False, False, False], [True, True, False, True]])
    assert slates(thin, policy=config(slate_size=3)).select("user_id", "rank").rows() == [
        ("x", 1),
        ("y", 1),
        ("y", 2),
        ("y", 3),
    ]
    assert slates(thin, policy=config(slate_size=3))["action_propensity"][0] == 1.0
    empty = np.array([[False] * 4, [True, True, False, True]])
    assert slates(empty, policy=config(slate_size=3))["user_id"].unique().to_list() == ["y"]
    assert slates(np.zeros((2, 4), dtype=bool)).is_empty()


def test_the_size_of_each_slate_is_counted_from_the_catalogue():
    sections = pl.DataFrame({"section": ["men", "women", "toys", None]})
    items = pl.DataFrame({"section": ["men", "men", "men", "women", None]})
    assert slate_sizes(sections, items, config(slate_size=2, match=["section"])).to_list() == [2, 1, 0, 0]
    assert slate_sizes(sections, items, config(slate_size=7)).to_list() == [5, 5, 5, 5]


def test_equal_seeds_draw_equal_slates_and_another_partition_draws_others():
    assert slates().equals(slates())
    drawn = {tuple(slates(seed=(1, day))["item_id"]) for day in range(20)}
    assert len(drawn) > 1


def test_the_reason_names_what_lifts_the_item():
    # c of x brings 0.5 x 40 x 0.05 = 1 in money, at lambda 20 more than any click.
    rich = Objective.parse({"satisfying": "click", "lambda": 20.0, "margin": 0.5})
    greedy = config(temperature=0.01, exploration=1e-6, slate_size=1)
    assert slates(policy=greedy, objective=rich)["reason"][0].endswith("ranked high by its revenue.")
    poor = Objective.parse({"satisfying": "click", "lambda": 0.0, "margin": 0.5})
    assert slates(policy=greedy, objective=poor)["reason"][0].endswith("ranked high by its satisfaction.")


def test_an_item_that_came_from_exploration_says_so():
    every = config(temperature=0.01, exploration=0.5, slate_size=4)
    frame = slates(policy=every)
    explored = frame["reason"].str.contains("to learn more about it")
    # Of x, b is the best by far: it came from its rank, and the others from the uniform share.
    assert dict(zip(frame["item_id"][:4], explored[:4], strict=True)) == {
        "a": True,
        "b": False,
        "c": True,
        "d": True,
    }


class TestWhomToRecommendTo:
    units = pl.DataFrame(
        {
            "unit_id": ["1", "2", "3", "4"],
            "user_id": ["x", "x", None, "y"],
            "device": ["tv", "phone", "tv", "tv"],
            "time": [datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in (8, 9, 10, 7)],
        }
    )

    def test_every_user_in_the_context_in_which_they_were_last_seen(self):
        found = latest_contexts(self.units, ["device"], None)
        assert found.select("user_id", "device").rows() == [("x", "phone"), ("y", "tv")]

    def test_without_users_the_commonest_contexts(self):
        nobody = self.units.with_columns(user_id=pl.lit(None, pl.String))
        assert latest_contexts(nobody, ["device"], 1).select("user_id", "device").rows() == [(None, "tv")]


@pytest.mark.parametrize("wrong", [{}, {"contexts_without_users": 0}, {"contexts_without_users": True}, {"limit": 3}])
def test_wrong_settings_are_named(wrong):
    with pytest.raises(InputError, match="contexts_without_users"):
        ServingSettings.parse(wrong)


def test_the_settings_that_come_with_the_project_are_read():
    import yaml

    from causalrec.home import TEMPLATE

    assert ServingSettings.parse(yaml.safe_load((TEMPLATE / "serving.yaml").read_text())).contexts_without_users == 200
