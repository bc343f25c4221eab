"""Campaigns: on some days, items that were drawn at random cost less and are looked at more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec.simulator.world.dials import WorldConfig

FIRST = 1  # the day, from 0, on which the first campaign starts

SCHEMA = {
    "campaign_id": pl.String(),
    "item_id": pl.String(),
    "starts_on": pl.Date(),
    "ends_on": pl.Date(),
    "discount": pl.Float64(),
}


@dataclass(frozen=True)
class Campaign:
    """One campaign.

    Attributes:
        items: Whether each item is in it, (items,).
        first, last: Its days, from 0, both included.
    """

    campaign_id: str
    items: npt.NDArray[np.bool_]
    first: int
    last: int


def campaign_on(day: int, config: WorldConfig) -> Campaign | None:
    """The campaign of a day, from 0; there is never more than one."""
    number, into = divmod(day - FIRST, config.campaign_every)
    if not config.campaign_share or day < FIRST or into >= config.campaign_days:
        return None
    drawn = np.random.default_rng([config.seed, 16, number]).permutation(config.items)
    items = np.zeros(config.items, dtype=np.bool_)
    items[drawn[: max(1, round(config.campaign_share * config.items))]] = True
    return Campaign(f"campaign-{number + 1:02d}", items, day - into, day - into + config.campaign_days - 1)


def campaigns_frame(config: WorldConfig, item_ids: list[str]) -> pl.DataFrame:
    """The campaigns that start during the run as they are landed: a row for each campaign and item."""

    def on(day: int) -> date:
        return config.first_day + timedelta(days=day)

    ids = pl.Series("item_id", item_ids)
    parts = []
    for start in range(FIRST, config.days, config.campaign_every):
        if (campaign := campaign_on(start, config)) is not None:
            parts.append(
                pl.DataFrame({"item_id": ids.filter(pl.Series(campaign.items))}).select(
                    pl.lit(campaign.campaign_id).alias("campaign_id"),
                    "item_id",
                    pl.lit(on(campaign.first)).alias("starts_on"),
                    pl.lit(on(campaign.last)).alias("ends_on"),
                    pl.lit(config.campaign_discount).alias("discount"),
                )
            )
    return pl.concat(parts) if parts else pl.DataFrame(schema=SCHEMA)
