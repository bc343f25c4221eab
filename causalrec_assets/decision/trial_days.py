"""Which looks at the running trial are due on a day, from the calendar and the lake; every read is an input."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from causalrec.answers import Answer, not_available
from causalrec.evaluation.trials.notes import TrialNotes
from causalrec.evaluation.trials.trial import Trial
from causalrec.settings.learning import parse_learning
from causalrec.settings.logs.sources import Source
from causalrec.settings.release import DAYS_A_LOOK, ReleaseRule
from causalrec_assets.common.reads import tables_of
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.lake.releases import Champion, DrawnBy, Move, ReleaseLog
from causalrec_assets.serving.trials import Recorded, current_trial

RETROSPECTIVE = (
    "no trial: the rule looks back once, at the challenger's own judgement days (release.yaml: retrospective)"
)
NO_TRIAL = "no trial runs"


@dataclass(frozen=True)
class TrialDay:
    """The running trial on a day.

    Attributes:
        recorded: The trial, as earlier partitions left it; None: none runs.
        judged: Those of its days, in order, that are mature and published.
        due: The numbers of the looks that are due.
        words: How far it is.
    """

    recorded: Recorded | None
    judged: tuple[date, ...]
    due: tuple[int, ...]
    words: str

    @property
    def answer(self) -> Answer:
        """Why there is nothing to judge, where no look is due."""
        return not_available(self.words)

    def notes(self) -> TrialNotes:
        """As the tables say it."""
        entry, trial = (self.recorded.entry, self.recorded.trial) if self.recorded else (None, None)
        return TrialNotes(entry, trial, len(self.judged), self.words, self.due)


def trial_day(inputs: Inputs, source: Source) -> TrialDay:
    """The trial that a run of this day finds, whenever and however often it is run."""
    rule = ReleaseRule.parse(inputs.setting("release.yaml"))
    if rule.retrospective is not None:
        return TrialDay(None, (), (), RETROSPECTIVE)
    recorded, champion = current_trial(inputs.trials()), inputs.champion()
    if recorded is None:
        return TrialDay(None, (), (), NO_TRIAL)
    trial = recorded.trial
    named = f"the trial of {trial.challenger[:12]}, opened on {trial.opened},"
    if trial.closed is not None:
        return TrialDay(
            recorded, (), (), f"{named} has ended, and the release of this day carries that out: {trial.closed}"
        )
    if (champion.entry if champion else None) != trial.champion:
        return TrialDay(recorded, (), (), f"{named} ends: the champion has moved since")
    learning = parse_learning(inputs.setting("learning.yaml"), inputs.setting("sources.yaml"))
    judged, missing = _judged(inputs, source, trial, inputs.day - timedelta(days=learning.maturity_days))
    due = trial.due(judged[-1]) if judged else ()
    words = _far(trial, named, judged, missing, learning.maturity_days)
    if due:
        return TrialDay(recorded, judged, due, f"due: look {' and '.join(map(str, due))} of {words}")
    return TrialDay(recorded, judged, due, f"no look is due: {words}")


def _judged(inputs: Inputs, source: Source, trial: Trial, last_mature: date) -> tuple[tuple[date, ...], date | None]:
    """The trial's days up to the first that is not mature or not published; that one, if it is only not published."""
    has, judged = tables_of(inputs, source), list[date]()
    for day in trial.days_of(trial.weeks):
        if day > last_mature:
            break
        # The hash is recorded in any case: what waits for a day is stale when it comes.
        if inputs.table_hash("units", day) == "none" and has(day):
            return tuple(judged), day
        judged.append(day)
    return tuple(judged), None


def _far(trial: Trial, named: str, judged: tuple[date, ...], missing: date | None, maturity: int) -> str:
    words = f"{named} has {len(judged)} of {DAYS_A_LOOK * trial.weeks} days"
    if missing is not None:
        return f"{words}; it waits for `units` of {missing}"
    following = trial.next_look()
    if following is None:
        return words
    when = f"of {following}" if not maturity else f"of {following + timedelta(days=maturity)} (outcomes mature by then)"
    return f"{words}; the next look is by the run {when} or the first after it"


def error_of_look(inputs: Inputs, trial: Trial, rule: ReleaseRule, units: pl.DataFrame) -> float:
    """The one-sided error of a look: less where another policy than the champion may have drawn what is judged.

    Before a first release the champion is the logging policy itself. Later the release log says what is to serve, and
    the logs alone what has served.

    Args:
        rule: That of the trial.
        units: Of the days of the look, without those of held-out policies.
    """
    champion = inputs.champion()
    if champion is None:
        return trial.error
    moves = [move for move in ReleaseLog(inputs.store).moves() if move.partition < inputs.day]
    by_champion = drawn_by(units, entries_of(champion, moves))
    return trial.error if by_champion else min(trial.error, rule.error_a_look(champion_logs=False))


def entries_of(champion: Champion, moves: Iterable[Move]) -> set[int]:
    """The entries of the release log under which a champion serves."""
    return {one.entry for one in moves if one.champion and one.champion.bundle_hash == champion.bundle_hash}


def drawn_by(units: pl.DataFrame, entries: Collection[int]) -> bool:
    """Whether each slot that can be judged says, in the column `policy`, that one of these releases has drawn it.

    Args:
        units: With `policy`; a slot that names none may be anybody's.
        entries: Of the release log.
    """
    slots = units.filter(pl.col("recommended") == 1, pl.col("action_propensity").is_not_null())
    by = [None if name is None else DrawnBy.of(name) for name in slots["policy"].unique().to_list()]
    return bool(by) and all(one is not None and one.entry in entries for one in by)
