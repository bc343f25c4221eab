"""A day's release and its trial: what was decided stands, whatever runs again, dies, races or is landed late."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from causalrec.answers import InputError, not_available
from causalrec.evaluation.trials.refresh import spent_on
from causalrec.evaluation.trials.trial import Look, LookDecision, Refresh
from causalrec.home import TEMPLATE
from causalrec.settings.file import read_yaml
from causalrec.settings.release import ReleaseRule
from causalrec_assets.lake.notes import to_json
from causalrec_assets.lake.releases import ChampionConflict, ReleaseLog
from causalrec_assets.lake.store import Store
from causalrec_assets.lake.trials import Kind, TrialConflict, TrialLog
from causalrec_assets.serving.release import Outcome, decide_by_trial, override, roll_back
from causalrec_assets.serving.released import bundle_hash
from causalrec_assets.serving.trial_steps import Terms, Today
from causalrec_assets.serving.trials import TrialsOfRun, refreshes_of

FIRST = date(2026, 3, 14)
RULE = ReleaseRule.parse(read_yaml(TEMPLATE / "release.yaml"))
TERMS = Terms("raw", 0.0039, 2, {"trial_weeks": 2})


def day(k):
    return FIRST + timedelta(days=k)


def bundle(k, recipe="new"):
    return {"partition": day(k).isoformat(), "recipe": recipe, "tables": {}}


def look(number, decision=LookDecision.GO_ON, trusted=True):
    return Look(number, day(1), day(7 * number), 0.0039, trusted, decision, f"Look {number} says so.")


class Shop:
    """A lake's two logs, and runs of the asset `release` on its days."""

    def __init__(self, root):
        store = Store(root)
        self.releases, self.trials = ReleaseLog(store), TrialLog(store)

    def run(self, k, looks=(), made=None, newest=True, refresh=None, never=None):
        """A run of day k.

        Args:
            looks: What `trial_report` of the day says.
            made: Today's bundle.
        """
        found = TrialsOfRun(self.trials, day(k))
        before = self.trials.before(day(k))
        opened = [one.entry for one in before if one.kind is Kind.OPENED]
        today = Today(day(k), made or bundle(k), looks, opened[-1] if opened else None, TERMS, refresh, never)
        return decide_by_trial(today, newest, self.releases.champion_before(day(k)), found, self.releases)

    def kinds(self):
        return [one.kind.value for one in self.trials.entries()]


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


@pytest.fixture
def running(shop):
    """A trial of day 0's bundle against the logging policy."""
    shop.run(0)
    return shop


def test_with_no_trial_todays_bundle_is_enrolled_and_nothing_moves(shop):
    verdict, decided = shop.run(0)
    assert (verdict, decided.outcome, decided.entry) == ("wait", Outcome.KEPT, None)
    (opened,) = shop.trials.entries()
    assert opened.record["trial"]["challenger"] == bundle_hash(bundle(0))
    assert opened.record["bundle"] == bundle(0)
    assert "against the logging policy" in decided.trial
    assert shop.releases.moves() == []


def test_the_enrolled_bundle_stays_whatever_is_trained_meanwhile(running):
    for k in range(1, 7):
        running.run(k)
    assert running.kinds() == ["opened"]


def test_a_look_that_releases_moves_the_champion_to_the_trials_bundle_not_todays(running):
    verdict, decided = running.run(7, [look(1, LookDecision.RELEASE)], bundle(7))
    assert (verdict, decided.outcome, decided.entry) == ("better", Outcome.RELEASED, 1)
    assert running.releases.current().bundle == bundle(0)
    assert running.kinds() == ["opened", "look", "closed"]


def test_after_a_release_a_bundle_of_another_recipe_enters_the_next_trial(running):
    running.run(7, [look(1, LookDecision.RELEASE)], bundle(7, "newer"))
    assert running.kinds() == ["opened", "look", "closed", "opened"]
    assert running.trials.entries()[-1].record["trial"]["champion"] == 1


def test_a_bundle_of_the_champions_own_recipe_opens_no_trial(running):
    running.run(7, [look(1, LookDecision.RELEASE)])
    _, decided = running.run(8)
    assert running.kinds() == ["opened", "look", "closed"]
    assert "needs no trial" in decided.trial


def test_a_champion_without_a_recipe_counts_as_of_another(shop):
    shop.releases.move(day(0), {"tables": {}}, None)
    _, decided = shop.run(1)
    assert shop.kinds() == ["opened"]
    assert "before bundles named their recipe" in decided.trial


def test_a_rerun_adds_nothing_and_says_the_same(running):
    first = running.run(7, [look(1, LookDecision.RELEASE)], bundle(7, "newer"))
    entries = running.trials.entries()
    assert running.run(7, [look(1, LookDecision.RELEASE)], bundle(7, "newest")) == first
    assert running.trials.entries() == entries
    assert len(running.releases.moves()) == 1


