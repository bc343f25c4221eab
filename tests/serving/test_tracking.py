"""The registry mirrors the release log. One store for all tests: making one takes seconds."""

import json
import logging
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from causalrec_assets.gate.releases import Champion
from causalrec_assets.home import Home
from causalrec_assets.serving.bundle import bundle_hash
from resources.tracking import MODEL, Tracking, Training

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
        "metrics": {"click_model": 0.3},
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
    assert run.data.params == {"policy.temperature": "0.5", "objective.lambda": "0.5", "seed": "7"}
    assert run.data.metrics == {"click_model": 0.3}


def test_the_bundle_is_logged_as_it_is_and_nothing_is_pickled(store, tmp_path):
    (run,) = run_of(store, D1)
    files = {f.path for f in store.client.list_artifacts(run.info.run_id, "bundle")}
    assert files == {"bundle/bundle.json", "bundle/card.json", "bundle/model.safetensors"}
    path = store.client.download_artifacts(run.info.run_id, "bundle/bundle.json", str(tmp_path))
    assert json.loads(Path(path).read_bytes()) == bundle(D1)


def test_everything_stays_in_the_home(store):
    assert {path.name for path in store.home.root.iterdir()} == {"mlflow.db", "mlflow-artifacts"}


def test_the_aliases_follow_the_release_log(store):
    assert aliases(store) == {"challenger": str(D1), "champion": str(D1)}
    Tracking().mirror(store.home, training(D2), champion(D1), LOG)
    assert aliases(store) == {"challenger": str(D2), "champion": str(D1)}
    # The run that moved the champion died before it set the alias: the next one sets it right.
    Tracking().mirror(store.home, training(D2), champion(D2, 2), LOG)
    assert aliases(store) == {"challenger": str(D2), "champion": str(D2)}


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


def test_a_run_that_fails_is_ended_as_failed(store):
    day = date(2026, 3, 12)
    with pytest.raises(Exception, match='Invalid value "much"'):
        Tracking().mirror(store.home, training(day, metrics={"loss": "much"}), None, LOG)
    (run,) = run_of(store, day)
    assert run.info.status == "FAILED"
    import mlflow

    assert mlflow.active_run() is None


def test_two_partitions_of_one_dagster_run_have_a_run_each(store):
    days = (date(2026, 3, 8), date(2026, 3, 9))
    for day in days:
        Tracking().mirror(store.home, training(day, dagster_run="backfill"), None, LOG)
    assert [len(run_of(store, day)) for day in days] == [1, 1]


def test_switched_off_it_records_nothing(tmp_path):
    assert Tracking(enabled=False).mirror(Home(tmp_path), training(D1), None, LOG) == {}
    assert list(tmp_path.iterdir()) == []


def test_the_resource_imports_mlflow_only_when_it_is_used():
    code = "import sys, resources.tracking; print([m for m in ('mlflow', 'pandas') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )
