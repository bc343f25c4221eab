"""The same inputs give the same bytes on any number of threads."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from causalrec.engine.threads import one_thread, side_by_side

PARTS = ("graph", "effects", "model", "predictions")
ROOT = Path(__file__).parents[2]
WORK = """
import hashlib
import numpy as np
import torch
from causalrec.graph.discovery.evidence import gather
from causalrec.graph.discovery.nodes import choose_nodes
from causalrec.settings.discovery import Search
from causalrec.model.effects import estimate_effect
from causalrec.model.effects.propensities import treatment_propensities
from causalrec.model.effects.study import EffectStudy
from dataclasses import replace
from causalrec.model.outcome.plan import TrainingPlan
from causalrec.model.outcome.training import train_outcome_model
from tests.model.worlds import COLUMNS, ROLES, SETTINGS, toy

def print_hash(name, *parts):
    print(name, hashlib.sha256(b"".join(parts)).hexdigest())

world = toy(0, users=600, rows=20)
units, n = world.units, world.units.height
rng = np.random.default_rng(0)
numbers = units.select("past_clicks", "device", "recommended", "click").with_columns(
    **{f"x{k}": rng.normal(size=n) + units["past_clicks"].to_numpy() * 0.1 for k in range(6)}
)
roles = {c: ROLES.get(c, "pre_treatment") for c in numbers.columns}
nodes, _ = choose_nodes(numbers, roles, ["click"])
evidence = gather(nodes, Search(bootstraps=1), [world.clusters], 1)
table = evidence.table()
print_hash("graph", repr(table.rows()).encode(), repr(sorted(evidence.found.separations.items())).encode())
fitted = treatment_propensities(units, "recommended", COLUMNS, world.clusters, SETTINGS, 1)
question = {"treatment": "recommended", "outcome": "click", "columns": COLUMNS}
estimates = estimate_effect(EffectStudy(units, question, fitted, world.clusters, SETTINGS, 1)).estimates
print_hash("effects", fitted.propensity.tobytes(), repr([(e.value, e.std_error) for e in estimates.values()]).encode())
plan = TrainingPlan("both", units, tuple(COLUMNS), fitted.propensity, purchases=True)
cpu = {"accelerator": "cpu", "devices": 1}
trained = train_outcome_model(plan, world.vectors, SETTINGS.model_copy(update={"epochs": 2}), 1, cpu)
saved = trained.model.save()
predicted = trained.model.predict(units, world.vectors)
print_hash("model", saved["model.safetensors"], saved["card.json"])
print_hash("predictions", predicted.click_if_recommended.tobytes(), predicted.purchase_if_not.tobytes())
"""


def run(code, threads, *arguments):
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
    env = os.environ | dict.fromkeys(names, str(threads)) | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, env=env, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout.splitlines()


def part_hashes(threads):
    return [line for line in run(WORK, threads) if line.split(" ")[0] in PARTS]


@pytest.mark.slow
def test_graph_effects_model_and_predictions_are_the_same_bytes_on_one_thread_and_on_three():
    one = part_hashes(1)
    assert len(one) == 4 and part_hashes(3) == one


def test_parts_come_back_in_their_order_and_errors_come_through():
    assert side_by_side(lambda k: k * k, range(20)) == [k * k for k in range(20)]
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda k: 1 // k, [1, 0, 2])


def test_threads_are_as_before_afterwards():
    import torch
    from threadpoolctl import threadpool_info

    def counts():
        return [(info["filepath"], info["num_threads"]) for info in threadpool_info()]

    np.ones((2, 2)) @ np.ones((2, 2))
    before, of_torch = counts(), torch.get_num_threads()
    with one_thread():
        assert {count for _, count in counts()} == {1} and torch.get_num_threads() == 1
    assert (counts(), torch.get_num_threads()) == (before, of_torch)


WHOLE = """
import hashlib, sys
from datetime import timedelta
from pathlib import Path
from causalrec_assets.lake.store import Store
from tests.worlds import FIRST, LEARNING, LOGS, build, make_home, tiny

home = make_home(Path(sys.argv[1]), tiny())
build(home, 6)
store = Store(home.lake)
for name in (*LOGS, *LEARNING):
    for k in range(6):
        pointer = store.pointer(name, FIRST + timedelta(days=k))
        if pointer is not None:
            print("table", name, k, hashlib.sha256(Path(store.data_path(pointer)).read_bytes()).hexdigest())
"""


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_table_of_the_whole_graph_is_the_same_bytes_on_one_two_and_four_threads(tmp_path):
    outputs = [run(WHOLE, threads, str(tmp_path / f"{threads}")) for threads in (1, 2, 4)]
    tables = [[line for line in lines if line.startswith("table ")] for lines in outputs]
    assert len(tables[0]) > 40 and tables[0] == tables[1] == tables[2]
