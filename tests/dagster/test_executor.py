"""Steps as the UI runs them: processes forked from a server that has imported what they import."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from causalrec_assets.lake.store import Store
from tests.worlds import FIRST, LEARNING, build, make_home, tiny

LAST = FIRST + timedelta(days=5)


def run(arguments, home, **options):
    environment = {
        **os.environ,
        "CAUSALREC_HOME": str(home.root),
        "DAGSTER_HOME": str(home.dagster),
        "GX_ANALYTICS_ENABLED": "false",
        "PYTHONWARNINGS": "ignore",
    }
    # Dagster reads a `.env` of the folder before the environment: not the checkout's.
    return subprocess.run(arguments, env=environment, cwd=home.root, capture_output=True, text=True, **options)


@pytest.mark.slow
def test_a_run_of_forked_steps_publishes_what_one_process_publishes(tmp_path):
    home = make_home(tmp_path / "home", tiny())
    build(home, 6)
    store = Store(home.lake)
    here = {name: store.pointer(name, LAST).hash for name in LEARNING}
    job = ["job", "execute", "-m", "causalrec_assets.definitions", "-j", "learning_assets"]
    tags = json.dumps({"dagster/partition": LAST.isoformat()})
    dagster = str(Path(sys.executable).parent / "dagster")
    done = run([dagster, *job, "--tags", tags], home, timeout=240)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    # These two name the release and the versions of its bundle, which are newer ones now.
    same = [name for name in LEARNING if name not in ("release", "recommendations")]
    assert {name: store.pointer(name, LAST).number for name in same} == dict.fromkeys(same, 2)
    assert {name: store.pointer(name, LAST).hash for name in same} == {name: here[name] for name in same}
    served = [pl.read_parquet(store.data_path(store.pointer("recommendations", LAST, number))) for number in (1, 2)]
    first, second = (slates.drop("policy") for slates in served)
    assert_frame_equal(first, second)


def test_what_steps_import_starts_no_thread_that_a_fork_would_lose(tmp_path):
    """A forked process has no thread but its own: Polars would wait for its pool for ever."""
    script = (
        "import causalrec_assets.preload, pathlib; "
        "print(*(p.read_text().strip() for p in pathlib.Path('/proc/self/task').glob('*/comm')))"
    )
    if not Path("/proc/self/task").exists():
        pytest.skip("threads are listed in /proc, which this system does not have")
    done = run([sys.executable, "-c", script], make_home(tmp_path / "home", tiny(days=1)), check=True)
    # jemalloc and OpenBLAS start theirs again after a fork; Polars cleans spilled files, of which there are none.
    allowed = {"python", "python3", "jemalloc_bg_thd", "polars-ooc-clea"}
    assert {name for name in done.stdout.split() if not name.startswith("python3.")} <= allowed
