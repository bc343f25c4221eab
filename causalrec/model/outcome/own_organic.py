"""What would come of an item in the same request without a recommendation: it is met, and has its outcome.

    A(u, i) = P(met without a recommendation and Y = 1 | the slate does not show i, u)

Showing the item takes it away, but for the share that is met all the same: what a request gains is the slot's own
outcome less (1 - kept) A. A straight line in the outcome model's inputs, which `rest` fits, cannot tell it: people go
to a few items each, and a product of two rates to some power is no sum of them.

A is logistic in the log-odds of the potential outcomes and in the covariates, with their squares and products. Its rows
are all organic rows of some requests, and of the items that were neither shown nor met a sample with inverse inclusion
weights.

What it assumes: whether an item was shown is as good as random given what the outcome model reads. The slate shows few
of many items, so that nearly all rows are there whoever asks.

Source: sampling of what did not happen with inverse inclusion weights: King and Zeng (2001), Political Analysis 9(2),
section 4.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from causalrec.arrays import Codes, Floats
from causalrec.engine.threads import one_thread
from causalrec.model.crossfit import folds_by_cluster

FEWEST_OUTCOMES = 100
"""With fewer organic outcomes nothing is told of who would have them."""
SURE = 1.645
"""Standard errors by which the log loss of clusters that were left out must fall: one side of 5 %."""
RIDGE, STEPS, FURTHEST = 1.0, 40, 6.0
"""Of the squared weights; Newton's steps; and standard deviations beyond which an input says no more."""


@dataclass(frozen=True)
class OwnOrganicRows:
    """Pairs of a request with an item that its slate does not show, and the slots whose item it does.

    Attributes:
        features: Of `rest_features`, (n, features).
        outcome: Name (click, purchase) -> 0 or 1, (n,); NaN where it is not known.
        weight: 1 / probability of being among the rows, (n,).
        cluster: (n,).
        shown: Features of shown slots' items, (slots, features).
        still: Name -> whether the shown item had the outcome without a recommendation as well, (slots,); NaN where it
            is not known.
    """

    features: Floats
    outcome: Mapping[str, Floats]
    weight: Floats
    cluster: Codes
    shown: Floats
    still: Mapping[str, Floats]


@dataclass(frozen=True)
class OwnOrganic:
    """The model of one outcome.

    Attributes:
        odds: How many of the features, the first, are probabilities; their log-odds are read.
        mean, scale: Of what is read, (features,).
        intercept, linear: Of the log-odds; (features,).
        quadratic: (features, features).
        kept: Share of A that happens although the item is shown.
        rows, outcomes: That it was fitted on.
    """

    odds: int
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    intercept: float
    linear: tuple[float, ...]
    quadratic: tuple[tuple[float, ...], ...]
    kept: float
    rows: int
    outcomes: int

    @one_thread()
    def if_not_shown(self, features: Floats) -> Floats:
        """A, (rows,).

        Args:
            features: Of `rest_features`, (rows, features).
        """
        z = _standard(_read(features, self.odds), np.array(self.mean), np.array(self.scale))
        logit = self.intercept + z @ np.array(self.linear) + ((z @ np.array(self.quadratic)) * z).sum(axis=1)
        return np.asarray(_sigmoid(logit))

    def taken(self, features: Floats) -> Floats:
        """What showing the item takes from what is met without a recommendation, (rows,): (1 - kept) A."""
        return (1.0 - self.kept) * self.if_not_shown(features)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, card: Mapping[str, Any]) -> OwnOrganic:
        def tuples(value: Any) -> Any:
            return tuple(tuples(one) for one in value) if isinstance(value, list | tuple) else value

        return cls(**{name: tuples(value) for name, value in card.items()})


@one_thread()
def fit_own_organic(rows: OwnOrganicRows, odds: int, seed: int) -> dict[str, OwnOrganic]:
    """Fit each outcome of which enough is seen, and that the features tell in clusters that were left out.

    Args:
        odds: How many of the features, the first, are probabilities.
        seed: Of the clusters that are left out.
    """
    fitted = {name: _fit(rows, name, odds, seed) for name in rows.outcome}
    return {name: one for name, one in fitted.items() if one is not None}


