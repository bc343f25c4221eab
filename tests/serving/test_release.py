"""What becomes of a challenger: released, kept, or only recorded."""

from datetime import date

import pytest

from causalrec.answers import InputError
from causalrec_assets.lake.releases import ChampionConflict, ReleaseLog
from causalrec_assets.lake.store import Store
from causalrec_assets.serving.release import (
    SCHEMA,
    Decided,
    Outcome,
    carry_out,
    decide,
    held_by_roll_back,
    release_row,
    roll_back,
)
from causalrec_assets.serving.released import bundle_hash

D1, D2, D3 = date(2026, 3, 14), date(2026, 3, 15), date(2026, 3, 16)
OLD, NEW = {"b": 1}, {"b": 2}


@pytest.fixture
def log(tmp_path):
    return ReleaseLog(Store(tmp_path))


def released(log, partition, bundle, before, verdict="better", newest=True):
    decided = decide(verdict, "because", newest, bundle_hash(bundle), before.bundle_hash if before else None)
    return carry_out(decided, partition, bundle, before, log)


def test_the_first_better_bundle_takes_over_from_the_logging_policy(log):
    found = released(log, D1, OLD, None)
    assert (found.outcome.value, found.entry, found.champion_after) == ("released", 1, bundle_hash(OLD))
    assert log.current().bundle == OLD


def test_a_better_challenger_replaces_the_champion_it_was_judged_against(log):
    released(log, D1, OLD, None)
    found = released(log, D2, NEW, log.champion_before(D2))
    assert (found.outcome.value, found.entry) == ("released", 2)


@pytest.mark.parametrize("verdict", ["not_better", "insufficient_evidence"])
def test_anything_but_better_keeps_what_serves(log, verdict):
    released(log, D1, OLD, None)
    found = released(log, D2, NEW, log.champion_before(D2), verdict)
    assert (found.outcome.value, found.entry, found.champion_after) == ("kept", None, bundle_hash(OLD))
    assert log.current().bundle == OLD


@pytest.mark.parametrize(
    ("verdict", "would"),
    [("better", "would have been released"), ("not_better", "would not have been released")],
)
def test_an_older_day_records_the_decision_it_would_have_made_and_moves_nothing(log, verdict, would):
    released(log, D1, OLD, None)
    found = released(log, D2, NEW, log.champion_before(D2), verdict, newest=False)
    assert (found.outcome.value, found.entry) == ("recorded", None)
    assert would in found.reason
    assert len(log.moves()) == 1


def test_a_champion_that_moved_meanwhile_is_not_overwritten(log):
    before = log.champion_before(D2)
    released(log, D1, OLD, None)
    with pytest.raises(ChampionConflict, match="Materialise this partition again"):
        released(log, D2, NEW, before)
    assert log.current().bundle == OLD


def test_running_again_makes_no_second_entry(log):
    assert released(log, D1, OLD, None) == released(log, D1, OLD, None)
    assert len(log.moves()) == 1


def test_a_partition_replaces_its_own_earlier_bundle(log):
    released(log, D1, OLD, None)
    assert released(log, D1, NEW, log.champion_before(D1)).entry == 2


def test_there_is_nothing_to_release_without_a_challenger(log):
    decided = decide("insufficient_evidence", "no model", True, None, None)
    assert carry_out(decided, D3, None, None, log).outcome.value == "kept"
    with pytest.raises(ValueError, match="needs a challenger"):
        decide("better", "", True, None, None)


def test_the_row_says_who_was_judged_against_whom(log):
    before = log.move(D1, OLD, None)
    row = release_row(D2, "better", NEW, before, released(log, D2, NEW, before))
    assert row.schema == SCHEMA
    assert row.row(0, named=True) == {
        "partition": D2,
        "challenger": bundle_hash(NEW),
        "champion_before": bundle_hash(OLD),
        "verdict": "better",
        "reason": "because",
        "decision": "released",
        "champion_after": bundle_hash(NEW),
        "entry": 2,
        "trial": None,
    }


def test_a_partition_without_a_challenger_has_a_row_too():
    decided = decide("insufficient_evidence", "no model", True, None, None)
    row = release_row(D1, "insufficient_evidence", None, None, decided).row(0, named=True)
    assert (row["challenger"], row["champion_after"], row["decision"]) == (None, None, "kept")


def test_a_roll_back_lets_an_earlier_champion_serve_and_holds_back_the_days_own_challenger(tmp_path):
    log = ReleaseLog(Store(tmp_path))
    first, second = {"made": 1}, {"made": 2}
    log.move(D1, first, None)
    log.move(D2, second, 1)
    decided = roll_back(D2, D2, 1, "Ann: the new slates are slow", log)
    assert decided.outcome is Outcome.ROLLED_BACK
    assert (log.current().bundle, log.current().entry, log.champion_before(D3).bundle) == (first, 3, first)
    assert roll_back(D2, D2, 1, "Ann: the new slates are slow", log).entry == 3  # asked again, no second entry
    with pytest.raises(ChampionConflict, match="rolled back"):
        log.move(D2, second, 3)
    held = held_by_roll_back(Decided(Outcome.RELEASED, "It is better.", "x", None), D2, log)
    assert held.outcome is Outcome.KEPT
    assert "Ann" in held.reason
    assert log.move(D3, {"made": 3}, 3).entry == 4  # the next day's challenger may be released


def test_a_roll_back_to_the_logging_policy_leaves_no_champion(tmp_path):
    log = ReleaseLog(Store(tmp_path))
    log.move(D1, {"made": 1}, None)
    assert roll_back(D2, D2, 0, "Bob: complaints", log).champion_after is None
    assert log.current() is None
    assert log.champion_before(D2).bundle == {"made": 1}
    assert log.champion_before(D3) is None
    assert log.move(D3, {"made": 3}, None).entry == 3


@pytest.mark.parametrize(
    ("day", "to", "because", "says"),
    [
        ("D1", 1, "Ann", "not on 2026-03-14"),
        ("D2", 7, "Ann", "no champion under entry 7; it has \\[1\\]"),
        ("D2", 1, " ", "who wants it, and why"),
    ],
)
def test_a_roll_back_that_cannot_be_says_why(tmp_path, day, to, because, says):
    log = ReleaseLog(Store(tmp_path))
    log.move(D1, {"made": 1}, None)
    with pytest.raises(InputError, match=says):
        roll_back({"D1": D1, "D2": D2}[day], D2, to, because, log)
    assert len(log.moves()) == 1
