"""The watching sensors over real runs of a home: what they tell a real receiver, and what they leave alone."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import polars as pl
import pytest
import yaml

from causalrec_assets.operate.watch import alert_of_release, failures, look_for_overdue
from resources.alerts.resource import Alerts
from resources.tracking.resource import Tracking
from tests.worlds import FIRST, make_home, materialise, tiny

DAY = FIRST + timedelta(days=1)


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def shop(tmp_path, monkeypatch, receiver):
    home = make_home(tmp_path / "home", tiny(days=2, events_per_day=200))
    monkeypatch.setenv("CAUSALREC_HOME", str(home.root))
    monkeypatch.setenv("CAUSALREC_ALERT_WEBHOOK", receiver.url)
    return home


def tell(instance, run):
    """The failure sensor over a failed run."""
    failed = next(e for e in run.all_events if e.event_type_value == "PIPELINE_FAILURE")
    context = dg.build_run_status_sensor_context(
        sensor_name="failures", dagster_run=run.dagster_run, dagster_instance=instance, dagster_event=failed
    ).for_run_failure()
    failures(context, alerts=Alerts(), tracking=Tracking(enabled=False))


def told(receiver):
    return [payload["text"] for _, _, payload in receiver.got]


def plant(home):
    path = home.landing / "events" / f"day={DAY}" / "events.parquet"
    pl.read_parquet(path).with_columns(action_propensity=pl.lit(0.0)).write_parquet(path)


def test_a_refused_table_is_told_with_its_rule_and_what_is_still_served(shop, instance, receiver):
    for day in (FIRST, DAY):
        assert materialise(shop, day, ["items", "users", "clean_events", "history", "units"], instance).success
    plant(shop)
    tell(instance, materialise(shop, DAY, ["clean_events", "history", "units"], instance))
    (text,) = told(receiver)
    assert f"Refused: clean_events of {DAY}" in text
    assert "few_rows_are_wrong" in text
    assert "version 1, the last good one" in text


def test_a_step_that_lacks_a_day_is_a_failed_run_and_no_refused_table(shop, instance, receiver):
    tell(instance, materialise(shop, DAY, ["history"], instance))
    (text,) = told(receiver)
    assert "Run failed" in text
    assert "`history`" in text
    assert "needs `" in text


def test_a_kind_that_is_off_is_not_told(shop, instance, receiver):
    operations = yaml.safe_load((shop.data / "operations.yaml").read_text())
    operations["alerts"] = {"on": []}
    (shop.data / "operations.yaml").write_text(yaml.safe_dump(operations))
    tell(instance, materialise(shop, DAY, ["history"], instance))
    assert told(receiver) == []


def release_event(instance, **metadata):
    instance.report_runless_asset_event(
        dg.AssetMaterialization("release", partition=DAY.isoformat(), metadata=metadata)
    )
    return instance.get_latest_materialization_event(dg.AssetKey("release"))


@pytest.mark.parametrize(
    ("verdict", "decision", "newest"),
    [
        ("not_better", "kept", True),
        ("better", "released", True),
        ("not_better", "kept", False),
        # A trial that goes on keeps nothing back.
        ("wait", "kept", True),
    ],
)
def test_only_the_newest_days_blocked_release_is_told(instance, verdict, decision, newest):
    reason, serves = "It loses 5 % of revenue.", "release 3, of 2026-03-01"
    about = {"decision": decision, "newest_day": newest, "verdict": verdict, "reason": reason, "serves": serves}
    alert = alert_of_release(release_event(instance, **about))
    if (verdict, decision, newest) == ("not_better", "kept", True):
        assert reason in alert.happened
        assert serves in alert.happened
    else:
        assert alert is None


def test_an_overdue_report_is_told_once(shop):
    sources = yaml.safe_load((shop.data / "sources.yaml").read_text())
    sources.pop("last_day")
    (shop.data / "sources.yaml").write_text(yaml.safe_dump(sources))
    now = datetime(2026, 3, 5, 7, 0, tzinfo=UTC)
    _, alert = look_for_overdue(shop, now, None)
    assert "nothing was landed for 2026-03-04 (the newest landed day is 2026-03-03)" in alert.happened
    assert look_for_overdue(shop, now, "2026-03-04") == ("The report of 2026-03-04 is missing; that was told.", None)
    assert "due at 06:00" in look_for_overdue(shop, now.replace(hour=5), None)[0]
    _, alert = look_for_overdue(shop, datetime(2026, 3, 4, 7, tzinfo=UTC), None)
    assert "have not been turned into a report" in alert.happened
