"""One more tracker is one line in the registry; what it gets, and that its failures are its own."""

from importlib.metadata import EntryPoint

import pytest

from causalrec.home import Home
from causalrec.model.outcome.lightning import OutcomeTraining
from resources.tracking import GROUP, TRACKERS, trackers
from resources.tracking.resource import Attempt, Tracking
from tests.resources.tracking.tracked import LATER, LOG, expected, same, tracked, train


class Notebook:
    """A tracker that writes all down, given to the training by a line in the registry."""

    name, label = "notebook", "Notebook"
    kept: list["Notebook"]

    def __init__(self, run):
        self.run, self.steps, self.result, self.status = run, [], None, None
        self.began = False
        self.kept.append(self)

    def begin(self):
        self.began = True

    def loggers(self):
        from lightning.pytorch.loggers import CSVLogger

        outer = self

        class Steps(CSVLogger):
            def log_metrics(self, metrics, step=None):
                outer.steps.append((step, metrics["validation_loss"]))

            def save(self):
                pass

        return [Steps(self.run.home.root / "notebook")]

    def complete(self, result):
        self.result = result

    def end(self, status):
        self.status = status

    @property
    def metadata(self):
        return {"notebook": f"page of {self.run.attempt.partition}"}


class Broken(Notebook):
    """Raises whenever it is spoken to, its logger too."""

    name, label = "broken", "Broken"

    def begin(self):
        raise ConnectionError("no server")

    def loggers(self):
        (logger,) = super().loggers()

        def breaks(metrics, step=None):
            raise ConnectionError("no curve")

        logger.log_metrics = breaks
        return [logger]

    def complete(self, *_):
        raise ConnectionError("no result")

    def end(self, status):
        raise ConnectionError("no end")

    @property
    def metadata(self):
        raise ConnectionError("no link")


@pytest.fixture
def only(monkeypatch):
    """A function that makes a tracker the only one."""

    def register(tracker):
        tracker.kept = []
        monkeypatch.setattr("resources.tracking.TRACKERS", {tracker.name: tracker})

    return register


def test_one_line_brings_a_tracker_the_curve_the_metrics_and_the_files(only, tmp_path, world, day):
    only(Notebook)
    trained, run = tracked(Home(tmp_path), world, day)
    (notebook,) = Notebook.kept
    assert notebook.began
    assert notebook.run.attempt.partition == day
    assert notebook.steps == expected(trained)
    result = notebook.result
    assert (result.curve, result.metrics["best_epoch"]) == (trained.curve, trained.best_epoch + 1)
    assert result.metrics["click_log_loss"] == 0.3
    assert result.files.keys() == {"model.safetensors", "card.json"}
    assert result.inputs == LATER
    assert notebook.status == "FINISHED"
    assert run.metadata == {"notebook": f"page of {day}"}


@pytest.mark.parametrize(("error", "status"), [(RuntimeError("broken"), "FAILED"), (SystemExit(1), "KILLED")])
def test_a_tracker_is_told_how_a_training_failed(only, tmp_path, world, day, monkeypatch, error, status):
    def dies(*_):
        raise error

    only(Notebook)
    monkeypatch.setattr(OutcomeTraining, "training_step", dies)
    with pytest.raises(type(error)):
        tracked(Home(tmp_path), world, day)
    (notebook,) = Notebook.kept
    assert (notebook.status, notebook.result) == (status, None)


def test_a_tracker_that_fails_at_everything_costs_nothing_and_is_told(only, tmp_path, world, day):
    only(Broken)
    trained, run = tracked(Home(tmp_path), world, day)
    assert same(trained, train(world))
    message = run.metadata["tracking"]
    for words in ("no server", "no curve", "no result", "no end", "no link"):
        assert f"ConnectionError: {words}" in message
    assert "notebook" not in run.metadata


def test_a_tracker_that_cannot_be_made_leaves_the_others(tmp_path, day, monkeypatch):
    class Impossible:
        name, label = "impossible", "Impossible"

        def __init__(self, run):
            raise OSError("no room")

    two = {"impossible": Impossible, "tensorboard": TRACKERS["tensorboard"]}
    monkeypatch.setattr("resources.tracking.TRACKERS", two)
    with Tracking().training(Home(tmp_path), Attempt(day, "d"), LOG) as run:
        assert [logger.name for logger in run.loggers()] == ["TensorBoard"]
    assert "impossible does not track this training: OSError: no room" in run.metadata["tracking"]


def installed(monkeypatch, *points):
    monkeypatch.setattr("causalrec.plugins.entry_points", lambda group: [p for p in points if p.group == group])


def test_a_package_brings_a_tracker_by_an_entry_point(monkeypatch):
    installed(monkeypatch, EntryPoint("notebook", f"{__name__}:Notebook", GROUP))
    assert list(trackers()) == [*TRACKERS, "notebook"]
    assert trackers()["notebook"] is Notebook


def test_a_package_whose_tracker_is_none_costs_no_training_and_is_told(tmp_path, day, monkeypatch):
    monkeypatch.setattr("resources.tracking.attempt.TRACKERS", {"tensorboard": TRACKERS["tensorboard"]})
    installed(monkeypatch, EntryPoint("page", f"{__name__}:installed", GROUP))
    with Tracking().training(Home(tmp_path), Attempt(day, "d"), LOG) as run:
        assert [logger.name for logger in run.loggers()] == ["TensorBoard"]
    assert "page" in run.metadata["tracking"]
    assert "is no Tracker: it lacks" in run.metadata["tracking"]


def test_mlflow_comes_first():
    assert list(TRACKERS) == ["mlflow", "tensorboard", "wandb"]
    assert all(tracker.name == name for name, tracker in TRACKERS.items())
