"""Shared fixtures. Tests run against a home of their own, never against the developer's."""

import os
import tempfile
from pathlib import Path

# Definitions read their first day from the home when they are imported: give them one before anything imports them.
_home = Path(tempfile.mkdtemp(prefix="causalrec-tests-"))
os.environ["CAUSALREC_HOME"] = str(_home)
os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")


import shutil  # noqa: E402

import pytest  # noqa: E402


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A tiny world with every asset published. Shared: copy it (`own_home`) to change it."""
    from tests.worlds import build, make_home, tiny

    home = make_home(tmp_path_factory.mktemp("tiny") / "home", tiny())
    build(home, 6)
    return home


@pytest.fixture
def own_home(built, tmp_path):
    """A copy of the built world, to break."""
    from causalrec_assets.home import Home

    shutil.copytree(built.root, tmp_path / "home")
    return Home(tmp_path / "home")
