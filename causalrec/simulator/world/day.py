"""A drawn day as arrays, row by row in the order of the events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from causalrec.arrays import Floats, Ints, Mask
from causalrec.simulator.world.dials import WorldConfig
from causalrec.simulator.world.world import Conditions

Bits = npt.NDArray[np.int8]
Column = npt.NDArray[Any]

ARMS = (1, 0)


@dataclass(frozen=True)
class Requests:
    """Who asks, when and on what, (requests,) each, in the order of time."""

    second: Ints
    user: Ints
    mobile: Ints


@dataclass(frozen=True)
class Drawn:
    """The events of a day: `slate` recommended rows, then `organic` ones, of one request after another.

    Attributes:
        propensity: The action propensity of each slot, (requests, slate).
        first_slot: The policy's probability of putting each organic item into the first slot, (requests, organic).
        item, position, recommended, click, purchase: Of each event, (events,). The position of an organic event is
            the slot in which it would have stood.
        present: Whether the event took place, (events,): the slots of a request without a slate did not, and what
            people came for is not met again where the slate shows it.
        without_slate: Of each request, (requests,): it is of the holdout, and got no slate.
        truth: Probabilities and potential outcomes by their column's name, (events,) each.
        extra: What single dials add, by column, (events,) each.
    """

    day: date
    today: Conditions
    requests: Requests
    propensity: Floats
    first_slot: Floats
    item: Ints
    position: Ints
    recommended: Bits
    click: Bits
    purchase: Bits
    present: Mask
    without_slate: Mask
    truth: dict[str, Column]
    extra: dict[str, Column]

    @property
    def shown(self) -> int:
        """Events a request, with those that did not take place."""
        return len(self.item) // max(1, len(self.requests.user))

    @property
    def user(self) -> Ints:
        """Of each event, (events,)."""
        return np.repeat(self.requests.user, self.shown)

    @classmethod
    def empty(cls, c: WorldConfig, number: int, today: Conditions, requests: Requests) -> Drawn:
        """Room for a day's events; only the arm of each row is known."""
        n, shown = len(requests.user), c.slate + c.organic
        rows = n * shown
        truth: dict[str, Column] = {}
        for arm in ARMS:
            truth |= {f"p_{y}_{arm}": np.empty(rows) for y in ("click", "purchase")}
            truth |= {f"{y}_{arm}": np.empty(rows, np.int8) for y in ("click", "purchase")}
        return cls(
            c.first_day + timedelta(days=number),
            today,
            requests,
            np.empty((n, c.slate)),
            np.empty((n, c.organic)),
            np.empty(rows, np.int64),
            np.empty(rows, np.int64),
            np.tile(np.repeat(np.array([1, 0], np.int8), [c.slate, c.organic]), n),
            np.empty(rows, np.int8),
            np.empty(rows, np.int8),
            np.ones(rows, np.bool_),
            np.zeros(n, np.bool_),
            truth,
            {name: np.empty(rows, kind) for name, kind in _extra_columns(c).items()},
        )


def _extra_columns(c: WorldConfig) -> dict[str, type[np.generic]]:
    dtypes: dict[str, type[np.generic]] = {}
    if c.hidden:
        dtypes |= {"hidden": np.int8}
    if c.rating_rate:
        dtypes |= {"true_rating": np.int8, "p_rated": np.float64, "rated_1": np.int8, "rated_0": np.int8}
    if c.experiment_share:
        dtypes |= {"p_click_control": np.float64, "p_click_treatment": np.float64}
    if c.campaign_share:
        dtypes |= {"p_click_without_campaign": np.float64}
    if c.go_anyway:
        dtypes |= {"came_for": np.int8}
    if c.displacement:
        dtypes |= {"displaced": np.int8}
    if c.delay_days:
        dtypes |= {"delay_seconds": np.int64}
    return dtypes
