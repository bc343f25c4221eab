"""Weights & Biases, where a person has configured an API key; it is never imported where not."""

from __future__ import annotations

import importlib.util
import netrc
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dagster as dg

from resources.tracking.tracker import DAGSTER_RUN, PARTITION, Result, Run


class WandbTracker:
    """A run of its own, kept in the home's folder `wandb` and sent from there."""

    name, label = "wandb", "W&B"

    def __init__(self, run: Run) -> None:
        self._run = run
        self._curve: Any = None
        self._links: dict[str, Any] = {}

    def begin(self) -> None:
        """Nothing: its run begins with the curve."""

    def loggers(self) -> Sequence[Any]:
        if not wandb_wanted():
            return ()
        if not wandb_installed():
            message = "an API key is configured and the package is missing: pip install -e '.[wandb]'"
            self._run.troubles.tell(self.label, message)
            return ()
        from resources.tracking.curves import SurvivingLogger

        root, project, attempt = self._run.home.root, self._run.settings.wandb_project, self._run.attempt
        day = attempt.partition.isoformat()
        config = {**attempt.params, PARTITION: day, DAGSTER_RUN: attempt.dagster_run}

        def make() -> Any:
            from lightning.pytorch.loggers import WandbLogger

            return WandbLogger(
                project=project, name=day, group=day, save_dir=root, config=dict(config), job_type="training"
            )

        self._curve = SurvivingLogger(self.label, make, self._run.troubles)
        return (self._curve,)

    def complete(self, result: Result) -> None:
        """The metrics, as the run's summary; it has the curve, and no files."""
        if self._curve is not None:
            self._curve.attempt(lambda inner: inner.experiment.summary.update(dict(result.metrics)), "the result")

    def end(self, status: str) -> None:
        def finish(inner: Any) -> None:
            run = inner.experiment
            self._links["wandb_run"] = dg.MetadataValue.url(run.url) if run.url else str(Path(run.dir).parent)
            run.finish(exit_code=0 if status == "FINISHED" else 1)

        if self._curve is not None and self._curve.inner is not None:
            self._curve.attempt(finish, "the run's end")

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self._links


def wandb_wanted() -> bool:
    """Whether a person has configured an API key: in `WANDB_API_KEY`, or by `wandb login`, which keeps it in the
    netrc file."""
    if os.environ.get("WANDB_MODE", "").strip().lower() == "disabled":
        return False
    return bool(os.environ.get("WANDB_API_KEY", "").strip()) or _logged_in()


def wandb_installed() -> bool:
    return importlib.util.find_spec("wandb") is not None


def _logged_in() -> bool:
    file = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    if not file.exists():
        return False
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or "https://api.wandb.ai").hostname
    try:
        login = netrc.netrc(file).authenticators(host or "")
    except netrc.NetrcParseError:
        # Not ours to judge: other programs read that file, too. Without a readable key there is none.
        return False
    return bool(login and login[2])
