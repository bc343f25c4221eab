"""The simulated shop as a source format: it draws its logs, and the truth beside them."""

from __future__ import annotations

from pathlib import Path

from causalrec.home import TEMPLATE, Home


class SimulatedShop:
    """A `SourceFormat` that needs nothing; it stands here because the science of the logs knows no simulator."""

    name = "simulated"
    label = "a simulated shop, whose truth is known"

    def fetch(self, cache: Path) -> Path:
        return cache  # nothing is fetched, and nothing read

    def recognise(self, folder: Path) -> str | None:
        return None

    def overlay(self, folder: Path | None, home: Home) -> Path:
        return TEMPLATE / "demos" / self.name

    def land(self, folder: Path, home: Home) -> list[str]:
        from causalrec.simulator.landing import simulate
        from causalrec.simulator.world.world import WorldConfig

        simulate(WorldConfig(), home.landing, home.truth)
        return []
