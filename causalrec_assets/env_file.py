"""A `.env` in the folder in which Dagster is started, which Dagster reads before anything else."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def env_file_note(folder: Path) -> str | None:
    """What a person has to know of a folder's `.env`, if it names a home: Dagster, started there, reads it first."""
    path = folder / ".env"
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, IsADirectoryError):
        return None
    names = ("CAUSALREC_HOME", "DAGSTER_HOME")
    home_lines = [line.strip() for line in lines if line.strip().removeprefix("export ").split("=")[0].strip() in names]
    if not home_lines:
        return None
    return (
        f"{path} names a home ({'; '.join(home_lines)}), and a Dagster that is started in {folder} takes that one, "
        "whatever its environment says. Nothing here writes or needs such lines any more: remove them."
    )


def say_env_file(folder: Path) -> None:
    """Say `env_file_note` once to whoever starts a Dagster: its processes have its environment."""
    variable = "CAUSALREC_SAID_ENV_FILE"
    if variable not in os.environ and (note := env_file_note(folder)):
        os.environ[variable] = "yes"
        print(f"WARNING: {note}", file=sys.stderr, flush=True)
