"""What policies would have been worth under each name, from frames, in a notebook:

cr.named_values(units, items, {"popular": rule}, model, judged=days, organic_rows="every_impression")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args

import numpy as np
import polars as pl

from causalrec.answers import InputError
from causalrec.arrays import Floats
from causalrec.evaluation.estimands import Logs
from causalrec.evaluation.policy_values import report
from causalrec.evaluation.rounds import EVERYONE, EvaluationData, logged_propensities
from causalrec.notebook.frames import as_frame
from causalrec.policy.grid import Scored
from causalrec.policy.organic.left_out import logged_in_slots, whole_slates, with_left_out
from causalrec.policy.organic.rates import MetCounts
from causalrec.policy.organic.rows import organic_rows as organic_rows_of
from causalrec.policy.organic.rows import slot_numbers
from causalrec.policy.policies.judged import evaluate_slots
from causalrec.policy.slots import judged_slots
from causalrec.settings.objective import Objective
from causalrec.settings.release import ReleaseRule

OrganicRowsKind = Literal["every_impression", "interactions_only", "none"]
Rule = Callable[[pl.DataFrame, pl.DataFrame], Floats]
Model = Callable[[pl.DataFrame, pl.DataFrame], tuple[Floats, Floats]]
NEEDED = ("unit_id", "time", "user_id", "item_id", "recommended", "action_propensity", "click")
OPTIONAL: dict[str, pl.DataType] = {
    "request_id": pl.String(),
    "position": pl.Int64(),
    "policy": pl.String(),
    "purchase": pl.Int8(),
    "price": pl.Float64(),
    "first_slot_propensity": pl.Float64(),
}
"""Of `units`; unknown where they are not there, and the answer says which value that takes away."""
COLUMNS = (
    "policy", "estimand", "estimator", "estimate", "std_error", "lower", "upper", "anyway", "anyway_lower",
    "anyway_upper", "baseline", "difference", "difference_lower", "difference_upper", "difference_std_error", "rounds",
    "effective_rounds", "decision_status", "decision_reason", "status", "reason",
)  # fmt: skip
TRUST: dict[str, Any] = {
    "min_effective_rounds": 100,
    "max_mean_weight_gap": 0.5,
    "max_weight_share": 0.1,
    # Of the verdict, which is not asked for here.
    "revenue_margin": 0.0,
    "answer_sheet": {},
}
"""What keeps a value from being told: what a new home has."""
SUM = 1e-6
"""By how much the probabilities of a context may miss 1."""


def named_values(
    units: Any,
    items: Any,
    policies: Mapping[str, Rule],
    model: Model | None = None,
    *,
    judged: Sequence[date],
    organic_rows: OrganicRowsKind = "none",
    reads: Sequence[str] = (),
) -> pl.DataFrame:
    """Raw, given met, given not shown, own and organic, total of each policy, as `off_policy_report` tells them.

    Args:
        units: A row a recommendation (recommended = 1) or organic impression (0), (n, columns): unit_id, time, user_id,
            item_id, recommended, action_propensity (null of organic rows) and click; where they are logged, request_id,
            position from 1, and first_slot_propensity, the logging policy's probability of the row's item in the first
            slot.
        items: The catalogue of all days: item_id, and category where there is one.
        policies: Name -> rule, which takes contexts (time, user_id and `reads`) and items, and returns the probability
            of each item in the first slot, (contexts, items); rows sum to 1. Further slots are drawn without what
            stands above. `challenger` is held against `champion` where both are there, any other against the logs.
        model: Takes the same, and returns P(click) if recommended and if met without, (contexts, items) each; fitted
            on none of the judged days. None: only what weighs is told.
        judged: The days that are judged; of all others is counted how often items are met.
        organic_rows: Which rows with recommended = 0 are in the logs: `every_impression`, `interactions_only`, `none`.
        reads: Further columns of `units` that tell contexts apart.

    Returns:
        A row for each policy, estimand and estimator: its estimate with a 95 % interval clustered by user, in clicks a
        slot; the difference from its baseline, and whether that carries a decision; the status, and the reason where
        there is no estimate.

    Raises:
        InputError: A column is missing, no recommended row lies on the judged days, or a rule or a model returns
            something else.

    Source:
        docs/estimands.md; the formulas stand with each estimand.
    """
    if organic_rows not in get_args(OrganicRowsKind):
        raise InputError(f"organic_rows is one of {', '.join(get_args(OrganicRowsKind))}, got {organic_rows!r}")
    rows, catalogue = _units(units, reads), as_frame(items, "items")
    if "item_id" not in catalogue.columns:
        raise InputError("items has no column item_id")
    if not policies:
        raise InputError("there is no policy to be judged")
    of_day = {day: part for (day,), part in rows.group_by("day", maintain_order=True)}
    before = [(part, catalogue) for day, part in of_day.items() if day not in judged]
    met = MetCounts.of(before) if organic_rows == "every_impression" else None
    parts = [_judged(of_day[day], catalogue, (policies, model), met, reads) for day in judged if day in of_day]
    targets = pl.concat(parts) if parts else None
    if targets is None or targets.is_empty():
        raise InputError("no recommended row of the judged days has an action_propensity and is of an item of `items`")
    data = EvaluationData(
        units=rows,
        targets=targets,
        propensities=logged_propensities(rows),
        satisfying="click",
        margin=None,
        cluster="user_id",
        held_out=[],
        report_by=[],
        unseen_days=list(judged),
        logs=Logs(organic_rows, rows["request_id"].null_count() < rows.height),
    )
    values = report(data, ReleaseRule.parse(TRUST, where="named_values"))
    return values.filter(segment=EVERYONE, metric="satisfaction").select(COLUMNS)


@dataclass(frozen=True)
class _KnownPolicy:
    """A policy whose probabilities are known, (contexts, items)."""

    name: str
    p: Floats
    label: str = "of a notebook"
    fitted: bool = True

    def probabilities(self, part: Scored) -> Floats:
        return self.p[part.contexts]


def _units(units: Any, reads: Sequence[str]) -> pl.DataFrame:
    frame = as_frame(units, "units")
    if missing := [name for name in (*NEEDED, *reads) if name not in frame.columns]:
        raise InputError(f"units has no column {', '.join(missing)}")
    if not isinstance(frame.schema["time"], pl.Datetime):
        raise InputError(f"units: `time` must be a time, it is {frame.schema['time']}")
    lacking = {name: pl.lit(None, kind).alias(name) for name, kind in OPTIONAL.items() if name not in frame.columns}
    return frame.with_columns(*lacking.values(), day=pl.col("time").dt.date())


def _judged(
    day: pl.DataFrame,
    items: pl.DataFrame,
    of: tuple[Mapping[str, Rule], Model | None],
    met: MetCounts | None,
    reads: Sequence[str],
) -> pl.DataFrame:
    """The rows of `target_policy` of one day."""
    rules, model = of
    slates = day["request_id"].null_count() < day.height and day["position"].null_count() < day.height
    slots = judged_slots(day, items, reads, [], slates=slates)
    shape = (slots.contexts.height, items.height)
    known = [
        _KnownPolicy(name, _distribution(name, rule(slots.contexts, items), shape)) for name, rule in rules.items()
    ]
    click, click_if_not = np.full(shape, np.nan), None
    if model is not None:
        click, click_if_not = (_chances(chances, shape) for chances in model(slots.contexts, items))
    part = Scored(slice(0, shape[0]), np.ones(shape, dtype=np.bool_), click, None, None, click_if_not)
    organic = organic_rows_of(day, items, slots)
    if met is not None:
        organic = organic.with_met(met.rates(items), slot_numbers(slots))
    organic = with_left_out(organic, slots, logged_in_slots(day, slots, organic), whole_slates(day, slots))
    return evaluate_slots(slots, [part], known, Objective.parse({"satisfying": "click"}), organic)


def _distribution(name: str, p: Any, shape: tuple[int, int]) -> Floats:
    values = _chances(p, shape, f"policy {name}")
    if not np.allclose(values.sum(axis=1), 1.0, rtol=0, atol=SUM):
        raise InputError(f"policy {name}: the probabilities of each context must sum to 1")
    return values


def _chances(p: Any, shape: tuple[int, int], who: str = "model") -> Floats:
    values = np.asarray(p, dtype=np.float64)
    if values.shape != shape:
        raise InputError(f"{who} must return {shape} probabilities, contexts by items; got shape {values.shape}")
    if not ((values >= 0) & (values <= 1)).all():
        raise InputError(f"{who} must return probabilities, from 0 to 1")
    return values
