"""Worlds with a hidden cause, whose effects by each strategy are known, and questions about them."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from causalrec.logs.clusters import cluster_codes
from causalrec.model.effects import estimate_effect
from causalrec.model.effects.propensities import treatment_propensities
from causalrec.model.effects.sets import covariates_of
from causalrec.model.effects.study import EffectResult, EffectStudy
from tests.model.worlds import SETTINGS, Toy

BASE = {
    "question": "q",
    "treatment": "t",
    "outcome": "y",
    "effect": "total",
    "status": "answered",
    "reason": "",
    "strategy": "back_door",
    "columns": ["w"],
    "held": [],
    "mediators": [],
    "instrument": None,
}
FRONT_DOOR = BASE | {"strategy": "front_door", "mediators": ["m"]}
INSTRUMENT = BASE | {"strategy": "instrument", "instrument": "z"}
DIRECT = BASE | {"effect": "direct", "held": ["m"], "columns": ["w", "mood"]}


@dataclass(frozen=True)
class World:
    units: pl.DataFrame
    clusters: np.ndarray
    total: float
    direct: float
    compliers: float


def world(seed: int, users: int = 400, rows: int = 15, direct: float = 0.0, push: float = 0.3) -> World:
    """A mood moves t and y; w moves all; z moves t only; t acts through m, and past it by `direct`."""
    rng = np.random.default_rng(seed)
    n = users * rows
    mood, w = np.repeat(rng.random(users) < 0.5, rows), rng.normal(size=n)
    calm = 1 / (1 + np.exp(-w))
    z = rng.random(n) < 0.3 + 0.4 * calm
    luck = rng.random((3, n))

    def arm(z):
        return luck[0] < 0.05 + 0.35 * mood + 0.2 * calm + push * z

    def between(t):
        return luck[1] < 0.1 + 0.5 * t + 0.2 * calm

    def end(t, m):
        return luck[2] < 0.05 + 0.3 * m + 0.3 * mood + 0.1 * calm + direct * t

    t = arm(z)
    m = between(t)
    gain = end(1, between(1)).astype(float) - end(0, between(0))
    moved = arm(1) > arm(0)
    units = pl.DataFrame(
        {
            "unit_id": [f"u{k}" for k in range(n)],
            "user_id": [f"user-{k}" for k in np.repeat(np.arange(users), rows)],
            "t": t.astype(np.int8),
            "m": m.astype(np.int8),
            "y": end(t, m).astype(np.int8),
            "z": z.astype(np.int8),
            "mood": mood.astype(np.int8),
            "w": w,
        }
    )
    compliers = float(gain[moved].mean()) if moved.any() else 0.0
    return World(units, cluster_codes(units, "user_id"), 0.5 * 0.3 + direct, direct, compliers)


def estimated(drawn: World | Toy, question, settings=SETTINGS, **others) -> EffectResult:
    """The effect of a question in a world, propensities and all."""
    columns = covariates_of(question)
    fitted = treatment_propensities(drawn.units, question["treatment"], columns, drawn.clusters, settings, seed=1)
    return estimate_effect(EffectStudy(drawn.units, question, fitted, drawn.clusters, settings, 1, **others))
