"""Cross-fitted probabilities: every row's prediction comes from models that saw no row of its fold."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from causalrec.arrays import Codes, Floats, Mask, Matrix

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

EDGE = 1e-6
"""Predictions stay this far from 0 and 1: no number of rows makes an outcome certain."""


def folds_by_cluster(clusters: Codes, folds: int, seed: int) -> Codes:
    """A fold of each row, whole clusters together, at random.

    Args:
        clusters: (n,) codes.
        folds: At least 2.
        seed: Of the assignment.

    Returns:
        (n,) in 0 .. folds - 1; every fold has a cluster, and their numbers of clusters differ by at most 1.

    Raises:
        ValueError: There are fewer clusters than folds, or fewer than 2 folds.
    """
    names, code = np.unique(clusters, return_inverse=True)
    if folds < 2 or len(names) < folds:
        raise ValueError(f"at least 2 folds, and at least as many clusters: got {folds} and {len(names)}")
    fold_of = np.random.default_rng(seed).permutation(np.arange(len(names)) % folds)
    return np.asarray(fold_of[code], dtype=np.int64)


def cross_fit(x: Matrix, y: Floats, fold: Codes, seed: int, learn_on: Mask | None = None) -> Floats:
    """P(y = 1 | x) of every row, out of fold, by gradient-boosted trees.

    Trees need no choice of interactions, and leaves of many rows keep a rare outcome from being learned by
    heart.

    Args:
        x: (n, p); p = 0 predicts the share.
        y: (n,) 0 or 1.
        fold: (n,) fold codes.
        seed: Of the trees.
        learn_on: (n,) rows to learn from (e.g. one arm); predictions are made for all rows.

    Returns:
        (n,) in (0, 1). Where all rows to learn from have one outcome, its smoothed share is predicted.

    Raises:
        ValueError: All rows to learn from are in one fold.

    Source:
        Chernozhukov et al. (2018), Econometrics Journal 21(1), definition 3.1.
    """
    usable = np.ones(len(y), dtype=np.bool_) if learn_on is None else learn_on
    names = np.unique(fold)
    predicted = np.empty(len(y))
    for k, fitted in zip(names, _fit_all(x, y, [(fold != k) & usable for k in names], seed), strict=True):
        predicted[fold == k] = fitted.predict(x[fold == k])
    return predicted


def cross_fit_calibrated(x: Matrix, y: Floats, fold: Codes, seed: int) -> Floats:
    """The same with Platt scaling that is cross-fitted too: no prediction depends on its own fold's outcomes.

    For fold k the trees are fitted on the other folds, and so are slope and intercept of the logit: on predictions
    for each other fold j by trees fitted without j and without k. (Scaling all out-of-fold predictions together
    would let the outcomes of fold k in, through the trees that predicted fold j.)

    Args:
        x: (n, p).
        y: (n,) 0 or 1.
        fold: (n,) fold codes, at least three different ones.
        seed: Of the trees.

    Returns:
        (n,) in (0, 1).

    Raises:
        ValueError: Fewer than three folds.

    Source:
        Platt (1999), "Probabilistic outputs for support vector machines"; cross-fitting as in `cross_fit`.
    """
    names = np.unique(fold)
    if len(names) < 3:
        raise ValueError(f"calibration within the cross-fit needs at least three folds, got {len(names)}")
    # Trees without the folds {j, k} predict both: j to calibrate k, and k to calibrate j.
    inner = {int(k): np.full(len(y), np.nan) for k in names}
    pairs = [(int(j), int(k)) for at, j in enumerate(names) for k in names[at + 1 :]]
    trees = _fit_all(x, y, [(fold != j) & (fold != k) for j, k in pairs], seed)
    for (j, k), fitted in zip(pairs, trees, strict=True):
        inner[k][fold == j] = fitted.predict(x[fold == j])
        inner[j][fold == k] = fitted.predict(x[fold == k])
    predicted = cross_fit(x, y, fold, seed)
    for k in names:
        here = fold == k
        predicted[here] = _platt(inner[int(k)][~here], y[~here], predicted[here])
    return predicted


def cross_fit_averaged(
    inner: Matrix, outer: Matrix, y: Floats, fold: Codes, seed: int, learn_on: Mask, average_over: Sequence[Mask]
) -> tuple[Floats, Floats]:
    """P(y = 1 | inner, learn_on), and its mean over some rows given `outer`: two fits, one within the other.

    For fold k both are fitted on the other folds: trees for y, whose predictions on those folds are then averaged by
    trees that read less. No prediction depends on an outcome of its own fold.

    Args:
        inner: (n, p), what the outcome is predicted from.
        outer: (n, q), what the average is taken given; q = 0 gives one mean.
        y: (n,) 0 or 1.
        fold: (n,) fold codes.
        learn_on: (n,) rows that teach the outcome.
        average_over: For each average, the (n,) rows whose `inner` it is taken over.

    Returns:
        (n,) the outcome's predictions, and (n, averages), both in (0, 1).

    Raises:
        ValueError: All rows to learn from, or to average over, are in one fold.

    Source:
        Sequential regression, as in Bang and Robins (2005), Biometrics 61(4); cross-fitting as in `cross_fit`.
    """
    names = np.unique(fold)
    predicted, averages = np.empty(len(y)), np.empty((len(y), len(average_over)))
    for k, fitted in zip(names, _fit_all(inner, y, [(fold != k) & learn_on for k in names], seed), strict=True):
        here, everywhere = fold == k, fitted.predict(inner)
        predicted[here] = everywhere[here]
        for at, over in enumerate(average_over):
            rows = (fold != k) & over
            if not rows.any():
                raise ValueError("there is no row to average over outside of a fold: all of them are in it")
            averages[here, at] = _mean_given(outer[rows], everywhere[rows], outer[here], seed)
    return predicted, averages


def _mean_given(x: Matrix, values: Floats, apply_to: Matrix, seed: int) -> Floats:
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if x.shape[1] == 0 or values.min() == values.max():
        return np.full(len(apply_to), values.mean())
    trees = HistGradientBoostingRegressor(
        max_iter=60,
        learning_rate=0.1,
        max_leaf_nodes=15,
        min_samples_leaf=max(20, len(values) // 1000),
        early_stopping=False,
        random_state=seed,
    )
    with threadpool_limits(limits=1, user_api="openmp"):
        trees.fit(x, values)
        return np.clip(np.asarray(trees.predict(apply_to), dtype=np.float64), EDGE, 1 - EDGE)


def _fit_all(x: Matrix, y: Floats, rows: Sequence[Mask], seed: int) -> list[_Fitted]:
    """Fit side by side, one OpenMP thread each.

    The trees' own threads wait for each other by spinning: beside another busy process that made the same
    fits forty times slower. Independent fits do not wait, and give the same trees.
    """
    from threadpoolctl import threadpool_limits

    def fit(mask: Mask) -> _Fitted:
        with threadpool_limits(limits=1, user_api="openmp"):
            return _Fitted(x, y, mask, seed)

    with ThreadPoolExecutor(max_workers=min(len(rows), os.cpu_count() or 1)) as pool:
        return list(pool.map(fit, rows))


class _Fitted:
    """Trees fitted on some rows, or the share where there is nothing to learn."""

    def __init__(self, x: Matrix, y: Floats, rows: Mask, seed: int) -> None:
        known = y[rows]
        if not len(known):
            raise ValueError("there is no row to learn from outside of a fold: all of them are in it")
        self.share = (known.sum() + 0.5) / (len(known) + 1)
        self.trees = None if known.min() == known.max() or x.shape[1] == 0 else _trees(len(known), seed)
        if self.trees is not None:
            self.trees.fit(x[rows], known)

    def predict(self, x: Matrix) -> Floats:
        if self.trees is None:
            return np.full(len(x), self.share)
        return np.clip(np.asarray(self.trees.predict_proba(x)[:, 1], dtype=np.float64), EDGE, 1 - EDGE)


def _trees(rows: int, seed: int) -> HistGradientBoostingClassifier:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        max_iter=60,
        learning_rate=0.1,
        max_leaf_nodes=15,
        min_samples_leaf=max(20, rows // 1000),
        early_stopping=False,
        random_state=seed,
    )


def _platt(probability: Floats, y: Floats, apply_to: Floats) -> Floats:
    """Slope and intercept of the logit, learned on (probability, y), applied to other predictions."""
    from sklearn.linear_model import LogisticRegression

    logit = np.log(probability / (1 - probability))
    if y.min() == y.max() or logit.min() == logit.max():
        return apply_to
    scaling = LogisticRegression(C=np.inf).fit(logit[:, None], y)
    other = np.log(apply_to / (1 - apply_to))
    return np.clip(np.asarray(scaling.predict_proba(other[:, None])[:, 1], dtype=np.float64), EDGE, 1 - EDGE)
