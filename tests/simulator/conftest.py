"""One small world, written once for all tests of the simulator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from causalrec.simulator.landing import simulate
from causalrec.simulator.traffic.policy_value import landed_events
from causalrec.simulator.world.world import World, WorldConfig

SMALL = WorldConfig(days=5, users=150, items=60, events_per_day=3000, seed=11)


@dataclass(frozen=True)
class Written:
    """A world and where its logs and its truth are."""

    world: World
    landing: Path
    truth: Path

    @property
    def days(self) -> list[date]:
        return [self.world.config.first_day + timedelta(days=k) for k in range(self.world.config.days)]

    def events(self, *days: date) -> pl.DataFrame:
        return pl.concat([landed_events(self.landing, day) for day in days or self.days])

    def known(self, *days: date) -> pl.DataFrame:
        """What was logged with both potential outcomes beside it."""
        truth = pl.read_parquet([self.truth / f"day={d}.parquet" for d in days or self.days])
        return self.events(*days).join(truth, on="event_id", how="left", validate="1:1", maintain_order="left")


def write(config: WorldConfig, root: Path) -> Written:
    simulate(config, root / "landing", root / "truth")
    return Written(World(config), root / "landing", root / "truth")


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write(SMALL, tmp_path_factory.mktemp("small"))
