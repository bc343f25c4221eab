"""A model with what it needs to score and to choose: the challenger's, or a released bundle's."""

from __future__ import annotations

import json
from dataclasses import dataclass

from causalrec_assets.embeddings.item_vectors import ItemVectors
from causalrec_assets.gate.inputs import Inputs, Table
from causalrec_assets.gate.releases import Champion
from causalrec_assets.model.outcome_model import OutcomeModel
from causalrec_assets.policy.objective import Objective, parse_objective
from causalrec_assets.policy.policy_config import PolicyConfig, parse_policy


@dataclass(frozen=True)
class Bundled:
    """A model with what it needs to score and to choose."""

    model: OutcomeModel
    vectors: ItemVectors | None
    config: PolicyConfig
    objective: Objective


def load_model(models: Table, embeddings: Table) -> tuple[OutcomeModel, ItemVectors | None]:
    """The outcome model and item vectors of two published tables."""
    model = OutcomeModel.load(json.loads(models.file("card.json")), models.file("model.safetensors"))
    return model, ItemVectors.from_frame(embeddings.frame) if model.reads_content else None


def load_champion(inputs: Inputs, champion: Champion) -> Bundled:
    """The champion's bundle, from the versions that it names."""
    at = {
        name: inputs.table_at(name, where["day"], where["pointer"]) for name, where in champion.bundle["tables"].items()
    }
    model, vectors = load_model(at["outcome_model"], at["item_embeddings"])
    return Bundled(
        model, vectors, parse_policy(champion.bundle["policy"]), parse_objective(champion.bundle["objective"])
    )
