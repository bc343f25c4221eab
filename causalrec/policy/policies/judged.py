"""What each policy would have done in the judged slots, and what the outcome model expects of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from causalrec.policy.grid import Scored
from causalrec.policy.plackett_luce import expected, in_slot
from causalrec.policy.policies.protocol import Policy
from causalrec.policy.slots import Slots
from causalrec.settings.objective import Objective

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


def evaluate_slots(
    slots: Slots, scored: Iterable[Scored], policies: Sequence[Policy], judged_by: Objective
) -> pl.DataFrame:
    """The table `target_policy` for one day's slots under one outcome model, or under none.

    Args:
        scored: The grid of the slots' contexts against the catalogue, in order; of `unscored_grid` where there is no
            model.
        policies: Each by its own objective: a champion ranks by what was stated when it was released.
        judged_by: What they are judged by: revenue is counted by the margin that is stated now.

    Returns:
        A row per slot and policy: the action probability of the item shown given those above, the model's
        expectation under the policy (click, purchase, revenue, L), and the model's prediction for the item shown.
    """
    n = len(slots.row)
    columns = {policy.name: {c: np.full(n, np.nan) for c in ("action_probability", *VALUES)} for policy in policies}
    for part in scored:
        here = np.flatnonzero((slots.row >= part.contexts.start) & (slots.row < part.contexts.stop))
        row, shown, above = slots.row[here] - part.contexts.start, slots.shown[here], slots.above.take(here)
        revenue = judged_by.revenue(part.purchase, part.price)
        quantities = (
            ("click", part.click),
            ("purchase", part.purchase),
            ("revenue", revenue),
            ("satisfaction", judged_by.satisfaction(part.click, part.purchase)),
        )
        for policy in policies:
            p, own = policy.probabilities(part), columns[policy.name]
            own["action_probability"][here], _ = in_slot(p, row, shown, above)
            for quantity, values in quantities:
                if values is not None:
                    own[f"model_{quantity}"][here] = expected(p, values, row, above)
            own["shown_click"][here] = part.click[row, shown]
            if part.purchase is not None:
                own["shown_purchase"][here] = part.purchase[row, shown]
            if revenue is not None:
                own["shown_revenue"][here] = revenue[row, shown]
    frames = [
        pl.DataFrame({"unit_id": slots.frame["unit_id"], **columns[policy.name]}).with_columns(
            pl.lit(policy.name).alias("policy"), pl.lit(policy.fitted).alias("fitted")
        )
        for policy in policies
    ]
    return (
        pl.concat(frames)
        .with_columns(pl.col(VALUES).fill_nan(None))
        .select([pl.col(c).cast(t) for c, t in SCHEMA.items()])
    )
