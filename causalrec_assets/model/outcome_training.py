"""Training the outcome model with Lightning: quiet, seeded, resumable."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec_assets.answers import InputError
from causalrec_assets.embeddings.item_vectors import ItemVectors
from causalrec_assets.estimators.weights import clip_level
from causalrec_assets.model.design_matrix import DesignMatrix
from causalrec_assets.model.outcome_model import OutcomeModel
from causalrec_assets.model.settings import ModelSettings

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trained:
    """A model and how its training went: (epoch, training loss, validation loss)."""

    model: OutcomeModel
    curve: list[tuple[int, float, float]]
    clip: float


def check_columns(columns: Sequence[str], roles: Mapping[str, str], context: Sequence[str]) -> None:
    """Refuse a column that the graph has not cleared.

    Args:
        context: Columns of the action question's context, which may enter although they have another role.

    Raises:
        InputError: A mediator, an outcome, a logging column or an identifier would enter the model.
    """
    for column in columns:
        role = roles.get(column, "unknown")
        if role != "pre_treatment" and column not in context:
            raise InputError(f"`{column}` has the role {role}: the outcome model reads pre-treatment columns only. A column "
                             "from after the treatment would carry the effect it is meant to measure.")


def inverse_propensity_weights(arm: Floats, propensity: Floats, quantile: float) -> tuple[Floats, float]:
    """w = P(T = t) / P(T = t | x), clipped at a quantile of the training window.

    Args:
        arm: (n,) 0 or 1.
        propensity: (n,) P(T = 1 | x) in (0, 1).

    Returns:
        Weights (n,) and the level at which they were clipped.
    """
    taken = np.where(arm == 1, propensity, 1 - propensity)
    share = np.where(arm == 1, arm.mean(), 1 - arm.mean())
    weights = share / taken
    level = clip_level(weights, quantile)
    return np.minimum(weights, level), level


def train_outcome_model(
    units: pl.DataFrame, columns: Sequence[str], vectors: ItemVectors | None, propensity: Floats | None, arms: str,
    purchases: bool, settings: ModelSettings, seed: int, trainer_options: Mapping[str, Any], checkpoints: Path | None = None,
) -> Trained:
    """Fit on the training window.

    The last training day chooses the epoch; no judgement day is read.

    Args:
        units: Training units, with `day`, `item_id`, `recommended`, outcomes, and the columns.
        vectors: Item content; None where it is not available.
        propensity: (n,) P(T = 1 | x); None with arms "shown": every unit then weighs 1.
        arms: "both", or "shown" where only recommended units exist.
        purchases: Whether there is a purchase to learn.
        trainer_options: From the compute resource.
        checkpoints: Where to keep the last epoch; a run that was killed resumes from it, to the same weights on CPU.
    """
    import lightning
    import torch
    from lightning.pytorch.callbacks import ModelCheckpoint

    from causalrec_assets.model.outcome_network import OutcomeNetwork, OutcomeTraining

    arm = units["recommended"].to_numpy().astype(np.float64)
    if propensity is None:
        weights, clip = np.ones(len(arm)), 1.0
    else:
        weights, clip = inverse_propensity_weights(arm, propensity, settings.weight_quantile)
    design = DesignMatrix.fit(units, columns)
    tensors = {
        "covariates": torch.from_numpy(design.transform(units)),
        "item": torch.from_numpy(vectors.rows(units["item_id"]) if vectors else np.zeros(len(arm), dtype=np.int64)),
        "arm": torch.from_numpy(arm.astype(np.float32)), "weight": torch.from_numpy(weights.astype(np.float32)),
        "click": torch.from_numpy(units["click"].to_numpy().astype(np.float32)),
    }
    if purchases:
        tensors["purchase"] = torch.from_numpy(units["purchase"].to_numpy().astype(np.float32))
    last = (units["day"] == units["day"].max()).to_numpy()
    if last.all():
        last = np.zeros_like(last)
        last[-max(1, len(last) // 10):] = True

    lightning.seed_everything(seed, verbose=False)
    matrix = torch.from_numpy(vectors.padded()) if vectors else None
    network = OutcomeNetwork(design.width, matrix.shape[1] if matrix is not None else 0, settings.content_width, settings.hidden)
    module = OutcomeTraining(network, matrix, purchases, settings.learning_rate, settings.weight_decay)
    callbacks, resume = [], None
    if checkpoints is not None:
        checkpoints.mkdir(parents=True, exist_ok=True)
        callbacks.append(ModelCheckpoint(dirpath=checkpoints, filename="last", save_top_k=1, enable_version_counter=False,
                                         every_n_epochs=1, save_on_train_epoch_end=True))
        resume = checkpoints / "last.ckpt"
    best = _KeepBest()
    with warnings.catch_warnings():
        # Lightning advises worker processes for loaders; the tensors are in memory already.
        warnings.filterwarnings("ignore", message=".*does not have many workers.*")
        warnings.filterwarnings("ignore", message=".*Checkpoint directory.*")
        logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
        trainer = lightning.Trainer(
            max_epochs=settings.epochs, logger=False, callbacks=[*callbacks, best.callback()], enable_progress_bar=False,
            enable_model_summary=False, enable_checkpointing=checkpoints is not None, deterministic=True, **trainer_options,
        )
        trainer.fit(
            module,
            train_dataloaders=_loader(tensors, np.flatnonzero(~last), settings.batch_rows, seed),
            val_dataloaders=_loader(tensors, np.flatnonzero(last), 65_536, None),
            ckpt_path=str(resume) if resume is not None and resume.exists() else None,
        )
    module.network.load_state_dict(best.state)
    return Trained(OutcomeModel(module.network.cpu().eval(), design, arms, purchases), module.curve, clip)


class _KeepBest:
    """The weights of the epoch with the least validation loss; travels in checkpoints so that a resumed run ends the same."""

    def __init__(self) -> None:
        self.loss = float("inf")
        self.state: dict[str, Any] = {}

    def callback(self) -> Any:
        import lightning

        keep = self

        class Callback(lightning.Callback):
            def on_validation_epoch_end(self, trainer: Any, module: Any) -> None:
                loss = float(trainer.callback_metrics["validation_loss"])
                if not trainer.sanity_checking and loss < keep.loss:
                    keep.loss = loss
                    keep.state = {k: v.detach().clone() for k, v in module.network.state_dict().items()}

            def state_dict(self) -> dict[str, Any]:
                return {"loss": keep.loss, "state": keep.state}

            def load_state_dict(self, state_dict: dict[str, Any]) -> None:
                keep.loss, keep.state = state_dict["loss"], state_dict["state"]

        return Callback()


def _loader(tensors: Mapping[str, Any], rows: npt.NDArray[np.int64], batch: int, seed: int | None) -> Any:
    """Whole batches by index. The order of an epoch is drawn from (seed, epoch), so that it survives a resume."""
    import torch
    from torch.utils.data import DataLoader, Dataset, Sampler

    class Rows(Dataset):  # type: ignore[type-arg]
        def __getitem__(self, index: Any) -> dict[str, Any]:
            return {name: tensor[index] for name, tensor in tensors.items()}

        def __len__(self) -> int:
            return len(rows)

    class Batches(Sampler):  # type: ignore[type-arg]
        epoch = 0

        def set_epoch(self, epoch: int) -> None:
            self.epoch = epoch

        def __iter__(self) -> Any:
            order = rows if seed is None else np.random.default_rng([seed, self.epoch]).permutation(rows)
            for start in range(0, len(order), batch):
                yield torch.from_numpy(order[start:start + batch])

        def __len__(self) -> int:
            return -(-len(rows) // batch)

    return DataLoader(Rows(), batch_size=None, sampler=Batches())
