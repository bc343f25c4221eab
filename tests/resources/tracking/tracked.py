"""Trainings that are tracked as the asset tracks them, and what MLflow has of them."""

from __future__ import annotations

import logging
from datetime import date, timedelta

import numpy as np
import pytest

from causalrec.model.outcome.calibration import OutcomeScores
from causalrec.model.outcome.plan import TrainingPlan
from causalrec.model.outcome.training import train_outcome_model
from resources.tracking.resource import Attempt, Tracking, held_out_metrics
from resources.tracking.tracker import Result
from tests.model.worlds import COLUMNS, SETTINGS

LOG = logging.getLogger("tests")
DAYS = (date(2026, 3, 1) + timedelta(days=k) for k in range(100))
CPU = {"accelerator": "cpu"}
READ = {
    "table:units:2026-03-01": "a" * 64,
    "table:units:2026-03-02": "b" * 64,
    "table:adjustment_sets:2026-03-15": "c" * 64,
    "setting:model.yaml": "d" * 64,
    "code:model": "e" * 64,
    "compute": "cpu:1:32-true:auto",
}
LATER = READ | {"table:units:2026-03-03": "f" * 64}
SCORES = {"click": OutcomeScores(model=0.3, constant=0.4, calibration_error=0.01)}


def train(world, loggers=(), checkpoints=None):
    half = np.full(world.units.height, 0.5)
    plan = TrainingPlan("both", world.units, tuple(COLUMNS), half, purchases=True)
    return train_outcome_model(plan, world.vectors, SETTINGS, 1, CPU, checkpoints, loggers)


def tracked(home, world, day, dagster_run="dagster", tracking=None, checkpoints=None):
    """A training as the asset makes it, without Dagster."""
    attempt = Attempt(day, dagster_run, {"seed": 1, "columns": COLUMNS}, READ)
    with (tracking or Tracking()).training(home, attempt, LOG) as run:
        trained = train(world, run.loggers(), checkpoints)
        metrics = {"best_epoch": trained.best_epoch + 1, **held_out_metrics(SCORES)}
        run.complete(Result(trained.curve, metrics, trained.model.save(), LATER))
    return trained, run


def runs_of(store, day):
    """Runs of a partition, oldest first."""
    experiment = store.client.get_experiment_by_name("causalrec")
    return store.client.search_runs(
        [experiment.experiment_id], f"tags.partition = '{day}'", order_by=["attributes.start_time ASC"]
    )


def curve_of(store, run, name="validation_loss"):
    return sorted((m.step, m.value) for m in store.client.get_metric_history(run.info.run_id, name))


def expected(trained, column=2):
    return [(row[0] + 1, pytest.approx(row[column])) for row in trained.curve]


def same(first, second):
    a, b = (t.model.save()["model.safetensors"] for t in (first, second))
    return a == b
