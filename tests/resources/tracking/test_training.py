"""A training's MLflow run: opened when it begins, ended with it, its curve whole."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import date
from types import SimpleNamespace

import pytest

from causalrec.home import Home
from causalrec.model.outcome.lightning import OutcomeTraining
from resources.tracking.resource import Attempt, Tracking
from tests.model.worlds import SETTINGS
from tests.resources.tracking.tracked import DAYS, LATER, LOG, curve_of, expected, runs_of, same, tracked, train


@contextmanager
def dying(monkeypatch, epoch, error):
    step = OutcomeTraining.training_step

    def dies(module, batch, index):
        if module.current_epoch == epoch and index == 1:
            raise error
        return step(module, batch, index)

    with monkeypatch.context() as patch:
        patch.setattr(OutcomeTraining, "training_step", dies)
        yield


# -- what is tracked --------------------------------------------------------------------------------


def test_a_training_is_one_finished_run_with_all_that_a_person_asks_for(store, world, day):
    trained, run = tracked(store.home, world, day)
    (found,) = runs_of(store, day)
    assert found.info.status == "FINISHED"
    assert found.data.params == {"seed": "1", "columns": "past_clicks, device"}
    assert curve_of(store, found) == expected(trained)
    assert curve_of(store, found, "training_loss") == expected(trained, 1)
    last = {"click_log_loss": 0.3, "click_log_loss_of_the_constant_rate": 0.4, "click_calibration_error": 0.01}
    assert last.items() <= found.data.metrics.items()
    assert found.data.metrics["best_epoch"] == trained.best_epoch + 1
    tags = found.data.tags
    assert (tags["dagster_run"], tags["opened_by"]) == ("dagster", "dagster")
    assert tags["data.units"].startswith("2026-03-01 to 2026-03-03, 3 days: ")
    assert tags["data.adjustment_sets"] == "2026-03-15: " + "c" * 16
    assert (tags["setting.model.yaml"], tags["code.model"]) == ("d" * 16, "e" * 16)
    assert tags["dagster_url"] == "http://localhost:3000/runs/dagster"
    assert "http://localhost:3000/runs/dagster" in tags["mlflow.note.content"]
    assert run.metadata.keys() == {"mlflow_run", "tensorboard"}
    assert run.metadata["mlflow_run"] == f"{found.info.run_id} (to see it: make mlflow DIR={store.home.root})"


def test_the_models_files_and_the_data_pointers_are_artefacts(store, world, day, tmp_path):
    trained, _ = tracked(store.home, world, day)
    (found,) = runs_of(store, day)

    def content(path):
        from pathlib import Path

        return Path(store.client.download_artifacts(found.info.run_id, path, str(tmp_path))).read_bytes()

    assert json.loads(content("inputs.json")) == LATER
    for name, file in trained.model.save().items():
        assert content(f"model/{name}") == file


def test_where_a_ui_is_known_the_run_is_a_link(store, day):
    with Tracking(mlflow_ui="http://localhost:5000").training(store.home, Attempt(day, "d"), LOG) as run:
        pass
    (found,) = runs_of(store, day)
    link = f"http://localhost:5000/#/experiments/{found.info.experiment_id}/runs/{found.info.run_id}"
    assert run.metadata["mlflow_run"].url == link


def test_the_weights_do_not_depend_on_who_watches(store, world, day):
    trained, _ = tracked(store.home, world, day)
    assert same(trained, train(world))


def test_the_curve_is_there_while_the_training_runs(store, world, day, monkeypatch):
    seen = []
    step = OutcomeTraining.training_step

    def looks(module, batch, index):
        if index == 0:
            (run,) = runs_of(store, day)
            seen.append((run.info.status, len(curve_of(store, run))))
        return step(module, batch, index)

    monkeypatch.setattr(OutcomeTraining, "training_step", looks)
    tracked(store.home, world, day)
    assert seen == [("RUNNING", k) for k in range(SETTINGS.epochs)]


def tensorboard(folder, name):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars(name)]


def test_tensorboard_logs_are_beside_it_and_a_step_tried_again_does_not_double_them(store, world, day):
    for _ in range(2):
        trained, run = tracked(store.home, world, day)
    folder = store.home.root / "tensorboard" / str(day) / "dagster"
    assert run.metadata["tensorboard"].path == str(folder)
    for name, column in {"training_loss": 1, "validation_loss": 2}.items():
        assert tensorboard(folder, name) == expected(trained, column)


# -- failure and kill -------------------------------------------------------------------------------


@pytest.mark.parametrize(("error", "status"), [(RuntimeError("broken"), "FAILED"), (SystemExit(1), "KILLED")])
def test_a_training_that_ends_badly_says_how(store, world, day, monkeypatch, error, status):
    with dying(monkeypatch, 1, error), pytest.raises(type(error)):
        tracked(store.home, world, day)
    (found,) = runs_of(store, day)
    assert found.info.status == status
    assert len(curve_of(store, found)) == 1
    import mlflow

    assert mlflow.active_run() is None


def test_an_interrupt_in_the_middle_of_a_write_leaves_no_locked_store(store):
    class Stop(BaseException):
        pass

    def stop(*_):
        raise Stop

    before = signal.signal(signal.SIGALRM, stop)
    try:
        for k in range(15):
            stopped = next(DAYS)
            with pytest.raises(Stop), Tracking().training(store.home, Attempt(stopped, f"stopped-{k}"), LOG) as run:
                curve = run.loggers()[0]
                signal.setitimer(signal.ITIMER_REAL, 0.02 + 0.007 * k)
                for step in range(100_000):
                    curve.log_metrics({"training_loss": 0.5, "validation_loss": 0.5}, step=step)
            assert run.troubles.told == []
            assert [r.info.status for r in runs_of(store, stopped)] == ["KILLED"]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


KILLED = """
import os, signal, sys
from datetime import date
from pathlib import Path
from causalrec.home import Home
from causalrec.model.outcome.lightning import OutcomeTraining
from tests.resources.tracking.tracked import tracked
from tests.model.worlds import toy

