"""The network behind the outcome model. Imported where it is needed only: torch costs seconds."""

from __future__ import annotations

import lightning  # noqa: TID253
import torch  # noqa: TID253
from torch import nn  # noqa: TID253

HEADS = ("click_if_not", "click_if_recommended", "buy_if_not", "buy_if_recommended")


class OutcomeNetwork(nn.Module):
    """Covariates and an item's content in, four logits out: click, and buying after a click, in each arm.

    Args:
        covariates: Width of the design matrix.
        content: Width of the item vectors; 0 for none.
        content_width: What an item vector is projected to.
        hidden: Width of the hidden layers.
    """

    def __init__(self, covariates: int, content: int, content_width: int, hidden: int) -> None:
        super().__init__()
        self.project = nn.Linear(content, content_width) if content else None
        width = covariates + (content_width if content else 0)
        self.trunk = nn.Sequential(nn.Linear(width, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU())
        self.heads = nn.Linear(hidden, len(HEADS))

    def content(self, vectors: torch.Tensor) -> torch.Tensor | None:
        """Project item vectors (items, content) once; rows then look theirs up."""
        return None if self.project is None else self.project(vectors)

    def forward(self, covariates: torch.Tensor, projected: torch.Tensor | None) -> torch.Tensor:
        """(rows, covariates) and the projected content of each row's item -> logits (rows, 4)."""
        x = covariates if projected is None else torch.cat([covariates, projected], dim=1)
        return self.heads(self.trunk(x))


class OutcomeTraining(lightning.LightningModule):
    """Trains an `OutcomeNetwork` by the weighted log likelihood of the observed outcomes.

    The loss of a unit is its log loss divided by the treatment propensity of the arm that was taken (stabilised by the
    arm's share, clipped): so that each arm's heads are fitted to all units and not to those that the logging policy chose.
    Buying is a head of its own on clicked units: P(purchase) = P(click) P(buy | click).
    """

    def __init__(self, network: OutcomeNetwork, vectors: torch.Tensor | None, purchases: bool, learning_rate: float,
                 weight_decay: float) -> None:
        super().__init__()
        self.network = network
        self.purchases = purchases
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.register_buffer("vectors", vectors, persistent=False)
        self.curve: list[tuple[int, float, float]] = []
        self._sum, self._rows = 0.0, 0

    def loss(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        projected = None
        if self.vectors is not None:
            table = self.network.content(self.vectors)
            assert table is not None
            projected = table[batch["item"]]
        logits = self.network(batch["covariates"], projected)
        arm = batch["arm"].long()[:, None]
        bce = nn.functional.binary_cross_entropy_with_logits
        click = logits[:, :2].gather(1, arm)[:, 0]
        total = bce(click, batch["click"], reduction="none")
        if self.purchases:
            buy = logits[:, 2:].gather(1, arm)[:, 0]
            total = total + batch["click"] * bce(buy, batch["purchase"], reduction="none")
        return (batch["weight"] * total).sum() / batch["weight"].sum()

    def training_step(self, batch: dict[str, torch.Tensor], batch_index: int) -> torch.Tensor:
        loss = self.loss(batch)
        rows = len(batch["click"])
        self._sum, self._rows = self._sum + float(loss.detach()) * rows, self._rows + rows
        return loss

    def validation_step(self, batch: dict[str, torch.Tensor], batch_index: int) -> None:
        self.log("validation_loss", self.loss(batch), on_epoch=True, batch_size=len(batch["click"]))

    def on_train_epoch_end(self) -> None:
        validation = float(self.trainer.callback_metrics.get("validation_loss", torch.tensor(float("nan"))))
        self.curve.append((self.current_epoch, self._sum / max(self._rows, 1), validation))
        self._sum, self._rows = 0.0, 0

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay)
