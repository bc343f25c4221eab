"""What showing an item does to the rest of its request: outcomes of the other slots, and of what is met beside them.

    E[rest | show i in slot k, u] = level_k + gamma' c(u) + beta' (f(u, i) - f_0) - (1 - kept) A(u, i)

A is what would come of the item itself without a recommendation (`own_organic`); the line tells the others' part.

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
from causalrec.engine.threads import one_thread
from causalrec.estimators.weights import clip_level
from causalrec.model.crossfit import folds_by_cluster
from causalrec.model.outcome.own_organic import OwnOrganic

PENALTIES = (0.001, 0.01, 0.1, 1.0, 10.0)
"""Of the squared weights of standardised features, as a share of the rows."""
CHANCE, SIGNS = 0.05, 399
"""How often chance alone may look like an effect, and draws of the clusters' signs that tell."""
OWN = "own_organic"
"""On a card, beside the outcomes."""
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
        price: Of the shown item, (n,), NaN where it is not known; None: nobody knows any.
    """

    rest: Mapping[str, Floats]
    features: Floats
    drawn: Floats
    again: Floats
    weight: Floats
    position: Ints
    cluster: Codes
    price: Floats | None = None


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
        own: Outcome (click, purchase) -> what would come of the item itself without a recommendation; not of an outcome
            of which nothing is told.
    """

    outcomes: Mapping[str, RestOutcome] = field(default_factory=dict)
    own: Mapping[str, OwnOrganic] = field(default_factory=dict)

    @one_thread()
    def predict(self, features: Floats, price: Floats | None = None) -> dict[str, Floats]:
        """E[rest | show] by name, (rows,), at the mean over positions.

        Args:
            features: (rows, features), from `rest_features`.
            price: Of each row's item, (rows,); None where not all are known, and no money is weighed.
        """
        taken = taken_from_organic(self.own, features, price)
        return {
            name: one.level + (features - np.array(one.origin)) @ np.array(one.weights) - taken.get(name, 0.0)
            for name, one in self.outcomes.items()
        }

    def added(self, name: str, position: Floats) -> Floats:
        """What the slots' positions add to the rest, (slots,).

        Args:
            position: NaN where it is not known.
        """
        return self.outcomes[name].added(position)

    def to_json(self) -> dict[str, Any]:
        own = {name: one.to_json() for name, one in self.own.items()}
        return {name: asdict(one) for name, one in self.outcomes.items()} | ({OWN: own} if own else {})

    @classmethod
    def from_json(cls, card: Mapping[str, Any]) -> RestModel:
        def read(raw: Mapping[str, Any]) -> RestOutcome:
            fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()}
            return RestOutcome(**fields)

        own = {name: OwnOrganic.from_json(raw) for name, raw in card.get(OWN, {}).items()}
        return cls({name: read(raw) for name, raw in card.items() if name != OWN}, own)


def rest_features(x: Singles, known: Sequence[Floats]) -> Floats:
    """What the model of the rest reads: the potential outcomes of the slot's own item, then the outcome model's inputs.

    Args:
        x: (rows, width), from the outcome model's design.
        known: Its predictions, (rows,) each.

    Returns:
        (rows, predictions + width).
    """
    return np.column_stack([*known, x.astype(np.float64)])


def taken_from_organic(
    own: Mapping[str, OwnOrganic], features: Floats, price: Floats | None
) -> dict[str, Floats | float]:
    """What showing items takes from their own outcomes without a recommendation, by name, (rows,).

    Args:
        features: Of `rest_features`, (rows, features).
        price: (rows,); without it nothing is said of sales.
    """
    taken: dict[str, Floats | float] = {name: one.taken(features) for name, one in own.items()}
    if price is not None and "purchase" in taken:
        taken["sales"] = price * taken["purchase"]
    return taken


@one_thread()
def fit_rest(
    rows: RestRows, folds: int, seed: int, weight_quantile: float, own: Mapping[str, OwnOrganic] | None = None
) -> RestModel:
    """Fit each outcome that is known in some rows.

    Args:
        own: What would come of the items themselves without a recommendation: their part is known, and not fitted.
        folds: Of whole clusters, which choose the penalties.
        weight_quantile: Weights are cut there, as those of the outcome model's loss are.
    """
    taken = taken_from_organic(own or {}, rows.features, rows.price)
    others = {name: rest + taken.get(name, 0.0) for name, rest in rows.rest.items()}
    fitted = {name: _fit(rows, rest, folds, seed, weight_quantile) for name, rest in others.items()}
    return RestModel(fitted, own or {})


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
    again = rows.again[known] - origin
    weighted = w[:, None] * again
    context = _solved(weighted.T @ again, (residual @ weighted)[None], min(PENALTIES))[0]
    unexplained = residual - again @ context
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
    """Weights at the penalty with the least loss out of fold, if something is surely told.

    Told is what lowers the loss by more than the same search finds after the signs of whole clusters' residuals are
    drawn anew: all penalties are tried there too, and what folds share is shared there too.

    Returns:
        (features,) and the penalty; 0 and None where nothing is told.

    Source:
        Wild bootstrap by clusters, Rademacher signs: Cameron, Gelbach and Miller (2008), Review of Economics and
        Statistics 90(3); the largest of standardised statistics: Westfall and Young (1993), "Resampling-Based Multiple
        Testing", section 2.3.
    """
    grams, moments = [], []  # of each fold; the moments as they are, then with other signs: (1 + SIGNS, features)
    for k in np.unique(fold):
        rows = np.flatnonzero(fold == k)
        weighted = w[rows, None] * x[rows]
        _, code = np.unique(cluster[rows], return_inverse=True)
        scores = np.stack([np.bincount(code, weights=s) for s in (weighted * y[rows, None]).T], axis=1)
        signs = np.random.default_rng([SIGNS, int(k)]).choice(np.array([-1, 1], dtype=np.int8), (SIGNS, len(scores)))
        grams.append(weighted.T @ x[rows])
        moments.append(np.concatenate([scores.sum(axis=0)[None], signs @ scores]))
    gram, moment = np.sum(grams, axis=0), np.sum(moments, axis=0)
    loss = np.zeros((len(PENALTIES), 1 + SIGNS))
    for out_gram, out_moment in zip(grams, moments, strict=True):
        for row, penalty in enumerate(PENALTIES):
            beta = _solved(gram - out_gram, moment - out_moment, penalty)
            loss[row] += ((beta @ out_gram) * beta).sum(axis=1) - 2 * (beta * out_moment).sum(axis=1)
    spread = loss[:, 1:].std(axis=1, keepdims=True)
    lowest = ((loss - loss[:, 1:].mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, np.inf)).min(axis=0)
    best = int(np.argmin(loss[:, 0]))
    by_chance = (1 + int((lowest[1:] <= lowest[0]).sum())) / (1 + SIGNS)
    if by_chance > CHANCE or loss[best, 0] >= 0:
        return np.zeros(x.shape[1]), None
    return _solved(gram, moment[:1], PENALTIES[best])[0], PENALTIES[best]


def _solved(gram: Floats, moments: Floats, penalty: float) -> Floats:
    """Ridge regressions through the origin, penalised as on standardised features.

    Args:
        gram: X'WX, (features, features).
        moments: X'Wy of each regression, (regressions, features).

    Returns:
        (regressions, features); 0 for a feature that does not vary.
    """
    diagonal = np.diag(gram)
    ridge = gram + np.diag(np.where(diagonal > 0, penalty * diagonal, 1.0))
    return np.asarray(np.linalg.solve(ridge, moments.T).T)
