"""Small simulated homes, and materialising their assets through Dagster in this process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import yaml

from causalrec.home import Home
from causalrec.simulator.landing import simulate
from causalrec.simulator.world.world import WorldConfig
from causalrec_assets.commands.home import create_home
from causalrec_assets.lake.store import Store

if TYPE_CHECKING:
    import dagster as dg

FIRST = date(2026, 3, 2)
LOGS = ("items", "users", "clean_events", "history", "units")
LEARNING = (
    "discovered_graph",
    "causal_graph",
    "adjustment_sets",
    "item_embeddings",
    "treatment_propensities",
    "action_propensities",
    "effects",
    "outcome_model",
    "target_policy",
    "off_policy_report",
    "trial_policy",
    "trial_report",
    "effect_report",
    "evaluation_report",
    "release",
    "recommendations",
)


def tiny(**dials: object) -> WorldConfig:
    """A world of six days: four to learn from, two to judge."""
    return WorldConfig(**{"days": 6, "users": 120, "items": 40, "events_per_day": 1500, "seed": 2, **dials})


def make_home(root: Path, world: WorldConfig) -> Home:
    """A home with the world's logs landed, learning from four days and judging on two."""
    home = create_home(root, "simulated")
    learning = {"window_days": 4, "judgement_days": 2, "min_days": 3, "seed": 1}
    (home.data / "learning.yaml").write_text(yaml.safe_dump(learning))
    model = yaml.safe_load((home.data / "model.yaml").read_text()) | {"min_outcomes_per_arm": 10, "epochs": 4}
    (home.data / "model.yaml").write_text(yaml.safe_dump(model))
    discovery = yaml.safe_load((home.data / "discovery.yaml").read_text()) | {"bootstraps": 3}
    (home.data / "discovery.yaml").write_text(yaml.safe_dump(discovery))
    simulate(world, home.landing, home.truth)
    return home


def materialise(
    home: Home,
    day: date,
    names: Sequence[str],
    instance: dg.DagsterInstance | None = None,
    tracking: bool = False,
    ops: dict[str, object] | None = None,
) -> dg.ExecuteInProcessResult:
    """Run some assets of a day; failures are in the result. `ops`: their configuration, as in the launchpad."""
    import dagster as dg

    from causalrec_assets.definitions import defs
    from resources.compute import Compute
    from resources.lake import Lake
    from resources.text_encoder import TextEncoder
    from resources.tracking.resource import Tracking

    assets = list(defs.assets or [])
    resources = {
        "lake": Lake(home=str(home.root)),
        "compute": Compute(accelerator="cpu"),
        "text_encoder": TextEncoder(),
        "tracking": Tracking(enabled=tracking),
    }
    return dg.materialize(
        assets,
        selection=list(names),
        partition_key=day.isoformat(),
        resources=resources,
        raise_on_error=False,
        instance=instance or dg.DagsterInstance.ephemeral(),
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}, "ops": ops or {}},
    )


def build(home: Home, days: int, learning: Sequence[str] = LEARNING) -> date:
    """All log assets of the days, then the learning assets of the last; any failure is the test's."""
    for k in range(days):
        result = materialise(home, FIRST + timedelta(days=k), LOGS)
        assert result.success, words(result)
    last = FIRST + timedelta(days=days - 1)
    if learning:
        result = materialise(home, last, learning)
        assert result.success, words(result)
    return last


def words(result: dg.ExecuteInProcessResult) -> str:
    """What a failed run says, with the causes."""
    said = []
    for event in result.all_events:
        if event.is_step_failure:
            error = event.event_specific_data.error
            while error is not None:
                said.append(error.message)
                error = error.cause
    return "\n".join(said)


def table(home: Home, name: str, day: date) -> pl.DataFrame:
    store = Store(home.lake)
    pointer = store.pointer(name, day)
    assert pointer is not None, f"{name} of {day} was not published"
    return pl.read_parquet(store.data_path(pointer))
