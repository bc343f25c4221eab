"""Outcomes that come as streams: each belongs to the last event before it, and nothing is known before its time."""

from datetime import timedelta

import polars as pl
import pytest

from causalrec.answers import InputError
from causalrec.home import Home
from causalrec.logs.cleaning.clean import clean_day, too_many_wrong
from causalrec.logs.cleaning.forgotten import Forgotten, plain_hash
from causalrec.logs.landing.zone import LandingZone
from causalrec.settings.logs.cleaning import CleaningRules
from tests.logs.worlds import FIRST, SECOND, SETTINGS, at, event, frame, land, source

THIRD = SECOND + timedelta(days=1)
EVENTS = SETTINGS["events"]
IMPRESSIONS = EVENTS | {"columns": {k: v for k, v in EVENTS["columns"].items() if k != "purchase"}}
ORDERS = {
    "columns": {"id": "order", "time": "at", "user_id": "who", "item_id": "what", "revenue": "paid"},
    "gives": ["purchase", "revenue"],
    "join": ["user_id", "item_id"],
    "window_hours": 24,
}


def shop(**changes):
    given = {
        "events": IMPRESSIONS,
        "outcome_streams": {"orders": ORDERS},
        "purchase_needs_click": False,
        "outcomes": {"click": {}, "purchase": {"maturity_days": 1}, "revenue": {"maturity_days": 1}},
    }
    return source(**given | changes)


def impressions(*rows):
    return frame(*rows).drop("purchase")


def order(name, time, item="hat", who="ann", paid=10.0):
    return {"order": name, "at": time, "who": who, "what": item, "paid": paid}


def land_orders(root, day, *rows):
    path = root / "landing" / "orders" / f"day={day}" / "orders.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    types = {
        "order": pl.String,
        "at": pl.Datetime("us", "UTC"),
        "who": pl.String,
        "what": pl.String,
        "paid": pl.Float64,
    }
    pl.DataFrame(list(rows), schema=types).write_parquet(path)


def cleaned(root, day=FIRST, of=None):
    of = of or shop()
    zone = LandingZone(Home(root), of, CleaningRules(), root / "landing")
    return clean_day(zone.landed_day(day), of, zone.rules, root / f"{day}.parquet", root / f"{day}-aside.parquet")


def two_days(root, *orders, more=()):
    """Events of the first day and one of each later day, and orders, on the days of their own time."""
    land(
        root,
        f"day={FIRST}/a.parquet",
        impressions(
            event("1", at(FIRST, 9), "hat"), event("2", at(FIRST, 12), "hat"), event("3", at(FIRST, 12), "shoe"), *more
        ),
    )
    for number, day in enumerate((SECOND, THIRD)):
        land(root, f"day={day}/a.parquet", impressions(event(f"later-{number}", at(day, 23), "sock")))
    for day in (FIRST, SECOND, THIRD):
        land_orders(root, day, *(o for o in orders if o["at"].date() == day))


def test_an_order_belongs_to_the_last_event_of_its_user_and_item_in_the_window(tmp_path):
    two_days(tmp_path, order("a", at(FIRST, 10), paid=5.0), order("b", at(SECOND, 11), paid=7.0))
    events = cleaned(tmp_path).events
    assert events.select("event_id", "purchase", "revenue", "purchase_time").rows() == [
        ("1", 1, 5.0, at(FIRST, 10)),
        ("2", 1, 7.0, at(SECOND, 11)),
        ("3", 0, 0.0, None),
    ]


def test_of_several_orders_of_an_event_the_revenue_is_summed_and_the_first_time_kept(tmp_path):
    two_days(tmp_path, order("a", at(FIRST, 14), paid=5.0), order("b", at(FIRST, 13), paid=7.0))
    assert cleaned(tmp_path).events.row(1, named=True) | {
        "purchase": 1,
        "revenue": 12.0,
        "purchase_time": at(FIRST, 13),
    } == (cleaned(tmp_path).events.row(1, named=True))


