"""Shared fixtures. Tests run against a home of their own, never against the developer's."""

import os
import sys
import tempfile
from pathlib import Path

# Definitions read their first day from the home when they are imported: give them one before anything imports them.
_home = Path(tempfile.mkdtemp(prefix="causalrec-tests-"))
os.environ["CAUSALREC_HOME"] = str(_home)
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
# Tests start many processes: without bytecode each of them compiles the whole project, and this one all tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


import shutil  # noqa: E402

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from tests import tiers  # noqa: E402

# How many examples a property gets: `quick` is the same at every run, `full` and `night` are drawn anew. A busy machine
# is no fault of the code, so nothing is timed here.
_calm = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("quick", max_examples=20, derandomize=True, **_calm)
settings.register_profile("full", max_examples=200, **_calm)
settings.register_profile("night", max_examples=2_000, **_calm)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


TESTS = Path(__file__).parent


def pytest_configure(config):
    if config.option.markexpr == "pure":
        config.pluginmanager.register(tiers.PureRun(TESTS))


def pytest_itemcollected(item):
    tiers.mark(item, TESTS)


@pytest.fixture(scope="session")
def s3_server():
    """A bucket store; one a process, for clients keep their connection to the first."""
    from tests.gate import s3

    yield from s3.serve()


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A tiny world with every asset published, once for all processes. Shared: copy it (`own_home`) to change it."""
    from causalrec.durable import one_at_a_time
    from causalrec.home import Home
    from tests.worlds import build, make_home, tiny

    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "tiny"
    with one_at_a_time(folder / "lock", "another process of this run", wait_seconds=280):
        if not (folder / "complete").exists():
            shutil.rmtree(folder / "home", ignore_errors=True)
            build(make_home(folder / "home", tiny()), 6)
            (folder / "complete").touch()
    return Home(folder / "home")


@pytest.fixture
def own_home(built, tmp_path):
    """A copy of the built world, to break."""
    from causalrec.home import Home

    shutil.copytree(built.root, tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture
def receiver(monkeypatch):
    """A server that records what it gets and answers what it is told to; afterwards 200."""
    import http.server
    import threading

    from resources.alerts import webhook
    from tests.receiver import SECRET, Receiver

    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(webhook, "BACKOFF_SECONDS", 0.01)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.got, server.answers = [], []
    server.url = f"http://127.0.0.1:{server.server_port}/{SECRET}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
