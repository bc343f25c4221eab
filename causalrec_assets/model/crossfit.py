"""Cross-fitted probabilities: every row's prediction comes from a model that saw no row of its cluster."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.float32]


def folds_by_cluster(clusters: Codes, folds: int, seed: int) -> Codes:
    """A fold of each row, whole clusters together, at random.

    Raises:
        ValueError: There are fewer clusters than folds.
    """
    names, code = np.unique(clusters, return_inverse=True)
    if len(names) < folds:
        raise ValueError(f"{folds} folds need at least as many clusters, got {len(names)}")
    fold_of = np.random.default_rng(seed).permutation(np.arange(len(names)) % folds)
    return np.asarray(fold_of[code], dtype=np.int64)


def cross_fit(x: Matrix, y: Floats, fold: Codes, seed: int, learn_on: npt.NDArray[np.bool_] | None = None) -> Floats:
    """P(y = 1 | x) of every row, out of fold.

    Gradient-boosted trees: they need no choice of interactions, and a bounded leaf keeps rare outcomes from being learned by
    heart.

    Args:
        x: (n, p).
        y: (n,) 0 or 1.
        fold: (n,) fold codes.
        learn_on: (n,) rows to learn from (e.g. one arm); predictions are made for all rows.

    Returns:
        (n,) in (0, 1). A fold whose training rows hold one value only predicts that value's smoothed share.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    predicted = np.empty(len(y))
    for k in np.unique(fold):
        train = fold != k if learn_on is None else (fold != k) & learn_on
        share = (y[train].sum() + 0.5) / (train.sum() + 1)
        if y[train].min() == y[train].max() or x.shape[1] == 0:
            predicted[fold == k] = share
            continue
        trees = HistGradientBoostingClassifier(
            max_iter=60, learning_rate=0.1, max_leaf_nodes=15, min_samples_leaf=max(20, int(0.001 * train.sum())),
            early_stopping=False, random_state=seed,
        ).fit(x[train], y[train])
        predicted[fold == k] = trees.predict_proba(x[fold == k])[:, 1]
    return np.clip(predicted, 1e-6, 1 - 1e-6)


def recalibrate(probability: Floats, y: Floats, fold: Codes) -> Floats:
    """Platt scaling of out-of-fold predictions: for each fold, logit and intercept are learned on the other folds.

    Source: Platt (1999), "Probabilistic outputs for support vector machines".
    """
    from sklearn.linear_model import LogisticRegression

    logit = np.log(probability / (1 - probability))[:, None]
    out = np.empty_like(probability)
    for k in np.unique(fold):
        others = fold != k
        if y[others].min() == y[others].max():
            out[~others] = probability[~others]
            continue
        platt = LogisticRegression(C=np.inf).fit(logit[others], y[others])
        out[~others] = platt.predict_proba(logit[~others])[:, 1]
    return out
