"""The mapping file: what is accepted, and what is said of what is not."""

from datetime import date

import pytest
import yaml

from causalrec.answers import InputError
from causalrec.home import TEMPLATE
from causalrec.settings.logs.sources import parse_source
from tests.logs.worlds import SETTINGS, settings, source

EVENTS = SETTINGS["events"]
COLUMNS = EVENTS["columns"]


def events(**changes):
    """The events mapping with columns changed; None removes one."""
    columns = {k: v for k, v in (COLUMNS | changes).items() if v is not None}
    return {"events": EVENTS | {"columns": columns}}


def test_a_mapping_says_what_the_source_has():
    shop = source()
    assert shop.columns["time"] == "timestamp"
    assert shop.has("click")
    assert not shop.has("rating")
    assert shop.maturity_days == {"click": 0, "purchase": 2}
    assert shop.history_days == 3
    assert shop.last_day is None


def test_a_constant_is_a_column_of_the_source():
    fixed = EVENTS | {
        "columns": {k: v for k, v in COLUMNS.items() if k != "recommended"},
        "constants": {"recommended": 1},
    }
    shop = source(events=fixed, organic_rows="none")
    assert shop.has("recommended")
    assert shop.events.constants == {"recommended": 1}


def test_intervals_cluster_by_user_then_request_then_hour_unless_the_source_says():
    assert source().cluster == "user_id"
    assert source(**events(user_id=None)).cluster == "request_id"
    assert source(**events(user_id=None, request_id=None)).cluster == "hour"
    assert source(cluster="hour").cluster == "hour"


def test_a_source_covers_the_days_from_its_first_to_its_last():
    shop = source(last_day=date(2026, 3, 4))
    assert [shop.covers(date(2026, 3, day)) for day in (1, 2, 4, 5)] == [False, True, True, False]


@pytest.mark.parametrize("file", ["sources.yaml", "demos/simulated/sources.yaml", "demos/obd/sources.yaml"])
def test_the_shipped_mappings_are_valid(file):
    assert parse_source(yaml.safe_load((TEMPLATE / file).read_text())).outcomes


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"timezone": "UTC"}, r"unknown \['timezone'\]; known are"),
        ({"first_day": "soon"}, "`first_day` must be a date such as 2026-03-02, got 'soon'"),
        ({"first_day": None}, "`first_day` must be a date"),
        ({"last_day": date(2026, 3, 1)}, "`last_day` must be a day not before first_day, 2026-03-02"),
        (
            {"time_zone": "Mars/Olympus"},
            "`time_zone` must be the name of a time zone such as UTC or Europe/Berlin",
        ),
        ({"events": "events.csv"}, "`events` must be a mapping"),
        ({"events": EVENTS | {"path": "x"}}, r"events: unknown \['path'\]"),
        (events(clicks="clicks"), r"events.columns: unknown \['clicks'\]"),
        (events(time=None), "`events.columns.time` is required"),
        (events(item_id=None), "`events.columns.item_id` is required"),
        (events(position=3), "`events.columns.position` must be a text"),
        (events(device=None), r"context columns \['device'\] are not mapped"),
        (
            {"context": {"device": "colour"}},
            r"`context.device` must be one of \['text', 'number'\], got 'colour'",
        ),
        ({"context": {"hour": "number"}}, r"\['hour'\] are names of ours"),
        ({"events": EVENTS | {"constants": {"click": 1}}}, "both mapped and constant"),
        (
            {"events": EVENTS | {"constants": {"rating": [1]}}},
            "`events.constants.rating` must be a text or a number",
        ),
        ({"organic_rows": "some"}, "`organic_rows` must be one of"),
        (
            {"organic_rows": "none", "purchase_needs_click": "yes"},
            "`purchase_needs_click` must be true or false",
        ),
        (events(recommended=None), "map `events.columns.recommended`, or set `organic_rows: none`"),
        ({"outcomes": {}}, "at least one outcome is required"),
        ({"outcomes": {"rating": {}}}, "each must be mapped"),
        ({"outcomes": {"likes": {}}}, r"outcomes: unknown \['likes'\]"),
        (
            {"outcomes": {"click": {"maturity_days": -1}}},
            "`outcomes.click.maturity_days` must be a whole number of at least 0",
        ),
        ({"outcomes": {"click": {"days": 1}}}, r"outcomes.click: unknown \['days'\]"),
        ({"outcomes": {"click": {}}} | events(purchase=None), "map both `click` and `purchase`"),
        ({"history_days": 0}, "`history_days` must be a whole number of at least 1, got 0"),
        ({"history_days": True}, "`history_days` must be a whole number"),
        (
            {"rate_prior": {"rate": 0, "exposures": 10}},
            r"`rate_prior` must be a rate in \(0, 1\) and exposures above 0",
        ),
        ({"rate_prior": {"rate": "low", "exposures": 10}}, "`rate_prior` must be a rate"),
        ({"items": {"columns": {"title": "t"}}}, "`items.columns.item_id` is required"),
        (
            {"items": {"columns": {"item_id": "i"}, "extra": {"brand": "text"}}},
            r"extra columns \['brand'\] are not mapped",
        ),
        (
            {"items": {"columns": {"item_id": "i", "click": "c"}, "extra": {"click": "number"}}},
            r"\['click'\] are names of ours",
        ),
        ({"users": {"columns": {"age": "age"}}}, "`users.columns.user_id` is required"),
        (
            {"users": {"columns": {"user_id": "u"}, "sensitive": ["age"]}},
            r"`users.sensitive` names \['age'\]",
        ),
        (
            {"users": {"columns": {"user_id": "u"}, "sensitive": "age"}},
            "`users.sensitive` must be a list of names",
        ),
        ({"held_out_policies": ["random"]} | events(policy=None), "map `events.columns.policy`"),
        ({"cluster": "user_id"} | events(user_id=None), "`cluster: user_id` needs that column"),
    ],
)
def test_a_wrong_mapping_names_its_key(changes, says):
    with pytest.raises(InputError, match=says):
        parse_source(settings(**changes))


@pytest.mark.parametrize("name", ["device", "category", "price", "hour", "user_clicks", "click"])
def test_an_attribute_of_users_with_the_name_of_another_column_of_the_units_is_refused(name):
    with pytest.raises(InputError, match=f"users.columns.*{name}.*other names on the left"):
        source(users={"columns": {"user_id": "id", name: "theirs"}})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kinds": {"shoe": "number"}}, "users.kinds.*shoe"),
        ({"kinds": {"age": "date"}}, "users.kinds.age"),
        ({"sensitive": ["user_id"]}, "users.sensitive.*user_id"),
    ],
)
def test_kinds_and_sensitive_name_attributes(change, named):
    with pytest.raises(InputError, match=named):
        source(users={"columns": {"user_id": "id", "age": "age"}, **change})
