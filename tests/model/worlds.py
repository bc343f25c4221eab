"""Small confounded worlds with the columns of `units`, and their truth."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from causalrec.embeddings.item_vectors import ItemVectors
from causalrec.logs.clusters import cluster_codes
from causalrec.settings.model import ModelSettings

SETTINGS = ModelSettings(
    folds=3,
    propensity_bound=0.01,
    min_outcomes_per_arm=20,
    min_overlap_share=0.9,
    weight_quantile=0.995,
    epochs=4,
    batch_rows=256,
    learning_rate=0.01,
    weight_decay=0.01,
    hidden=16,
    content_width=4,
)
ROLES = {
    "unit_id": "identifier",
    "day": "identifier",
    "user_id": "identifier",
    "item_id": "identifier",
    "policy": "logging",
    "recommended": "treatment",
    "position": "mediator",
    "click": "outcome",
    "purchase": "outcome",
    "past_clicks": "pre_treatment",
    "device": "pre_treatment",
}
COLUMNS = ["past_clicks", "device"]
FIRST = date(2026, 3, 2)


@dataclass(frozen=True)
class Toy:
    """Units, their clusters, the mean effects over them, and vectors that say how good an item is."""

    units: pl.DataFrame
    clusters: np.ndarray
    click_effect: float
    purchase_effect: float
    vectors: ItemVectors


def toy(seed: int, users: int = 400, rows: int = 15, days: int = 4, items: int = 20) -> Toy:
    """Past clicks and device raise both the chance of being recommended and of clicking."""
    rng = np.random.default_rng(seed)
    n = users * rows
    user = np.repeat(np.arange(users), rows)
    past = rng.poisson(rng.gamma(1.0, 3.0, size=users))[user]
    mobile = rng.random(n) < 0.5
    item = rng.integers(items, size=n)
    quality = np.linspace(-1.5, 1.5, items)

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    e = sigmoid(-1.0 + 0.8 * np.log1p(past) - 0.6 * mobile)
    base = -1.6 + 0.7 * np.log1p(past) - 0.8 * mobile + quality[item]
    click = {arm: sigmoid(base + 0.5 * arm) for arm in (0, 1)}
    buy = {arm: sigmoid(-0.5 + 0.3 * arm) for arm in (0, 1)}
    t = (rng.random(n) < e).astype(int)
    clicked = rng.random(n) < np.where(t == 1, click[1], click[0])
    bought = clicked & (rng.random(n) < np.where(t == 1, buy[1], buy[0]))
    frame = pl.DataFrame(
        {
            "unit_id": [f"u{k}" for k in range(n)],
            "day": [FIRST + timedelta(days=int(k)) for k in np.sort(rng.integers(days, size=n))],
            "user_id": [f"user-{k}" for k in user],
            "item_id": [f"item-{k}" for k in item],
            "policy": ["shop" if k else None for k in t],
            "recommended": t.astype(np.int8),
            "position": [int(p) if k else None for p, k in zip(rng.integers(1, 6, size=n), t, strict=True)],
            "click": clicked.astype(np.int8),
            "purchase": bought.astype(np.int8),
            "past_clicks": past,
            "device": np.where(mobile, "mobile", "desktop"),
        },
        schema_overrides={"past_clicks": pl.Int64, "position": pl.Int64},
    )
    vectors = np.column_stack([quality, np.ones(items)]).astype(np.float32)
    return Toy(
        frame,
        cluster_codes(frame, "user_id"),
        float((click[1] - click[0]).mean()),
        float((click[1] * buy[1] - click[0] * buy[0]).mean()),
        ItemVectors(tuple(f"item-{k}" for k in range(items)), vectors),
    )
