from datetime import date

import pytest

from causalrec.answers import InputError
from causalrec.settings.learning import parse_learning
from causalrec_assets.lake.windows import days_hash, learning_window

LEARNING = {"window_days": 10, "judgement_days": 4, "min_days": 7, "seed": 1}
SOURCES = {"first_day": date(2026, 3, 2), "outcomes": {"click": {"maturity_days": 0}, "purchase": {"maturity_days": 2}}}


def test_training_days_end_where_judgement_days_begin():
    window = learning_window(date(2026, 3, 15), parse_learning(LEARNING, SOURCES | {"outcomes": {}}))
    assert (window.train_days[0], window.train_days[-1]) == (date(2026, 3, 2), date(2026, 3, 11))
    assert (window.judge_days[0], window.judge_days[-1]) == (date(2026, 3, 12), date(2026, 3, 15))
    assert window.enough


def test_immature_days_are_in_neither():
    window = learning_window(date(2026, 3, 17), parse_learning(LEARNING, SOURCES))
    assert window.judge_days[-1] == date(2026, 3, 15)


def test_a_sparse_sources_window_passes_over_days_that_have_no_tables():
    settings = parse_learning(LEARNING, SOURCES | {"outcomes": {}, "sparse": True})
    present = {date(2026, 3, k) for k in (2, 5, 12, 15)}
    window = learning_window(date(2026, 3, 15), settings, present)
    assert window.train_days == (date(2026, 3, 2), date(2026, 3, 5))
    assert window.judge_days == (date(2026, 3, 12), date(2026, 3, 15))
    assert "days for which nothing was landed do not count" in window.reason
    assert learning_window(date(2026, 3, 15), parse_learning(LEARNING, SOURCES), present).train_days[1].day == 3
    assert len(learning_window(date(2026, 3, 15), settings).days) == 14
    assert days_hash(window.days) != days_hash(window.days[1:])


def test_days_before_the_first_are_cut_off_and_too_few_are_said():
    window = learning_window(date(2026, 3, 8), parse_learning(LEARNING, SOURCES | {"outcomes": {}}))
    assert window.train_days == (date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4))
    assert not window.enough
    assert "3 training days" in window.reason


@pytest.mark.parametrize("change", [{"window_days": 0}, {"judgement_days": "7"}, {"horizon": 3}])
def test_a_wrong_setting_names_the_file(change):
    with pytest.raises(InputError, match=r"learning\.yaml"):
        parse_learning(LEARNING | change, SOURCES)


def test_more_days_than_a_window_holds_are_never_enough_and_refused():
    with pytest.raises(InputError, match=r"`min_days` is 14 and a window holds 10 .* no number of days"):
        parse_learning(LEARNING | {"min_days": 14}, {"first_day": date(2026, 3, 2), "outcomes": {"click": {}}})
