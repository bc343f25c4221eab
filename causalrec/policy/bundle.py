"""A model with what it needs to score and to choose: the challenger's, or a released bundle's."""

from __future__ import annotations

from dataclasses import dataclass

from causalrec.embeddings.item_vectors import ItemVectors
from causalrec.model.outcome.model import OutcomeModel
from causalrec.settings.objective import Objective
from causalrec.settings.policy import PolicyConfig


@dataclass(frozen=True)
class Bundled:
    """A model with what it needs to score and to choose."""

    model: OutcomeModel
    vectors: ItemVectors | None
    config: PolicyConfig
    objective: Objective
