"""The table of refreshes at a tiny size: what it counts is what it says."""

import pytest

from benchmarks.verdict.histories import rules
from benchmarks.verdict.refresh import ALIKE, WEEKS, Case, Ended, as_good, history, worse_each_time

RULE, _ = rules()


def test_without_the_account_small_losses_add_up_and_with_it_they_stay_within_the_margin():
    small = worse_each_time(0.005)
    without = history(Case("A", small, ALIKE, account=False), 0, RULE)
    assert len(without.refreshed) > 4
    assert without.lowest == pytest.approx(0.995 ** len(without.refreshed) - 1)
    assert without.lost(RULE.refresh_margin)
    kept = history(Case("A", small, ALIKE), 0, RULE)
    assert 0 < len(kept.refreshed) < 4
    assert not kept.lost(RULE.refresh_margin)


def test_a_recipe_that_is_worse_is_not_taken_and_a_better_one_is():
    assert history(Case("A", as_good(-0.05)), 0, RULE) == Ended((), 0.0)
    better = history(Case("A", as_good(0.02)), 0, RULE)
    assert better.refreshed and better.lowest == 0.0 and better.refreshed[-1] <= WEEKS


def test_refreshes_wait_for_the_end_of_a_trial():
    refreshed = history(Case("A", as_good(0.0), trials=True), 1, RULE).refreshed
    # From the second look on a trial may end.
    assert refreshed and refreshed[0] > 2


def test_lost_is_at_the_margin_and_beyond():
    assert Ended((1,), -0.02).lost(0.02) and not Ended((1,), -0.019).lost(0.02)