def test_what_was_decided_stands_when_late_rows_would_decide_otherwise_and_it_is_said(running):
    running.run(7, [look(1)])
    _, decided = running.run(7, [look(1, LookDecision.RELEASE)])
    assert running.kinds() == ["opened", "look"]
    assert running.releases.moves() == []
    assert "what was decided stands" in decided.trial


def test_two_looks_that_fell_due_meanwhile_are_made_in_order(running):
    verdict, decided = running.run(15, [look(1), look(2, LookDecision.OVER)])
    assert running.kinds()[:4] == ["opened", "look", "look", "closed"]
    assert verdict == "not_better"
    assert decided.trial.index("Look 1") < decided.trial.index("Look 2")


def test_no_look_is_made_after_one_that_ends_the_trial(running):
    running.run(15, [look(1, LookDecision.RELEASE), look(2)])
    assert running.kinds() == ["opened", "look", "closed"]


@pytest.mark.parametrize("decision", [LookDecision.FUTILE, LookDecision.OVER])
def test_an_end_without_a_release_lets_the_next_challenger_in(running, decision):
    running.run(7, [look(1, decision)], bundle(7))
    assert running.kinds() == ["opened", "look", "closed", "opened"]
    assert running.trials.entries()[-1].record["bundle"] == bundle(7)
    assert running.releases.moves() == []


@pytest.mark.parametrize("killed_before", ["move", "close"])
@pytest.mark.parametrize("again", [7, 8])
def test_a_run_that_is_killed_between_the_logs_is_finished_by_the_next(running, killed_before, again, monkeypatch):
    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        where = (ReleaseLog, "move") if killed_before == "move" else (TrialsOfRun, "close")
        patch.setattr(*where, die)
        with pytest.raises(KeyboardInterrupt):
            running.run(7, [look(1, LookDecision.RELEASE)])
    running.run(again, [look(1, LookDecision.RELEASE)] if again == 7 else [])
    assert running.kinds() == ["opened", "look", "closed"]
    assert [move.champion.bundle for move in running.releases.moves()] == [bundle(0)]


def test_an_older_day_says_what_it_would_have_done_and_writes_nothing(running):
    running.run(8)
    verdict, decided = running.run(7, [look(1, LookDecision.RELEASE)], newest=False)
    assert (verdict, decided.outcome, decided.entry) == ("better", Outcome.RECORDED, None)
    assert "look 1 would have said `release`" in decided.reason
    assert running.kinds() == ["opened"]
    assert running.releases.moves() == []


def test_a_day_that_is_newest_again_after_a_later_one_has_written_adds_nothing(running):
    running.run(8, [look(1)])
    _, decided = running.run(7, [look(1, LookDecision.RELEASE)])
    assert decided.outcome is Outcome.RECORDED
    assert running.kinds() == ["opened", "look"]


def test_a_champion_that_moved_ends_the_trial_unlooked(running):
    running.releases.move(day(3), bundle(3, "other"), None)
    running.run(7, [look(1, LookDecision.RELEASE)])
    assert running.kinds() == ["opened", "closed", "opened"]
    assert "moved since" in running.trials.entries()[1].record["because"]
    assert len(running.releases.moves()) == 1


def test_a_roll_back_ends_the_trial_and_the_next_day_opens_one(running):
    running.run(7, [look(1, LookDecision.RELEASE)], bundle(7, "newer"))
    decided = roll_back(day(8), day(8), 0, "Ann: repeats", running.releases, TrialsOfRun(running.trials, day(8)))
    assert "has ended" in decided.trial
    assert running.trials.entries()[-1].record["because"] == "the champion was rolled back (Ann: repeats)"
    before = running.kinds()
    _, again = running.run(8)
    assert running.kinds() == before
    assert "Ann" in again.trial
    running.run(9)
    assert running.kinds() == [*before, "opened"]
    assert running.trials.entries()[-1].record["trial"]["champion"] is None


def overrule(shop, k, wanted, because="Bo: the season begins", made=None):
    trials = TrialsOfRun(shop.trials, day(k))
    return override(wanted, because, day(k), day(k), made or bundle(k), shop.releases, trials)


def test_a_person_releases_the_trials_challenger_and_both_logs_say_who_and_why(running):
    decided = overrule(running, 3, "release_trial")
    assert (decided.outcome, decided.entry) == (Outcome.OVERRIDDEN, 1)
    (move,) = running.releases.moves()
    assert (move.champion.bundle, move.decided_by, move.rolled_back) == (bundle(0), "Bo: the season begins", False)
    assert running.trials.entries()[-1].record["because"] == "Bo: the season begins"
    # Run again without the person's word, the day changes nothing.
    running.run(3)
    assert running.kinds() == ["opened", "closed"]


def test_a_person_releases_todays_or_keeps_what_serves(running):
    overrule(running, 3, "keep")
    assert running.kinds() == ["opened", "closed"]
    assert running.releases.moves() == []
    overrule(running, 4, "release_today")
    assert running.releases.current().bundle == bundle(4)


