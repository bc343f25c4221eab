"""The front door: assets, checks, jobs, schedules, sensors, resources and the executor; nothing else."""

from pathlib import Path

import dagster as dg

from causalrec_assets.automation import JOBS, SCHEDULES, SENSORS
from causalrec_assets.embeddings.assets import ASSETS as EMBEDDINGS
from causalrec_assets.evaluation.assets import ASSETS as EVALUATION
from causalrec_assets.graph.assets import ASSETS as GRAPH
from causalrec_assets.home import say_env_file
from causalrec_assets.logs.assets import ASSETS as LOGS
from causalrec_assets.model.assets import ASSETS as MODEL
from causalrec_assets.policy.assets import ASSETS as POLICY
from causalrec_assets.serving.assets import ASSETS as SERVING
from causalrec_assets.watch import SENSORS as WATCHERS
from resources.alerts import Alerts
from resources.compute import Compute
from resources.lake import Lake
from resources.text_encoder import TextEncoder
from resources.tracking import Tracking

say_env_file(Path.cwd())

# A step is a process of its own, forked from a server that has imported what steps import.
STEPS = dg.multiprocess_executor.configured(
    {"start_method": {"forkserver": {"preload_modules": ["causalrec_assets.steps"]}}}
)

defs = dg.Definitions(
    executor=STEPS,
    assets=[*LOGS, *GRAPH, *EMBEDDINGS, *MODEL, *POLICY, *EVALUATION, *SERVING],
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
