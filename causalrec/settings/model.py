"""`data/model.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from causalrec.answers import InputError


@dataclass(frozen=True)
class ModelSettings:
    """How propensities, effects and the outcome model are fitted.

    Attributes:
        folds: Of the cross-fitting, by whole clusters; at least 3, for calibration is cross-fitted within it.
        propensity_bound: Treatment propensities are cut to [bound, 1 - bound].
        min_outcomes_per_arm: With fewer units of an arm that have the outcome, or fewer that have not, an effect is
            `insufficient_evidence`.
        min_overlap_share: So it is when a smaller share of units has a propensity inside of the bounds.
        weight_quantile: The loss's inverse-propensity weights are cut at this quantile of the window's.
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


def parse_model_settings(settings: Mapping[str, object]) -> ModelSettings:
    """Read `data/model.yaml`.

    Raises:
        InputError: A missing or unknown key, or a value that is no number or out of its range.
    """
    names = {field.name for field in fields(ModelSettings)}
    if set(settings) != names:
        raise InputError(
            f"model.yaml: needs exactly {sorted(names)}; missing {sorted(names - set(settings))}, unknown "
            f"{sorted(set(settings) - names)}"
        )

    def whole(key: str, least: int) -> int:
        value = settings[key]
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise InputError(f"model.yaml: `{key}` must be a whole number of at least {least}, got {value!r}")
        return value

    def number(key: str, low: float, high: float, *, closed: str) -> float:
        value = settings[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"model.yaml: `{key}` must be a number, got {value!r}")
        fine = low <= value <= high and (value != low or "[" in closed) and (value != high or "]" in closed)
        if not fine:
            bounds = f"{closed[0]}{low}, {high}{closed[1]}"
            raise InputError(f"model.yaml: `{key}` must be in {bounds}, got {value!r}")
        return float(value)

    infinite = float("inf")
    return ModelSettings(
        folds=whole("folds", 3),
        propensity_bound=number("propensity_bound", 0, 0.5, closed="()"),
        min_outcomes_per_arm=whole("min_outcomes_per_arm", 1),
        min_overlap_share=number("min_overlap_share", 0, 1, closed="[]"),
        weight_quantile=number("weight_quantile", 0, 1, closed="(]"),
        epochs=whole("epochs", 1),
        batch_rows=whole("batch_rows", 1),
        learning_rate=number("learning_rate", 0, infinite, closed="()"),
        weight_decay=number("weight_decay", 0, infinite, closed="[)"),
        hidden=whole("hidden", 1),
        content_width=whole("content_width", 1),
    )
