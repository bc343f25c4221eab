"""A process is killed at the worst points: what can be read stays whole, and a rerun ends in the same bytes."""

import shutil
from datetime import timedelta

import pytest

from causalrec.model.outcome.lightning import Progress
from causalrec_assets.lake.releases import ReleaseLog
from causalrec_assets.lake.store import Store
from resources.tracking.resource import MODEL, Tracking
from tests.faults.child import killed, start
from tests.faults.lake import assert_whole
from tests.worlds import FIRST, materialise, words

LAST = FIRST + timedelta(days=5)


def forget(home, *tables):
    """As if these tables of the last day had never been published."""
    for table in tables:
        shutil.rmtree(home.lake / table / f"day={LAST}")


def rerun(home, *tables, **options):
    result = materialise(home, LAST, tables, **options)
    assert result.success, words(result)
    assert_whole(home)
    return Store(home.lake).pointer(tables[0], LAST)


@pytest.mark.parametrize(
    ("point", "published"),
    [("before_the_content", False), ("between_content_and_pointer", False), ("after_the_pointer", True)],
)
def test_a_killed_publication_is_there_whole_or_not_at_all(built, own_home, point, published):
    expected = Store(built.lake).pointer("target_policy", LAST)
    forget(own_home, "target_policy")
    killed(start(own_home, LAST, point, "target_policy"))
    assert_whole(own_home)
    found = Store(own_home.lake).pointer("target_policy", LAST)
    assert (found is not None) is published
    assert found is None or found.hash == expected.hash
    again = rerun(own_home, "target_policy")
    assert (again.number, again.hash, again.data) == (2 if published else 1, expected.hash, expected.data)
    assert again.files == expected.files


def test_a_killed_training_goes_on_from_its_last_epoch_to_the_same_weights(built, own_home, monkeypatch):
    expected = Store(built.lake).pointer("outcome_model", LAST)
    forget(own_home, "outcome_model")
    killed(start(own_home, LAST, "in_epoch_2", "outcome_model"))
    assert_whole(own_home)
    assert Store(own_home.lake).pointer("outcome_model", LAST) is None

    trained, end_of_epoch = [], Progress.on_train_epoch_end

    def counted(progress, trainer, module):
        trained.append(trainer.current_epoch)
        end_of_epoch(progress, trainer, module)

    monkeypatch.setattr(Progress, "on_train_epoch_end", counted)
    again = rerun(own_home, "outcome_model")
    assert trained == [1, 2, 3]
    assert again.data == expected.data
    assert again.files["model.safetensors"] == expected.files["model.safetensors"]
    assert again.hash == expected.hash


@pytest.mark.parametrize(("point", "entries"), [("before_the_entry", 0), ("after_the_entry", 1)])
def test_a_killed_release_moves_the_champion_once(built, own_home, point, entries):
    expected = Store(built.lake).pointer("release", LAST)
    champion = ReleaseLog(Store(built.lake)).current()
    assert champion is not None
    forget(own_home, "release", "recommendations")
    shutil.rmtree(own_home.lake / "release_log")
    killed(start(own_home, LAST, point, "release"))
    assert_whole(own_home)
    log = ReleaseLog(Store(own_home.lake))
    assert len(log.moves()) == entries
    assert Store(own_home.lake).pointer("release", LAST) is None

    again = rerun(own_home, "release", "recommendations", tracking=True)
    assert (again.number, again.hash) == (1, expected.hash)
    assert log.moves() == ReleaseLog(Store(built.lake)).moves()
    served = {home: Store(home.lake).pointer("recommendations", LAST).hash for home in (built, own_home)}
    assert served[own_home] == served[built]
    assert alias(own_home) == champion.bundle_hash

    # An alias that a kill or a server that was down has left behind is set right by the next run.
    registry(own_home).delete_registered_model_alias(MODEL, "champion")
    rerun(own_home, "release", tracking=True)
    assert alias(own_home) == champion.bundle_hash
    assert len(log.moves()) == 1


def registry(home):
    from mlflow.tracking import MlflowClient

    return MlflowClient(Tracking().uri(home), Tracking().uri(home))


def alias(home):
    """The bundle that the registry's alias names."""
    return registry(home).get_model_version_by_alias(MODEL, "champion").tags["bundle"]
