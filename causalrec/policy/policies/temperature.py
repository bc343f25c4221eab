"""The temperature that nobody stated: the one that leaves a policy as sure of itself as form `do` at 0.5.

Each form is in units of its own, so a number that suits one suits no other; how much a policy explores has no unit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from causalrec.arrays import Floats, Mask
from causalrec.policy.columns import Columns
from causalrec.policy.grid import Scored
from causalrec.policy.plackett_luce import first_slot
from causalrec.settings.objective import DO, Objective
from causalrec.settings.policy import PolicyConfig

OF_DO = 0.5
"""The temperature of form `do`, in nats."""
WIDEST = 1e9
"""Temperatures are looked for from this fraction to this multiple of the spread of the values."""
STEPS = 120


def with_temperature(config: PolicyConfig, objective: Objective, parts: Sequence[Scored]) -> PolicyConfig:
    """The dials with a temperature, which is stored with the bundle: it then acts alike on every day.

    A stated one stays; that of form `do` is 0.5. Else it is the one at which the mean entropy of the first slot's
    distribution, exploration included, is that of form `do` at 0.5, with lambda at the same rate of exchange: outcomes
    become nats by d log P = dP / P, at the mean P of what `do` would show by satisfaction alone.

    Args:
        objective: With its form.
        parts: Contexts of training days, scored by the model of the bundle.

    Raises:
        ValueError: There is no context with a candidate.
    """
    if config.temperature is not None:
        return config
    if objective.maximises == DO:
        return config.model_copy(update={"temperature": OF_DO})
    if not any(part.eligible.any() for part in parts):
        raise ValueError("no context with a candidate to find the temperature on")
    satisfaction = objective.model_copy(update={"form": DO, "weight": None})
    reference = satisfaction
    if objective.weight:
        shown = [first_slot(_value(part, satisfaction), part.eligible, OF_DO, 0.0, part.columns) for part in parts]
        outcomes = sum(
            float((p * np.exp(_value(part, satisfaction))).sum()) for p, part in zip(shown, parts, strict=True)
        )
        probability = outcomes / sum(float(p.sum()) for p in shown)
        reference = satisfaction.model_copy(update={"weight": objective.weight / probability})
    eligible, columns = [part.eligible for part in parts], [part.columns for part in parts]
    aim = mean_entropy([_value(part, reference) for part in parts], eligible, OF_DO, config.exploration, columns)
    values = [_value(part, objective) for part in parts]
    solved = temperature_of(aim, values, eligible, config.exploration, columns)
    return config.model_copy(update={"temperature": solved})


def needs_contexts(config: PolicyConfig, objective: Objective) -> bool:
    """Whether the temperature has to be solved, for which contexts are scored."""
    return config.temperature is None and objective.maximises != DO


def temperature_of(
    aim: float,
    values: Sequence[Floats],
    eligible: Sequence[Mask],
    exploration: float,
    columns: Sequence[Columns | None] | None = None,
) -> float:
    """The temperature at which the policy has a mean entropy, by bisection.

    The entropy of (1 - exploration) softmax(value / T) + exploration / n does not fall with T: dH/dT is the covariance
    of value and log p under the softmax, times (1 - exploration) / T^2, and both rise together.

    Args:
        aim: In nats.
        values, eligible: (contexts, items) each.
        columns: What the columns of each are, where they are not all items.

    Returns:
        In the units of the values. Where they are too much alike to reach so low an entropy, the lowest that was looked
        at; where no two differ every temperature does the same, and it is 1.
    """
    few = columns or [None] * len(values)
    ranked = [may if own is None else may & ~own.in_lump for may, own in zip(eligible, few, strict=True)]
    spread = max((_spread(v, e) for v, e in zip(values, ranked, strict=True)), default=0.0)
    if spread == 0:
        return 1.0
    low, high = np.log(spread / WIDEST), np.log(spread * WIDEST)
    for _ in range(STEPS):
        middle = (low + high) / 2
        if mean_entropy(values, eligible, float(np.exp(middle)), exploration, few) < aim:
            low = middle
        else:
            high = middle
    return float(np.exp(high))


def mean_entropy(
    values: Sequence[Floats],
    eligible: Sequence[Mask],
    temperature: float,
    exploration: float,
    columns: Sequence[Columns | None] | None = None,
) -> float:
    """Of the first slot's distribution, in nats, over the contexts that have a candidate."""
    total, contexts = 0.0, 0
    for value, may, few in zip(values, eligible, columns or [None] * len(values), strict=True):
        p = first_slot(value, may, temperature, exploration, few)
        each = p if few is None else p / few.stands_for
        total -= float((p * np.log(np.where(p > 0, each, 1.0))).sum())
        contexts += int(may.any(axis=1).sum())
    return total / contexts


def _value(part: Scored, objective: Objective) -> Floats:
    return objective.value(*objective.terms(part))


def _spread(value: Floats, eligible: Mask) -> float:
    """The largest difference of two candidates of one context."""
    there = eligible.any(axis=1)
    highest = np.where(eligible, value, -np.inf)[there].max(axis=1, initial=-np.inf)
    lowest = np.where(eligible, value, np.inf)[there].min(axis=1, initial=np.inf)
    return float((highest - lowest).max(initial=0.0))
