"""Training: what the loss divides by, what it may read, and that a killed run ends as an unbroken one."""

import warnings
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from causalrec.answers import InputError
from causalrec.estimators.scores import log_loss
from causalrec.model.outcome.lightning import Batches, OutcomeTraining
from causalrec.model.outcome.network import OutcomeNetwork
from causalrec.model.outcome.plan import TrainingPlan
from causalrec.model.outcome.training import (
    inverse_propensity_weights,
    last_day,
    train_outcome_model,
)
from tests.model.worlds import COLUMNS, SETTINGS, toy

CPU = {"accelerator": "cpu"}


def train(world, arms="both", settings=SETTINGS, vectors="own", checkpoints=None, purchases=True, seed=1):
    units = world.units if arms == "both" else world.units.filter(pl.col("recommended") == 1)
    propensity = np.full(units.height, 0.5) if arms == "both" else None
    vectors = world.vectors if vectors == "own" else vectors
    plan = TrainingPlan(arms, units, tuple(COLUMNS), propensity, purchases)
    return train_outcome_model(plan, vectors, settings, seed, CPU, checkpoints)


def weights_of(trained):
    return {name: value.numpy() for name, value in trained.model.network.state_dict().items()}


def same(first, second):
    a, b = weights_of(first), weights_of(second)
    return all((a[name] == b[name]).all() for name in a)


# -- the weights of the loss ------------------------------------------------------------------------


def test_the_loss_divides_by_the_treatment_propensity_of_the_arm_taken():
    weights, level = inverse_propensity_weights(np.array([1.0, 0.0]), np.array([0.8, 0.8]), quantile=1.0)
    assert weights.tolist() == pytest.approx([0.5 / 0.8, 0.5 / 0.2])
    assert level == pytest.approx(2.5)


def test_stabilised_weights_have_mean_one_in_each_arm():
    rng = np.random.default_rng(1)
    e = rng.uniform(0.2, 0.8, size=200_000)
    t = (rng.random(len(e)) < e).astype(float)
    weights, _ = inverse_propensity_weights(t, e, quantile=1.0)
    assert weights[t == 1].mean() == pytest.approx(1, abs=0.01)
    assert weights[t == 0].mean() == pytest.approx(1, abs=0.01)


def test_weights_are_cut_at_the_windows_quantile():
    e = np.array([0.5] * 99 + [0.001])
    weights, level = inverse_propensity_weights(np.ones(100), e, quantile=0.98)
    assert level == 2.0
    assert weights.max() == 2.0


def test_an_impossible_propensity_is_refused():
    with pytest.raises(ValueError, match=r"lie in \(0, 1\)"):
        inverse_propensity_weights(np.array([1.0, 0.0]), np.array([0.5, 1.0]), 1.0)


def test_the_loss_by_hand():
    network = OutcomeNetwork(covariates=1, content=0, content_width=1, hidden=2)
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.no_grad():
        network.heads.bias.copy_(torch.tensor([-1.0, 1.0, 0.0, 2.0]))
    module = OutcomeTraining(network, None, True, 0.01, 0.0)
    batch = {
        "covariates": torch.zeros(2, 1),
        "item": torch.zeros(2, dtype=torch.long),
        "arm": torch.tensor([1.0, 0.0]),
        "weight": torch.tensor([3.0, 1.0]),
        "click": torch.tensor([1.0, 0.0]),
        "purchase": torch.tensor([1.0, 0.0]),
    }
    # Recommended, clicked, bought: -log s(1) - log s(2). Not recommended, no click: -log(1 - s(-1)).
    first, second = np.log1p(np.exp(-1)) + np.log1p(np.exp(-2)), np.log1p(np.exp(-1))
    assert float(module.loss(batch).detach()) == pytest.approx((3 * first + second) / 4, rel=1e-5)


def test_reweighting_takes_the_confounding_out_of_the_models_mean_effect():
    world = toy(11, users=1500)
    # The model reads the device alone; past clicks confound, and only the weights know them.
    past = np.log1p(world.units["past_clicks"].to_numpy())
    mobile = world.units["device"].to_numpy() == "mobile"
    e = 1 / (1 + np.exp(-(-1.0 + 0.8 * past - 0.6 * mobile)))
    uncut, effects = SETTINGS.model_copy(update={"weight_quantile": 1.0}), {}
    for name, propensity in {"weighted": e, "not": np.full(len(e), 0.5)}.items():
        plan = TrainingPlan("both", world.units, ("device",), propensity, purchases=False)
        trained = train_outcome_model(plan, None, uncut, 1, CPU)
        p = trained.model.predict(world.units, None)
        effects[name] = float((p.click_if_recommended - p.click_if_not).mean())
    bias = {name: effect - world.click_effect for name, effect in effects.items()}
    assert bias["not"] > 0.03
    assert abs(bias["weighted"]) < bias["not"] / 3


