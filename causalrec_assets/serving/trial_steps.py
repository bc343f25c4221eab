"""What a day's release does about trials: make due looks, carry out what they say, end, open the next, refresh.

Everything that was decided is found in the logs and stands. So a run again, after a crash, beside another run or on
changed data, changes nothing that was made, and goes on where the logs end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from causalrec.answers import Answer
from causalrec.evaluation.trials.refresh import may_refresh
from causalrec.evaluation.trials.trial import Look, LookDecision, Refresh, Trial
from causalrec_assets.lake.notes import from_json
from causalrec_assets.lake.releases import Champion, ReleaseLog
from causalrec_assets.lake.trials import Kind
from causalrec_assets.serving.released import bundle_hash, same_recipe
from causalrec_assets.serving.trials import Recorded, TrialsOfRun, current_trial, refreshes_of

CHAMPION_MOVED = "the champion has moved since it was opened, so what it was held against serves no more"


@dataclass(frozen=True)
class Terms:
    """What a trial is opened with.

    Attributes:
        estimand: The value that decides.
        error: The one-sided error that each look may spend at most.
        weeks: How many looks there are at most.
        rule: `release.yaml`, as JSON.
    """

    estimand: str
    error: float
    weeks: int
    rule: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Today:
    """What a day's run brings.

    Attributes:
        bundle: Today's challenger; None: there is none.
        looks: What `trial_report` of the day says of the looks that are due.
        of_trial: The entry of the trial that they are of.
        refresh: What the rule of refreshes says of today's bundle on its judgement days; None: it is not asked.
        never: Why no look at logs like today's could tell which policy is better; None: one may.
    """

    partition: date
    bundle: Mapping[str, Any] | None
    looks: Sequence[Look]
    of_trial: int | None
    terms: Terms
    refresh: Refresh | None = None
    never: Answer | None = None


@dataclass(frozen=True)
class Happened:
    """What a partition's runs did.

    Attributes:
        words: In sentences.
        released, refreshed: Whether a look, or a refresh, has moved the champion.
        verdict: What the last look says, in the words of a verdict; `wait` without one.
        entry: Of the release log, that the move made.
    """

    words: str
    verdict: str
    released: bool = False
    refreshed: bool = False
    entry: int | None = None


def carry_on(today: Today, trials: TrialsOfRun, releases: ReleaseLog) -> Happened:
    """Do what is due on the newest day.

    Raises:
        TrialConflict, ChampionConflict: Another run was at it at the same moment; it says what to do.
    """
    said: list[str] = []
    entry = _make_looks(today, trials, releases, said)
    held = releases.rolled_back_on(today.partition)
    person = any(one.record.get("person") for one in trials.own)
    if trials.current is None and held is None and not person:
        champion = releases.current()
        if today.bundle is not None and not same_recipe(today.bundle, champion.bundle if champion else None):
            if today.never is None:
                _open(today, trials, champion, said)
            else:
                said.append(f"No trial is opened, for no look could decide it: {today.never.reason}.")
        elif today.bundle is not None and champion is not None:
            entry = _refresh(today, trials, releases, champion, said) or entry
        else:
            said.append("There is no challenger to try.")
    elif held is not None:
        said.append(f"On this day the champion was rolled back ({held.because}): the next day opens a trial.")
    elif person:
        said.append("On this day somebody has decided: the next day opens a trial.")
    return _happened(today, trials, said, entry)


def _make_looks(today: Today, trials: TrialsOfRun, releases: ReleaseLog, said: list[str]) -> int | None:
    """Make the looks that are due and carry out an end; the entry of the release log that it made."""
    current = trials.current
    if current is None:
        return None
    champion = releases.current()
    if current.trial.closed is None and (champion.entry if champion else None) != current.trial.champion:
        trials.close(current, CHAMPION_MOVED)
        return None
    for look in today.looks if today.of_trial == current.entry else ():
        if current.trial.closed is not None:
            break
        made = next((one for one in current.trial.looks if one.number == look.number), None)
        if made is None:
            trials.look(current, look)
            current = _again(trials, current)
        elif made.decision is not look.decision:
            said.append(
                f"With the data of now look {look.number} would say `{look.decision.value}`; what was decided stands."
            )
    if current.trial.closed is None:
        return None
    if not current.trial.looks or current.trial.looks[-1].decision is not LookDecision.RELEASE:
        trials.close(current, current.trial.closed)
        return None
    if champion is None or champion.bundle_hash != current.trial.challenger:
        # Else a run that was killed after the move has made it.
        if (champion.entry if champion else None) != current.trial.champion:
            trials.close(current, CHAMPION_MOVED)
            return None
        champion = releases.move(today.partition, dict(current.bundle), current.trial.champion)
    trials.close(current, "released")
    return champion.entry


def _again(trials: TrialsOfRun, recorded: Recorded) -> Recorded:
    current = trials.current
    assert current is not None and current.entry == recorded.entry
    return current


def _open(today: Today, trials: TrialsOfRun, champion: Champion | None, said: list[str]) -> None:
    assert today.bundle is not None
    terms = today.terms
    trial = Trial(
        today.partition,
        bundle_hash(today.bundle),
        champion.entry if champion else None,
        terms.estimand,
        terms.error,
        terms.weeks,
    )
    if champion is None:
        because = "nothing has been released yet, so the challenger is tried against the logging policy"
    elif champion.bundle.get("recipe") is None:
        because = "the champion was released before bundles named their recipe, so today's counts as another"
    else:
        because = "its recipe (code, settings, graph) is another than the champion's"
    trials.open(trial, today.bundle, terms.rule, because)


def _refresh(
    today: Today, trials: TrialsOfRun, releases: ReleaseLog, champion: Champion, said: list[str]
) -> int | None:
    """Let the champion's own recipe take its place, where the rule says so; the entry of the release log."""
    attempt = today.refresh
    held_against = attempt is not None and attempt.champion == champion.entry
    if (
        attempt is not None
        and held_against
        and may_refresh(refreshes_of(trials.entries), [attempt.first_day, attempt.last_day])
    ):
        assert today.bundle is not None
        trials.refresh(attempt, today.bundle)
    elif not any(one.kind is Kind.REFRESH for one in trials.own):
        said.append("Today's bundle is of the champion's own recipe: it needs no trial, and no refresh is due.")
    attempts = [one for one in trials.entries if one.kind is Kind.REFRESH]
    last = refreshes_of(attempts)[-1] if attempts else None
    if last is None or not last.done or last.champion != champion.entry:
        return None
    # Of this run, or of one that was killed between the two logs.
    return releases.move(today.partition, dict(attempts[-1].record["bundle"]), champion.entry).entry


