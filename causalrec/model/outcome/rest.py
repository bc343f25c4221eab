"""What showing an item does to the rest of its request: outcomes of the other slots, and of what is met beside them.

    E[rest | show i in slot k, u] = level_k + gamma' c(u) + beta' (f(u, i) - f_0)

beta is fitted by what the logging policy left to chance. In rows weighted by g(i) / (its probability of i given u),
items are drawn from g whoever asks, so that f(u, i) less its mean over g is uncorrelated with whatever else moves the
rest (who clicks much, clicks much): no cause of the rest need be known. g is each item's share of the day's slots.

Each penalty is chosen by inner folds of whole clusters, an infinite one among them: without evidence the rest is a
constant of its slot, and the whole request ranks like the slot's own outcome.

Source: the orthogonal moment is that of Robinson (1988), Econometrica 56(4), with known propensities; weights as of
Robins, Hernan and Brumback (2000), Epidemiology 11(5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from causalrec.arrays import Codes, Floats, Ints, Singles
from causalrec.estimators.weights import clip_level
from causalrec.model.crossfit import folds_by_cluster

PENALTIES = (0.001, 0.01, 0.1, 1.0, 10.0)
"""Of the squared weights of standardised features, as a share of the rows."""
SURE = 1.645
"""Standard errors by which the loss must fall, out of fold: one side of 5 %."""
FEWEST_ROWS = 200
"""With fewer, the rest is a constant of its slot."""


@dataclass(frozen=True)
class RestRows:
    """Shown slots of the training window.

    Attributes:
        rest: Outcome (click, purchase; sales: price x purchases) -> its sum over the rest of the request, (n,); NaN
            where it is not known.
        features: Of the item that was shown, (n, features).
        drawn, again: Means of the features over two independent draws of items from the day's slots, (n, features).
        weight: g(i) / P(i | u) up to a factor of the context's own, (n,).
        position: (n,), from 1; 0 where it is not known.
        cluster: (n,).
    """

    rest: Mapping[str, Floats]
    features: Floats
    drawn: Floats
    again: Floats
    weight: Floats
    position: Ints
    cluster: Codes


@dataclass(frozen=True)
class RestOutcome:
    """The model of one outcome of the rest.

    Attributes:
        level: Mean over the training slots.
        of_position: What each position adds to it, from 1.
        origin: f_0, the features' means.
        weights: Of the features; 0 throughout where nothing was found.
        item_penalty, context_penalty: Chosen; None: infinite.
        rows: Slots it was fitted on.
    """

    level: float
    of_position: tuple[float, ...]
    origin: tuple[float, ...]
    weights: tuple[float, ...]
    item_penalty: float | None
    context_penalty: float | None
    rows: int

    def added(self, position: Floats) -> Floats:
        """What slots add to the level, (slots,); 0 for a position that training did not see, or that is not known."""
        table = np.array([0.0, *self.of_position])
        place = np.where(np.isnan(position) | (position > len(self.of_position)) | (position < 0), 0, position)
        return np.asarray(table[place.astype(np.int64)])


@dataclass(frozen=True)
class RestModel:
    """What is expected of the rest of a request.

    Attributes:
        outcomes: Name -> its model.
    """

    outcomes: Mapping[str, RestOutcome] = field(default_factory=dict)

    def predict(self, features: Floats) -> dict[str, Floats]:
        """E[rest | show] by name, (rows,), at the mean over positions.

        Args:
            features: (rows, features), from `rest_features`.
        """
        return {
            name: one.level + (features - np.array(one.origin)) @ np.array(one.weights)
            for name, one in self.outcomes.items()
        }

    def added(self, name: str, position: Floats) -> Floats:
        """What the slots' positions add to the rest, (slots,).

        Args:
            position: NaN where it is not known.
        """
        return self.outcomes[name].added(position)

    def to_json(self) -> dict[str, Any]:
        return {name: asdict(one) for name, one in self.outcomes.items()}

    @classmethod
    def from_json(cls, card: Mapping[str, Mapping[str, Any]]) -> RestModel:
        def read(raw: Mapping[str, Any]) -> RestOutcome:
            fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
            return RestOutcome(**fields)

        return cls({name: read(raw) for name, raw in card.items()})


def rest_features(x: Singles, known: Sequence[Floats]) -> Floats:
    """What the model of the rest reads: the potential outcomes of the slot's own item, then the outcome model's inputs.

    Args:
        x: (rows, width), from the outcome model's design.
        known: Its predictions, (rows,) each.

    Returns:
        (rows, predictions + width).
    """
    return np.column_stack([*known, x.astype(np.float64)])


def fit_rest(rows: RestRows, folds: int, seed: int, weight_quantile: float) -> RestModel:
    """Fit each outcome that is known in some rows.

    Args:
        folds: Of whole clusters, which choose the penalties.
        weight_quantile: Weights are cut there, as those of the outcome model's loss are.
    """
    return RestModel({name: _fit(rows, rest, folds, seed, weight_quantile) for name, rest in rows.rest.items()})


def _fit(rows: RestRows, rest: Floats, folds: int, seed: int, quantile: float) -> RestOutcome:
    known = np.flatnonzero(~np.isnan(rest))
    y, position, cluster = rest[known], rows.position[known], rows.cluster[known]
    level, of_position = _levels(y, position)
    residual = y - level - np.array([0.0, *of_position])[position]
    f, width = rows.features[known], rows.features.shape[1]
    origin, nothing = f.mean(axis=0) if len(f) else np.zeros(width), np.zeros(width)
    constant = RestOutcome(level, of_position, tuple(origin), tuple(nothing), None, None, len(known))
    if len(known) < FEWEST_ROWS or len(np.unique(cluster)) < folds:
        return constant
    fold = folds_by_cluster(cluster, folds, seed)
    w = np.minimum(rows.weight[known], clip_level(rows.weight[known], quantile))
    w = w / w.mean()
    of_item = f - rows.drawn[known]
    # What is known of the context takes variance out of the residual. It is of other draws than what centres the
    # features: the error of a mean, in both, would look like an effect.
    context, _ = _ridge(rows.again[known] - origin, residual, w, min(PENALTIES))
    unexplained = residual - (rows.again[known] - origin) @ context
    varies = np.abs(of_item).max(axis=0) > 1e-6
    beta, item_penalty = _chosen(of_item * varies, unexplained, w, fold, cluster)
    left = residual - (f - origin) @ beta
    gamma, context_penalty = _chosen((f - origin) * ~varies, left, np.ones(len(y)), fold, cluster)
    return RestOutcome(
        level, of_position, tuple(origin), tuple(beta + gamma), item_penalty, context_penalty, len(known)
    )


def _levels(y: Floats, position: Ints) -> tuple[float, tuple[float, ...]]:
    """The mean, and what each position differs by from it: nothing where it was not seen."""
    if not len(y):
        return 0.0, ()
    level = float(y.mean())
    seen = np.bincount(position)
    means = np.divide(np.bincount(position, weights=y), seen, out=np.full(len(seen), level), where=seen > 0)
    return level, tuple((means - level)[1:].tolist())


def _chosen(x: Floats, y: Floats, w: Floats, fold: Codes, cluster: Codes) -> tuple[Floats, float | None]:
    """Weights at the penalty with the least loss out of fold, if it is surely lower than without features.

    Returns:
        (features,) and the penalty; 0 and None where it is not.
    """
    nothing = np.zeros(x.shape[1])
    best: tuple[float, float] | None = None
    _, code = np.unique(cluster, return_inverse=True)
    for penalty in PENALTIES:
        predicted = np.empty(len(y))
        for k in np.unique(fold):
            inside, outside = fold != k, fold == k
            predicted[outside] = x[outside] @ _ridge(x[inside], y[inside], w[inside], penalty)[0]
        gained = np.bincount(code, weights=w * ((y - predicted) ** 2 - y**2))
        mean, error = gained.mean(), gained.std() / np.sqrt(len(gained))
        if mean + SURE * error < 0 and (best is None or mean < best[0]):
            best = mean, penalty
    if best is None:
        return nothing, None
    return _ridge(x, y, w, best[1])[0], best[1]


def _ridge(x: Floats, y: Floats, w: Floats, penalty: float) -> tuple[Floats, Floats]:
    """Ridge regression through the origin on standardised features.

    Returns:
        The weights of the features as they came, and the features' scales.
    """
    from sklearn.linear_model import Ridge

    scale = np.sqrt((w[:, None] * x**2).sum(axis=0) / w.sum())
    scale = np.where(scale > 0, scale, 1.0)
    fitted = Ridge(alpha=penalty * w.sum(), fit_intercept=False, solver="cholesky").fit(x / scale, y, sample_weight=w)
    return np.asarray(fitted.coef_ / scale, dtype=np.float64), scale
