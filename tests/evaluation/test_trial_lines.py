"""A trial is told: how far it is, how sure its last look, and a picture of its looks."""

from dataclasses import replace
from datetime import date

from causalrec.evaluation.plots import trial_plot
from causalrec.evaluation.report.trial_lines import budget, far, far_back, sure
from tests.evaluation.looks import BACK, RULE, trial

RUNNING = trial((0.004, 0.004))


def test_a_running_trial_says_its_days_how_well_it_knows_and_its_next_look():
    assert far(RUNNING, 10) == (
        "Day 10 of 28 of the trial of 01234567, which counts from 2026-03-02 on; 1 of 4 weekly looks is made. The gain "
        "is known to 0.40 per 100 slots (its standard error), by the last look to about 0.20."
    )


def test_a_trial_is_on_day_0_before_its_first_and_on_its_last_after_it():
    assert far(trial(), 0).startswith("Day 0 of 28")
    assert far(trial(), 30).startswith("Day 28 of 28")


def test_a_trial_that_is_over_says_why():
    words = far(trial((0.004, 0.004)).ended("The champion was rolled back."), 10)
    assert words.endswith("The trial is over: The champion was rolled back.")


def test_before_the_first_look_nothing_is_known_but_the_budget_is():
    words, status = sure(None, trial(), RULE, "points")
    assert (status, words[:21]) == ("insufficient_evidence", "Nothing is known yet:")
    assert "in 0.39% of cases; all looks of 90 days together in at most 5% of histories" in words


def test_a_look_has_its_repeated_interval_and_what_it_takes():
    words, status = sure(RUNNING.looks[-1], RUNNING, RULE, "points")
    assert status == "answered"
    # The first look's bound is 2.66 standard errors.
    assert "The gain is +0.40 points, between -0.66 and +1.46, at all looks at once" in words
    assert "it takes +1.06 to release" in words and "median-unbiased" not in words


def test_a_look_at_what_another_policy_than_the_champion_has_drawn_says_that_it_spends_less():
    words, _ = sure(replace(RUNNING.looks[-1], error=0.04 * 7 / 90), RUNNING, RULE, "points")
    assert "in 0.31% of cases; all looks of 90 days together in at most 4% of histories" in words


def test_a_release_states_the_gain_corrected_for_its_stop():
    made = trial((0.004, 0.004), (0.01, 0.003))
    words, _ = sure(made.looks[-1], made, RULE, "points")
    assert f"(median-unbiased), it is {100 * made.looks[-1].unbiased:+.2f}." in words
    assert made.looks[-1].unbiased < 0.01


def test_a_look_that_is_not_trusted_knows_nothing():
    made = trial(None)
    words, status = sure(made.looks[-1], made, RULE, "points")
    assert status == "insufficient_evidence" and "has lost its error" in words


def test_a_look_back_says_that_it_is_one_and_its_error():
    assert "2.5% would be released by a look back" in budget(None, BACK)
    assert budget(None, RULE) == "No look is made at these days: they decide nothing."
    words = far_back(RUNNING.looks[0], date(2026, 3, 2), date(2026, 3, 5), 1000)
    assert words.startswith("Judged in one look back, on 4 days (2026-03-02 to 2026-03-05, 1,000 recommended slots)")


def test_looks_are_drawn_and_without_any_nothing_is():
    drawn = [trial_plot(made.looks, 4) for made in (RUNNING, trial((0.004, 0.004), (0.01, 0.003)), trial(None))]
    assert all(png.startswith(b"\x89PNG") for png in drawn)
    assert len(set(drawn)) == 3
    assert trial_plot([], 4) is None
    assert trial_plot([replace(RUNNING.looks[0], decided=None)], 4) is None
