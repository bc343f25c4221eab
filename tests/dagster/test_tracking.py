"""The step that trains and its MLflow run lead to each other."""

from datetime import timedelta
from types import SimpleNamespace

import yaml

from resources.tracking.resource import Tracking
from tests.resources.tracking.tracked import runs_of
from tests.worlds import FIRST, materialise, words


def materialised(result, asset):
    (event,) = [e for e in result.get_asset_materialization_events() if e.asset_key.path[-1] == asset]
    return event.materialization.metadata


def test_the_steps_and_the_run_lead_to_each_other(own_home):
    newest = FIRST + timedelta(days=5)
    settings = own_home.data / "tracking.yaml"
    settings.write_text(settings.read_text().replace('mlflow_ui: ""', "mlflow_ui: http://localhost:5000"))
    learned = materialise(own_home, newest, ["outcome_model"], tracking=True)
    assert learned.success, words(learned)
    metadata = materialised(learned, "outcome_model")
    from mlflow.tracking import MlflowClient

    uri = Tracking().uri(own_home)
    there = SimpleNamespace(client=MlflowClient(uri, uri))
    (run,) = runs_of(there, newest)
    assert metadata["mlflow_run"].value.endswith(f"/runs/{run.info.run_id}")
    assert metadata["tensorboard"].value == str(own_home.root / "tensorboard" / str(newest) / learned.run_id)
    assert "tracking" not in metadata
    assert run.info.status == "FINISHED"
    assert run.data.tags["dagster_url"] == f"http://localhost:3000/runs/{learned.run_id}"
    days = {"window_days": "4", "judgement_days": "2", "train_first_day": "2026-03-02", "judge_last_day": str(newest)}
    assert (days | {"arms": "both", "seed": "1", "model.epochs": "4"}).items() <= run.data.params.items()
    assert run.data.tags["data.units"].startswith("2026-03-02 to 2026-03-07, 6 days")

    # Where people look at experiments is no input: nothing became stale, and the release continues the same run.
    settings.write_text(settings.read_text().replace("5000", "5001"))
    after = ["target_policy", "off_policy_report", "effect_report", "evaluation_report", "release"]
    released = materialise(own_home, newest, after, tracking=True)
    assert released.success, words(released)
    metadata = materialised(released, "release")
    (same_run,) = runs_of(there, newest)
    assert (same_run.info.run_id, same_run.info.status) == (run.info.run_id, "FINISHED")
    assert metadata["mlflow_run"].value.startswith("http://localhost:5001/#/experiments/")
    assert metadata["mlflow_run"].value.endswith(f"/runs/{run.info.run_id}")
    assert "tracking" not in metadata
    tags = same_run.data.tags
    assert (tags["dagster_run"], tags["release_dagster_run"]) == (learned.run_id, released.run_id)
    assert tags["verdict"] == metadata["verdict"].value
    assert "satisfaction_estimate" in same_run.data.metrics
    assert metadata["registered_version"].value == "1"


def test_what_the_gate_refuses_has_failed_in_mlflow_too(own_home):
    newest = FIRST + timedelta(days=5)
    contract = own_home.data / "contracts" / "outcome_model.yaml"
    never = yaml.safe_load(contract.read_text())
    never["rules"].append({"name": "never", "holds": "click > 1", "why": "planted"})
    contract.write_text(yaml.safe_dump(never))
    result = materialise(own_home, newest, ["outcome_model"], tracking=True)
    assert not result.success
    from mlflow.tracking import MlflowClient

    uri = Tracking().uri(own_home)
    (run,) = runs_of(SimpleNamespace(client=MlflowClient(uri, uri)), newest)
    assert run.info.status == "FAILED"
    assert run.data.tags["dagster_run"] == result.run_id
