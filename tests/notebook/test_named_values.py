"""A policy's values in a notebook are those of the report, and what logs cannot tell has a reason."""

import numpy as np
import polars as pl
import pytest

import causalrec as cr
from causalrec.home import TEMPLATE
from causalrec.notebook.named_values import COLUMNS, TRUST
from causalrec.settings.file import read_yaml
from causalrec.settings.release import ReleaseRule
from causalrec.simulator.landing import items_frame
from causalrec.simulator.traffic.traffic import Past, simulate_day
from causalrec.simulator.world.world import World, WorldConfig

ITEMS = 30
STATUS = cr.Status


@pytest.fixture(scope="module")
def logs():
    """Units and items, and the last two of three days."""
    world = World(WorldConfig(users=200, items=ITEMS, events_per_day=3_000))
    past = Past(world)
    events = pl.concat([simulate_day(world, past, day).events for day in range(3)])
    units = events.rename({"event_id": "unit_id", "timestamp": "time"})
    return units, items_frame(world), units["time"].dt.date().unique().sort().to_list()[1:]


def uniform(contexts, items):
    return np.full((contexts.height, items.height), 1 / items.height)


def tilted(contexts, items):
    return np.tile(np.arange(1, ITEMS + 1) / (ITEMS * (ITEMS + 1) / 2), (contexts.height, 1))


def model(contexts, items):
    return 2 * uniform(contexts, items), uniform(contexts, items)


def values(logs, policies=None, of=model, units=None, **changes):
    own, items, days = logs
    changes = {"organic_rows": "every_impression"} | changes
    policies = policies or {"at random": uniform}
    return cr.named_values(own if units is None else units, items, policies, of, judged=days, **changes)


def statuses(frame, estimator="dr"):
    return dict(frame.filter(estimator=estimator).select("estimand", "status").iter_rows())


def test_weighing_is_what_the_logs_say_slot_by_slot(logs):
    units, _, days = logs
    frame = values(logs).filter(estimator="ips")
    judged = units.filter(pl.col("time").dt.date().is_in(days)).with_columns(
        organic=pl.col("click").filter(pl.col("recommended") == 0).sum().over("request_id"),
        all_of_it=pl.col("click").sum().over("request_id"),
    )
    slots = judged.filter(pl.col("recommended") == 1)
    # Without what stands above, any other item is as likely.
    weight = 1 / (ITEMS + 1 - slots["position"]) / slots["action_propensity"]
    expected = {"raw": slots["click"], "own_and_organic": slots["click"] + slots["organic"]}
    expected["total"] = slots["all_of_it"]
    for name, reward in expected.items():
        assert frame.filter(estimand=name)["estimate"].item() == pytest.approx(float((weight * reward).mean()))


def test_each_value_is_answered_with_an_interval_or_has_a_reason(logs):
    frame = values(logs)
    assert tuple(frame.columns) == COLUMNS
    answered = frame.filter(status=STATUS.ANSWERED, estimator="dr")
    assert answered["estimand"].to_list() == ["raw", "given_met", "given_not_shown", "own_and_organic", "total"]
    assert (answered["lower"] < answered["estimate"]).all() and answered["difference"].null_count() == 0
    taken_off = answered.filter(pl.col("anyway").is_not_null())
    assert taken_off["estimand"].to_list() == ["given_met", "given_not_shown"]
    rest = frame.filter(pl.col("status") != STATUS.ANSWERED.value)
    assert rest["estimate"].null_count() == rest.height and (rest["reason"].str.len_chars() > 0).all()


def test_what_is_not_logged_takes_away_the_values_that_need_it_and_no_others(logs):
    units = logs[0]
    told = {
        "first_slot_propensity": statuses(values(logs, units=units.drop("first_slot_propensity"))),
        "request_id": statuses(values(logs, units=units.drop("request_id", "position"))),
        "impressions": statuses(values(logs, organic_rows="interactions_only")),
        "organic": statuses(values(logs, organic_rows="none")),
        "model": statuses(values(logs, of=None)),
    }
    answered = {
        what: {name for name, status in found.items() if status == STATUS.ANSWERED} for what, found in told.items()
    }
    own = {"raw", "own_and_organic", "total"}
    assert answered == {
        "first_slot_propensity": own | {"given_met"},
        "request_id": {"raw"},
        "impressions": own | {"given_not_shown"},
        "organic": {"raw"},
        "model": set(),
    }
    weighed = statuses(values(logs, of=None), "ips")
    assert weighed["raw"] == weighed["given_met"] == STATUS.ANSWERED


def test_a_challenger_is_held_against_the_champion_and_others_against_the_logs(logs):
    frame = values(logs, {"challenger": tilted, "champion": uniform, "other": uniform}).filter(estimator="ips")
    raw = frame.filter(estimand="raw")
    assert dict(raw.select("policy", "baseline").iter_rows()) == {
        "challenger": "champion",
        "champion": "logging policy",
        "other": "logging policy",
    }
    value = dict(raw.select("policy", "estimate").iter_rows())
    challenger = raw.filter(policy="challenger")["difference"].item()
    assert challenger == pytest.approx(value["challenger"] - value["champion"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"organic_rows": "some"}, "organic_rows is one of every_impression"),
        ({"policies": {"half": lambda c, i: uniform(c, i) / 2}}, "policy half: the probabilities of each context"),
        ({"policies": {"one": lambda c, i: uniform(c, i)[0]}}, "policy one must return .* contexts by items"),
        ({"of": lambda c, i: (uniform(c, i), -uniform(c, i))}, "model must return probabilities, from 0 to 1"),
        ({"reads": ["weather"]}, "units has no column weather"),
    ],
)
def test_what_cannot_be_read_is_an_input_error(logs, changes, message):
    with pytest.raises(cr.InputError, match=message):
        values(logs, **changes)


def test_what_is_missing_altogether_is_an_input_error(logs):
    units, items, days = logs
    with pytest.raises(cr.InputError, match="units has no column click"):
        values(logs, units=units.drop("click"))
    with pytest.raises(cr.InputError, match="`time` must be a time"):
        values(logs, units=units.with_columns(time=pl.col("time").dt.date()))
    with pytest.raises(cr.InputError, match="no recommended row"):
        values(logs, units=units.filter(pl.col("recommended") == 0))
    with pytest.raises(cr.InputError, match="there is no policy"):
        cr.named_values(units, items, {}, judged=days)
    with pytest.raises(cr.InputError, match="items has no column item_id"):
        cr.named_values(units, items.drop("item_id"), {"at random": uniform}, judged=days)


def test_what_keeps_a_value_from_being_told_is_what_a_new_home_has():
    own, home = ReleaseRule.parse(TRUST), ReleaseRule.parse(read_yaml(TEMPLATE / "release.yaml"))
    asked = [name for name in ReleaseRule.model_fields if name.startswith(("min_", "max_"))]
    assert {name: getattr(own, name) for name in asked} == {name: getattr(home, name) for name in asked}