def _happened(today: Today, trials: TrialsOfRun, said: Sequence[str], entry: int | None) -> Happened:
    """Read off the log what this partition's runs have done: the same however often they ran."""
    sentences, verdict, released, refreshed = list[str](), "wait", False, False
    for one in trials.own:
        if one.kind is Kind.LOOK:
            look = look_of(one.record)
            verdict, released = verdict_of(look), released or look.decision is LookDecision.RELEASE
            sentences.append(f"Look {look.number} ({look.first_day} to {look.last_day}): {look.reason}")
        elif one.kind is Kind.CLOSED:
            sentences.append(f"The trial has ended: {_stopped(one.record['because'])}.")
        elif one.kind is Kind.OPENED:
            sentences.append(
                f"A trial of {one.record['trial']['challenger'][:12]} is opened, for {one.record['because']}; "
                "the days from tomorrow on count."
            )
        else:
            attempt = refreshes_of([one])[0]
            verdict, refreshed = ("better" if attempt.done else "not_better"), attempt.done
            sentences.append(f"Refresh: {attempt.reason}")
    current = trials.current
    if current is not None and current.trial.opened < today.partition:
        upcoming = current.trial.next_look()
        sentences.append(
            f"The trial of {current.trial.challenger[:12]}, opened on {current.trial.opened}, goes on; its next look "
            f"takes the days to {upcoming}."
        )
    return Happened(" ".join([*sentences, *said]), verdict, released, refreshed, entry)


def would_have(today: Today, trials: TrialsOfRun) -> str:
    """What an older day would have done, in words; nothing is written."""
    current = current_trial(trials.log.before(today.partition))
    if current is None:
        return "no trial ran before it"
    if not today.looks:
        return f"no look at the trial of {current.trial.challenger[:12]} was due"
    said = [
        f"look {look.number} would have said `{look.decision.value}`: {_stopped(look.reason)}" for look in today.looks
    ]
    return "; ".join(said)


def look_of(record: Mapping[str, Any]) -> Look:
    """The look of an entry."""
    return from_json(Look, record["look"])


def verdict_of(look: Look) -> str:
    """A look in the words of a verdict."""
    if look.decision is LookDecision.RELEASE:
        return "better"
    if not look.trusted:
        return "insufficient_evidence"
    return "not_better" if look.decision.ends else "wait"


def _stopped(sentence: str) -> str:
    return sentence.rstrip(" .")
