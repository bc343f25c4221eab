"""What the whole recommender adds: by hand, and over draws of a holdout."""

import numpy as np
import polars as pl
import pytest

from causalrec.answers import Answer, Status
from causalrec.evaluation.estimands.holdout import adds_words, recommender_adds

UNITS = pl.DataFrame(
    {
        "request_id": ["a", "a", "b", "c", "c", "d"],
        "user_id": ["u", "u", "v", "w", "w", "x"],
        "policy": ["shop", None, "shop", "none", "none", "none"],
        "click": [1, 1, 0, 1, 0, 0],
    }
)


def adds(units=UNITS, holdout="none", every_impression=True):
    return recommender_adds(units, holdout, "click", "user_id", every_impression)


def test_it_is_the_difference_of_outcomes_a_request():
    found = adds()
    # 2 and 0 against 1 and 0 outcomes; influences (1, -1) / (1/2) and -(1/2, -1/2) / (1/2) of four users.
    assert found.value == pytest.approx(1.0 - 0.5)
    assert found.std_error == pytest.approx(np.sqrt(4 / 3 * (4 + 4 + 1 + 1)) / 4)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"holdout": ""}, "declared in sources.yaml"),
        ({"every_impression": False}, "has no row unless every organic impression"),
        ({"holdout": "another"}, "of 4 requests 0 are of the holdout"),
        ({"units": UNITS.with_columns(click=pl.lit(None, pl.Int64))}, "whose click is not known"),
    ],
)
def test_without_it_there_is_a_reason(changes, words):
    answer = adds(**changes)
    assert isinstance(answer, Answer) and answer.status is Status.NOT_AVAILABLE
    assert words in answer.reason


def test_one_user_is_too_few():
    assert adds(UNITS.with_columns(user_id=pl.lit("u"))).status is Status.INSUFFICIENT_EVIDENCE


def test_over_draws_it_is_unbiased_and_its_standard_error_right():
    rng = np.random.default_rng(3)
    found = []
    for _ in range(200):
        mood = np.repeat(rng.normal(0, 0.1, 100), 10)
        without = rng.random(1_000) < 0.2
        rate = 0.3 + mood + np.where(without, 0.0, 0.1)
        units = pl.DataFrame(
            {
                "request_id": np.arange(1_000).astype(str),
                "user_id": np.repeat(np.arange(100), 10).astype(str),
                "policy": np.where(without, "none", "shop"),
                "click": (rng.random(1_000) < rate).astype(int),
            }
        )
        found.append(adds(units))
    values = np.array([each.value for each in found])
    assert values.mean() == pytest.approx(0.1, abs=4 * values.std() / np.sqrt(200))
    assert np.mean([each.std_error for each in found]) == pytest.approx(values.std(), rel=0.2)


def test_it_is_said_in_words_or_why_not():
    told = adds_words(adds(), "click")
    assert told.answered and told.reason.startswith("+0.5000 clicks a request (")
    assert not adds_words(adds(holdout=""), "click").answered
