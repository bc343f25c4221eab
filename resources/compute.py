"""Where training runs: CPU or GPU, how many, in which precision."""

from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from causalrec_assets.home import Home

GPU_POOL = "gpu"
"""Steps of this pool run one at a time; its limit is in the instance's dagster.yaml."""

GPU_OP_TAGS: dict[str, Any] = {
    "dagster-k8s/config": {"container_config": {"resources": {"limits": {"nvidia.com/gpu": "1"}}}},
    "dagster-ray/config": {"num_gpus": 1},
}
"""What a training step is given by dagster-k8s' and dagster-ray's executors; others ignore it."""

ACCELERATORS = ("auto", "cpu", "gpu")


class Compute(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Options of the Lightning trainer.

    Attributes:
        accelerator: auto, cpu or gpu; auto takes a GPU when there is one.
        devices: How many, at least 1.
        precision: As Lightning names it, e.g. 32-true or bf16-mixed.
        strategy: As Lightning names it, e.g. auto, or ddp for several devices.
        checkpoints: Folder in which a training keeps its last epoch until it is done, so that a killed one
            resumes; empty means the home's `work/checkpoints`.
    """

    accelerator: str = Field(default="auto", pattern=f"^({'|'.join(ACCELERATORS)})$")
    devices: int = Field(default=1, ge=1)
    precision: str = "32-true"
    strategy: str = "auto"
    checkpoints: str = ""

    def trainer_kwargs(self) -> dict[str, Any]:
        """Keyword arguments of `lightning.Trainer`."""
        return {
            "accelerator": self.accelerator,
            "devices": self.devices,
            "precision": self.precision,
            "strategy": self.strategy,
        }

    def checkpoint_folder(self, home: Home) -> Path:
        """Where trainings keep their last epoch."""
        return Path(self.checkpoints) if self.checkpoints else home.work / "checkpoints"

    @property
    def fingerprint(self) -> str:
        """Names what the trained weights can depend on."""
        return f"{self.accelerator}:{self.devices}:{self.precision}:{self.strategy}"
