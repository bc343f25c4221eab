"""How much a look may spend follows from who has drawn what it judges: by the release log, and by what is logged."""

from datetime import date, timedelta

import polars as pl
import pytest

from causalrec.evaluation.trials.trial import Trial
from causalrec.home import TEMPLATE, Home
from causalrec.settings.file import read_yaml
from causalrec.settings.release import ReleaseRule
from causalrec_assets.decision.trial_days import error_of_look
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.lake.releases import ReleaseLog

D1 = date(2026, 3, 14)
RULE = ReleaseRule.parse(read_yaml(TEMPLATE / "release.yaml"))
CHAMPION, LESS = 0.05 * 7 / 90, 0.04 * 7 / 90
TRIAL = Trial(D1, "hash", 1, "raw", RULE.error_a_look(champion_logs=True), 4)


def units(*policies, recommended=1, propensity=0.25):
    return pl.DataFrame(
        {"policy": list(policies), "recommended": [recommended] * len(policies), "action_propensity": propensity},
        schema={"policy": pl.String, "recommended": pl.Int64, "action_propensity": pl.Float64},
    )


@pytest.fixture
def spends(store):
    def error(rows, trial=TRIAL):
        inputs = Inputs(Home(TEMPLATE.parent), store, "trial_report", "code", D1 + timedelta(days=8), "run")
        return error_of_look(inputs, trial, RULE, rows)

    return error


@pytest.fixture
def log(store):
    """Release 1 serves."""
    log = ReleaseLog(store)
    log.move(D1 - timedelta(days=1), {"tables": {}}, None)
    return log


def test_before_a_first_release_the_champion_is_the_logging_policy_whatever_it_is_called(spends):
    assert spends(units("shop-v1", None)) == pytest.approx(CHAMPION)


def test_after_it_the_logs_have_to_say_that_the_champion_drew_all_of_them(log, spends):
    assert spends(units("release-1@2026-03-14", "release-1")) == pytest.approx(CHAMPION)
    assert spends(units("release-1", "shop-v1")) == pytest.approx(LESS)
    assert spends(units("release-1", None)) == pytest.approx(LESS)
    assert spends(units("release-2")) == pytest.approx(LESS)
    assert spends(units()) == pytest.approx(LESS)


def test_rows_that_are_not_judged_say_nothing(log, spends):
    others = [units("shop-v1", recommended=0), units("shop-v1", propensity=None)]
    assert spends(pl.concat([units("release-1"), *others])) == pytest.approx(CHAMPION)


def test_each_entry_that_lets_the_same_bundle_serve_is_the_champions(log, spends):
    log.move(D1, {"tables": {"x": 1}}, 1)
    log.roll_back(D1 + timedelta(days=1), 1, "Ann: it repeats")
    assert spends(units("release-1", "release-3")) == pytest.approx(CHAMPION)
    assert spends(units("release-2", "release-3")) == pytest.approx(LESS)


def test_after_a_roll_back_to_it_the_logging_policy_is_the_champion_again(log, spends):
    log.roll_back(D1, 0, "Ann: it repeats")
    assert spends(units("shop-v1")) == pytest.approx(CHAMPION)


def test_a_trial_that_was_opened_with_less_spends_no_more(log, spends):
    assert spends(units("release-1"), Trial(D1, "hash", 1, "raw", LESS, 4)) == pytest.approx(LESS)