step = OutcomeTraining.training_step

def dies(module, batch, index):
    if module.current_epoch == 2 and index == 1:
        print([m for m in ("wandb",) if m in sys.modules], flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    return step(module, batch, index)

OutcomeTraining.training_step = dies
root, day, checkpoints = sys.argv[1:]
tracked(Home(Path(root)), toy(5, users=60), date.fromisoformat(day), "killed", checkpoints=Path(checkpoints))
"""


def kill(home, day, checkpoints):
    command = [sys.executable, "-W", "ignore", "-c", KILLED, str(home.root), str(day), str(checkpoints)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_killed_training_is_ended_with_its_dagster_run_and_resumed_with_a_whole_curve(store, world, day, tmp_path):
    told = kill(store.home, day, tmp_path)
    assert told.splitlines()[-1] == "[]", "W&B was imported without a key"
    (left,) = runs_of(store, day)
    assert left.info.status == "RUNNING"
    assert [step for step, _ in curve_of(store, left)] == [1, 2]
    assert Tracking().end_abandoned(store.home, "killed", "FAILED") == [left.info.run_id]

    resumed, _ = tracked(store.home, world, day, "resumed", checkpoints=tmp_path)
    first, second = runs_of(store, day)
    assert (first.info.status, second.info.status) == ("FAILED", "FINISHED")
    assert same(resumed, train(world))
    for name, column in {"training_loss": 1, "validation_loss": 2}.items():
        assert curve_of(store, second, name) == expected(resumed, column)
        folder = store.home.root / "tensorboard" / str(day) / "resumed"
        assert tensorboard(folder, name) == expected(resumed, column)


def test_the_next_attempt_closes_what_a_kill_has_left_open(store, day):
    other = next(DAYS)
    experiment = store.client.get_experiment_by_name("causalrec").experiment_id
    left, others = (
        store.client.create_run(experiment, tags={"partition": str(d), "opened_by": "killed"}).info.run_id
        for d in (day, other)
    )
    with Tracking().training(store.home, Attempt(day, "next"), LOG):
        assert store.client.get_run(left).info.status == "KILLED"
    assert store.client.get_run(left).data.tags["ended_because"] == "abandoned; next attempt: Dagster run next"
    assert runs_of(store, day)[-1].data.tags["previous_attempt"] == left
    assert store.client.get_run(others).info.status == "RUNNING"
    store.client.set_terminated(others)


def test_a_finished_training_that_is_resumed_has_its_curve_too(store, world, day, tmp_path):
    tracked(store.home, world, day, checkpoints=tmp_path)
    trained, _ = tracked(store.home, world, day, "again", checkpoints=tmp_path)
    assert [curve_of(store, run) for run in runs_of(store, day)] == [expected(trained)] * 2


# -- when tracking fails ----------------------------------------------------------------------------


def test_a_server_that_is_down_does_not_cost_the_training_and_is_told(tmp_path, world, day, monkeypatch, caplog):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    down = Tracking(tracking_uri="http://127.0.0.1:9")
    trained, run = tracked(Home(tmp_path), world, day, tracking=down)
    assert same(trained, train(world))
    assert run.metadata["tracking"].startswith("incomplete: no MLflow run could be opened for this training")
    assert "no MLflow run could be opened" in caplog.text
    assert "mlflow_run" not in run.metadata
    assert tensorboard(tmp_path / "tensorboard" / str(day) / "dagster", "training_loss") == expected(trained, 1)


def test_a_server_that_is_away_for_a_while_gets_the_whole_curve_in_the_end(store, world, day, monkeypatch, caplog):
    from lightning.pytorch.loggers import MLFlowLogger

    log = MLFlowLogger.log_metrics

    def away(logger, metrics, step=None):
        if step == 2:
            raise ConnectionError("away")
        log(logger, metrics, step)

    monkeypatch.setattr(MLFlowLogger, "log_metrics", away)
    trained, run = tracked(store.home, world, day)
    (found,) = runs_of(store, day)
    assert found.info.status == "FINISHED"
    assert curve_of(store, found) == expected(trained)
    assert "MLflow has the curve in part only; the training goes on: ConnectionError: away" in caplog.text
    assert "ConnectionError: away" in run.metadata["tracking"]


def test_switched_off_nothing_is_tracked(tmp_path, world, day):
    trained, run = tracked(Home(tmp_path), world, day, tracking=Tracking(enabled=False))
    assert list(tmp_path.iterdir()) == []
    assert run.metadata == {}
    assert len(trained.curve) == SETTINGS.epochs


# -- two at once ------------------------------------------------------------------------------------

AT_ONCE = """
import logging, sys, time
from datetime import date
from pathlib import Path
from causalrec.home import Home
from resources.tracking.mlflow import import_mlflow
from resources.tracking.resource import Attempt, Tracking
from resources.tracking.tracker import Result

root, day, start = Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), float(sys.argv[3])
import_mlflow()
import dagster_mlflow
time.sleep(max(0, start - time.time()))
with Tracking().training(Home(root), Attempt(day, f"run of {day}", {"seed": 1}), logging.getLogger("x")) as run:
    curve = [(epoch, 0.5, 0.5) for epoch in range(40)]
    run.complete(Result(curve, {"best_epoch": 1.0}, {"card.json": b"{}"}, {}))
print(run.metadata.get("tracking", "complete"))
"""


@pytest.mark.slow
def test_two_trainings_at_once_in_a_store_that_is_not_there_yet(tmp_path):
    import time

    days = [date(2026, 3, 1), date(2026, 3, 2)]
    start = str(time.time() + 8)
    command = [sys.executable, "-W", "ignore", "-c", AT_ONCE, str(tmp_path)]
    both = [subprocess.Popen([*command, str(d), start], stdout=-1, stderr=-1, text=True) for d in days]
    for process in both:
        said, problems = process.communicate(timeout=200)
        assert said.splitlines()[-1:] == ["complete"], problems
    from mlflow.tracking import MlflowClient

    uri = Tracking().uri(Home(tmp_path))
    there = SimpleNamespace(client=MlflowClient(uri, uri))
    for d in days:
        (found,) = runs_of(there, d)
        assert found.info.status == "FINISHED"
        assert [step for step, _ in curve_of(there, found)] == list(range(1, 41))
