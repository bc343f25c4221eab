"""A model with what it needs to score and to choose: the challenger's, or a released bundle's."""

from __future__ import annotations

from dataclasses import dataclass

from causalrec.answers import Answer, insufficient_evidence, not_identifiable
from causalrec.embeddings.item_vectors import ItemVectors
from causalrec.model.outcome.model import OutcomeModel
from causalrec.settings.objective import EFFECT_GIVEN_MET, TOTAL, Objective
from causalrec.settings.policy import PolicyConfig

FILE = Objective.FILE


@dataclass(frozen=True)
class Bundled:
    """A model with what it needs to score and to choose."""

    model: OutcomeModel
    vectors: ItemVectors | None
    config: PolicyConfig
    objective: Objective


def why_it_cannot_rank(model: OutcomeModel, objective: Objective) -> Answer | None:
    """Why a model cannot tell what an objective's form asks for; None where it can.

    Another form is never taken in its place.
    """
    if objective.maximises == TOTAL:
        rest = model.rest.outcomes if model.rest is not None else {}
        if objective.satisfying not in rest:
            return insufficient_evidence(
                f"{FILE}: `form: {TOTAL}` counts the whole request, and no shown slot of the training window says what "
                "came of the rest of its request"
            )
    if objective.maximises == EFFECT_GIVEN_MET and model.arms != "both":
        return not_identifiable(
            f"{FILE}: `form: {EFFECT_GIVEN_MET}` compares an item that is recommended with the same item met "
            "otherwise, and the effect of recommending is not identified in these logs, so the model knows one arm only"
        )
    return None
