"""Bundles read from the lake, and the attributes of users that their policies rank by."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from causalrec.embeddings.item_vectors import ItemVectors
from causalrec.logs.sensitive import refuse_withheld
from causalrec.logs.units.covariates import user_attributes
from causalrec.model.outcome.model import OutcomeModel
from causalrec.policy.bundle import Bundled
from causalrec.settings.logs.sources import Source
from causalrec.settings.objective import Objective
from causalrec.settings.policy import PolicyConfig
from causalrec_assets.common.reads import withheld_from_policies
from causalrec_assets.lake.inputs import Inputs, Table
from causalrec_assets.lake.releases import Champion


def load_model(models: Table, embeddings: Table) -> tuple[OutcomeModel, ItemVectors | None]:
    """The outcome model and item vectors of two published tables."""
    model = OutcomeModel.load(json.loads(models.file("card.json")), models.file("model.safetensors"))
    return model, ItemVectors.from_frame(embeddings.frame) if model.reads_content else None


def load_champion(inputs: Inputs, champion: Champion) -> Bundled:
    """The champion's bundle, from the versions that it names."""
    return load_bundle(inputs, champion.bundle)


def load_bundle(inputs: Inputs, bundle: Mapping[str, Any]) -> Bundled:
    """A champion's or a trial's bundle, from the versions that it names."""
    at = {name: inputs.table_at(name, where["day"], where["pointer"]) for name, where in bundle["tables"].items()}
    model, vectors = load_model(at["outcome_model"], at["item_embeddings"])
    return Bundled(model, vectors, PolicyConfig.parse(bundle["policy"]), Objective.parse(bundle["objective"]))


def attributes_read(
    inputs: Inputs, source: Source, bundle: Bundled, users: Callable[[], Table], who: str
) -> pl.DataFrame | None:
    """The attributes of users that a policy ranks by; what it does not read is not even joined.

    Args:
        users: The table `users` as of the day of the slates; asked only where an attribute is read.
        who: The policy, in words.

    Raises:
        InputError: It reads a sensitive attribute that `policy.yaml` does not allow.
    """
    reads = [*bundle.model.design.names, *bundle.config.match]
    refuse_withheld(who, reads, withheld_from_policies(inputs, source))
    names = [name for name in source.user_attributes if name in bundle.model.design.names]
    if not names:
        return None
    listed = users()
    return user_attributes(listed.frame if listed.answer.answered else None, source, names)
