"""Effects in a notebook: scikit-learn's conventions, frames or arrays, and an answer where there is no number."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone

import causalrec as cr
from causalrec.home import TEMPLATE
from causalrec.settings.file import read_yaml
from causalrec.settings.model import ModelSettings

ADJUSTING = (cr.AIPW, cr.SNIPS, cr.NaiveDifference)
ALL = (*ADJUSTING, cr.FrontDoor, cr.InstrumentalVariable)
EFFECT = 0.2


def confounded(n=3_000, seed=1):
    """A covariate that raises both the treatment and the outcome; the treatment adds `EFFECT`."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 2))
    t = rng.binomial(1, 0.5 + 0.3 * x[:, 0])
    y = rng.binomial(1, 0.4 + 0.3 * x[:, 0] + EFFECT * (t - 0.5))
    return x, t, y


def off_by(effect, truth):
    """In standard errors."""
    return abs(effect.effect_ - truth) / effect.estimate_.std_error


@pytest.fixture(scope="module")
def shop():
    return confounded()


@pytest.fixture(scope="module")
def fitted(shop):
    return {kind: kind().fit(*shop) for kind in ADJUSTING}


def test_what_adjusts_finds_the_effect_and_what_does_not_finds_more(fitted):
    for kind in (cr.AIPW, cr.SNIPS):
        lower, upper = fitted[kind].interval_
        assert lower < fitted[kind].effect_ < upper
        assert off_by(fitted[kind], EFFECT) < 4
    assert fitted[cr.NaiveDifference].interval_[0] > EFFECT + 0.05


def test_what_is_told_beside_the_effect(fitted):
    for effect in fitted.values():
        assert effect.answer_ == cr.Answer(cr.Status.ANSWERED)
        assert effect.diagnostics_["overlap_share"] == 1
        assert effect.estimate_.clusters == effect.estimate_.rows == 3_000


def test_frames_of_pandas_and_polars_and_arrays_give_one_number(shop, fitted):
    x, t, y = shop
    names = ["x0", "x1"]
    of_polars = cr.AIPW().fit(pl.DataFrame(x, schema=names), pl.Series("shown", t), pl.Series("click", y))
    index = np.arange(len(t))[::-1]
    of_pandas = cr.AIPW().fit(
        pd.DataFrame(x, columns=names, index=index), pd.Series(t, index=index), pd.Series(y, index=index, name="click")
    )
    assert of_polars.effect_ == of_pandas.effect_ == fitted[cr.AIPW].effect_


