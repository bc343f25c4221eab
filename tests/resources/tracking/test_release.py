"""The registry mirrors the release log. One store for all tests: making one takes seconds."""

import json
import logging
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from causalrec.answers import InputError
from causalrec.home import Home
from causalrec_assets.lake.releases import Champion
from causalrec_assets.serving.released import bundle_hash
from resources.tracking.resource import MODEL, Tracking, Training

LOG = logging.getLogger("tests")
D1, D2 = date(2026, 3, 14), date(2026, 3, 15)


def bundle(day):
    return {
        "partition": day.isoformat(),
        "tables": {},
        "policy": {"temperature": 0.5},
        "objective": {"lambda": 0.5},
    }


def training(day, newest=True, made=True, **changes):
    told = {
        "partition": day,
        "dagster_run": f"run of {day}",
        "verdict": "better",
        "decision": "released",
        "newest": newest,
        "bundle": bundle(day) if made else None,
        "files": {"model.safetensors": b"weights", "card.json": b"{}"} if made else {},
        "params": {"seed": 7},
        "scores": {"click_log_loss": 0.3},
        "metrics": {"revenue_estimate": 0.5},
    }
    return Training(**(told | changes))


def champion(day, entry=1):
    return Champion(entry, day, bundle(day), bundle_hash(bundle(day)))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A home, and an MLflow client on its store."""
    home = Home(tmp_path_factory.mktemp("tracking") / "home")
    home.root.mkdir()
    Tracking().mirror(home, training(D1), champion(D1), LOG)
    from mlflow.tracking import MlflowClient

    return SimpleNamespace(home=home, client=MlflowClient(Tracking().uri(home), Tracking().uri(home)))


def aliases(store):
    found = store.client.get_registered_model(MODEL).aliases
    return {name: store.client.get_model_version(MODEL, version).tags["partition"] for name, version in found.items()}


def run_of(store, day):
    experiment = store.client.get_experiment_by_name("causalrec")
    return store.client.search_runs([experiment.experiment_id], f"tags.partition = '{day}'")


def test_a_partition_has_a_run_of_its_own_that_is_finished(store):
    (run,) = run_of(store, D1)
    assert run.info.status == "FINISHED"
    assert run.data.tags["dagster_run"] == f"run of {D1}"
    assert run.data.params == {"seed": "7"}
    assert run.data.metrics == {"click_log_loss": 0.3, "revenue_estimate": 0.5}
    told = {"policy.temperature": "0.5", "objective.lambda": "0.5", "verdict": "better", "decision": "released"}
    assert told.items() <= run.data.tags.items()


def test_the_bundle_is_logged_as_it_is_and_nothing_is_pickled(store, tmp_path):
    (run,) = run_of(store, D1)
    folder = f"bundle/{bundle_hash(bundle(D1))[:12]}"
    files = {f.path for f in store.client.list_artifacts(run.info.run_id, folder)}
    assert files == {f"{folder}/bundle.json", f"{folder}/card.json", f"{folder}/model.safetensors"}
    path = store.client.download_artifacts(run.info.run_id, f"{folder}/bundle.json", str(tmp_path))
    assert json.loads(Path(path).read_bytes()) == bundle(D1)


def test_everything_stays_in_the_home(store):
    assert {path.name for path in store.home.root.iterdir()} == {"mlflow.db", "mlflow-artifacts", "work"}


def test_the_aliases_follow_the_release_log(store):
    assert aliases(store) == {"challenger": str(D1), "champion": str(D1)}
    Tracking().mirror(store.home, training(D2), champion(D1), LOG)
    assert aliases(store) == {"challenger": str(D2), "champion": str(D1)}
    # The run that moved the champion died before it set the alias: the next one sets it right.
    Tracking().mirror(store.home, training(D2), champion(D2, 2), LOG)
    assert aliases(store) == {"challenger": str(D2), "champion": str(D2)}
    assert store.client.get_model_version_by_alias(MODEL, "champion").tags["log_as_policy"] == "release-2"


def test_the_same_bundle_again_is_the_same_version(store):
    before = len(store.client.search_model_versions(f"name='{MODEL}'"))
    found = Tracking().mirror(store.home, training(D1), champion(D1), LOG)
    assert len(store.client.search_model_versions(f"name='{MODEL}'")) == before
    assert found["registered_version"] == "1"


def test_an_older_day_registers_its_bundle_but_is_not_the_challenger(store):
    Tracking().mirror(store.home, training(D2), champion(D1), LOG)
    Tracking().mirror(store.home, training(date(2026, 3, 10), newest=False), champion(D1), LOG)
    assert aliases(store)["challenger"] == str(D2)


def test_without_a_challenger_the_run_is_tracked_and_nothing_is_registered(store):
    before = len(store.client.search_model_versions(f"name='{MODEL}'"))
    day = date(2026, 3, 11)
    assert "registered_version" not in Tracking().mirror(store.home, training(day, made=False), champion(D1), LOG)
    assert len(run_of(store, day)) == 1
    assert len(store.client.search_model_versions(f"name='{MODEL}'")) == before


def test_a_champion_that_the_registry_does_not_know_has_no_alias_and_that_is_said(store):
    found = Tracking().mirror(store.home, training(D2), champion(date(2026, 1, 1), 9), LOG)
    assert "release 9 of 2026-01-01 is not in this registry" in found["champion_alias"]
    assert "champion" not in aliases(store)


def test_while_the_logging_policy_serves_there_is_no_champion(store):
    Tracking().mirror(store.home, training(D2), champion(D2), LOG)
    Tracking().mirror(store.home, training(D2), None, LOG)
    assert set(aliases(store)) == {"challenger"}


def test_a_mirror_that_fails_is_told_and_not_raised_for_the_log_has_decided(store, caplog):
    day = date(2026, 3, 12)
    found = Tracking().mirror(store.home, training(day, metrics={"loss": "much"}), champion(D1), LOG)
    assert 'Invalid value "much"' in found["tracking"]
    assert 'Invalid value "much"' in caplog.text
    (run,) = run_of(store, day)
    assert run.info.status == "FAILED"
    # What could be done is done.
    assert found["champion_alias"] == f"version 1, of {D1}"
    import mlflow

    assert mlflow.active_run() is None


def test_two_partitions_of_one_dagster_run_have_a_run_each(store):
    days = (date(2026, 3, 8), date(2026, 3, 9))
    for day in days:
        Tracking().mirror(store.home, training(day, dagster_run="backfill"), None, LOG)
    assert [len(run_of(store, day)) for day in days] == [1, 1]


def opened(store, day, dagster_run, status="FINISHED"):
    """The run that a training would have left."""
    experiment = store.client.get_experiment_by_name("causalrec").experiment_id
    tags = {"partition": str(day), "dagster_run": dagster_run, "opened_by": dagster_run}
    run = store.client.create_run(experiment, tags=tags).info.run_id
    store.client.log_param(run, "seed", 1)
    store.client.log_metric(run, "click_log_loss", 0.25)
    if status != "RUNNING":
        store.client.set_terminated(run, status)
    return run


def test_a_release_continues_the_run_of_its_training(store):
    day = date(2026, 2, 1)
    mine = opened(store, day, "trains")
    opened(store, day, "trains", "KILLED")
    opened(store, day, "another")
    found = Tracking().mirror(store.home, training(day, trained_in="trains", dagster_run="releases"), None, LOG)
    assert "tracking" not in found
    assert mine in found["mlflow_run"]
    assert f"make mlflow DIR={store.home.root}" in found["mlflow_run"]
    run = store.client.get_run(mine)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"seed": "1"}
    assert run.data.metrics == {"click_log_loss": 0.25, "revenue_estimate": 0.5}
    assert len(store.client.get_metric_history(mine, "click_log_loss")) == 1
    tags = {"dagster_run": "trains", "release_dagster_run": "releases", "opened_by": "releases", "verdict": "better"}
    assert tags.items() <= run.data.tags.items()
    assert run.data.tags["dagster_url"] == "http://localhost:3000/runs/trains"
    assert run.data.tags["release_dagster_url"] == "http://localhost:3000/runs/releases"
    assert "(http://localhost:3000/runs/trains)" in run.data.tags["mlflow.note.content"]
    assert len(run_of(store, day)) == 3


def test_a_training_can_be_judged_again_with_another_policy(store):
    day = date(2026, 2, 2)
    mine = opened(store, day, "trains")
    other = bundle(day) | {"policy": {"temperature": 0.9}}
    for judged in (bundle(day), other):
        found = Tracking().mirror(store.home, training(day, trained_in="trains", bundle=judged), None, LOG)
        assert "tracking" not in found
    assert store.client.get_run(mine).data.tags["policy.temperature"] == "0.9"
    versions = store.client.search_model_versions(f"run_id='{mine}'")
    assert len({version.source for version in versions}) == 2


def test_a_release_whose_training_was_not_tracked_makes_a_run(store):
    day = date(2026, 2, 3)
    Tracking().mirror(store.home, training(day, trained_in="untracked"), None, LOG)
    (run,) = run_of(store, day)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"seed": "7"}


def test_a_server_that_is_down_is_told_and_a_password_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    down = Tracking(tracking_uri="http://someone:secret@127.0.0.1:9")
    found = down.mirror(Home(tmp_path), training(D1), champion(D1), LOG)
    assert "lacks the release" in found["tracking"]
    assert "`champion` may be old" in found["tracking"]
    assert "secret" not in str(found)
    assert list(tmp_path.iterdir()) == []


# -- runs that a kill has left open -----------------------------------------------------------------


def test_runs_left_open_by_a_dagster_run_are_ended_with_it(store):
    day = date(2026, 2, 4)
    left, done, other = (
        opened(store, day, "dead", "RUNNING"),
        opened(store, day, "dead"),
        opened(store, day, "alive", "RUNNING"),
    )
    assert Tracking().end_abandoned(store.home, "dead", "KILLED") == [left]
    assert [store.client.get_run(r).info.status for r in (left, done, other)] == ["KILLED", "FINISHED", "RUNNING"]
    assert store.client.get_run(left).data.tags["ended_because"] == "Dagster run dead has ended"
    assert Tracking().end_abandoned(store.home, "dead", "KILLED") == []
    assert Tracking().end_abandoned(store.home, "alive", "FAILED") == [other]


def test_a_release_that_goes_on_is_not_ended_with_the_run_that_trained(store):
    day = date(2026, 2, 5)
    mine = opened(store, day, "trains")
    store.client.set_tag(mine, "opened_by", "releases")
    store.client.update_run(mine, "RUNNING")
    assert Tracking().end_abandoned(store.home, "trains", "FAILED") == []
    assert Tracking().end_abandoned(store.home, "releases", "FAILED") == [mine]


def test_where_there_is_no_store_none_is_made(tmp_path):
    assert Tracking().end_abandoned(Home(tmp_path), "dead", "KILLED") == []
    assert Tracking().step_failed(Home(tmp_path), "dead") == []
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="not 'SUCCESS'"):
        Tracking().end_abandoned(Home(tmp_path), "dead", "SUCCESS")


# -- settings ---------------------------------------------------------------------------------------


def written(tmp_path, text):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tracking.yaml").write_text(text)
    return Home(tmp_path)


def test_a_person_says_in_data_where_experiments_are_tracked(tmp_path):
    home = written(tmp_path, "tracking_uri: https://me:secret@mlflow.example.org\nexperiment: shop\n")
    settings = Tracking().configured(home)
    assert (settings.experiment, settings.dagster_ui) == ("shop", "http://localhost:3000")
    assert Tracking().uri(home) == "https://me:secret@mlflow.example.org"
    assert settings.mlflow_url("7", "abc") == "https://mlflow.example.org/#/experiments/7/runs/abc"
    assert Tracking(experiment="other", mlflow_ui="http://localhost:5000/").configured(home).mlflow_url("7", "abc") == (
        "http://localhost:5000/#/experiments/7/runs/abc"
    )
    assert Tracking(experiment="other").configured(home).experiment == "other"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tracking_url: https://x\n", r"unknown key `tracking_url`; known are"),
        ("experiment: 7\n", "`experiment` must be text"),
        ("experiment: ''\n", "must be text: MLflow's name of the experiment"),
        ("dagster_ui: localhost:3000\n", "`dagster_ui` must be an address that begins with http://"),
        ("tracking_uri: ./mlruns\n", "given up stores of plain files"),
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        Tracking().configured(written(tmp_path, text))


def test_switched_off_it_records_nothing(tmp_path):
    assert Tracking(enabled=False).mirror(Home(tmp_path), training(D1), None, LOG) == {}
    assert list(tmp_path.iterdir()) == []


def test_the_resource_imports_mlflow_only_when_it_is_used():
    code = "import sys, resources.tracking.resource; print([m for m in ('mlflow', 'pandas') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
