"""The mapping file: what is accepted, and what is said of what is not."""

from datetime import date

import pytest
import yaml

from causalrec.answers import InputError
from causalrec.home import TEMPLATE
from causalrec.settings.file import parse_yaml
from causalrec.settings.logs.sources import parse_source
from tests.logs.worlds import SETTINGS, source

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


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_file_with_its_lines():
    text = (
        "first_day: soon\n"
        "outcomes:\n  click: {maturity_days: -1}\n"
        "events:\n  columns: {time: at, clicks: n}\n  csv:\n    decimal: '-'\n"
        "users:\n  columns: {user_id: who, hour: h}\n"
        "timezone: UTC\n"
    )
    with pytest.raises(InputError) as refused:
        parse_source(parse_yaml(text, "sources.yaml"))
    assert str(refused.value).splitlines() == [
        "sources.yaml: `first_day` must be a date such as 2026-03-02, got 'soon' (line 1)",
        "sources.yaml: `outcomes.click.maturity_days` must be a whole number of at least 0, got -1 (line 3)",
        "sources.yaml: `events.columns.item_id` is required: which of your columns is it? (line 5)",
        "sources.yaml: `events.csv.decimal` must be '.' or ',', got '-' (line 7)",
        "sources.yaml: `users.columns`: ['hour'] are names of other columns of the units; give these attributes other "
        "names on the left, e.g. user_age (line 9)",
        "sources.yaml: unknown key `timezone`; known are time_zone, "
        + str(refused.value).splitlines()[-1].partition("time_zone, ")[2],
    ]


@pytest.mark.parametrize("name", ["device", "category", "price", "hour", "user_clicks", "click"])
def test_an_attribute_of_users_with_the_name_of_another_column_of_the_units_is_refused(name):
    with pytest.raises(InputError, match=f"users.columns.*{name}.*other names on the left"):
        source(users={"columns": {"user_id": "id", name: "theirs"}})
