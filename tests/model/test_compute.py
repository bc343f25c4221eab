"""Where training runs, and how its steps are announced to a launcher."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from causalrec_assets.home import Home
from causalrec_assets.model.assets import ASSETS, outcome_model
from resources.compute import GPU_POOL, Compute


def test_the_defaults_take_a_gpu_where_there_is_one():
    assert Compute().trainer_kwargs() == {
        "accelerator": "auto",
        "devices": 1,
        "precision": "32-true",
        "strategy": "auto",
    }


def test_lightning_takes_what_it_is_given():
    import lightning

    compute = Compute(accelerator="cpu", precision="bf16-mixed")
    trainer = lightning.Trainer(logger=False, **compute.trainer_kwargs())
    assert trainer.num_devices == 1


def test_what_weights_depend_on_is_in_the_fingerprint():
    computes = Compute(), Compute(devices=2), Compute(precision="bf16-mixed")
    assert len({compute.fingerprint for compute in computes}) == 3


def test_checkpoints_are_kept_on_this_machine_unless_a_folder_is_named():
    assert Compute().checkpoint_folder(Home(Path("/home"))) == Path("/home/work/checkpoints")
    assert Compute(checkpoints="/fast").checkpoint_folder(Home(Path("/home"))) == Path("/fast")


@pytest.mark.parametrize("wrong", [{"accelerator": "abacus"}, {"devices": 0}])
def test_an_unknown_accelerator_or_no_device_is_refused(wrong):
    with pytest.raises(ValidationError):
        Compute(**wrong)


def test_the_training_step_asks_for_the_gpu_pool_and_the_others_do_not():
    pools = {asset.key.path[-1]: asset.op.pool for asset in ASSETS}
    assert pools.pop("outcome_model") == GPU_POOL
    assert pools == dict.fromkeys(["treatment_propensities", "action_propensities", "effects"])
    assert "nvidia.com/gpu" in str(outcome_model.op.tags["dagster-k8s/config"])
    assert "num_gpus" in str(outcome_model.op.tags["dagster-ray/config"])