# -- which columns and rows -------------------------------------------------------------------------


def test_the_last_training_day_chooses_the_epoch():
    world = toy(1, users=30)
    chosen = world.units.filter(pl.Series(last_day(world.units)))
    assert chosen["day"].unique().to_list() == [world.units["day"].max()]


def test_of_a_single_day_the_last_tenth_chooses_it():
    assert np.flatnonzero(last_day(toy(1, users=4, rows=10, days=1).units)).tolist() == [36, 37, 38, 39]


def test_the_weights_kept_are_those_of_the_best_epoch():
    trained = train(toy(2))
    losses = [validation for _, _, validation in trained.curve]
    assert len(losses) == SETTINGS.epochs
    assert losses[trained.best_epoch] == min(losses)
    stopped = train(toy(2), settings=SETTINGS.model_copy(update={"epochs": trained.best_epoch + 1}))
    assert same(trained, stopped)


def test_on_other_units_of_the_world_the_model_beats_the_constant_rate():
    world, other = toy(3, users=800), toy(30)
    p = train(world).model.predict(other.units, other.vectors)
    t = other.units["recommended"].to_numpy()
    y = other.units["click"].to_numpy().astype(float)
    model = log_loss(y, np.where(t == 1, p.click_if_recommended, p.click_if_not))
    rates = [world.units.filter(pl.col("recommended") == arm)["click"].mean() for arm in (0, 1)]
    assert model < log_loss(y, np.array(rates)[t]) - 0.02


# -- repeat and resume ------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    world = toy(4, users=60)
    assert same(train(world), train(world))
    assert not same(train(world), train(world, seed=2))


def test_training_leaves_the_process_as_it_found_it():
    torch.manual_seed(99)
    expected = torch.rand(3)
    torch.manual_seed(99)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(toy(4, users=30))
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.rand(3), expected)


def test_training_prints_nothing_and_leaves_no_folder(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    train(toy(4, users=30))
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("killed_in", [1, 3])
def test_a_killed_training_resumes_to_the_same_weights_and_curve(tmp_path, monkeypatch, killed_in):
    world = toy(5, users=60)
    unbroken = train(world)
    step = OutcomeTraining.training_step

    def dies(module, batch, index):
        if module.current_epoch == killed_in and index == 1:
            raise RuntimeError("killed")
        return step(module, batch, index)

    monkeypatch.setattr(OutcomeTraining, "training_step", dies)
    with pytest.raises(RuntimeError, match="killed"):
        train(world, checkpoints=tmp_path)
    monkeypatch.setattr(OutcomeTraining, "training_step", step)
    resumed = train(world, checkpoints=tmp_path)
    assert same(resumed, unbroken)
    assert resumed.curve == unbroken.curve
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_resuming_a_finished_training_trains_no_more(tmp_path, monkeypatch):
    world = toy(5, users=60)
    finished = train(world, checkpoints=tmp_path)

    def never(module, batch, index):
        raise AssertionError("a finished training was trained on")

    monkeypatch.setattr(OutcomeTraining, "training_step", never)
    assert same(train(world, checkpoints=tmp_path), finished)


def test_the_order_of_an_epochs_rows_depends_on_seed_and_epoch_only():
    rows = np.arange(10)
    batches = Batches(rows, 4, seed=1)
    first = [b.tolist() for b in batches]
    batches.set_epoch(1)
    second = [b.tolist() for b in batches]
    batches.set_epoch(0)
    assert [b.tolist() for b in batches] == first != second
    assert sorted(row for batch in second for row in batch) == rows.tolist()
    assert len(batches) == len(first) == 3
    assert [b.tolist() for b in Batches(rows, 6, seed=None)] == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9]]


# -- refusals ---------------------------------------------------------------------------------------


def test_what_cannot_be_trained_says_why():
    world = toy(6, users=10)
    plan = TrainingPlan("both", world.units, tuple(COLUMNS), np.full(world.units.height, 0.5), purchases=True)
    gaps = world.units.with_columns(purchase=pl.lit(None, pl.Int8))
    with pytest.raises(ValueError, match="divides by treatment propensities"):
        train_outcome_model(replace(plan, propensity=None), None, SETTINGS, 1, CPU)
    with pytest.raises(ValueError, match="recommended units only"):
        train_outcome_model(replace(plan, arms="shown"), None, SETTINGS, 1, CPU)
    with pytest.raises(InputError, match="at least two training units, got 1"):
        train_outcome_model(replace(plan, rows=world.units.head(1)), None, SETTINGS, 1, CPU)
    with pytest.raises(InputError, match=r"cannot learn \['purchase'\]"):
        train_outcome_model(replace(plan, rows=gaps), None, SETTINGS, 1, CPU)
