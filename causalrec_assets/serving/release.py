"""Deciding what serves: a better challenger moves the champion, once, and only from what it was judged against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from causalrec_assets.gate.releases import Champion, ReleaseLog
from causalrec_assets.gate.store import canonical, sha256


class Outcome(StrEnum):
    RELEASED = "released"
    KEPT = "kept"
    RECORDED = "recorded"
    """What an older day, backfilled, would have decided; the champion is not touched."""


@dataclass(frozen=True)
class Decided:
    outcome: Outcome
    reason: str
    entry: int | None
    champion_after: str | None


def decide(
    verdict: str, reason: str, partition: date, newest: bool, bundle: Mapping[str, Any], before: Champion | None, log: ReleaseLog
) -> Decided:
    """Move the champion, or say why not.

    Args:
        verdict: `better`, `not_better` or `insufficient_evidence`.
        newest: Whether the partition is the newest day for which anything was landed.
        before: What the challenger was judged against.

    Raises:
        ChampionConflict: The champion has moved since.
    """
    before_hash = before.bundle_hash if before else None
    challenger = sha256(canonical(dict(bundle)))
    if not newest:
        would = "would have been released" if verdict == "better" else "would have been kept back"
        return Decided(Outcome.RECORDED, f"An older day: the challenger {would}. {reason}", None,
                       challenger if verdict == "better" else before_hash)
    if verdict != "better":
        return Decided(Outcome.KEPT, reason, None, before_hash)
    entry = log.move(partition, dict(bundle), before.entry if before else None)
    return Decided(Outcome.RELEASED, reason, entry.entry, entry.bundle_hash)
