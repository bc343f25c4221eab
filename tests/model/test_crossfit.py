import numpy as np
import pytest

from causalrec.estimators.scores import calibration_error
from causalrec.model.crossfit import cross_fit, cross_fit_averaged, cross_fit_calibrated, folds_by_cluster


def world(seed, users=200, rows=15):
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(users), rows)
    x = rng.normal(size=(users * rows, 3)).astype(np.float32)
    p = 1 / (1 + np.exp(-(x[:, 0] + 0.5 * x[:, 1] ** 2 - 1)))
    y = (rng.random(len(p)) < p).astype(float)
    return x, y, p, clusters


def test_a_cluster_is_never_split_and_every_fold_has_its_share():
    clusters = np.random.default_rng(1).integers(100, size=1000)
    fold = folds_by_cluster(clusters, 3, seed=1)
    assert all(len(set(fold[clusters == c])) == 1 for c in range(100))
    sizes = [len(set(clusters[fold == k])) for k in range(3)]
    assert max(sizes) - min(sizes) <= 1


def test_the_seed_decides_the_folds_and_nothing_else_does():
    clusters = np.arange(30)
    assert (folds_by_cluster(clusters, 3, 1) == folds_by_cluster(clusters, 3, 1)).all()
    assert (folds_by_cluster(clusters, 3, 1) != folds_by_cluster(clusters, 3, 2)).any()


@pytest.mark.parametrize("fit", [cross_fit, cross_fit_calibrated])
def test_no_prediction_depends_on_an_outcome_of_its_own_fold(fit):
    x, y, _, clusters = world(2)
    fold = folds_by_cluster(clusters, 3, seed=1)
    changed = np.where(fold == 0, 1 - y, y)
    before, after = fit(x, y, fold, 1), fit(x, changed, fold, 1)
    assert (before[fold == 0] == after[fold == 0]).all()
    assert (before[fold == 1] != after[fold == 1]).any()


def test_predictions_come_near_the_true_probabilities_and_are_calibrated():
    x, y, p, clusters = world(3, users=600)
    fold = folds_by_cluster(clusters, 3, seed=1)
    found = cross_fit_calibrated(x, y, fold, 1)
    assert np.sqrt(np.mean((found - p) ** 2)) < 0.08
    assert calibration_error(y, found) < 0.03
    assert ((found > 0) & (found < 1)).all()


def test_the_same_seed_gives_the_same_predictions():
    x, y, _, clusters = world(4)
    fold = folds_by_cluster(clusters, 3, seed=1)
    assert (cross_fit_calibrated(x, y, fold, 1) == cross_fit_calibrated(x, y, fold, 1)).all()


def test_one_arm_is_learned_from_and_all_rows_are_predicted():
    x, y, _, clusters = world(5)
    fold, arm = folds_by_cluster(clusters, 3, seed=1), x[:, 2] > 0
    found = cross_fit(x, np.where(arm, y, 1 - y), fold, 1, learn_on=arm)
    assert (found == cross_fit(x, y, fold, 1, learn_on=arm)).all()
    assert len(found) == len(y)


def test_without_columns_the_share_of_the_other_folds_is_predicted():
    y, fold = np.array([1.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 1])
    found = cross_fit(np.zeros((4, 0), dtype=np.float32), y, fold, 1)
    assert found.tolist() == pytest.approx([2.5 / 3, 2.5 / 3, 1.5 / 3, 1.5 / 3])


def test_an_outcome_that_never_varies_is_its_smoothed_share_and_never_certain():
    x, _, _, clusters = world(6, users=30)
    fold = folds_by_cluster(clusters, 3, seed=1)
    found = cross_fit_calibrated(x, np.zeros(len(x)), fold, 1)
    assert found.max() == pytest.approx(0.5 / 301)
    assert found.min() > 0


def test_what_cannot_be_cross_fitted_says_why():
    x, y, _, clusters = world(7, users=30)
    with pytest.raises(ValueError, match="got 3 and 2"):
        folds_by_cluster(np.array([1, 1, 2]), 3, seed=1)
    with pytest.raises(ValueError, match="at least three folds, got 2"):
        cross_fit_calibrated(x, y, clusters % 2, 1)
    with pytest.raises(ValueError, match="no row to learn from"):
        cross_fit(x, y, clusters % 3, 1, learn_on=clusters % 3 == 0)


def test_an_averaged_prediction_is_the_mean_over_those_rows():
    rng = np.random.default_rng(1)
    n = 30_000
    w, m, t = rng.random(n) < 0.5, rng.random(n) < 0.5, rng.random(n) < 0.5
    m = np.where(t, rng.random(n) < 0.8, m)
    y = (rng.random(n) < 0.1 + 0.4 * m + 0.2 * w).astype(float)
    inner, outer = np.column_stack([w, m]).astype(np.float32), w[:, None].astype(np.float32)
    predicted, averages = cross_fit_averaged(inner, outer, y, rng.integers(3, size=n), 1, ~t, [~t, t])
    assert np.abs(predicted - (0.1 + 0.4 * m + 0.2 * w)).max() < 0.04
    for at, share in enumerate((0.5, 0.8)):
        assert np.abs(averages[:, at] - (0.1 + 0.4 * share + 0.2 * w)).max() < 0.04


def test_no_average_depends_on_an_outcome_of_its_own_fold():
    rng = np.random.default_rng(2)
    n = 600
    x, y = rng.normal(size=(n, 2)).astype(np.float32), (rng.random(n) < 0.4).astype(float)
    fold, everyone = rng.integers(3, size=n), np.ones(n, dtype=bool)
    before = cross_fit_averaged(x, x[:, :1], y, fold, 1, everyone, [everyone])
    changed = np.where(fold == 1, 1 - y, y)
    after = cross_fit_averaged(x, x[:, :1], changed, fold, 1, everyone, [everyone])
    for old, new in zip(before, after, strict=True):
        assert (old[fold == 1] == new[fold == 1]).all() and (old[fold != 1] != new[fold != 1]).any()


def test_rows_to_average_over_in_one_fold_are_refused():
    x, fold = np.zeros((6, 1), dtype=np.float32), np.array([0, 0, 1, 1, 2, 2])
    y, everyone = np.array([0.0, 1, 0, 1, 0, 1]), np.ones(6, dtype=bool)
    with pytest.raises(ValueError, match="average over"):
        cross_fit_averaged(x, x, y, fold, 1, everyone, [fold == 0])
