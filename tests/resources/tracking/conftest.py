"""One MLflow store for all tests of a module: making one takes seconds."""

from types import SimpleNamespace

import pytest

from causalrec.home import Home
from tests.model.worlds import toy


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A home, and an MLflow client on its store."""
    from resources.tracking.resource import Attempt, Tracking
    from tests.resources.tracking.tracked import DAYS, LOG

    home = Home(tmp_path_factory.mktemp("tracking") / "home")
    home.root.mkdir()
    with Tracking().training(home, Attempt(next(DAYS), "first"), LOG) as run:
        assert not run.troubles.told
    from mlflow.tracking import MlflowClient

    return SimpleNamespace(home=home, client=MlflowClient(Tracking().uri(home), Tracking().uri(home)))


@pytest.fixture(scope="module")
def world():
    return toy(5, users=60)


@pytest.fixture
def day():
    from tests.resources.tracking.tracked import DAYS

    return next(DAYS)
