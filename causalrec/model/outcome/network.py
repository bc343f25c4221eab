"""The network behind the outcome model. Imported where it is needed only: torch costs seconds."""

from __future__ import annotations

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
        logits: torch.Tensor = self.heads(self.trunk(x))
        return logits