@pytest.mark.parametrize(
    ("wanted", "because", "words"),
    [("release_trial", "Bo: why", "no trial runs"), ("keep", " ", "who wants it"), ("perhaps", "Bo: why", "not known")],
)
def test_a_person_is_told_what_cannot_be_done(shop, wanted, because, words):
    with pytest.raises(InputError, match=words):
        overrule(shop, 3, wanted, because)


def test_no_trial_is_opened_that_no_look_could_decide(shop):
    _, decided = shop.run(0, never=not_available("no action propensities are logged"))
    assert shop.kinds() == []
    assert "No trial is opened, for no look could decide it: no action propensities are logged." in decided.reason


def test_of_two_runs_that_make_the_same_look_one_wins_and_the_other_says_so(running):
    slow = TrialsOfRun(running.trials, day(7))
    running.run(7, [look(1)])
    with pytest.raises(TrialConflict, match="another run took entry 2"):
        slow.look(slow.current, look(1, LookDecision.RELEASE))
    assert running.kinds() == ["opened", "look"]


def test_a_trial_that_was_opened_by_another_run_at_the_same_moment_is_the_only_one(shop):
    slow = TrialsOfRun(shop.trials, day(0))
    shop.run(0)
    today = Today(day(0), bundle(0), (), None, TERMS)
    with pytest.raises(TrialConflict):
        decide_by_trial(today, True, None, slow, shop.releases)
    assert shop.kinds() == ["opened"]


def attempt(first, done=True):
    return Refresh(bundle_hash(bundle(first + 6)), 1, day(first), day(first + 6), done, "It is not worse.")


@pytest.fixture
def released(running):
    running.run(7, [look(1, LookDecision.RELEASE)])
    return running


def test_a_refresh_takes_the_champions_place_and_is_made_once(released):
    for _ in range(2):
        verdict, decided = released.run(14, refresh=attempt(8))
        assert (verdict, decided.outcome, decided.entry) == ("better", Outcome.REFRESHED, 2)
    assert released.releases.current().bundle == bundle(14)
    assert released.kinds() == ["opened", "look", "closed", "refresh"]


def test_what_a_refresh_has_spent_is_kept_until_something_else_serves(released):
    def spent():
        return spent_on(
            refreshes_of(released.trials.entries()), released.releases.current().bundle_hash, RULE
        ).satisfaction

    assert spent() == 0.0
    released.run(14, refresh=replace(attempt(8), spent=0.015))
    assert spent() == 0.015
    released.run(21, refresh=replace(attempt(15, done=False), champion=2, spent=0.03))
    assert spent() == 0.015
    overrule(released, 22, "release_today", made=bundle(22, "other"))
    assert spent() == 0.0


def test_a_refresh_of_a_version_that_kept_no_account_counts_as_the_whole_margin(released):
    raw = to_json(attempt(8))
    del raw["spent"]
    released.trials.add(Kind.REFRESH, day(14), {"refresh": raw, "bundle": bundle(14)}, len(released.trials.entries()))
    released.run(14)
    assert released.releases.current().bundle == bundle(14)
    found = refreshes_of(released.trials.entries())
    spent = spent_on(found, released.releases.current().bundle_hash, RULE)
    assert spent.satisfaction == RULE.refresh_margin


def test_a_day_is_judged_for_a_refresh_once(released):
    released.run(14, refresh=attempt(8, done=False))
    released.run(15, refresh=attempt(9))
    assert released.kinds().count("refresh") == 1
    assert len(released.releases.moves()) == 1


def test_a_refresh_that_was_killed_before_its_move_is_finished(released, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(ReleaseLog, "move", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            released.run(14, refresh=attempt(8))
    released.run(15)
    assert released.releases.current().bundle == bundle(14)


def test_a_refresh_waits_while_a_trial_runs(running):
    running.run(7, refresh=attempt(1))
    assert running.kinds() == ["opened"]


def test_a_release_that_another_run_overtakes_is_refused(running, monkeypatch):
    current = running.releases.current

    def stale(self):
        """What this run has read before the other moved."""
        return

    running.releases.move(day(7), bundle(5, "other"), None)
    monkeypatch.setattr(ReleaseLog, "current", stale)
    assert current() is not None
    with pytest.raises(ChampionConflict):
        running.run(8, [look(1, LookDecision.RELEASE)])


def test_an_untrusted_look_is_recorded_and_the_trial_goes_on(running):
    verdict, _ = running.run(7, [replace(look(1), trusted=False)])
    assert verdict == "insufficient_evidence"
    assert running.kinds() == ["opened", "look"]


def test_a_refresh_that_was_held_against_another_champion_is_not_made(released):
    released.run(14, refresh=replace(attempt(8), champion=7))
    assert released.kinds() == ["opened", "look", "closed"]
