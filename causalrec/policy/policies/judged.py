"""What each policy would have done in the judged slots, and what the outcome model expects of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import polars as pl

from causalrec.arrays import Floats, Ints
from causalrec.policy.above import Above
from causalrec.policy.grid import Scored
from causalrec.policy.organic.rows import OrganicRows
from causalrec.policy.plackett_luce import expected, given_above, in_slot
from causalrec.policy.policies.protocol import Policy
from causalrec.policy.slots import Slots
from causalrec.settings.objective import TOTAL, Objective

SLOT, ORGANIC = "slot", "organic"
"""The kinds of rows: a judged slot, or an organic row of a request that has some."""
UNDER_POLICY = (
    "model_click",
    "model_purchase",
    "model_revenue",
    "model_satisfaction",
    "model_click_if_not",
    "model_purchase_if_not",
    "model_revenue_if_not",
    "model_rest_click",
    "model_rest_revenue",
    "model_objective",
)
OF_SHOWN = (
    "shown_click",
    "shown_purchase",
    "shown_revenue",
    "shown_rest_click",
    "shown_rest_revenue",
    "shown_click_if_not",
    "shown_purchase_if_not",
    "shown_revenue_if_not",
)
VALUES = (*UNDER_POLICY, *OF_SHOWN)
OF_LOGGING = ("logging_met_weight", "logging_not_shown_weight")
"""Of organic rows: the weights that the logging policy itself has."""
OF_ORGANIC = ("shown_probability", "met_weight", "not_shown_weight", "not_shown_least", *OF_LOGGING)
SCHEMA: dict[str, pl.DataType] = {
    "unit_id": pl.String(),
    "policy": pl.String(),
    "kind": pl.String(),
    "request_id": pl.String(),
    "action_probability": pl.Float64(),
    "candidates": pl.Int64(),
    "in_lump": pl.Boolean(),
    **{name: pl.Float64() for name in (*OF_ORGANIC, *VALUES)},
    "fitted": pl.Boolean(),
    "not_shown_from": pl.String(),
    "not_shown_unknown": pl.String(),
}
Values = Mapping[str, Floats | None]


def evaluate_slots(
    slots: Slots,
    scored: Iterable[Scored],
    policies: Sequence[Policy],
    judged_by: Objective,
    organic: OrganicRows | None = None,
) -> pl.DataFrame:
    """The table `target_policy` for one day's slots under one outcome model, or under none.

    Args:
        scored: The grid of the slots' contexts against the catalogue, in order; of `unscored_grid` where there is no
            model.
        policies: Each by its own objective: a champion ranks by what was stated when it was released.
        judged_by: What they are judged by: revenue is counted by the margin that is stated now.
        organic: The organic rows of the slots' requests; None: there are none.

    Returns:
        A row per slot and policy: the action probability of the item shown given those above, the model's
        expectation under the policy (click, purchase, revenue, L; recommended and not), and the model's prediction for
        the item shown. A row per organic row and policy: how likely the policy would show its item, summed over the
        judged slots of its request, each changed alone; the same sum divided by how often the item is met, and by how
        likely the logging policy left it out; the last two of the logging policy itself; and the model's prediction
        for it, not recommended.
    """
    of_slots = {
        policy.name: _Columns(len(slots.row), ("action_probability", "candidates", *VALUES)) for policy in policies
    }
    of_organic = {policy.name: _organic_columns(organic) for policy in policies} if organic is not None else {}
    in_lump = np.zeros(len(slots.row), dtype=bool)
    for part in scored:
        here = _within(part, slots.row)
        if part.columns is not None:
            row = slots.row[here] - part.contexts.start
            in_lump[here] = part.columns.in_lump[row, part.column(row, slots.shown[here])]
        values = _values(part, judged_by)
        for policy in policies:
            p = policy.probabilities(part)
            _fill_slots(of_slots[policy.name], here, slots, part, p, values, judged_by)
            if organic is not None:
                _fill_organic(of_organic[policy.name], organic, slots, part, p, values)
    frames = []
    for policy in policies:
        own = of_slots[policy.name].frame(slots.frame.select("unit_id", "request_id"), SLOT)
        rest = pl.Series(in_lump if policy.fitted else np.zeros(len(slots.row), dtype=bool))
        frames.append(_named(own.with_columns(in_lump=rest), policy))
        if organic is not None:
            frames.append(_named(of_organic[policy.name].frame(organic.frame, ORGANIC), policy))
    return pl.concat(frames)


class _Columns(dict[str, Floats]):
    """Columns of a table, unknown until they are filled."""

    def __init__(self, rows: int, names: Iterable[str]) -> None:
        super().__init__({name: np.full(rows, np.nan) for name in names})

    def frame(self, keys: pl.DataFrame, kind: str) -> pl.DataFrame:
        values = pl.DataFrame(dict(self)).with_columns(pl.all().fill_nan(None))
        return pl.concat([keys, values], how="horizontal").with_columns(kind=pl.lit(kind))


def _organic_columns(organic: OrganicRows) -> _Columns:
    """Sums over a row's slots begin at 0 where they can be told."""
    columns = _Columns(len(organic.item), (*OF_ORGANIC, *OF_SHOWN))
    columns["shown_probability"][:] = 0.0
    if organic.met is not None:
        columns["met_weight"][:] = 0.0
    if organic.out is not None:
        columns["not_shown_weight"][:] = 0.0
        columns["not_shown_least"][:] = organic.out.least(organic.row, len(organic.item))
        columns["logging_not_shown_weight"][:] = 0.0
        if organic.met is not None:
            columns["logging_met_weight"][:] = 0.0
    return columns