def test_an_order_without_an_event_is_set_aside_on_its_own_day_and_every_row_ends_in_one_place(tmp_path):
    orders = [
        order("early", at(FIRST, 8)),
        order("late", at(SECOND, 13)),
        order("nobody", at(FIRST, 13), who=None),
        order("fits", at(FIRST, 13)),
        order("fits", at(FIRST, 13)),
    ]
    two_days(tmp_path, *orders)
    first, second = cleaned(tmp_path), cleaned(tmp_path, SECOND)
    assert first.set_aside.select("feed", "kind", "reason").rows() == [
        ("orders", "unattributed", "no event of its user and item in the 24 hours before"),
        ("orders", "unattributed", "no user"),
        ("orders", "sent again", "the same outcome again, in one file"),
    ]
    assert second.set_aside["kind"].to_list() == ["unattributed"]
    for day in (first, second):
        assert day.landed_rows == day.rows + day.rows_elsewhere
    assert (first.landed_rows, first.outcome_rows) == (7, {"orders": 1})


class TestTheLinesOfAnOrder:
    """What identifies an outcome is its id, its item and its time together."""

    def cart(self, *orders, later=()):
        """Ann sees a hat and a shoe, bob a sock; the orders come in one file, and in one of the day after."""
        clicks = [
            event("1", at(FIRST, 9), "hat"),
            event("2", at(FIRST, 9), "shoe"),
            event("3", at(FIRST, 9), "sock", "bob"),
        ]
        land(self.root, f"day={FIRST}/a.parquet", impressions(*clicks))
        for number, day in enumerate((SECOND, THIRD)):
            land(self.root, f"day={day}/a.parquet", impressions(event(f"later-{number}", at(day, 23), "sock")))
        land_orders(self.root, FIRST, *orders)
        land_orders(self.root, SECOND, order("o9", at(SECOND, 20), "scarf", "eve"), *later)
        land_orders(self.root, THIRD)
        return cleaned(self.root)

    @pytest.fixture(autouse=True)
    def home(self, tmp_path):
        self.root = tmp_path

    def test_the_lines_of_an_order_are_purchases_of_their_own_and_a_line_sent_twice_is_one(self):
        day = self.cart(
            order("o1", at(FIRST, 11), "hat", paid=20.0),
            order("o1", at(FIRST, 11), "shoe", paid=50.0),
            order("o2", at(FIRST, 12), "sock", "bob", paid=5.0),
            order("o2", at(FIRST, 12), "sock", "bob", paid=5.0),
        )
        assert day.events.select("item_id", "purchase", "revenue").rows() == [
            ("hat", 1, 20.0),
            ("shoe", 1, 50.0),
            ("sock", 1, 5.0),
        ]
        assert day.set_aside["kind"].to_list() == ["sent again"]
        assert day.lines_lost is not None and "1 of 4 rows of `orders` are the same in everything" in day.lines_lost

    def test_the_same_product_twice_in_an_order_is_two_lines_where_lines_have_their_own_ids(self):
        day = self.cart(order("o1-1", at(FIRST, 11), paid=20.0), order("o1-2", at(FIRST, 11), paid=20.0))
        assert day.events["revenue"].to_list() == [40.0, 0.0, 0.0]
        assert day.lines_lost is None and day.set_aside.is_empty()

    def test_one_that_says_otherwise_in_the_same_file_is_wrong_and_shown_as_such(self):
        day = self.cart(order("o1", at(FIRST, 11), paid=20.0), order("o1", at(FIRST, 11), paid=25.0))
        assert day.set_aside.select("kind", "reason").rows() == [
            ("repeated id", "another row of its id, item and time says otherwise")
        ]
        assert day.events["revenue"][0] in (20.0, 25.0)
        said = too_many_wrong(day, CleaningRules())
        assert said is not None and "map the number of the line" in said

    def test_a_corrected_total_of_a_later_day_counts_whatever_the_order_of_the_files(self):
        first, corrected = order("o1", at(FIRST, 11), paid=25.0), order("o1", at(FIRST, 11), paid=20.0)
        for before, after in ((first, corrected), (corrected, first)):
            day = self.cart(before, later=[after])
            assert day.events["revenue"].to_list() == [after["paid"], 0.0, 0.0]
            assert day.set_aside["reason"].to_list() == [
                "a file of a later day says otherwise of this outcome, and counts"
            ]
            assert too_many_wrong(day, CleaningRules()) is None

    def test_an_order_that_a_later_file_sends_again_counts_once_and_speaks_against_nothing(self):
        lines = [order("o1", at(FIRST, 11), "hat", paid=20.0), order("o1", at(FIRST, 11), "shoe", paid=50.0)]
        day = self.cart(*lines, later=lines)
        assert day.events["revenue"].to_list() == [20.0, 50.0, 0.0]
        assert day.set_aside["reason"].to_list() == ["the same outcome again"] * 2
        assert day.lines_lost is None and day.landed_rows == day.rows + day.rows_elsewhere

    def test_the_same_item_of_an_order_at_another_time_is_another_outcome(self):
        day = self.cart(order("o1", at(FIRST, 11), paid=20.0), order("o1", at(FIRST, 15), paid=20.0))
        assert day.events["revenue"][0] == 40.0

    def test_rows_without_an_id_are_one_where_they_say_the_same(self):
        day = self.cart(*[order(None, at(FIRST, 11), paid=20.0)] * 2, order(None, at(FIRST, 11), paid=25.0))
        assert day.events["revenue"][0] == 45.0


