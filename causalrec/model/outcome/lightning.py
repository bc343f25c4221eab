"""The outcome network under Lightning: loss, batches, and what travels in a checkpoint.

Imported inside the functions that need it only: torch and Lightning cost seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import lightning  # noqa: TID253
import numpy as np
import numpy.typing as npt
import torch  # noqa: TID253
from torch import nn  # noqa: TID253
from torch.utils.data import DataLoader, Dataset, Sampler  # noqa: TID253

from causalrec.model.outcome.network import OutcomeNetwork

Batch = dict[str, torch.Tensor]


class OutcomeTraining(lightning.LightningModule):  # type: ignore[misc]
    """Trains an `OutcomeNetwork` by the weighted log likelihood of the observed outcomes.

    loss = sum_i w_i [ bce(click_i | arm t_i) + click_i bce(purchase_i | arm t_i) ] / sum_i w_i

    The weight w_i divides by the treatment propensity of the arm that was taken
    (`inverse_propensity_weights`), so that each arm's heads are fitted to all units, not to those that the
    logging policy chose for it. Action propensities are not used here. Buying is a head of its own on clicked
    units: P(purchase) = P(click) P(buy | click).

    Args:
        vectors: Item vectors (items + 1, content), or None.
        purchases: Whether there is a purchase to learn.
    """

    def __init__(
        self,
        network: OutcomeNetwork,
        vectors: torch.Tensor | None,
        purchases: bool,
        learning_rate: float,
        weight_decay: float,
    ) -> None:
        super().__init__()
        self.network = network
        self.purchases = purchases
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.register_buffer("vectors", vectors, persistent=False)

    def loss(self, batch: Batch) -> torch.Tensor:
        """The weighted loss of a batch, a scalar."""
        projected = None
        if self.vectors is not None:
            # Each item of the batch once: a batch holds many rows of few items.
            items, row = torch.unique(batch["item"], return_inverse=True)
            content = self.network.content(self.vectors[items])
            projected = None if content is None else content[row]
        logits = self.network(batch["covariates"], projected)
        arm = batch["arm"].long()[:, None]
        bce = nn.functional.binary_cross_entropy_with_logits
        total = bce(logits[:, :2].gather(1, arm)[:, 0], batch["click"], reduction="none")
        if self.purchases:
            buy = bce(logits[:, 2:].gather(1, arm)[:, 0], batch["purchase"], reduction="none")
            total = total + batch["click"] * buy
        return (batch["weight"] * total).sum() / batch["weight"].sum()

    def training_step(self, batch: Batch, batch_index: int) -> torch.Tensor:
        loss = self.loss(batch)
        # Not to the loggers: `Progress` hands them whole epochs.
        self.log("training_loss", loss, on_step=False, on_epoch=True, logger=False, batch_size=len(batch["click"]))
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        self.log("validation_loss", self.loss(batch), on_epoch=True, logger=False, batch_size=len(batch["click"]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay)


class Progress(lightning.Callback):  # type: ignore[misc]
    """The curve so far and the best epoch's weights; both travel in checkpoints, so that a resumed run ends the same.

    It hands the trainer's loggers each epoch once, and a resumed run's loggers the epochs before it, too: Lightning's
    own logging would lose the training loss of an epoch whose checkpoint was the last thing that a killed run wrote.

    Attributes:
        curve: (epoch, training loss, validation loss) of each finished epoch.
        state: The network's weights of the epoch with the least validation loss.
    """

    def __init__(self) -> None:
        self.curve: list[tuple[int, float, float]] = []
        self.state: dict[str, torch.Tensor] = {}
        self.shown = 0

    @property
    def best_epoch(self) -> int:
        return min(self.curve, key=lambda row: row[2])[0]

    def on_fit_start(self, trainer: lightning.Trainer, module: OutcomeTraining) -> None:
        self.show(trainer)

    def show(self, trainer: lightning.Trainer) -> None:
        """Hand the epochs that they have not been given to the trainer's loggers, counted from 1 as people do."""
        for epoch, training, validation in self.curve[self.shown :]:
            for logger in trainer.loggers:
                logger.log_metrics({"training_loss": training, "validation_loss": validation}, step=epoch + 1)
        self.shown = len(self.curve)

    def on_train_epoch_end(self, trainer: lightning.Trainer, module: OutcomeTraining) -> None:
        losses = trainer.callback_metrics
        training, validation = float(losses["training_loss"]), float(losses["validation_loss"])
        self.curve.append((trainer.current_epoch, training, validation))
        if self.best_epoch == trainer.current_epoch:
            self.state = {k: v.detach().cpu().clone() for k, v in module.network.state_dict().items()}
        self.show(trainer)

    def state_dict(self) -> dict[str, Any]:
        return {"curve": self.curve, "state": self.state}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.curve, self.state = [tuple(row) for row in state_dict["curve"]], state_dict["state"]


class Rows(Dataset[Batch]):
    """Tensors in memory, read a whole batch at a time by its row numbers."""

    def __init__(self, tensors: Mapping[str, torch.Tensor], rows: int) -> None:
        self.tensors, self.rows = tensors, rows

    def __getitem__(self, index: torch.Tensor) -> Batch:
        return {name: tensor[index] for name, tensor in self.tensors.items()}

    def __len__(self) -> int:
        return self.rows


class Batches(Sampler[torch.Tensor]):
    """Batches of row numbers. The order of an epoch is drawn from (seed, epoch): it is the same after a resume.

    Args:
        rows: Which rows, (n,).
        seed: None keeps the rows in order.
    """

    def __init__(self, rows: npt.NDArray[np.int64], size: int, seed: int | None) -> None:
        self.rows, self.size, self.seed, self.epoch = rows, size, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[torch.Tensor]:
        order = self.rows
        if self.seed is not None:
            order = np.random.default_rng([self.seed, self.epoch]).permutation(order)
        for start in range(0, len(order), self.size):
            yield torch.from_numpy(order[start : start + self.size])

    def __len__(self) -> int:
        return -(-len(self.rows) // self.size)


def loader(
    tensors: Mapping[str, torch.Tensor], rows: npt.NDArray[np.int64], size: int, seed: int | None
) -> DataLoader[Batch]:
    """Batches of some rows of tensors in memory."""
    return DataLoader(Rows(tensors, len(rows)), batch_size=None, sampler=Batches(rows, size, seed))
