"""The front door: assets, checks, jobs, schedules, sensors, resources and the executor; nothing else."""

from pathlib import Path

import dagster as dg

from causalrec_assets.env_file import say_env_file
from causalrec_assets.operate.assets import ASSETS
from causalrec_assets.operate.automation import JOBS, SCHEDULES, SENSORS
from causalrec_assets.operate.watch import SENSORS as WATCHERS
from resources.alerts.resource import Alerts
from resources.compute import Compute
from resources.lake import Lake
from resources.text_encoder import TextEncoder
from resources.tracking.resource import Tracking

say_env_file(Path.cwd())

# A step is a process of its own, forked from a server that has imported what steps import.
STEPS = dg.multiprocess_executor.configured(
    {"start_method": {"forkserver": {"preload_modules": ["causalrec_assets.preload"]}}}
)

defs = dg.Definitions(
    executor=STEPS,
    assets=ASSETS,
    jobs=JOBS,
    schedules=SCHEDULES,
    sensors=[*SENSORS, *WATCHERS],
    resources={
        "lake": Lake(),
        "compute": Compute(),
        "text_encoder": TextEncoder(),
        "tracking": Tracking(),
        "alerts": Alerts(),
    },
)
