"""The release log decides which bundle serves: one entry a move, created exclusively."""

from datetime import date

import pytest

from causalrec_assets.lake.releases import ChampionConflict, DrawnBy, ReleaseLog

D1, D2, D3 = date(2026, 3, 14), date(2026, 3, 15), date(2026, 3, 16)


@pytest.fixture
def log(store):
    return ReleaseLog(store)


def test_before_the_first_release_the_logging_policy_is_champion(log):
    assert log.current() is None
    assert log.champion_before(D1) is None


def test_a_day_is_judged_against_the_last_move_of_an_earlier_partition(log):
    log.move(D1, {"b": 1}, None)
    log.move(D2, {"b": 2}, 1)
    assert log.champion_before(D1) is None
    assert log.champion_before(D2).bundle == {"b": 1}
    assert log.champion_before(D3).bundle == {"b": 2}
    assert log.champion_as_of(D1).bundle == {"b": 1}


def test_a_bundle_judged_against_another_champion_does_not_move_it(log):
    log.move(D1, {"b": 1}, None)
    with pytest.raises(ChampionConflict, match="was judged against release none"):
        log.move(D2, {"b": 2}, None)


def test_a_partition_may_replace_its_own_earlier_bundle(log):
    log.move(D1, {"b": 1}, None)
    assert log.move(D1, {"b": 3}, None).entry == 2


def test_the_same_bundle_again_adds_no_entry(log):
    log.move(D1, {"b": 1}, None)
    log.move(D1, {"b": 1}, None)
    assert len(log.moves()) == 1


@pytest.mark.parametrize("drawn", [DrawnBy(3), DrawnBy(12, D1)])
def test_the_name_that_logs_carry_says_which_release_drew(drawn):
    assert DrawnBy.of(str(drawn)) == drawn


@pytest.mark.parametrize("policy", ["shop-v1", "release-0", "release-3@", "release-3@2026-02-30", "my release-3", ""])
def test_another_policys_name_is_no_release(policy):
    assert DrawnBy.of(policy) is None
