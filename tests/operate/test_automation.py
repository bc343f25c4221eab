"""The sensor and the schedule: what they ask for, given a home, and the shipped instance that runs it."""

import shutil
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
import yaml

from causalrec.home import CHECKOUT, Home
from causalrec_assets.commands.backfill import bring_up_to_date
from causalrec_assets.operate.automation import ATTEMPT, IN_ORDER, new_data, retrain_every_day
from tests.worlds import FIRST, LEARNING, LOGS, make_home, tiny

DAYS = [FIRST + timedelta(days=k) for k in range(3)]
LANDED = ["items", "users", "clean_events"]


@pytest.fixture(scope="module")
def repository():
    from causalrec_assets.definitions import defs

    return defs.get_repository_def()


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def silent(line):
    """Progress is for people."""


def operate(home, **new_data):
    settings = yaml.safe_load((home.data / "operations.yaml").read_text())
    settings["new_data"] |= new_data
    (home.data / "operations.yaml").write_text(yaml.safe_dump(settings))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Three days, with every asset built."""
    home = make_home(tmp_path_factory.mktemp("whole") / "home", tiny(days=3, events_per_day=300))
    operate(home, settle_seconds=0)
    learning = {"window_days": 2, "judgement_days": 1, "min_days": 1, "seed": 1}
    (home.data / "learning.yaml").write_text(yaml.safe_dump(learning))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CAUSALREC_HOME", str(home.root))
        patch.setenv("DAGSTER_HOME", str(home.dagster))
        built = bring_up_to_date(home, DAYS, DAYS[2:], silent)
    assert (built.failed, built.waits) == ([], [])
    return home


@pytest.fixture
def shop(whole, tmp_path, monkeypatch):
    """A copy, to change."""
    shutil.copytree(whole.root, tmp_path / "home")
    home = Home(tmp_path / "home")
    monkeypatch.setenv("CAUSALREC_HOME", str(home.root))
    monkeypatch.setenv("DAGSTER_HOME", str(home.dagster))
    return home


def forget_tables(home, *names):
    for name in names:
        shutil.rmtree(home.lake / name, ignore_errors=True)


def look(instance, repository):
    return list(new_data(dg.build_sensor_context(instance=instance, repository_def=repository)))


def tick(instance, repository, at=datetime(2026, 3, 5, 3, 30, tzinfo=UTC)):
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at, repository_def=repository)
    return list(retrain_every_day(context))


def asked(requests):
    return [
        (r.partition_key, r.job_name, [key.path[-1] for key in r.asset_selection or []])
        for r in requests
        if isinstance(r, dg.RunRequest)
    ]


def test_the_sensor_asks_for_logs_and_then_for_the_newest_days_learning(shop, instance, repository):
    forget_tables(shop, *LOGS, *LEARNING)
    first, *others = asked(look(instance, repository))
    assert first == (DAYS[0].isoformat(), "rebuilt_logs", [*LANDED, "history", "units"])
    assert others == [(day.isoformat(), "rebuilt_logs", LANDED) for day in DAYS[1:]]
    bring_up_to_date(shop, DAYS, [], silent)
    (learning,) = asked(look(instance, repository))
    assert learning[:2] == (DAYS[2].isoformat(), "learning_assets")
    assert set(learning[2]) == set(LEARNING)


def test_the_sensor_rests_when_the_lake_is_what_the_files_say(shop, instance, repository):
    (rest,) = look(instance, repository)
    assert rest.skip_message == "The lake is what the landed files say."


def test_the_sensor_waits_for_its_runs_and_does_not_repeat_an_attempt(shop, instance, repository):
    forget_tables(shop, *LOGS)
    requests = look(instance, repository)
    job = repository.get_job("rebuilt_logs")
    run = instance.create_run_for_job(job, tags=dict(requests[0].tags), status=dg.DagsterRunStatus.STARTED)
    (waits,) = look(instance, repository)
    assert "Waiting for 1 run" in waits.skip_message
    instance.report_run_failed(run)
    assert asked(look(instance, repository)) == asked(requests)[1:]
    assert requests[0].tags[ATTEMPT]


def test_the_sensor_does_not_touch_what_is_still_being_written(shop, instance, repository):
    forget_tables(shop, *LOGS)
    operate(shop, settle_seconds=3600)
    (waits,) = look(instance, repository)
    assert "still arriving" in waits.skip_message


def test_the_sensor_asks_for_no_more_runs_at_a_time_than_it_may_and_for_no_learning_when_told_so(
    shop, instance, repository
):
    forget_tables(shop, *LEARNING)
    operate(shop, runs_per_look=2, retrain=False)
    assert asked(look(instance, repository)) == []
    forget_tables(shop, *LOGS)
    assert len(asked(look(instance, repository))) == 2


def test_the_schedule_catches_up_in_order_and_learns_from_the_last_day_only(shop, instance, repository):
    for name in LOGS:
        for day in DAYS[1:]:
            shutil.rmtree(shop.lake / name / f"day={day}")
    *missed, last = tick(instance, repository)
    assert asked(missed) == [(DAYS[1].isoformat(), None, [*LANDED, "history", "units"])]
    assert asked([last]) == [(DAYS[2].isoformat(), None, [])]  # all assets
    assert all(IN_ORDER.items() <= request.tags.items() for request in (*missed, last))


def test_the_schedule_retrains_what_a_setting_changed_and_says_when_all_is_current(shop, instance, repository):
    (rest,) = tick(instance, repository)
    assert "current" in rest.skip_message
    assert (
        "Nothing has been landed for 2026-03-10 yet"
        in tick(instance, repository, datetime(2026, 3, 11, 3, 30, tzinfo=UTC))[0].skip_message
    )
    path = shop.data / "release.yaml"
    path.write_text(path.read_text() + "\n# looked at\n")
    ((day, _, assets),) = asked(tick(instance, repository))
    assert day == DAYS[2].isoformat()
    assert assets == [
        "trial_policy",
        "trial_report",
        "off_policy_report",
        "evaluation_report",
        "release",
        "recommendations",
    ]


def test_an_empty_landing_zone_is_said(shop, instance, repository):
    for path in shop.landing.glob("events/*/*"):
        path.unlink()
    (rest,) = tick(instance, repository)
    assert "Nothing is landed" in rest.skip_message


def test_the_shipped_instance_limits_the_pool_retries_no_failed_step_and_frees_slots():
    settings = yaml.safe_load((CHECKOUT / "dagster.yaml").read_text())
    assert settings["concurrency"]["pools"]["default_limit"] == 1
    assert settings["run_retries"]["retry_on_asset_or_op_failure"] is False
    assert settings["run_monitoring"]["free_slots_after_run_end_seconds"] > 0
    limits = {limit["key"] for limit in settings["concurrency"]["runs"]["tag_concurrency_limits"]}
    assert limits == {"dagster/partition", *IN_ORDER}


def test_every_job_runs_the_assets_that_it_names(repository):
    def assets(job):
        return {key.path[-1] for key in repository.get_job(job).asset_layer.executable_asset_keys}

    assert assets("log_assets") == assets("rebuilt_logs") == set(LOGS)
    assert assets("learning_assets") == set(LEARNING)
    assert assets("daily_retrain") == {*LOGS, *LEARNING}
    assert assets("roll_back") == {"release", "recommendations"}
