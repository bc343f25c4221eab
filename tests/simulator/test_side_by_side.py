"""Which of two policies is better depends on the name of the value, and in each world for a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.verdict.side_by_side import judged_day, policies, reranked, side_by_side
from causalrec.simulator.traffic.named_values import NAMES, named_values
from causalrec.simulator.world.world import WorldConfig

SHOP = WorldConfig(users=400, items=120, events_per_day=3000)
DAYS = 8
HABIT = {"lift_by_history": -0.35}


@pytest.fixture(scope="module")
def worlds():
    kept = {}

    def of(**dials):
        key = tuple(sorted(dials.items()))
        if key not in kept:
            slates = judged_day(replace(SHOP, **dials), DAYS)
            kept[key] = (slates, side_by_side(slates))
        return kept[key]

    return of


def test_where_who_has_a_history_clicks_anyway_raw_and_total_prefer_what_given_met_rejects(worlds):
    """Total does not reject it: an item that is not shown is seldom met, so that showing it brings the click."""
    slates, one = worlds(**HABIT)
    assert one.difference["raw"] > 0.05
    assert one.difference["given_met"] < -0.01
    assert one.difference["given_not_shown"] > 0.05
    assert one.difference["total"] > 0.05
    met = slates.browsed_as_logged.max(axis=1)
    assert met.max() < 0.15


def test_where_people_go_to_the_item_anyway_total_rejects_it_too(worlds):
    _, one = worlds(**HABIT, go_anyway=1.0, go_anyway_focus=6.0)
    assert one.difference["raw"] > 0.05
    for name in ("given_met", "given_not_shown", "own_and_organic", "total"):
        assert one.difference[name] < -0.005
        assert one.difference[name] < -10 * one.error[name]


def test_total_follows_given_not_shown_where_nothing_is_displaced_and_people_go_anyway(worlds):
    """Both leave out what would be met anyway; only total sees that an item in the slate makes room in the aisles, and
    cannot stand below."""
    for dials in (HABIT, {**HABIT, "go_anyway": 1.0, "go_anyway_focus": 6.0}):
        _, one = worlds(**dials)
        assert one.difference["total"] == pytest.approx(one.difference["given_not_shown"], abs=0.012)


@pytest.mark.parametrize("dial", ["displacement_organic", "displacement_slots"])
def test_total_pays_for_the_clicks_that_the_better_slot_takes_elsewhere(worlds, dial):
    _, plain = worlds()
    _, displaced = worlds(**{dial: 0.6})
    lost = {name: displaced.difference["raw"] - displaced.difference[name] for name in NAMES}
    lost_plain = {name: plain.difference["raw"] - plain.difference[name] for name in NAMES}
    assert lost["total"] > lost_plain["total"] + 0.008
    # Own and organic sees what organic clicks lose, and nothing of the lower slots.
    if dial == "displacement_organic":
        assert lost["own_and_organic"] > lost_plain["own_and_organic"] + 0.008
    else:
        assert lost["own_and_organic"] == pytest.approx(lost_plain["own_and_organic"], abs=0.005)


def test_displacement_of_organic_clicks_takes_its_share_of_them_from_each_click_more(worlds):
    """Organic clicks of a request are left with chance 1 - kappa for each click on a slot: of first order in kappa."""
    kappa = 0.05
    _, plain = worlds()
    slates, _ = worlds(displacement_organic=kappa)
    both = policies(slates)
    with_it = named_values(slates, both["click_anyway"]) - named_values(slates, both["incremental"])
    gap = with_it.by_slot("own_and_organic") - with_it.by_slot("raw")
    organic = (slates.browsed_as_logged * slates.organic_click).sum(axis=1).mean()
    undisplaced = plain.difference["own_and_organic"] - plain.difference["raw"]
    expected = -kappa * organic * with_it.value("raw")
    assert gap.mean() - undisplaced == pytest.approx(expected, rel=0.4)


def test_one_slate_in_two_orders_differs_by_the_same_under_every_name():
    slates = judged_day(replace(SHOP, **HABIT), 4)
    one = reranked(slates)
    assert one.difference["raw"] != 0
    for name in NAMES:
        assert one.difference[name] == pytest.approx(one.difference["raw"], rel=1e-9)
    displaced = reranked(judged_day(replace(SHOP, displacement_organic=0.6, **HABIT), 4))
    assert displaced.difference["given_met"] == pytest.approx(displaced.difference["raw"], rel=1e-9)
    assert abs(displaced.difference["total"]) < abs(displaced.difference["raw"])


def test_the_whole_recommender_adds_less_where_people_go_anyway(worlds):
    assert worlds(**HABIT, go_anyway=1.0, go_anyway_focus=6.0)[1].adds < worlds(**HABIT)[1].adds
