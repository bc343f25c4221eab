"""One deployment: settings, landing zone, lake, Dagster instance, MLflow store, all under one folder.

`CAUSALREC_HOME` names it. The checkout's `data/` is the template that a new home copies; a setting that a home does not
have is read from there, so that definitions load before any home exists.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
TEMPLATE = CHECKOUT / "data"


@dataclass(frozen=True)
class Home:
    """The folders of a deployment."""

    root: Path

    @classmethod
    def current(cls) -> Home:
        """The home that `CAUSALREC_HOME` names, or `.home/default` in the checkout."""
        named = os.environ.get("CAUSALREC_HOME", "").strip()
        return cls(Path(named).expanduser().resolve() if named else CHECKOUT / ".home" / "default")

    @property
    def data(self) -> Path:
        """What a person edits: sources, contracts, expert graph, questions, objective, policy, release rule."""
        return self.root / "data"

    @property
    def landing(self) -> Path:
        return self.data / "landing"

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def work(self) -> Path:
        """Scratch on this machine (staging, scans of landed files, checkpoints); safe to delete between runs."""
        return self.root / "work"

    @property
    def truth(self) -> Path:
        """What the simulator knows. Read by the comparison with the truth, never by an asset."""
        return self.root / "truth"

    @property
    def dagster(self) -> Path:
        """The folder that `DAGSTER_HOME` names."""
        return self.root / "dagster"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    def setting(self, file: str) -> Path:
        """Where a settings file is: in the home, else in the template."""
        own = self.data / file
        return own if own.exists() else TEMPLATE / file
