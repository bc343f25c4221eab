"""Training the outcome model with Lightning: quiet, seeded, resumable."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from causalrec.answers import InputError
from causalrec.arrays import Codes, Floats, Mask
from causalrec.embeddings.item_vectors import ItemVectors
from causalrec.engine.threads import one_thread
from causalrec.estimators.weights import clip_level
from causalrec.model.design_matrix import DesignMatrix
from causalrec.model.outcome.lift import Lift, LiftRows, fit_lift
from causalrec.model.outcome.model import OutcomeModel
from causalrec.model.outcome.plan import TrainingPlan
from causalrec.settings.model import ModelSettings

if TYPE_CHECKING:
    import torch

VALIDATION_ROWS = 65_536


@dataclass(frozen=True)
class Trained:
    """A model and how its training went.

    Attributes:
        model: With the weights of the best epoch.
        curve: (epoch, training loss, validation loss) of each epoch.
        best_epoch: The epoch whose weights the model has, from 0.
        clip: The level at which inverse-propensity weights were cut.
    """

    model: OutcomeModel
    curve: list[tuple[int, float, float]]
    best_epoch: int
    clip: float


def inverse_propensity_weights(arm: Floats, propensity: Floats, quantile: float) -> tuple[Floats, float]:
    """Stabilised inverse-propensity weights of the loss, cut at a quantile of the training window.

    w = P(T = t) / P(T = t | x), then min(w, q), where q is the quantile of all w

    It divides by the treatment propensity of the arm that was taken: e(x) of a treated unit, 1 - e(x) of another.

    Args:
        arm: t, (n,), 0 or 1.
        propensity: e(x) = P(T = 1 | x), (n,), in (0, 1), cross-fitted.
        quantile: In (0, 1].

    Returns:
        Weights (n,), and the level at which they were cut.

    Raises:
        ValueError: A propensity is not in (0, 1), or the quantile not in (0, 1].

    Source:
        Robins, Hernan and Brumback (2000), Epidemiology 11(5), stabilised weights; cut as in Cole and Hernan
        (2008), American Journal of Epidemiology 168(6).

    Not for:
        An estimate that is reported: cutting moves it. A loss trades that bias for variance.
    """
    if not ((propensity > 0) & (propensity < 1)).all():
        raise ValueError("treatment propensities must lie in (0, 1)")
    taken = np.where(arm == 1, propensity, 1 - propensity)
    share = np.where(arm == 1, arm.mean(), 1 - arm.mean())
    weights = share / taken
    level = clip_level(weights, quantile)
    return np.minimum(weights, level), level


def train_outcome_model(
    plan: TrainingPlan,
    vectors: ItemVectors | None,
    settings: ModelSettings,
    seed: int,
    trainer_kwargs: Mapping[str, Any],
    checkpoints: Path | None = None,
    loggers: Sequence[Any] = (),
) -> Trained:
    """Fit on the training window.

    The last training day chooses the epoch; no judgement day is read.

    Args:
        plan: The units to learn from, what is read of them, in which arms, and the propensities that the loss divides
            by; with arms "shown" every unit weighs 1.
        vectors: Item content; None where it is not available.
        trainer_kwargs: From the compute resource.
        checkpoints: Where to keep the last epoch; a run that was killed resumes from it, to the same weights
            on CPU.
        loggers: Lightning's; they are given the curve as it grows, on a resume from its first epoch. The
            weights do not depend on them.

    Returns:
        The trained model, on the CPU.

    Raises:
        ValueError: arms "both" without propensities, or "shown" with units that were not shown.
        InputError: There are fewer than two units, or an outcome to learn from is missing.
    """
    import lightning
    import torch

    from causalrec.model.outcome.lightning import OutcomeTraining, Progress, loader
    from causalrec.model.outcome.network import OutcomeNetwork

    weights, clip = _weights(plan, settings)
    design = DesignMatrix.fit(plan.rows, plan.columns)
    tensors = _tensors(plan, design, vectors, weights)
    validation = last_day(plan.rows)
    # One thread, so that the weights, which a bundle is named by, are the same on any machine of this kind.
    with one_thread(), _seeded(seed):
        matrix = torch.from_numpy(vectors.padded()) if vectors else None
        width = matrix.shape[1] if matrix is not None else 0
        network = OutcomeNetwork(design.width, width, settings.content_width, settings.hidden)
        module = OutcomeTraining(network, matrix, plan.purchases, settings.learning_rate, settings.weight_decay)
        progress = Progress()
        with _quiet():
            trainer = lightning.Trainer(
                max_epochs=settings.epochs,
                logger=list(loggers) or False,
                callbacks=[progress, *_checkpointing(checkpoints)],
                # A bar only where a person waits.
                enable_progress_bar=sys.stderr.isatty(),
                enable_model_summary=False,
                num_sanity_val_steps=0,
                enable_checkpointing=checkpoints is not None,
                deterministic=True,
                **trainer_kwargs,
            )
            trainer.fit(
                module,
                train_dataloaders=loader(tensors, np.flatnonzero(~validation), settings.batch_rows, seed),
                val_dataloaders=loader(tensors, np.flatnonzero(validation), VALIDATION_ROWS, None),
                ckpt_path=_last(checkpoints),
            )
            progress.show(trainer)
    network.cpu().load_state_dict(progress.state)
    model = OutcomeModel(network.eval(), design, plan.arms, plan.purchases)
    return Trained(model, progress.curve, progress.best_epoch, clip)


def lift_of(
    plan: TrainingPlan,
    model: OutcomeModel,
    vectors: ItemVectors | None,
    cluster: Codes,
    settings: ModelSettings,
    seed: int,
) -> Lift | None:
    """What recommending adds, shrunk; None where the plan has one arm.

    Args:
        model: That the plan has trained.
        vectors: As in `train_outcome_model`.
        cluster: Of each unit of the plan, (n,).
        settings: Its folds are of whole clusters.
    """
    if plan.arms != "both" or plan.propensity is None:
        return None
    x = model.design.transform(plan.rows)
    items = vectors.rows(plan.rows["item_id"]) if vectors and model.reads_content else None
    p = model.predict_matrix(x, items, vectors)
    if p.click_if_not is None:
        return None
    shown, met = {"click": p.click_if_recommended}, {"click": p.click_if_not}
    if p.purchase_if_recommended is not None and p.purchase_if_not is not None:
        shown["purchase"], met["purchase"] = p.purchase_if_recommended, p.purchase_if_not
    outcome = {name: plan.rows[name].to_numpy().astype(np.float64) for name in shown}
    recommended = plan.rows["recommended"].to_numpy().astype(np.float64)
    rows = LiftRows(x, outcome, shown, met, recommended, plan.propensity, cluster)
    return fit_lift(rows, settings.folds, seed)


def last_day(units: pl.DataFrame) -> Mask:
    """The rows that choose the epoch: the last training day, or the last tenth where there is one day
    only."""
    days = units["day"]
    last = np.asarray((days == days.max()).to_numpy(), dtype=np.bool_)
    if last.all():
        last = np.arange(len(last)) >= len(last) - max(1, len(last) // 10)
    return last


def _weights(plan: TrainingPlan, settings: ModelSettings) -> tuple[Floats, float]:
    """The weight of each unit in the loss, (n,), and the level at which the weights were cut."""
    units = plan.rows
    if units.height < 2:
        raise InputError(f"the outcome model needs at least two training units, got {units.height}")
    arm = units["recommended"].to_numpy().astype(np.float64)
    if plan.arms == "both":
        if plan.propensity is None:
            raise ValueError("the loss of both arms divides by treatment propensities; none is given")
        return inverse_propensity_weights(arm, plan.propensity, settings.weight_quantile)
    if plan.arms != "shown" or not (arm == 1).all():
        raise ValueError(f"arms are `both`, or `shown` with recommended units only; got {plan.arms!r}")
    return np.ones(len(arm)), 1.0


def _tensors(
    plan: TrainingPlan, design: DesignMatrix, vectors: ItemVectors | None, weights: Floats
) -> dict[str, torch.Tensor]:
    """What the network reads and learns, each with a row per unit."""
    import torch

    units, outcomes = plan.rows, ("click", "purchase") if plan.purchases else ("click",)
    if missing := [y for y in outcomes if units[y].null_count()]:
        raise InputError(f"the outcome model cannot learn {missing}: missing in some of the training units")
    item = vectors.rows(units["item_id"]) if vectors else np.zeros(units.height, dtype=np.int64)
    numbers = {"arm": units["recommended"].to_numpy(), "weight": weights}
    numbers |= {y: units[y].to_numpy() for y in outcomes}
    return {
        # Polars hands out read-only memory: copied, for tensors can be written to.
        "covariates": torch.tensor(design.transform(units)),
        "item": torch.tensor(item),
        **{name: torch.tensor(values, dtype=torch.float32) for name, values in numbers.items()},
    }


def _last(checkpoints: Path | None) -> str | None:
    path = checkpoints / "last.ckpt" if checkpoints is not None else None
    return str(path) if path is not None and path.exists() else None


def _checkpointing(checkpoints: Path | None) -> list[Any]:
    from lightning.pytorch.callbacks import ModelCheckpoint

    if checkpoints is None:
        return []
    checkpoints.mkdir(parents=True, exist_ok=True)
    # One file, replaced after every epoch; it must come after the progress that it saves.
    return [
        ModelCheckpoint(
            dirpath=checkpoints,
            filename="last",
            save_top_k=1,
            enable_version_counter=False,
            every_n_epochs=1,
            save_on_train_epoch_end=True,
        )
    ]


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seeded initial weights and deterministic kernels, leaving the process's own random state and choice as
    they were."""
    import torch

    deterministic = torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(deterministic)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without Lightning's greetings and advice: the tensors are in memory, worker processes would only copy
    them."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*does not have many workers.*")
            warnings.filterwarnings("ignore", message=".*Checkpoint directory.*")
            # The curve is logged by epoch, not by step.
            warnings.filterwarnings("ignore", message=".*smaller than the logging interval.*")
            # Of Lightning 2.6 about itself, under torch 2.13.
            warnings.filterwarnings("ignore", message=r".*isinstance\(treespec, LeafSpec\).*")
            yield
    finally:
        logger.setLevel(level)