def _named(rows: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """With the policy's name, and null in the columns that rows of their kind do not have."""
    named = rows.with_columns(policy=pl.lit(policy.name), fitted=pl.lit(policy.fitted))
    return named.select(
        (pl.col(c) if c in named.columns else pl.lit(None)).cast(kind).alias(c) for c, kind in SCHEMA.items()
    )


def _within(part: Scored, row: Ints) -> Ints:
    return np.flatnonzero((row >= part.contexts.start) & (row < part.contexts.stop))


def _values(part: Scored, judged_by: Objective) -> Values:
    """What the model expects of every pair of the part, by the name of the quantity."""
    part = part.by_arms
    rest, rest_money = judged_by.rest(part.rest_click, part.rest_purchase, part.rest_sales)
    return {
        "click": part.click,
        "purchase": part.purchase,
        "revenue": judged_by.revenue(part.purchase, part.price),
        "satisfaction": judged_by.satisfaction(part.click, part.purchase),
        "click_if_not": part.click_if_not,
        "purchase_if_not": part.purchase_if_not,
        "revenue_if_not": judged_by.revenue(part.purchase_if_not, part.price),
        "rest_click": rest,
        "rest_revenue": rest_money,
        "objective": None if judged_by.untold(part) else judged_by.value(*judged_by.terms(part)),
    }


def _added(part: Scored, position: Floats, judged_by: Objective) -> dict[str, Floats]:
    """What the slots' positions add to what is expected of them, by quantity, (slots,) each."""
    if part.rest_of_slots is None:
        return {}
    of = {name: part.rest_of_slots.added(name, position) for name in part.rest_of_slots.outcomes}
    outcomes, money = judged_by.rest(of.get("click"), of.get("purchase"), of.get("sales"))
    added = {"rest_click": outcomes, "rest_revenue": money}
    if judged_by.maximises == TOTAL and outcomes is not None:
        added["objective"] = judged_by.value(outcomes, money)
    return {quantity: values for quantity, values in added.items() if values is not None}


def _fill_slots(
    own: _Columns, here: Ints, slots: Slots, part: Scored, p: Floats, values: Values, judged_by: Objective
) -> None:
    row, above = slots.row[here] - part.contexts.start, slots.above.take(here)
    shown, above = part.column(row, slots.shown[here]), _columns_above(part, row, above)
    own["action_probability"][here], _ = in_slot(p, row, shown, above)
    own["candidates"][here] = _candidates(part, row, above)
    # The level of a slot: the same whatever is shown in it.
    added = _added(part, slots.frame["position"].cast(pl.Float64).fill_null(np.nan).to_numpy()[here], judged_by)
    for quantity, expected_of in values.items():
        if expected_of is not None:
            own[f"model_{quantity}"][here] = expected(p, expected_of, row, above) + added.get(quantity, 0.0)
            if f"shown_{quantity}" in own:
                own[f"shown_{quantity}"][here] = expected_of[row, shown] + added.get(quantity, 0.0)


def _columns_above(part: Scored, row: Ints, above: Above) -> Above:
    """The items above each slot, as columns of the part."""
    return Above(part.column(row[above.slots], above.items), above.counts)


def _candidates(part: Scored, row: Ints, above: Above) -> Floats:
    """(slots,) how many items could stand in each, given those above."""
    taken = part.eligible[row[above.slots], above.items]
    return np.asarray(part.count[row] - np.bincount(above.slots, weights=taken, minlength=len(row)))


def _fill_organic(own: _Columns, organic: OrganicRows, slots: Slots, part: Scored, p: Floats, values: Values) -> None:
    pairs = _within(part, slots.row[organic.slot])
    slot, of = organic.slot[pairs], organic.row[pairs]
    row = slots.row[slot] - part.contexts.start
    above = _columns_above(part, row, slots.above.take(slot))
    would = given_above(p, row, part.column(row, organic.item[of]), above)
    np.add.at(own["shown_probability"], of, would)
    if organic.met is not None:
        np.add.at(own["met_weight"], of, would / organic.met[pairs])
    if organic.out is not None:
        out, counts = organic.out.probability[pairs], (would > 0) & ~organic.out.shown[pairs]
        np.add.at(own["not_shown_weight"], of, np.divide(would, out, out=np.zeros(len(would)), where=counts))
        of_logging = organic.out.here[pairs]
        logged = np.divide(of_logging, out, out=np.zeros(len(out)), where=~organic.out.shown[pairs])
        np.add.at(own["logging_not_shown_weight"], of, logged)
        if organic.met is not None:
            np.add.at(own["logging_met_weight"], of, of_logging / organic.met[pairs])
    here = _within(part, slots.row[organic.first])
    row = slots.row[organic.first[here]] - part.contexts.start
    for quantity in ("click_if_not", "purchase_if_not", "revenue_if_not"):
        expected_of = values[quantity]
        if expected_of is not None:
            own[f"shown_{quantity}"][here] = expected_of[row, part.column(row, organic.item[here])]


def asked_of(slots: Slots, organic: OrganicRows | None = None) -> tuple[Ints, Ints]:
    """Contexts of the slots, and the items that are asked for in each: shown, above it, or met beside it.

    Returns:
        (pairs,) rows of `slots.contexts` and of the catalogue, distinct, ascending.
    """
    rows, items = [slots.row, slots.row[slots.above.slots]], [slots.shown, slots.above.items]
    if organic is not None:
        rows, items = [*rows, slots.row[organic.slot]], [*items, organic.item[organic.row]]
    row, item = np.unique(np.column_stack([np.concatenate(rows), np.concatenate(items)]), axis=0).T
    return row, item
