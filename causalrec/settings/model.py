"""`data/model.yaml`."""

from __future__ import annotations

from typing import Annotated

from causalrec.settings.base import Settings
from causalrec.settings.kinds import number, whole


class EffectSettings(Settings):
    """How propensities and effects are fitted.

    Attributes:
        folds: Of the cross-fitting, by whole clusters; at least 3, for calibration is cross-fitted within it.
        propensity_bound: Treatment propensities are cut to [bound, 1 - bound].
        min_outcomes_per_arm: With fewer units of an arm that have the outcome, or fewer that have not, an effect is
            `insufficient_evidence`.
        min_overlap_share: So it is when a smaller share of units has a propensity inside of the bounds.
    """

    folds: Annotated[int, whole(3)]
    propensity_bound: Annotated[float, number(0, 0.5, "()")]
    min_outcomes_per_arm: Annotated[int, whole(1)]
    min_overlap_share: Annotated[float, number(0, 1)]


class ModelSettings(EffectSettings):
    """How propensities, effects and the outcome model are fitted.

    Attributes:
        weight_quantile: The loss's inverse-propensity weights are cut at this quantile of the window's.
        epochs: How often the outcome network sees the window.
        batch_rows: Rows of one of its steps.
        learning_rate: Of its optimiser.
        weight_decay: Of its optimiser.
        hidden: Width of its hidden layer.
        content_width: Width to which an item's content vector is brought.
    """

    FILE = "model.yaml"

    weight_quantile: Annotated[float, number(0, 1, "(]")]
    epochs: Annotated[int, whole(1)]
    batch_rows: Annotated[int, whole(1)]
    learning_rate: Annotated[float, number(0, closed="()")]
    weight_decay: Annotated[float, number(0)]
    hidden: Annotated[int, whole(1)]
    content_width: Annotated[int, whole(1)]
