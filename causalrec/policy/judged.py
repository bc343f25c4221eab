"""What each policy would have done in the judged slots, and what the outcome model expects of it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl

from causalrec.arrays import Mask
from causalrec.policy.grid import Scored
from causalrec.policy.plackett_luce import expected, first_slot, in_slot, uniform
from causalrec.policy.slots import Slots
from causalrec.settings.objective import Objective
from causalrec.settings.policy import PolicyConfig

VALUES = (
    "model_click",
    "model_purchase",
    "model_revenue",
    "model_satisfaction",
    "shown_click",
    "shown_purchase",
    "shown_revenue",
)
SCHEMA: dict[str, pl.DataType] = {
    "unit_id": pl.String(),
    "policy": pl.String(),
    "action_probability": pl.Float64(),
    **{name: pl.Float64() for name in VALUES},
    "fitted": pl.Boolean(),
}


def judge(
    slots: Slots,
    scored: Iterable[Scored],
    policies: dict[str, PolicyConfig | None],
    objective: Objective,
    judged_by: Objective | None = None,
) -> pl.DataFrame:
    """The table `target_policy` for one day's slots under one outcome model.

    Args:
        scored: The grid of the slots' contexts against the catalogue, in order.
        policies: Name -> its configuration; None is the uniform policy.
        objective: What the policies rank by.
        judged_by: What they are judged by, where that is another: a champion ranks by what was stated when it was
            released, and its revenue is counted by the margin that is stated now.

    Returns:
        A row per slot and policy: the action probability of the item shown given those above, the model's
        expectation under the policy (click, purchase, revenue, L), and the model's prediction for the item shown.
    """
    n, judged_by = len(slots.row), judged_by or objective
    out = {name: {c: np.full(n, np.nan) for c in ("action_probability", *VALUES)} for name in policies}
    for part in scored:
        here = np.flatnonzero((slots.row >= part.contexts.start) & (slots.row < part.contexts.stop))
        row, shown, above = slots.row[here] - part.contexts.start, slots.shown[here], slots.above.take(here)
        satisfaction = objective.satisfaction(part.click, part.purchase)
        value = objective.value(satisfaction, objective.revenue(part.purchase, part.price))
        satisfaction = judged_by.satisfaction(part.click, part.purchase)
        revenue = judged_by.revenue(part.purchase, part.price)
        for name, config in policies.items():
            if config is None:
                p = uniform(part.eligible)
            else:
                p = first_slot(value, part.eligible, config.temperature, config.exploration)
            mine = out[name]
            mine["action_probability"][here], _ = in_slot(p, row, shown, above)
            quantities = (
                ("click", part.click),
                ("purchase", part.purchase),
                ("revenue", revenue),
                ("satisfaction", satisfaction),
            )
            for quantity, values in quantities:
                if values is not None:
                    mine[f"model_{quantity}"][here] = expected(p, values, row, above)
            mine["shown_click"][here] = part.click[row, shown]
            if part.purchase is not None:
                mine["shown_purchase"][here] = part.purchase[row, shown]
            if revenue is not None:
                mine["shown_revenue"][here] = revenue[row, shown]
    frames = [
        pl.DataFrame({"unit_id": slots.frame["unit_id"], **columns}).with_columns(
            pl.lit(name).alias("policy"), pl.lit(policies[name] is not None).alias("fitted")
        )
        for name, columns in out.items()
    ]
    return (
        pl.concat(frames)
        .with_columns(pl.col(VALUES).fill_nan(None))
        .select([pl.col(c).cast(t) for c, t in SCHEMA.items()])
    )


def uniform_without_model(slots: Slots, eligible: Mask) -> pl.DataFrame:
    """The uniform policy where there is no outcome model: its probabilities are known all the same."""
    probability, _ = in_slot(uniform(eligible), slots.row, slots.shown, slots.above)
    none = [pl.lit(None, pl.Float64).alias(name) for name in VALUES]
    frame = pl.DataFrame({"unit_id": slots.frame["unit_id"], "action_probability": probability}).with_columns(
        pl.lit("uniform").alias("policy"), pl.lit(False).alias("fitted"), *none
    )
    return frame.select([pl.col(c).cast(t) for c, t in SCHEMA.items()])
