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

SCHEMA: dict[str, pl.DataType] = {
    "partition": pl.Date(),
    "challenger": pl.String(),
    "champion_before": pl.String(),
    "verdict": pl.String(),
    "reason": pl.String(),
    "decision": pl.String(),
    "champion_after": pl.String(),
    "entry": pl.Int64(),
}


class Outcome(StrEnum):
    RELEASED = "released"
    KEPT = "kept"
    RECORDED = "recorded"
    """What an older day, backfilled, would have decided; the champion is not touched."""
    ROLLED_BACK = "rolled_back"
    """A person let an earlier champion serve again."""


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
    """

    outcome: Outcome
    reason: str
    champion_after: str | None
    entry: int | None


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


def roll_back(partition: date, newest: date | None, to: int, because: str, log: ReleaseLog) -> Decided:
    """Let an earlier champion serve again.

    Raises:
        InputError: The partition is not the newest, or the log has no such entry; no reason is given.
        ChampionConflict: Another move took the entry at the same moment.
    """
    if partition != newest:
        raise InputError(f"what serves now is decided on the newest day: roll back on {newest}, not on {partition}")
    moved = log.roll_back(partition, to, because)
    champion = moved.champion.bundle_hash if moved.champion else None
    return Decided(Outcome.ROLLED_BACK, because, champion, moved.entry)


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
    }
    return pl.DataFrame([row], schema=SCHEMA)