def test_rows_of_a_cluster_count_as_one_draw(shop):
    x, t, y = (np.repeat(values, 3, axis=0) for values in confounded(1_000))
    rows = cr.NaiveDifference().fit(x, t, y).estimate_
    users = cr.NaiveDifference().fit(x, t, y, clusters=[f"u{k // 3}" for k in range(len(t))]).estimate_
    assert (rows.clusters, users.clusters) == (3_000, 1_000)
    assert users.std_error == pytest.approx(rows.std_error * np.sqrt(3), rel=0.01)
    known = pl.Series([None if k % 6 < 3 else k // 3 for k in range(len(t))])
    by_request = pl.DataFrame({"user": known, "request": [k // 3 for k in range(len(t))]})
    assert cr.NaiveDifference().fit(x, t, y, clusters=by_request).estimate_.std_error == pytest.approx(users.std_error)


def test_a_front_door_and_an_instrument_find_an_effect_that_something_hidden_confounds():
    rng, n = np.random.default_rng(4), 6_000
    hidden, z = rng.binomial(1, 0.5, n), rng.binomial(1, 0.5, n)
    t = rng.binomial(1, 0.15 + 0.3 * hidden + 0.4 * z)
    m = rng.binomial(1, 0.2 + 0.6 * t)
    y = rng.binomial(1, 0.2 + 0.3 * hidden + 0.4 * m)
    nothing = np.zeros((n, 1))
    naive = cr.NaiveDifference().fit(nothing, t, y)
    through = cr.FrontDoor().fit(nothing, t, y, mediators=m)
    instrument = cr.InstrumentalVariable().fit(nothing, t, y, instrument=z)
    assert naive.interval_[0] > 0.24
    assert off_by(through, 0.24) < 4
    assert off_by(instrument, 0.24) < 4
    assert "through `mediator0`" in through.answer_.reason
    assert "`instrument` decides" in instrument.answer_.reason


def test_without_an_answer_there_is_a_reason_and_no_number(shop):
    x, t, y = shop
    for effect, reason in (
        (cr.AIPW().fit(x, np.ones(len(t)), y), "every unit of the training window has `treatment` = 1"),
        (cr.AIPW().fit(x, t, np.arange(len(t)) == 5), "an arm has 0 units with `outcome`"),
        (cr.AIPW().fit(x, t, y, clusters=np.zeros(len(t))), "the units come in 1 clusters, at least 3"),
        (cr.AIPW(positivity=0.4).fit(x, t, y), "of the units could have had either arm"),
    ):
        assert effect.answer_.status is cr.Status.INSUFFICIENT_EVIDENCE
        assert reason in effect.answer_.reason
        assert (effect.effect_, effect.interval_, effect.estimate_) == (None, None, None)


@pytest.mark.parametrize("kind", ALL)
def test_conventions_of_scikit_learn(kind):
    effect = kind(folds=4, random_state=7)
    assert not [name for name in vars(effect) if name.endswith("_")]
    parameters = {
        "folds": 4,
        "positivity": 0.01,
        "min_outcomes_per_arm": 50,
        "min_overlap_share": 0.9,
        "random_state": 7,
    }
    assert effect.get_params() == clone(effect).get_params() == parameters
    assert clone(effect) is not effect
    assert effect.set_params(folds=3).folds == 3
    assert repr(effect).startswith(f"{kind.__name__}(folds=3, ")
    with pytest.raises(cr.InputError, match=f"{kind.__name__} has no parameter fold; it has folds"):
        effect.set_params(fold=3)


def test_fit_returns_the_estimator_and_its_parameters_matter(shop):
    effect = cr.SNIPS(random_state=1)
    assert effect.fit(*shop) is effect
    assert effect.effect_ != clone(effect).set_params(random_state=2).fit(*shop).effect_


def test_the_defaults_are_those_of_a_new_home():
    settings = ModelSettings.parse(read_yaml(TEMPLATE / "model.yaml"))
    parameters = cr.AIPW().get_params()
    assert parameters.pop("random_state") == 0
    assert parameters.pop("positivity") == settings.propensity_bound
    assert parameters == {name: getattr(settings, name) for name in parameters}


X, T, Y = [[0.1], [0.2], [0.3]], [0, 1, 0], [1, 0, 1]


@pytest.mark.parametrize(
    ("fit", "words"),
    [
        (lambda: cr.AIPW().fit(X, [0, 2, 0], Y), "treatment `treatment` must be 0 or 1; in row 2 it is 2"),
        (lambda: cr.AIPW().fit(X, T, pl.Series("click", [1, None, 0])), "outcome `click` .*; in row 2 it is missing"),
        (lambda: cr.AIPW().fit(X, T, [1.0, float("nan"), 0.0]), "outcome `outcome` .*; in row 2 it is missing"),
        (
            lambda: cr.AIPW().fit(X, ["a", "b", "a"], Y),
            "treatment `treatment` must be .*, as a number; it is String",
        ),
        (lambda: cr.AIPW().fit(X, T[:2], Y), "treatment has 2 rows, X has 3"),
        (lambda: cr.AIPW().fit(X, [T], Y), r"treatment must have one value a row, shape \(n,\); got shape \(1, 3\)"),
        (lambda: cr.AIPW().fit(X, T, Y, clusters=[1]), "clusters has 1 rows, X has 3"),
        (lambda: cr.AIPW().fit(np.zeros((3, 1, 1)), T, Y), r"X must be a frame .*; got ndarray of shape \(3, 1, 1\)"),
        (lambda: cr.AIPW().fit([["a"], ["b"], ["c"]], T, Y), "X must be a frame .*; got list of shape"),
        (
            lambda: cr.AIPW().fit(pl.DataFrame({"click": Y}), T, pl.Series("click", Y)),
            "`click` is given twice, as the outcome too",
        ),
        (lambda: cr.FrontDoor().fit(X, T, Y, mediators=[1]), "mediators has 1 rows, X has 3"),
        (lambda: cr.InstrumentalVariable().fit(X, T, Y, instrument=[0, 1, 7]), "instrument .*; in row 3 it is 7"),
        (lambda: cr.AIPW(folds=2).fit(X, T, Y), "folds must be a whole number of at least 3, got 2"),
        (lambda: cr.AIPW(folds="3").fit(X, T, Y), "folds must be a whole number of at least 3, got '3'"),
        (lambda: cr.AIPW(positivity=0.5).fit(X, T, Y), "positivity must be a number above 0 and below 0.5, got 0.5"),
        (lambda: cr.AIPW(min_outcomes_per_arm=0).fit(X, T, Y), "min_outcomes_per_arm must be a whole number"),
        (lambda: cr.AIPW(min_overlap_share=2).fit(X, T, Y), "min_overlap_share must be a number from 0 to 1, got 2"),
        (
            lambda: cr.AIPW(random_state=None).fit(X, T, Y),
            "random_state must be a whole number, not negative",
        ),
    ],
)
def test_wrong_input_is_named(fit, words):
    with pytest.raises(cr.InputError, match=words):
        fit()


def test_an_infinite_covariate_is_named_with_its_row(shop):
    x, t, y = shop
    x = x.copy()
    x[7, 1] = np.inf
    with pytest.raises(cr.InputError, match="`x1` is infinite in row 8"):
        cr.AIPW().fit(x, t, y)