def test_an_outcome_is_null_until_its_last_day_is_landed_and_its_own_time_is_there_before(tmp_path):
    two_days(tmp_path, order("a", at(FIRST, 10)))
    for late in ("events", "orders"):
        (tmp_path / "landing" / late / f"day={THIRD}").rename(tmp_path / f"{late}-later")
    second = cleaned(tmp_path, SECOND).events
    assert second["purchase"].to_list() == [None]
    assert second["revenue"].to_list() == [None]
    assert cleaned(tmp_path).events["purchase"].to_list() == [1, 0, 0]
    # The events have come, the orders have not: nobody knows yet that nothing was bought.
    (tmp_path / "events-later").rename(tmp_path / "landing" / "events" / f"day={THIRD}")
    assert cleaned(tmp_path, SECOND).events["purchase"].to_list() == [None]
    (tmp_path / "orders-later").rename(tmp_path / "landing" / "orders" / f"day={THIRD}")
    assert cleaned(tmp_path, SECOND).events["purchase"].to_list() == [0]


def test_an_order_of_the_next_day_changes_the_fingerprint_of_the_day_before(tmp_path):
    two_days(tmp_path)
    before = [zone.fingerprint("events", day) for zone in [zone_of(tmp_path)] for day in (FIRST, SECOND, THIRD)]
    land_orders(tmp_path, SECOND, order("a", at(SECOND, 8)))
    after = [zone.fingerprint("events", day) for zone in [zone_of(tmp_path)] for day in (FIRST, SECOND, THIRD)]
    assert [a == b for a, b in zip(before, after, strict=True)] == [False, False, True]


def zone_of(root):
    return LandingZone(Home(root), shop(), CleaningRules(), root / "landing")


def test_an_event_without_the_key_cannot_be_told_from_one_that_nothing_came_of(tmp_path):
    two_days(tmp_path, more=[event("4", at(FIRST, 13), "hat", user=None)])
    assert cleaned(tmp_path).events["purchase"].to_list() == [0, 0, 0, None]


def test_where_a_purchase_needs_a_click_it_belongs_to_the_last_clicked_event(tmp_path):
    two_days(tmp_path, order("a", at(FIRST, 15)), more=[event("0", at(FIRST, 8), "hat", click=1)])
    of = shop(purchase_needs_click=True)
    assert cleaned(tmp_path, of=of).events.select("event_id", "purchase").rows()[0] == ("0", 1)


def test_ratings_of_a_stream_are_the_last_and_unrated_is_not_zero(tmp_path):
    ratings = {
        "folder": "orders",
        "columns": {"time": "at", "user_id": "who", "item_id": "what", "rating": "paid"},
        "gives": ["rating"],
        "join": ["user_id", "item_id"],
        "window_hours": 24,
    }
    of = shop(outcome_streams={"ratings": ratings}, outcomes={"click": {}, "rating": {"maturity_days": 1}})
    two_days(tmp_path, order("a", at(FIRST, 14), paid=2.0), order("b", at(FIRST, 15), paid=5.0))
    events = cleaned(tmp_path, of=of).events
    assert events["rating"].to_list() == [None, 5.0, None]
    assert events["rating_time"].to_list() == [None, at(FIRST, 15), None]


