"""A drawn day as data frames: what is logged, and what only the simulator knows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec.simulator.world.day import Drawn
from causalrec.simulator.world.world import EXPERIMENT, World, user_id

NO_SLATE = "no_recommendations"
"""In the column `policy`, where a request got no slate."""


def events_frame(world: World, drawn: Drawn) -> pl.DataFrame:
    """The events of the day that took place, as they are logged, purchases beside them.

    Organic events of a request without a slate name the policy `NO_SLATE`: they say who drew it.
    """
    c, shop, today = world.config, world.catalogue, drawn.today
    rows, requests, shown = len(drawn.item), len(drawn.requests.user), drawn.shown
    of_request = np.repeat(np.arange(requests, dtype=np.uint32), shown)
    prefix = f"{drawn.day:%Y%m%d}-"
    is_recommended = pl.Series(drawn.recommended == 1)
    price = today.price[drawn.item]

    def per_request(values: pl.Series) -> pl.Series:
        return values.gather(of_request)

    def in_slate(values: npt.NDArray[np.generic], name: str) -> pl.Series:
        """Null on organic rows."""
        column = pl.select(pl.when(is_recommended).then(pl.Series(values))).to_series()
        return column.alias(name)

    second = pl.Series(drawn.requests.second * 1_000_000)
    time = pl.select(pl.lit(drawn.day).cast(pl.Datetime("us", "UTC")) + second.cast(pl.Duration("us"))).to_series()
    users = pl.Series([user_id(k) for k in range(c.users)])
    devices = pl.Series(["desktop", "mobile"])
    # Where nothing was recommended, the policy was not asked.
    first_slot = np.where(drawn.without_slate[:, None], np.nan, drawn.first_slot)
    first_slot = np.concatenate([np.full((requests, c.slate), np.nan), first_slot], axis=1).ravel()
    propensity = np.concatenate([drawn.propensity, np.full((requests, c.organic), np.nan)], axis=1).ravel()
    columns = {
        "event_id": _numbered(prefix, rows, 7),
        "timestamp": per_request(time),
        "user_id": per_request(users.gather(drawn.requests.user)),
        "item_id": pl.Series(shop.item_id).gather(drawn.item),
        "request_id": per_request(_numbered(prefix, requests, 6)),
        "position": in_slate(drawn.position, "position"),
        "policy": pl.Series(["shop-v1", None, NO_SLATE]).gather(_policy(drawn, of_request)),
        "action_propensity": in_slate(propensity, "action_propensity"),
        "first_slot_propensity": pl.Series(first_slot).fill_nan(None),
        "recommended": drawn.recommended,
        "click": drawn.click,
        "purchase": drawn.purchase,
        "revenue": price * drawn.purchase,
        "price": price,
        "device": per_request(devices.gather(drawn.requests.mobile)),
        **_of_dials(world, drawn, of_request),
    }
    return pl.DataFrame(columns).filter(pl.Series(drawn.present))


def truth_frame(world: World, drawn: Drawn, event_id: pl.Series) -> pl.DataFrame:
    """Both potential outcomes of every event and their probabilities, and what the dials add.

    They are those before any other click of the request removes one; `displaced` says of which that was done.

    Args:
        event_id: Of the events that took place.
    """
    present = pl.Series(drawn.present)
    columns = {name: pl.Series(values).filter(present) for name, values in (drawn.truth | drawn.extra).items()}
    frame = pl.DataFrame({"event_id": event_id, **columns})
    if not world.config.delay_days:
        return frame
    time = pl.lit(drawn.day).cast(pl.Datetime("us", "UTC")) + pl.duration(
        seconds=pl.Series(np.repeat(drawn.requests.second, drawn.shown)).filter(present) + pl.col("delay_seconds")
    )
    bought = pl.Series(drawn.purchase == 1).filter(present)
    return frame.with_columns(pl.when(bought).then(time).alias("ordered_at")).drop("delay_seconds")


def _policy(drawn: Drawn, of_request: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Of each event: 0 the policy's, 1 nobody's, 2 of a request without a slate."""
    organic = drawn.recommended == 0
    return np.asarray(organic.astype(np.uint32) + (organic & drawn.without_slate[of_request]), dtype=np.uint32)


def _of_dials(world: World, drawn: Drawn, of_request: npt.NDArray[np.uint32]) -> dict[str, pl.Series]:
    c, columns = world.config, {}
    if c.rating_rate:
        arms = (drawn.extra["rated_1"], drawn.extra["rated_0"])
        rated = (np.where(drawn.recommended == 1, *arms) == 1) & (drawn.click == 1)
        columns["rating"] = pl.Series(np.where(rated, drawn.extra["true_rating"], np.nan)).fill_nan(None)
    if c.campaign_share:
        columns["campaign_id"] = pl.Series([None] * len(drawn.item), dtype=pl.String)
        if (campaign := drawn.today.campaign) is not None:
            names = pl.Series([None, campaign.campaign_id])
            columns["campaign_id"] = names.gather(campaign.items[drawn.item].astype(np.uint32))
    if c.experiment_share:
        variants = pl.Series(["control", "treatment"])
        variant = world.variant[drawn.requests.user].astype(np.uint32)
        columns["experiment_id"] = pl.Series([EXPERIMENT]).new_from_index(0, len(drawn.item))
        columns["variant"] = variants.gather(variant).gather(of_request)
    return columns


def _numbered(prefix: str, count: int, width: int) -> pl.Series:
    """`prefix` and a number from 0, padded with zeros."""
    numbers = pl.int_range(count, eager=True).cast(pl.String).str.zfill(width)
    return pl.select(pl.lit(prefix) + numbers).to_series()
