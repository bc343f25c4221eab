"""One deployment: settings, landing zone, lake, Dagster instance, MLflow store, all under one folder.

`CAUSALREC_HOME` names it. The checkout's `data/` is the template that a new home copies; a setting that a home does not
have is read from there, so that definitions load before any home exists.

    python -m causalrec_assets.home DIR    make a home for your own logs
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
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


def create_home(root: Path, overlay: str | None = None) -> Home:
    """Make a home from the template, or bring one up to date.

    A file that a person has edited is never touched: what was copied is remembered by its hash, and only a copy that is
    still as it was made follows the template.

    Args:
        root: The folder.
        overlay: A folder of `data/demos/` whose files stand in place of the template's.
    """
    home = Home(root.resolve())
    home.data.mkdir(parents=True, exist_ok=True)
    record = home.data / ".copied.json"
    copied: dict[str, str] = json.loads(record.read_text()) if record.exists() else {}
    for relative, source in _template_files(overlay).items():
        target, content = home.data / relative, source.read_bytes()
        if target.exists() and copied.get(relative) != _sha256(target.read_bytes()):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        copied[relative] = _sha256(content)
    record.write_text(json.dumps(copied, indent=1, sort_keys=True))
    for folder in (home.landing, home.lake, home.dagster, home.reports):
        folder.mkdir(parents=True, exist_ok=True)
    instance = home.dagster / "dagster.yaml"
    if not instance.exists():
        shutil.copyfile(CHECKOUT / "dagster.yaml", instance)
    return home


def _template_files(overlay: str | None) -> dict[str, Path]:
    """Relative name -> the file to copy; an overlay's files win."""
    files = {
        path.relative_to(TEMPLATE).as_posix(): path
        for path in sorted(TEMPLATE.rglob("*.yaml"))
        if path.relative_to(TEMPLATE).parts[0] not in ("demos", "landing")
    }
    if overlay:
        folder = TEMPLATE / "demos" / overlay
        files |= {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.yaml"))}
    return files


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def remember(home: Home) -> None:
    """Write the checkout's `.env`, which Dagster reads first, so that `dagster dev` opens this home."""
    variables = {"CAUSALREC_HOME": home.root, "DAGSTER_HOME": home.dagster}
    (CHECKOUT / ".env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m causalrec_assets.home DIR")
    made = create_home(Path(sys.argv[1]).expanduser())
    remember(made)
    print(f"Made {made.root}. Say what your logs mean in {made.data / 'sources.yaml'}, land them below {made.landing}.")
