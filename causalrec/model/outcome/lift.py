"""What recommending an item adds to meeting it: a lift of the log-odds, shrunk to one that is the same for all.

    logit P(Y = 1 | x, t) = M(x) + c + (t - e(x)) lambda(x),    lambda(x) = level + weights' z(x)

M is the network's own log-odds, averaged over the arms by the treatment propensity e. The difference of the network's
two heads has the noise of both, and effects differ far less than rates do: a policy that ranks by it ranks by noise.
Here the heads say how often an item is clicked, and only how much a recommendation changes that is fitted again: with
t - e in place of t an error of M is no error of lambda to the first order. z are the log-odds of the recommended arm
and the outcome model's inputs.

The penalty of the weights has the least loss in clusters that were left out; where the gain over a single lift for all
is less than a standard error, all have the same lift.

Source: Robinson (1988), Econometrica 56(4), and Nie and Wager (2021), Biometrika 108(2), section 2, for the centred
treatment; Breiman, Friedman, Olshen and Stone (1984), "Classification and Regression Trees", section 3.4.3, for the one
standard error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from causalrec.arrays import Codes, Floats, Singles
from causalrec.model.crossfit import folds_by_cluster

PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Of the squared weights of standardised features, as a share of what the rows know of a single lift."""
SURE = 1.0
"""Standard errors by which a lift that differs must be better."""
STEPS, FURTHEST = 8, 6.0
"""Newton's, of the last fit; and standard deviations beyond which a feature says no more."""
MOST_ROWS = 400_000


@dataclass(frozen=True)
class LiftOf:
    """The lift of one outcome.

    Attributes:
        level: In log-odds, where all features are at their means.
        mean, scale: Of the features, (features,).
        weights: Of the standardised features; 0 throughout where all have the same lift.
        penalty: Chosen; None: infinite.
        rows: It was fitted on.
    """

    level: float
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    penalty: float | None
    rows: int

    def unprompted(self, if_recommended: Floats, x: Singles) -> Floats:
        """P(Y = 1) of the same item without the recommendation, (rows,).

        Args:
            if_recommended: P(Y = 1 | do(recommend)), (rows,), in (0, 1).
            x: (rows, width), from the outcome model's design.
        """
        logit = np.log(if_recommended / (1.0 - if_recommended))
        if self.penalty is None:
            return _sigmoid(logit - self.level)
        z = _standard(np.column_stack([logit, x]), np.array(self.mean), np.array(self.scale))
        return _sigmoid(logit - self.level - z @ np.array(self.weights))


@dataclass(frozen=True)
class Lift:
    """The lifts by outcome (click, purchase)."""

    outcomes: Mapping[str, LiftOf] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {name: asdict(one) for name, one in self.outcomes.items()}

    @classmethod
    def from_json(cls, card: Mapping[str, Any]) -> Lift:
        def read(raw: Mapping[str, Any]) -> LiftOf:
            fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
            return LiftOf(**fields)

        return cls({name: read(raw) for name, raw in card.items()})


@dataclass(frozen=True)
class LiftRows:
    """Training units of both arms.

    Attributes:
        x: (n, width), from the outcome model's design.
        outcome: Name -> 0 or 1, (n,).
        if_recommended, if_not: Name -> what the network expects in either arm, (n,).
        recommended: t, (n,), 0 or 1.
        propensity: e, (n,), in (0, 1), of other folds than the row's.
        cluster: (n,).
    """

    x: Singles
    outcome: Mapping[str, Floats]
    if_recommended: Mapping[str, Floats]
    if_not: Mapping[str, Floats]
    recommended: Floats
    propensity: Floats
    cluster: Codes


def fit_lift(rows: LiftRows, folds: int, seed: int) -> Lift:
    """Fit each outcome.

    Args:
        folds: Of whole clusters, which choose the penalties.
        seed: Of the folds, and of the rows that are drawn where there are more than `MOST_ROWS`.
    """
    n = len(rows.recommended)
    kept = np.arange(n)
    if n > MOST_ROWS:
        kept = np.sort(np.random.default_rng(seed).permutation(n)[:MOST_ROWS])
    return Lift({name: _fit(rows, name, kept, folds, seed) for name in rows.outcome})


