"""Deciding what serves: a better challenger moves the champion, once, from what it was judged against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import polars as pl

from causalrec.answers import InputError
from causalrec_assets.lake.releases import Champion, ReleaseLog
from causalrec_assets.serving.released import bundle_hash
from causalrec_assets.serving.trial_steps import Today, carry_on, verdict_of, would_have
from causalrec_assets.serving.trials import TrialsOfRun

SCHEMA: dict[str, pl.DataType] = {
    "partition": pl.Date(),
    "challenger": pl.String(),
    "champion_before": pl.String(),
    "verdict": pl.String(),
    "reason": pl.String(),
    "decision": pl.String(),
    "champion_after": pl.String(),
    "entry": pl.Int64(),
    "trial": pl.String(),
}


class Outcome(StrEnum):
    RELEASED = "released"
    KEPT = "kept"
    RECORDED = "recorded"
    """What an older day, backfilled, would have decided; the champion is not touched."""
    ROLLED_BACK = "rolled_back"
    """A person let an earlier champion serve again."""
    REFRESHED = "refreshed"
    """The champion's own recipe, trained on newer days, took its place."""
    OVERRIDDEN = "overridden"
    """A person released a challenger, or kept the champion, whatever the trial says."""


@dataclass(frozen=True)
class ReleaseNotes:
    """What the table `release` says beside its row.

    Attributes:
        bundle: What was judged, as `make_bundle` gives it; None where there is no model, or after a roll back.
        decision: An `Outcome`.
    """

    bundle: Mapping[str, Any] | None
    decision: str


@dataclass(frozen=True)
class Decided:
    """What became of a challenger.

    Attributes:
        champion_after: Hash of the bundle that serves after this partition (for `recorded`: would have
            served); None: the logging policy.
        entry: The entry of the release log that the move made; None without a move.
        trial: What happened to the trial, in words.
    """

    outcome: Outcome
    reason: str
    champion_after: str | None
    entry: int | None
    trial: str = ""


def decide(verdict: str, reason: str, newest: bool, challenger: str | None, before: str | None) -> Decided:
    """What should become of the challenger. Pure: nothing is moved.

    Args:
        verdict: `better`, `not_better` or `insufficient_evidence`.
        newest: Whether the partition is the newest day for which anything was landed.
        challenger, before: Hashes of the challenger's bundle (None: there is none) and of what it was judged
            against.

    Raises:
        ValueError: A verdict of `better` on no challenger.
    """
    better = verdict == "better"
    if better and challenger is None:
        raise ValueError("a verdict of `better` needs a challenger")
    after = challenger if better else before
    if newest:
        return Decided(Outcome.RELEASED if better else Outcome.KEPT, reason, after, None)
    would = "would have been released" if better else "would not have been released"
    return Decided(Outcome.RECORDED, f"An older day, so nothing moves; its challenger {would}. {reason}", after, None)


def held_by_roll_back(decided: Decided, partition: date, log: ReleaseLog) -> Decided:
    """A challenger of the partition on which a person rolled back is not released: that would undo what they did."""
    held = log.rolled_back_on(partition)
    if held is None or decided.outcome is not Outcome.RELEASED:
        return decided
    reason = (
        f"On this day the champion was rolled back ({held.because}), so its challenger is not released; that of a "
        f"later day can be. {decided.reason}"
    )
    return Decided(Outcome.KEPT, reason, held.champion.bundle_hash if held.champion else None, None)


def carry_out(
    decided: Decided,
    partition: date,
    bundle: Mapping[str, Any] | None,
    before: Champion | None,
    log: ReleaseLog,
) -> Decided:
    """Move the champion in the release log, if that is what was decided.

    Running it again makes no second entry.

    Raises:
        ChampionConflict: The champion is no longer what the challenger was judged against.
    """
    if decided.outcome is not Outcome.RELEASED or bundle is None:
        return decided
    moved = log.move(partition, dict(bundle), before.entry if before else None)
    return Decided(decided.outcome, decided.reason, moved.bundle_hash, moved.entry)


