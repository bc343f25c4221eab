"""One deployment: settings, landing zone, lake, Dagster instance, MLflow store, all under one folder.

`CAUSALREC_HOME` names it. The checkout's `data/` is the template that a new home copies; a setting that a home does not
have is read from there, so that definitions load before any home exists.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
TEMPLATE = CHECKOUT / "data"
CODE = Path(__file__).resolve().parent


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


def create_home(root: Path, overlay: str | None = None) -> Home:
    """Make a home from the template, or complete one: a file that is already there is never overwritten.

    Args:
        root: The folder.
        overlay: A folder of `data/demos/` whose files stand in place of the template's.
    """
    home = Home(root.resolve())
    sources = [TEMPLATE / "demos" / overlay] if overlay else []
    for source in [*sources, TEMPLATE]:
        for file in sorted(source.rglob("*.yaml")):
            relative = file.relative_to(source)
            if source == TEMPLATE and relative.parts[0] in ("demos", "landing"):
                continue
            target = home.data / relative
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
    for folder in (home.landing, home.lake, home.dagster, home.reports):
        folder.mkdir(parents=True, exist_ok=True)
    instance = home.dagster / "dagster.yaml"
    if not instance.exists():
        shutil.copyfile(CHECKOUT / "dagster.yaml", instance)
    return home
