from datetime import UTC, datetime

import polars as pl

from causalrec.policy.slots import UNLISTED, judged_slots

ITEMS = pl.DataFrame({"item_id": ["a", "b", "c", "d"]})
UNITS = pl.DataFrame(
    {
        "unit_id": ["u1", "u2", "u3", "u4", "u5", "u6"],
        "time": [datetime(2026, 3, 2, 9, m, tzinfo=UTC) for m in (0, 0, 0, 0, 30, 59)],
        "user_id": ["x", "x", "x", "x", "x", "y"],
        "item_id": ["c", "a", "d", "b", "b", "d"],
        "request_id": ["r1", "r1", "r1", "r1", "r2", None],
        "position": [3, 1, 2, None, 1, 1],
        "policy": ["shop", "shop", "shop", None, "shop", "random"],
        "action_propensity": [0.2, 0.1, None, None, 0.4, 0.5],
        "recommended": [1, 1, 1, 0, 1, 1],
        "device": ["mobile"] * 6,
    },
    schema_overrides={"time": pl.Datetime("us", "UTC")},
)


def test_a_slot_is_a_recommended_unit_with_a_propensity_that_is_not_held_out() -> None:
    slots = judged_slots(UNITS, ITEMS, ["device"], ["random"])
    assert slots.frame["unit_id"].to_list() == ["u1", "u2", "u5"]
    assert slots.shown.tolist() == [2, 0, 1]


def test_items_above_are_those_of_the_request_also_where_they_are_not_judged() -> None:
    slots = judged_slots(UNITS, ITEMS, ["device"], ["random"])
    assert slots.above.lists() == [[0, 3], [], []]


def test_without_a_request_id_nothing_is_known_to_stand_above() -> None:
    unknown = UNITS.with_columns(pl.lit(None, pl.String).alias("request_id"))
    slots = judged_slots(unknown, ITEMS, ["device"], [], slates=False)
    assert slots.above.lists() == [[], [], [], []]


def test_contexts_of_one_hour_are_scored_once_and_positions_apart_only_where_they_are_read() -> None:
    slots = judged_slots(UNITS, ITEMS, ["device"], [])
    assert slots.contexts["user_id"].to_list() == ["x", "y"]
    assert slots.row.tolist() == [0, 0, 0, 1]
    by_position = judged_slots(UNITS, ITEMS, ["device", "position"], [])
    assert by_position.contexts.select("user_id", "position").rows() == [("x", 3), ("x", 1), ("y", 1)]
    assert by_position.row.tolist() == [0, 1, 1, 2]


def test_a_source_without_users_has_contexts_all_the_same() -> None:
    slots = judged_slots(UNITS.with_columns(pl.lit(None, pl.String).alias("user_id")), ITEMS, ["device"], [])
    assert slots.row.tolist() == [0, 0, 0, 0]


def test_an_item_outside_of_the_catalogue_is_left_out_and_harms_no_other_slot() -> None:
    slots = judged_slots(UNITS, ITEMS.head(3), ["device"], [])
    assert slots.frame["unit_id"].to_list() == ["u1", "u2", "u5"]
    assert (slots.not_judged, slots.unlisted) == ({UNLISTED: 1}, ("d",))
    # It stood above `c`, and took nothing from it: no policy could have shown it.
    assert slots.above.lists() == [[0], [], []]


def test_a_day_without_slots_is_empty() -> None:
    slots = judged_slots(UNITS.clear(), ITEMS, ["device"], [])
    assert (slots.contexts.height, len(slots.row), slots.above.lists()) == (0, 0, [])