def _fit(rows: OwnOrganicRows, name: str, odds: int, seed: int) -> OwnOrganic | None:
    known = np.flatnonzero(~np.isnan(rows.outcome[name]))
    y, w, cluster = rows.outcome[name][known], rows.weight[known], rows.cluster[known]
    if y.sum() < FEWEST_OUTCOMES or len(np.unique(cluster)) < 2:
        return None
    read = _read(rows.features[known], odds)
    mean = np.average(read, axis=0, weights=w)
    spread = np.sqrt(np.average((read - mean) ** 2, axis=0, weights=w))
    scale = np.where(spread > 0, spread, 1.0)
    z = _standard(read, mean, scale)
    x, (left, right) = _expanded(z)
    out = folds_by_cluster(cluster, 2, seed) == 0
    if not _told(x, y, w, cluster, out):
        return None
    weights, width = _logistic(x, y, w), z.shape[1]
    quadratic = np.zeros((width, width))
    quadratic[left, right] = weights[1 + width :]
    rounded = tuple(tuple(row) for row in quadratic.tolist())
    fitted = OwnOrganic(
        odds,
        tuple(mean.tolist()),
        tuple(scale.tolist()),
        float(weights[0]),
        tuple(weights[1 : 1 + width].tolist()),
        rounded,
        0.0,
        len(y),
        int(y.sum()),
    )
    return OwnOrganic(**{**vars(fitted), "kept": _kept(fitted, rows, name)})


def _kept(fitted: OwnOrganic, rows: OwnOrganicRows, name: str) -> float:
    """Outcomes without a recommendation of items that were shown, as a share of those that were expected unshown."""
    known = ~np.isnan(rows.still[name])
    expected = float(fitted.if_not_shown(rows.shown[known]).sum())
    return min(1.0, float(rows.still[name][known].sum()) / expected) if expected > 0 else 1.0


def _told(x: Floats, y: Floats, w: Floats, cluster: Codes, out: np.ndarray[Any, np.dtype[np.bool_]]) -> bool:
    """Whether what is fitted on some clusters tells more of the others than a constant does."""
    if not (y[out].any() and y[~out].any()):
        return False
    p = _sigmoid(x[out] @ _logistic(x[~out], y[~out], w[~out]))
    constant = np.average(y[~out], weights=w[~out])
    gained = w[out] * (_log_loss(p, y[out]) - _log_loss(np.full(len(p), constant), y[out]))
    by_cluster = np.bincount(np.unique(cluster[out], return_inverse=True)[1], weights=gained)
    return bool(by_cluster.mean() + SURE * by_cluster.std() / np.sqrt(len(by_cluster)) < 0)


def _read(features: Floats, odds: int) -> Floats:
    p = features[:, :odds]
    return np.column_stack([np.log(p / (1 - p)), features[:, odds:]])


def _standard(read: Floats, mean: Floats, scale: Floats) -> Floats:
    return np.asarray(np.clip((read - mean) / scale, -FURTHEST, FURTHEST))


def _expanded(z: Floats) -> tuple[Floats, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
    """1, the columns, and the squares and products of those that are no indicators; and of which columns these are."""
    numbers = np.array([k for k in range(z.shape[1]) if len(np.unique(z[:, k])) > 2], dtype=np.int64)
    left, right = (numbers[of] for of in np.triu_indices(len(numbers)))
    return np.column_stack([np.ones(len(z)), z, z[:, left] * z[:, right]]), (left, right)


def _logistic(x: Floats, y: Floats, w: Floats) -> Floats:
    """Weighted logistic regression with a ridge on all weights but the first, by Newton's method with halved steps."""
    weights, ridge = np.zeros(x.shape[1]), RIDGE * np.ones(x.shape[1])
    weights[0], ridge[0] = np.log(max((w * y).sum(), 0.5) / (w * (1 - y)).sum()), 0.0

    def loss(of: Floats) -> float:
        return float((w * _log_loss(_sigmoid(x @ of), y)).sum() + (ridge * of**2).sum() / 2)

    now = loss(weights)
    for _ in range(STEPS):
        p = _sigmoid(x @ weights)
        gradient = x.T @ (w * (y - p)) - ridge * weights
        hessian = (x * (w * p * (1 - p))[:, None]).T @ x + np.diag(ridge + 1e-9)
        step, size = np.linalg.solve(hessian, gradient), 1.0
        while (then := loss(weights + size * step)) > now and size > 1e-3:
            size /= 2
        if then > now:
            break
        weights, gained, now = weights + size * step, now - then, then
        if gained < 1e-6 * abs(now):
            break
    return np.asarray(weights)


def _log_loss(p: Floats, y: Floats) -> Floats:
    return np.asarray(-np.where(y > 0, np.log(np.maximum(p, 1e-12)), np.log(np.maximum(1 - p, 1e-12))))


def _sigmoid(logit: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logit, -30, 30))))
