"""`data/model.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from causalrec_assets.answers import InputError


@dataclass(frozen=True)
class ModelSettings:
    """How propensities, effects and the outcome model are fitted.

    Attributes:
        folds: Of the cross-fitting, by whole clusters.
        propensity_bound: Treatment propensities are cut to [bound, 1 - bound].
        min_outcomes_per_arm: With fewer events of an outcome in an arm, its effect is `insufficient_evidence`.
        min_overlap_share: So it is when a smaller share of units has a propensity inside of the bounds.
        weight_quantile: Inverse-propensity weights of the loss are clipped at this quantile of the training window.
        epochs, batch_rows, learning_rate, weight_decay, hidden, content_width: Of the outcome network.
    """

    folds: int
    propensity_bound: float
    min_outcomes_per_arm: int
    min_overlap_share: float
    weight_quantile: float
    epochs: int
    batch_rows: int
    learning_rate: float
    weight_decay: float
    hidden: int
    content_width: int


def parse_model_settings(settings: Mapping[str, Any]) -> ModelSettings:
    """Read `data/model.yaml`.

    Raises:
        InputError: A missing or unknown key, or a value out of its range.
    """
    names = {field.name for field in fields(ModelSettings)}
    if set(settings) != names:
        raise InputError(f"model.yaml: needs exactly {sorted(names)}; missing {sorted(names - set(settings))}, unknown "
                         f"{sorted(set(settings) - names)}")
    integers = {"folds", "min_outcomes_per_arm", "epochs", "batch_rows", "hidden", "content_width"}
    try:
        parsed = ModelSettings(**{k: int(v) if k in integers else float(v) for k, v in settings.items()})
    except (TypeError, ValueError) as error:
        raise InputError(f"model.yaml: {error}") from error
    ranges = {
        "folds": parsed.folds >= 2, "propensity_bound": 0 < parsed.propensity_bound < 0.5,
        "weight_quantile": 0 < parsed.weight_quantile <= 1, "epochs": parsed.epochs >= 1, "batch_rows": parsed.batch_rows >= 1,
        "min_overlap_share": 0 <= parsed.min_overlap_share <= 1, "hidden": parsed.hidden >= 1,
        "content_width": parsed.content_width >= 1, "learning_rate": parsed.learning_rate > 0,
    }
    if wrong := [name for name, fine in ranges.items() if not fine]:
        raise InputError(f"model.yaml: out of range: {wrong}")
    return parsed
