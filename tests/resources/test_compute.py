"""Where training runs, and how its steps are announced to a launcher."""

from pathlib import Path

import dagster as dg
import pytest
from pydantic import ValidationError

from causalrec.home import Home
from causalrec_assets.model.outcome_model import outcome_model
from causalrec_assets.operate.assets import ASSETS
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
    computes = Compute(), Compute(accelerator="cpu"), Compute(precision="bf16-mixed")
    assert len({compute.fingerprint for compute in computes}) == 3


def test_checkpoints_are_kept_on_this_machine_unless_a_folder_is_named():
    assert Compute().checkpoint_folder(Home(Path("/home"))) == Path("/home/work/checkpoints")
    assert Compute(checkpoints="/fast").checkpoint_folder(Home(Path("/home"))) == Path("/fast")


@pytest.mark.parametrize("wrong", [{"accelerator": "abacus"}, {"devices": 0}])
def test_an_unknown_accelerator_or_no_device_is_refused(wrong):
    with pytest.raises(ValidationError):
        Compute(**wrong)


@pytest.mark.parametrize("devices", [2, 8])
def test_several_devices_are_refused_when_the_settings_are_read(devices):
    with pytest.raises(ValidationError, match=rf"compute\.devices is {devices}, but .* is not built yet.*Use 1"):
        Compute(devices=devices)


@pytest.mark.parametrize("strategy", ["ddp", "ddp_spawn", "ddp_fork", "fsdp", "deepspeed", "nonesuch", ""])
def test_strategies_that_start_processes_are_refused_when_the_settings_are_read(strategy):
    with pytest.raises(ValidationError, match=r"compute\.strategy is .*is not built yet.*Use auto"):
        Compute(strategy=strategy)


def test_a_run_that_asks_for_several_devices_ends_at_once_and_says_why():
    @dg.asset
    def trained(compute: Compute) -> None:
        raise AssertionError("the step must not begin")

    asked = {"resources": {"compute": {"config": {"devices": 2}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [trained], resources={"compute": Compute()}, run_config=asked, instance=instance, raise_on_error=False
        )
        records = instance.get_records_for_run(result.run_id).records
    said = "".join(str(record.event_log_entry.dagster_event) for record in records)
    assert not result.success
    assert "training on several devices is not built yet" in said


def test_the_training_step_asks_for_the_gpu_pool_and_the_others_do_not():
    pools = {asset.key.path[-1]: asset.op.pool for asset in ASSETS if isinstance(asset, dg.AssetsDefinition)}
    assert {name for name, pool in pools.items() if pool == GPU_POOL} == {"outcome_model", "item_embeddings"}
    assert {pool for pool in pools.values() if pool != GPU_POOL} == {None}
    assert "nvidia.com/gpu" in str(outcome_model.op.tags["dagster-k8s/config"])
    assert "num_gpus" in str(outcome_model.op.tags["dagster-ray/config"])
