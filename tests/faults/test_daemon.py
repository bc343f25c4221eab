"""A real `dagster dev` with the shipped dagster.yaml: its processes are killed while an asset trains.

When the webserver or the daemon dies, `dagster dev` ends (with 0) and takes the other with it; the code server stays
until its runs are over, so that a run in progress goes on. Only a run whose own process is killed, or all of whose
processes are, is tried again.
"""

import shutil
from datetime import timedelta

import pytest
import yaml
from dagster import DagsterRunStatus as Status

from causalrec.home import Home
from causalrec_assets.lake.store import Store
from causalrec_assets.operate.watch import server_is_gone
from tests.faults.daemon import Deployment, free_port, until
from tests.faults.lake import assert_whole
from tests.worlds import FIRST, LOGS, materialise, words

LAST = FIRST + timedelta(days=5)
EPOCHS = 120
"""The training lasts some seconds."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]


@pytest.fixture(scope="module")
def home(built, tmp_path_factory):
    """A built home that trains for longer; version 2 of its model is what an undisturbed run makes."""
    try:
        free_port()
    except OSError:
        pytest.skip("no port can be bound here")
    home = Home(tmp_path_factory.mktemp("daemon") / "home")
    shutil.copytree(built.root, home.root)
    settings = home.data / "model.yaml"
    settings.write_text(yaml.safe_dump(yaml.safe_load(settings.read_text()) | {"epochs": EPOCHS}))
    result = materialise(home, LAST, ["outcome_model"])
    assert result.success, words(result)
    return home


@pytest.fixture
def deployment(home):
    with Deployment(home) as deployment:
        yield deployment


def trains(home):
    return list(home.work.rglob("last.ckpt"))


def model(home):
    found = Store(home.lake).pointer("outcome_model", LAST)
    return found.number, found.hash, found.data, found.files["model.safetensors"]


def test_a_killed_run_is_noticed_frees_its_slot_and_is_tried_again(home, deployment):
    before = model(home)
    run = deployment.launch("learning_assets", LAST, "outcome_model")
    until("the model trains", lambda: trains(home), 90)
    assert deployment.holders() == {run}
    steps = {process for process in deployment.processes() if "forkserver" in process.command}
    assert len(steps) == 2  # the server of the steps, and the one that it has forked
    deployment.worker(run).kill()

    failed = until("the run has failed", lambda: deployment.finished(run), 60)
    assert failed.status is Status.FAILURE
    # Nobody waits for its step: it must not train on, and win the race against the new attempt.
    until("its steps have ended", lambda: not steps & set(deployment.processes()), 30)
    assert model(home) == before
    assert_whole(home)
    retry = until("it is tried again", lambda: deployment.retry_of(run), 60).run_id

    # Meanwhile, two runs of one day: they wait for each other.
    twins = [deployment.launch("rebuilt_logs", FIRST, *LOGS) for _ in range(2)]

    until("the slot is free", lambda: run not in deployment.holders(), 75)
    ended = until("the new attempt has ended", lambda: deployment.finished(retry), 120)
    assert ended.status is Status.SUCCESS
    assert model(home) == (before[0] + 1, *before[1:])
    assert [until("twins", lambda one=one: deployment.finished(one), 60).status for one in twins] == [
        Status.SUCCESS
    ] * 2
    (_, first_end), (second_start, _) = sorted(deployment.span(one) for one in twins)
    assert first_end <= second_start
    assert_whole(home)


def test_a_run_outlives_the_webserver_and_comes_back_when_everything_was_killed(home, deployment):
    before = model(home)
    run = deployment.launch("learning_assets", LAST, "outcome_model")
    until("the model trains", lambda: trains(home), 90)
    deployment.named("dagster_webserver").kill()
    assert deployment.process.wait(60) == 0
    assert not [process for process in deployment.processes() if "dagster._daemon" in process.command]
    assert not server_is_gone(deployment.run(run).tags)
    assert until("the run goes on to its end", lambda: deployment.finished(run), 120).status is Status.SUCCESS
    assert model(home) == (before[0] + 1, *before[1:])
    assert_whole(home)

    deployment.start()
    run = deployment.launch("learning_assets", LAST, "discovered_graph")
    until("the run has started", lambda: deployment.run(run).status is Status.STARTED, 90)
    deployment.named("dagster._daemon").kill()
    assert deployment.process.wait(60) == 0
    assert deployment.run(run).status is Status.STARTED
    deployment.end()
    until("its server is gone", lambda: server_is_gone(deployment.run(run).tags), 10)
    assert_whole(home)

    expected = Store(home.lake).pointer("discovered_graph", LAST).hash
    deployment.start()
    assert until("the lost run is noticed", lambda: deployment.finished(run), 90).status is Status.FAILURE
    retry = until("it is tried again", lambda: deployment.retry_of(run), 60).run_id
    assert until("the new attempt has ended", lambda: deployment.finished(retry), 120).status is Status.SUCCESS
    found = Store(home.lake).pointer("discovered_graph", LAST)
    assert (found.hash, found.run_id) == (expected, retry)
    assert_whole(home)


def test_servers_of_other_machines_and_launchers_are_left_alone(tmp_path):
    assert not server_is_gone({})
    assert not server_is_gone({".dagster/grpc_info": '{"host": "elsewhere", "port": 4000}'})
    assert server_is_gone({".dagster/grpc_info": f'{{"host": "localhost", "socket": "{tmp_path}/gone"}}'})
