"""Where training runs: CPU or GPU, how many, in which precision."""

from typing import Any

import dagster as dg

GPU_POOL = "gpu"
"""Steps of this pool run one at a time; its limit is in the instance's dagster.yaml."""

GPU_OP_TAGS: dict[str, Any] = {
    "dagster-k8s/config": {"container_config": {"resources": {"limits": {"nvidia.com/gpu": "1"}}}},
}
"""What a Kubernetes run launcher gives a training step; other launchers ignore it."""


class Compute(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Options of the Lightning trainer.

    Attributes:
        accelerator: auto, cpu or gpu; auto takes a GPU when there is one.
        devices: How many.
        precision: As Lightning names it, e.g. 32-true or bf16-mixed.
    """

    accelerator: str = "auto"
    devices: int = 1
    precision: str = "32-true"

    def trainer_options(self) -> dict[str, Any]:
        """Keyword arguments of `lightning.Trainer`."""
        return {"accelerator": self.accelerator, "devices": self.devices, "precision": self.precision}

    @property
    def fingerprint(self) -> str:
        """Names what the trained weights can depend on."""
        return f"{self.accelerator}:{self.devices}:{self.precision}"