def decide_by_trial(
    today: Today, newest: bool, before: Champion | None, trials: TrialsOfRun, log: ReleaseLog
) -> tuple[str, Decided]:
    """Let the trial decide: on the newest day what is due is done; an older day says what it would have done.

    Args:
        newest: Whether the partition is the newest day for which anything was landed.
        before: The champion before this day.

    Returns:
        A verdict, `wait` where nothing was due, and what became of it.

    Raises:
        ChampionConflict, TrialConflict: Another run was at it at the same moment; it says what to do.
    """
    after = before.bundle_hash if before else None
    moved_later = [move.partition for move in log.moves() if move.partition > today.partition]
    if not newest or trials.later is not None or moved_later:
        verdict = verdict_of(today.looks[-1]) if today.looks else "wait"
        reason = f"An older day, so nothing moves and no log is written: {would_have(today, trials)}."
        return verdict, Decided(Outcome.RECORDED, reason, after, None, reason)
    happened = carry_on(today, trials, log)
    champion = log.current()
    after = champion.bundle_hash if champion else None
    own = champion is not None and champion.partition == today.partition
    outcome = Outcome.REFRESHED if happened.refreshed else Outcome.RELEASED if happened.released else Outcome.KEPT
    if outcome is Outcome.KEPT or not own:
        return happened.verdict, Decided(Outcome.KEPT, happened.words, after, None, happened.words)
    assert champion is not None
    return happened.verdict, Decided(outcome, happened.words, after, champion.entry, happened.words)


def roll_back(
    partition: date, newest: date | None, to: int, because: str, log: ReleaseLog, trials: TrialsOfRun | None = None
) -> Decided:
    """Let an earlier champion serve again; the running trial ends, for what it was held against serves no more.

    Raises:
        InputError: The partition is not the newest, or the log has no such entry; no reason is given.
        ChampionConflict, TrialConflict: Another move took the entry at the same moment.
    """
    if partition != newest:
        raise InputError(f"what serves now is decided on the newest day: roll back on {newest}, not on {partition}")
    moved = log.roll_back(partition, to, because)
    champion = moved.champion.bundle_hash if moved.champion else None
    said = ""
    if trials is not None and (running := trials.current) is not None:
        trials.close(running, f"the champion was rolled back ({because})", person=True)
        said = f"The trial of {running.trial.challenger[:12]} has ended: the champion was rolled back."
    return Decided(Outcome.ROLLED_BACK, because, champion, moved.entry, said)


class Override(StrEnum):
    """What a person may decide, whatever the evidence says."""

    TRIAL = "release_trial"
    """The running trial's challenger serves."""
    TODAY = "release_today"
    """Today's challenger serves."""
    KEEP = "keep"
    """The champion stays, and the running trial ends."""


def override(
    wanted: str,
    because: str,
    partition: date,
    newest: date | None,
    bundle: Mapping[str, Any] | None,
    log: ReleaseLog,
    trials: TrialsOfRun,
) -> Decided:
    """Do what a person decides; who and why stands in the logs.

    Args:
        wanted: An `Override`.
        because: Who wants it, and why.
        bundle: Today's challenger; None: there is none.

    Raises:
        InputError: It cannot be done, is not known, is not of the newest day, or has no reason.
        ChampionConflict, TrialConflict: Another run was at it at the same moment.
    """
    if wanted not in set(Override):
        raise InputError(f"`override: {wanted}` is not known; it is one of {[one.value for one in Override]}")
    if not because.strip():
        raise InputError("an override needs words in `because`: who wants it, and why")
    if partition != newest:
        raise InputError(f"what serves now is decided on the newest day: decide on {newest}, not on {partition}")
    running, champion = trials.current, log.current()
    chosen = {Override.TRIAL: running.bundle if running else None, Override.TODAY: bundle}.get(Override(wanted))
    if chosen is None and wanted != Override.KEEP:
        missing = "no trial runs" if wanted == Override.TRIAL else "today has no challenger"
        raise InputError(f"`override: {wanted}`: {missing}, so there is nothing to release")
    entry = None
    if chosen is not None and (champion is None or champion.bundle_hash != bundle_hash(chosen)):
        champion = log.move(partition, dict(chosen), champion.entry if champion else None, decided_by=because)
        entry = champion.entry
    said = ""
    if running is not None:
        trials.close(running, because, person=True)
        said = f"The trial of {running.trial.challenger[:12]} has ended, because somebody decided."
    return Decided(Outcome.OVERRIDDEN, because, champion.bundle_hash if champion else None, entry, said)


def release_row(
    partition: date, verdict: str, bundle: Mapping[str, Any] | None, before: Champion | None, decided: Decided
) -> pl.DataFrame:
    """The table `release`: one row."""
    row = {
        "partition": partition,
        "challenger": bundle_hash(bundle) if bundle else None,
        "champion_before": before.bundle_hash if before else None,
        "verdict": verdict,
        "reason": decided.reason,
        "decision": decided.outcome.value,
        "champion_after": decided.champion_after,
        "entry": decided.entry,
        "trial": decided.trial or None,
    }
    return pl.DataFrame([row], schema=SCHEMA)
