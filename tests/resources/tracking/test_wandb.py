"""Weights & Biases, where a key is configured."""

import json
import struct

import pytest

from causalrec.home import Home
from resources.tracking.resource import Attempt, Tracking
from tests.resources.tracking.tracked import DAYS, LOG, expected, same, tracked, train


@pytest.fixture
def no_key(monkeypatch, tmp_path):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    return monkeypatch


def names(run):
    return [logger.name for logger in run.loggers()]


def test_wandb_is_used_only_where_a_key_is_configured(store, no_key, tmp_path):
    def asked():
        with Tracking().training(store.home, Attempt(next(DAYS), "d"), LOG) as run:
            return names(run)

    assert asked() == ["MLflow", "TensorBoard"]
    (tmp_path / "netrc").write_text("machine api.wandb.ai login user password " + "0" * 40)
    assert asked() == ["MLflow", "TensorBoard", "W&B"]
    no_key.setenv("WANDB_MODE", "disabled")
    assert asked() == ["MLflow", "TensorBoard"]


def test_a_key_without_the_package_is_told(store, no_key, monkeypatch, day):
    no_key.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setattr("resources.tracking.wandb.wandb_installed", lambda: False)
    with Tracking().training(store.home, Attempt(day, "d"), LOG) as run:
        assert names(run) == ["MLflow", "TensorBoard"]
    assert "pip install -e '.[wandb]'" in run.metadata["tracking"]


def test_wandb_works_offline(tmp_path, world, day, no_key):
    pytest.importorskip("wandb")
    no_key.setenv("WANDB_API_KEY", "0" * 40)
    no_key.setenv("WANDB_MODE", "offline")
    no_key.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    trained, run = tracked(Home(tmp_path), world, day, tracking=Tracking(tracking_uri="http://127.0.0.1:9"))
    assert "W&B" not in run.metadata["tracking"]
    assert same(trained, train(world))
    (file,) = (tmp_path / "wandb").glob("offline-run-*/run-*.wandb")
    assert wandb_curve(file) == expected(trained)
    assert str(file.parent) in run.metadata["wandb_run"]


def wandb_curve(file):
    from wandb.proto import wandb_internal_pb2

    found = []
    for content in records(file.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(content)
        row = {(item.key or "/".join(item.nested_key)): item.value_json for item in record.history.item}
        if "validation_loss" in row:
            found.append((json.loads(row["trainer/global_step"]), json.loads(row["validation_loss"])))
    return found


def records(content):
    """The records of a W&B file: LevelDB's log format, after a header of 7 bytes."""
    at, whole = 7, b""
    while at + 7 <= len(content):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        _, size, kind = struct.unpack_from("<IHB", content, at)
        whole += content[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):
            yield whole
            whole = b""