def test_a_forgotten_users_outcomes_are_kept_nowhere_and_counted(tmp_path):
    two_days(tmp_path, order("a", at(FIRST, 10)), order("b", at(FIRST, 13), who="bob"))
    of = shop()
    zone = LandingZone(Home(tmp_path), of, CleaningRules(), tmp_path / "landing")
    landed, ann = zone.landed_day(FIRST), Forgotten(plain=frozenset([plain_hash("ann")]))
    day = clean_day(landed, of, zone.rules, tmp_path / "clean", tmp_path / "aside", ann)
    assert day.set_aside["user_id"].to_list() == ["bob"]
    # Three events and an order of hers, and an order of his that belongs to no event.
    assert (day.landed_rows, day.forgotten_rows, day.rows) == (5, 4, 0)


def test_clicks_may_be_a_stream_too(tmp_path):
    clicks = ORDERS | {"folder": "orders", "gives": ["click"]}
    clicks["columns"] = {name: theirs for name, theirs in ORDERS["columns"].items() if name != "revenue"}
    events = IMPRESSIONS | {"columns": {k: v for k, v in IMPRESSIONS["columns"].items() if k != "click"}}
    of = shop(events=events, outcome_streams={"clicks": clicks}, outcomes={"click": {"maturity_days": 1}})
    two_days(tmp_path, order("a", at(FIRST, 10)))
    assert cleaned(tmp_path, of=of).events.select("event_id", "click").rows() == [("1", 1), ("2", 0), ("3", 0)]


def test_a_purchase_that_needs_a_click_cannot_be_told_where_both_are_streams():
    both = ORDERS | {"gives": ["click", "purchase", "revenue"]}
    events = IMPRESSIONS | {"columns": {k: v for k, v in IMPRESSIONS["columns"].items() if k != "click"}}
    with pytest.raises(InputError, match="`purchase_needs_click` is read off the events' own `click`"):
        shop(
            events=events,
            outcome_streams={"orders": both},
            purchase_needs_click=True,
            outcomes={name: {"maturity_days": 1} for name in both["gives"]},
        )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"gives": ["applause"]}, "gives` must be a list of some of"),
        ({"join": ["user_id"]}, "must be \\[user_id, item_id\\] or"),
        ({"window_hours": 0}, "a whole number of at least 1"),
        ({"window_hours": 49}, "maturity_days` must be at least 3, the attribution window"),
        ({"columns": {"time": "at", "item_id": "what"}}, "must map \\['user_id'\\]|must be mapped"),
    ],
)
def test_a_stream_that_cannot_be_joined_is_named(change, says):
    with pytest.raises(InputError, match=says):
        shop(outcome_streams={"orders": ORDERS | change})


def test_orders_of_no_bytes_are_not_taken_for_none(tmp_path):
    for day in (FIRST, SECOND):
        land(tmp_path, f"day={day}/a.parquet", impressions(event(f"{day}", at(day, 9), "hat")))
        land_orders(tmp_path, day)
    assert cleaned(tmp_path).events["purchase"].to_list() == [0]
    path = tmp_path / "landing" / "orders" / f"day={SECOND}" / "orders.csv"
    path.with_suffix(".parquet").rename(path).write_bytes(b"")
    with pytest.raises(InputError, match=f"orders.csv: no file of {SECOND} has a row"):
        cleaned(tmp_path)
    path.with_name("_EMPTY").touch()
    assert cleaned(tmp_path).events["purchase"].to_list() == [0]


def test_orders_that_may_be_of_any_day_and_cannot_be_read_stop_every_day(tmp_path):
    land(tmp_path, f"day={FIRST}/a.parquet", impressions(event("1", at(FIRST, 9), "hat")))
    land_orders(tmp_path, FIRST)
    land_orders(tmp_path, SECOND)
    (tmp_path / "landing" / "orders" / "more.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match=r"Outcomes of .* may be missing. .*more\.parquet"):
        cleaned(tmp_path)
