"""A trial is told: how far it is, how sure its last look, and a picture of its looks."""

from dataclasses import replace
from datetime import date

from causalrec.evaluation.plots import LookMark, trial_plot
from causalrec.evaluation.report.trial_lines import LookStory, TrialStory

FIRST = LookMark(7, 0.004, -0.004, 0.012, 0.008)
SECOND = LookMark(14, 0.0093, 0.0042, 0.0144, 0.0051)
LOOKS = (
    LookStory(1, date(2026, 3, 8), FIRST, None, "kept"),
    LookStory(2, date(2026, 3, 15), SECOND, 0.0081, "released"),
)
TRIAL = TrialStory(
    challenger="0123456789abcdef",
    first_day=date(2026, 3, 2),
    weeks=4,
    days=10,
    looks=LOOKS[:1],
    next_look=date(2026, 3, 15),
    information=0.25,
    error=0.05 * 7 / 90,
    share=0.05,
    per_days=90,
)


def test_a_running_trial_says_its_days_its_information_and_its_next_look():
    assert TRIAL.far() == (
        "Day 10 of 28 of the trial of 01234567, which counts from 2026-03-02 on; 1 of 4 weekly looks is made, with "
        "25% of the information that the last one is expected to have. Next look: once the outcomes of 2026-03-15 "
        "are in."
    )


def test_a_trial_that_is_over_says_so():
    words = replace(TRIAL, looks=LOOKS, next_look=None).far()
    assert "2 of 4 weekly looks are made" in words and words.endswith("Next look: none, the trial is over.")


def test_before_the_first_look_nothing_is_known_but_the_budget_is():
    words, status = replace(TRIAL, looks=()).sure()
    assert (status, words[:21]) == ("insufficient_evidence", "Nothing is known yet:")
    assert "0.39%" in words and "90 days together do so in at most 5%" in words


def test_a_look_has_its_repeated_interval_and_what_it_takes():
    words, status = TRIAL.sure()
    assert status == "answered"
    assert "the gain is +0.40 points, and between -0.40 and +1.20 at all looks at once" in words
    assert "it takes +0.80 to release" in words and "median-unbiased" not in words


def test_a_release_states_the_gain_corrected_for_its_stop():
    words, _ = replace(TRIAL, looks=LOOKS).sure()
    assert "+0.93 points" in words and "(median-unbiased) is +0.81 points" in words


def test_a_look_that_is_not_trusted_releases_nothing():
    untrusted = replace(LOOKS[0], mark=replace(FIRST, bound=None))
    words, _ = replace(TRIAL, looks=(untrusted,)).sure()
    assert "the look is not trusted, so that it releases nothing" in words


def test_looks_are_drawn_and_without_any_nothing_is():
    drawn = [trial_plot(marks, 28) for marks in ([FIRST], [FIRST, SECOND], [replace(FIRST, bound=None)])]
    assert all(png.startswith(b"\x89PNG") for png in drawn)
    assert len(set(drawn)) == 3
    assert trial_plot([], 28) is None