def _fit(rows: LiftRows, name: str, kept: Codes, folds: int, seed: int) -> LiftOf:
    y, t, e = rows.outcome[name][kept], rows.recommended[kept], rows.propensity[kept]
    shown, met = (_logit(of[name][kept]) for of in (rows.if_recommended, rows.if_not))
    offset = e * shown + (1.0 - e) * met
    features = np.column_stack([shown, rows.x[kept]])
    mean, spread = features.mean(axis=0), features.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    centred = (t - e)[:, None]
    same = np.column_stack([np.ones(len(y)), centred])
    differs = np.column_stack([same, centred * _standard(features, mean, scale)])
    cluster = rows.cluster[kept]
    fold = folds_by_cluster(cluster, folds, seed) if len(np.unique(cluster)) >= folds else None
    penalty = _chosen(differs, y, offset, fold, cluster) if fold is not None else None
    used = same if penalty is None else differs
    fitted = _logistic(used, y, offset, 0.0 if penalty is None else penalty)
    weights = np.zeros(features.shape[1]) if penalty is None else fitted[2:]
    level = float(fitted[1])
    return LiftOf(level, tuple(mean.tolist()), tuple(scale.tolist()), tuple(weights.tolist()), penalty, len(y))


def _chosen(x: Floats, y: Floats, offset: Floats, fold: Codes, cluster: Codes) -> float | None:
    """The penalty with the least loss out of fold; None where a single lift for all is as good.

    The loss is the log loss to the second order about the offset, which is near: one pass over the rows tells all.
    """
    p = _sigmoid(offset)
    curvature, residual = p * (1.0 - p), y - p
    weighted = x * curvature[:, None]
    by_fold = [np.flatnonzero(fold == k) for k in np.unique(fold)]
    grams = [weighted[rows].T @ x[rows] for rows in by_fold]
    moments = [x[rows].T @ residual[rows] for rows in by_fold]
    gram, moment = np.sum(grams, axis=0), np.sum(moments, axis=0)

    def losses(penalty: float | None) -> Floats:
        """Out of fold, (rows,)."""
        fitted = np.empty(len(y))
        for rows, own_gram, own_moment in zip(by_fold, grams, moments, strict=True):
            columns = x.shape[1] if penalty is not None else 2
            beta = _solved((gram - own_gram)[:columns, :columns], (moment - own_moment)[:columns], penalty or 0.0)
            fitted[rows] = x[rows][:, :columns] @ beta
        return np.asarray(curvature * fitted**2 / 2 - residual * fitted)

    same, by_penalty = losses(None), {penalty: losses(penalty) for penalty in PENALTIES}
    best = min(by_penalty, key=lambda penalty: float(by_penalty[penalty].sum()))
    code = np.unique(cluster, return_inverse=True)[1]
    gained = np.bincount(code, weights=same - by_penalty[best])
    return best if gained.mean() > SURE * gained.std() / np.sqrt(len(gained)) else None


def _solved(gram: Floats, moment: Floats, penalty: float) -> Floats:
    """A ridge regression whose first two weights, the constant and the level, are not penalised."""
    ridge = np.full(len(gram), penalty * gram[1, 1])
    ridge[:2] = 0.0
    return np.asarray(np.linalg.solve(gram + np.diag(ridge + 1e-9), moment))


def _logistic(x: Floats, y: Floats, offset: Floats, penalty: float) -> Floats:
    """The same by Newton's method, of the log loss itself."""
    beta = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = _sigmoid(offset + x @ beta)
        gram = (x * (p * (1.0 - p))[:, None]).T @ x
        # Of the penalised loss: the gradient has the penalty's part too.
        ridge = np.full(len(beta), penalty * gram[1, 1])
        ridge[:2] = 0.0
        step = np.linalg.solve(gram + np.diag(ridge + 1e-9), x.T @ (y - p) - ridge * beta)
        beta = beta + step
        if np.abs(step).max() < 1e-6:
            break
    return np.asarray(beta)


def _standard(features: Floats, mean: Floats, scale: Floats) -> Floats:
    return np.asarray(np.clip((features - mean) / scale, -FURTHEST, FURTHEST))


def _logit(p: Floats) -> Floats:
    return np.asarray(np.log(p / (1.0 - p)))


def _sigmoid(logit: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0))))
