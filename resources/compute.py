"""Where training runs: CPU or GPU, in which precision."""

from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field, field_validator

from causalrec.home import Home

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
        devices: 1. Several would need processes of their own, which a Dagster step cannot be: it would wait for them
            for ever.
        precision: As Lightning names it, e.g. 32-true or bf16-mixed.
        strategy: auto; what starts processes of its own (ddp, fsdp, ...) is refused like several devices.
        checkpoints: Folder in which a training keeps its last epoch until it is done, so that a killed one
            resumes; empty means the home's `work/checkpoints`.
    """

    accelerator: str = Field(default="auto", pattern=f"^({'|'.join(ACCELERATORS)})$")
    devices: int = Field(default=1, ge=1)
    precision: str = "32-true"
    strategy: str = "auto"
    checkpoints: str = ""

    @field_validator("devices")
    @classmethod
    def _one_device(cls, devices: int) -> int:
        if devices > 1:
            raise ValueError(
                f"compute.devices is {devices}, but training on several devices is not built yet: with more than one, "
                "the step would wait for processes that never come. Use 1"
            )
        return devices

    @field_validator("strategy")
    @classmethod
    def _no_processes(cls, strategy: str) -> str:
        if strategy != "auto":
            raise ValueError(
                f"compute.strategy is {strategy!r}, but training on several devices is not built yet, and a strategy "
                "that starts processes of its own would wait for ever. Use auto"
            )
        return strategy

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
