"""Tiers of tests, by what a test loads: `pytest -m pure` starts in a second and needs no Dagster.

pure     the library on arrays and frames: no Dagster, no torch, no expectations library, no tracker
gate     contracts on drafts, by the expectations library; the lake in a folder and in a bucket
train    networks, encoders, readers that are killed, and arithmetic that takes a second or more
dagster  resources, runs, servers, whole worlds
slow     minutes each; `.ci/run` runs them

The folder decides; a marker at a test decides for that test.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

TIERS = ("pure", "gate", "train", "dagster", "slow")
OF_PATHS = {
    "benchmarks/test_histories": "train",
    "benchmarks/test_instead": "train",
    "benchmarks/test_unsteady": "train",
    "benchmarks/test_forms": "train",
    "benchmarks/test_whole": "train",
    "commands/test_forget": "dagster",
    "commands/test_plan": "train",
    "dagster": "dagster",
    "dagster/demos/test_open_bandit": "slow",
    "embeddings/test_encoder": "train",
    "engine/test_threads": "train",
    "estimators/sequential/test_after": "train",
    "estimators/test_pareto": "train",
    "evaluation/estimands": "train",
    "evaluation/plan": "train",
    "evaluation/test_contracts": "gate",
    "evaluation/trials/test_look": "train",
    "evaluation/trials/test_planned": "train",
    "evaluation/trials/test_planning": "train",
    "faults": "slow",
    "forgetting": "gate",
    "gate": "gate",
    "gate/test_dagster_behaviour": "dagster",
    "gate/test_gated_asset": "dagster",
    "gate/test_lake_in_a_bucket": "dagster",
    "graph/discovery/test_bootstrap": "train",
    "graph/independence/test_blocks": "train",
    "graph/knowledge/test_changes": "dagster",
    "lake": "gate",
    "lake/test_code": "dagster",
    "logs/formats/test_all": "dagster",
    "logs/reading/test_isolated": "train",
    "logs/test_contracts": "gate",
    "logs/test_poison": "train",
    "logs/units/test_lineage": "train",
    "model/effects": "train",
    "model/effects/test_newcomer": "gate",
    "model/outcome": "train",
    "model/test_contracts": "gate",
    "model/test_crossfit": "train",
    "model/test_user_attributes": "train",
    "notebook/test_docs": "train",
    "notebook/test_effects": "train",
    "operate": "dagster",
    "policy/test_retrieval": "train",
    "resources": "dagster",
    "running/test_workers": "dagster",
    "settings/test_messages": "dagster",
    "simulator/test_causes_of_dials": "train",
    "simulator/test_effects": "train",
    "simulator/test_side_by_side": "train",
    "simulator/traffic": "train",
    "simulator/world": "train",
    "test_house": "train",
    "test_settings_parsers": "dagster",
    "web": "dagster",
}
"""How the path of a test file below tests/ begins -> its tier; the longest says it, and others are pure."""

NOT_PURE = ("dagster", "great_expectations", "lightning", "mlflow", "torch", "transformers")
LOADED_LATE = ("networkx", "pandas", "scipy.stats", "sklearn.ensemble")
"""What pure tests use is loaded before the first of them, which would have to pay for it."""
LONGEST = 0.5
"""Seconds that a pure test may take of a core that nobody else uses."""
SHARED = 2.0
"""With others at work, caches and half-cores are shared: seconds of this process are up to so many times as long."""
YARDSTICK = 0.035
"""Seconds that `yardstick` takes on a core of 2.5 GHz or so that nobody shares."""


def tier_of(path: Path, tests: Path) -> str:
    below = path.relative_to(tests).as_posix()
    begins = [
        start for start in OF_PATHS if below == start or below.startswith((f"{start}/", f"{start}.", f"{start}_"))
    ]
    return OF_PATHS[max(begins, key=len)] if begins else "pure"


def mark(item: pytest.Item, tests: Path) -> None:
    """Give a test the tier of its folder, unless it has one."""
    if not any(item.get_closest_marker(tier) for tier in TIERS):
        item.add_marker(tier_of(item.path, tests))


def not_pure() -> list[str]:
    return [name for name in NOT_PURE if name in sys.modules]


def yardstick() -> float:
    """Seconds of this process for work that is always the same."""
    begun = time.process_time()
    sum(number * number for number in range(500_000))
    return time.process_time() - begun


class PureRun:
    """What holds in a run of pure tests alone (`-m pure`): nothing heavy is loaded, and no test is long.

    A test's time is that of this process, and a machine that is slower than the yardstick's gives more: other
    processes must not fail a test.
    """

    def __init__(self, tests: Path) -> None:
        self.tests = tests

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Files of other tiers are not even imported."""
        is_other = collection_path.name.startswith("test_") and tier_of(collection_path, self.tests) != "pure"
        return True if is_other else None

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        before = not_pure()
        report = yield
        if new := [name for name in not_pure() if name not in before]:
            report.outcome = "failed"
            report.longrepr = f"{collector.nodeid} is pure and imports {', '.join(new)} (tests/tiers.py)"
        return report

    def pytest_collection_finish(self) -> None:
        for name in LOADED_LATE:
            __import__(name)
        # Its table of characters is made once, by whichever property draws text first.
        hypothesis.find(st.text(), lambda text: True)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        before, begun = not_pure(), time.process_time()
        result = yield
        taken = time.process_time() - begun
        if new := [name for name in not_pure() if name not in before]:
            pytest.fail(f"this test is pure and loads {', '.join(new)} (tests/tiers.py)")
        if taken > SHARED * LONGEST and taken > (allowed := SHARED * LONGEST * max(1.0, yardstick() / YARDSTICK)):
            pytest.fail(f"this test is pure and takes {taken:.2f} s of this process, more than {allowed:.2f}")
        return result
