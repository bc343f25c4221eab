"""The public names, spelled out; and that having them costs nothing until one is used."""

import json
import subprocess
import sys

import pytest

import causalrec

NAMES = [
    "AIPW",
    "Answer",
    "FrontDoor",
    "InputError",
    "InstrumentalVariable",
    "NaiveDifference",
    "PlackettLuce",
    "Rounds",
    "SNIPS",
    "Status",
    "causal_graph",
    "identify",
    "named_values",
    "policy_value",
]
HEAVY = (
    "causallearn",
    "dagster",
    "great_expectations",
    "lightning",
    "matplotlib",
    "mlflow",
    "networkx",
    "pandas",
    "scipy",
    "sklearn",
    "torch",
    "transformers",
)


def run(code, **environment):
    """What a fresh process prints, without a home and with nothing of ours loaded."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={"PATH": "", **environment}
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_public_names_are_these():
    assert sorted(causalrec.__all__) == NAMES
    assert set(NAMES) <= set(dir(causalrec))
    assert [getattr(causalrec, name).__name__ for name in NAMES] == NAMES


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'causalrec' has no attribute 'Aipw'"):
        causalrec.Aipw  # noqa: B018


def test_importing_it_loads_nothing_and_each_name_nothing_heavy():
    loaded = run(
        "import json, sys\n"
        "before = set(sys.modules)\n"
        "import causalrec\n"
        "loaded = {'': sorted(set(sys.modules) - before)}\n"
        "for name in causalrec.__all__:\n"
        "    getattr(causalrec, name)\n"
        f"    loaded[name] = [heavy for heavy in {HEAVY!r} if heavy in sys.modules]\n"
        "print(json.dumps(loaded))"
    )
    assert [module for module in loaded.pop("") if module.partition(".")[0] not in sys.stdlib_module_names] == [
        "causalrec"
    ]
    assert loaded == {name: [] for name in causalrec.__all__}


def test_importing_it_takes_a_small_part_of_what_importing_polars_takes():
    ours, polars = run(
        "import json, time\n"
        "import typing, importlib\n"
        "begun = time.process_time(); import causalrec; ours = time.process_time() - begun\n"
        "begun = time.process_time(); import polars; print(json.dumps([ours, time.process_time() - begun]))"
    )
    assert ours < polars / 5


def test_idle_threads_of_the_tree_learner_sleep():
    assert run("import causalrec, os, json; print(json.dumps(os.environ['OMP_WAIT_POLICY']))") == "PASSIVE"
