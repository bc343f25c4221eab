"""An attribute of users that confounds, from the users' list to the effect, where the truth is known."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from causalrec.logs.cleaning.clean import TYPES
from causalrec.logs.clusters import cluster_codes
from causalrec.logs.units.history import empty_history
from causalrec.logs.units.units import build_units
from causalrec.model.effects import estimate_effect
from causalrec.model.effects.propensities import treatment_propensities
from causalrec.model.effects.study import EffectStudy
from tests.logs.worlds import ITEMS, SECOND, source
from tests.model.worlds import SETTINGS

EFFECT = 0.1
SHOP = source(
    users={
        "columns": {"user_id": "id", "plan": "plan", "born": "born"},
        "kinds": {"born": "number"},
        "sensitive": ["born"],
    }
)


def shop_of_users(rows=12_000, people=2_000):
    """Whoever pays more, or is older, is shown more and clicks more; what showing adds is the same for everybody."""
    rng = np.random.default_rng(3)
    gold, old = rng.random(people) < 0.5, rng.random(people) < 0.5
    names = np.array([f"u{k}" for k in range(people)])
    who = rng.integers(people, size=rows)
    shown = rng.random(rows) < 0.2 + 0.35 * gold[who] + 0.25 * old[who]
    click = rng.random(rows) < 0.05 + 0.2 * gold[who] + 0.15 * old[who] + EFFECT * shown
    start = datetime(SECOND.year, SECOND.month, SECOND.day, tzinfo=UTC)
    events = pl.DataFrame(
        {
            "event_id": [f"e{k}" for k in range(rows)],
            "time": [start + timedelta(seconds=7 * k) for k in range(rows)],
            "item_id": ITEMS["item_id"][0],
            "user_id": names[who],
            "device": "phone",
            "recommended": shown.astype(np.int8),
            "click": click.astype(np.int8),
        }
    )
    users = pl.DataFrame(
        {"user_id": names, "plan": np.where(gold, "gold", "basic"), "born": np.where(old, 1955.0, 1995.0)}
    )
    return events, users


def test_adjusting_for_what_is_known_of_users_moves_the_answer_to_the_truth():
    events, users = shop_of_users()
    missing = {c: t for c, t in TYPES.items() if c not in events.columns}
    events = events.with_columns(pl.lit(None, t).alias(c) for c, t in missing.items())
    units = build_units(events, empty_history(), ITEMS, SHOP, SECOND, users)
    clusters = cluster_codes(units, "user_id")

    def found(*columns):
        fitted = treatment_propensities(units, "recommended", columns, clusters, SETTINGS, 1)
        question = {"treatment": "recommended", "outcome": "click", "columns": columns}
        result = estimate_effect(EffectStudy(units, question, fitted, clusters, SETTINGS, 1))
        assert result.answer.answered
        return result.estimates["aipw"]

    both, one, none = found("plan", "born"), found("plan"), found()
    assert both.lower < EFFECT < both.upper
    assert abs(both.value - EFFECT) < abs(one.value - EFFECT) < abs(none.value - EFFECT)
    assert one.lower > EFFECT
