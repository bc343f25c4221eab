"""The release log: one immutable entry per move of the champion, created exclusively under the next number.

The log is the truth about which bundle serves; registry aliases only mirror it. It lives with the gate because the
policy stage reads it before the serving stage moves it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from causalrec.answers import InputError
from causalrec.hashing import canonical, sha256
from causalrec_assets.lake.store import Store

FOLDER = "release_log"
ENTRY = re.compile(rf"{FOLDER}/(\d+)\.json")


DRAWN_BY = re.compile(r"release-([1-9]\d*)(?:@(\d{4}-\d\d-\d\d))?")


class ChampionConflict(RuntimeError):
    """The champion has moved since this partition looked; the move was not made."""


@dataclass(frozen=True)
class DrawnBy:
    """Which release drew a slate, by the name that logs of it carry in the column `policy`.

    Attributes:
        entry: Of the release log.
        table: The day of the table `recommendations` that the slate stands in, as `release-3@2026-03-14`; None: it was
            drawn when it was asked for, as `release-3`.
    """

    entry: int
    table: date | None = None

    def __str__(self) -> str:
        return f"release-{self.entry}" + (f"@{self.table}" if self.table else "")

    @classmethod
    def of(cls, policy: str) -> DrawnBy | None:
        """What a name in logs says; None: it is none of ours."""
        if not (match := DRAWN_BY.fullmatch(policy)):
            return None
        try:
            return cls(int(match[1]), date.fromisoformat(match[2]) if match[2] else None)
        except ValueError:
            return None


@dataclass(frozen=True)
class Champion:
    """The bundle that serves from `partition` on, by entry `entry` of the log."""

    entry: int
    partition: date
    bundle: dict[str, Any]
    bundle_hash: str


@dataclass(frozen=True)
class Move:
    """One entry of the log.

    Attributes:
        champion: What serves from here on; None: the logging policy again.
        because: Who rolled back and why; empty for a release.
        decided_by: Who released in the place of the evidence, and why; empty where the evidence did.
    """

    entry: int
    partition: date
    champion: Champion | None
    because: str = ""
    decided_by: str = ""

    @property
    def rolled_back(self) -> bool:
        return bool(self.because)


@dataclass(frozen=True)
class ReleaseLog:
    """Entries `release_log/N.json` in the lake."""

    store: Store

    def moves(self) -> list[Move]:
        """All moves, oldest first."""
        all_moves = []
        for listed in self.store.objects.find(FOLDER):
            if not (match := ENTRY.fullmatch(listed.name)):
                continue
            raw, entry = self.store.load_json(listed), int(match[1])
            partition = date.fromisoformat(raw["partition"])
            bundle = raw["bundle"]
            champion = Champion(entry, partition, bundle, raw["bundle_hash"]) if bundle is not None else None
            all_moves.append(Move(entry, partition, champion, raw.get("because", ""), raw.get("decided_by", "")))
        return sorted(all_moves, key=lambda move: move.entry)

    def current(self) -> Champion | None:
        """The bundle that serves now; None: the logging policy does."""
        return _last(self.moves())

    def champion_before(self, day: date) -> Champion | None:
        """The last move with a partition earlier than `day`: what a challenger of `day` has to beat."""
        return _last([move for move in self.moves() if move.partition < day])

    def champion_as_of(self, day: date) -> Champion | None:
        """The last move with a partition of `day` or earlier: what serves after the decision of `day`."""
        return _last([move for move in self.moves() if move.partition <= day])

    def rolled_back_on(self, day: date) -> Move | None:
        """The log's last move, if it is a person's and of this partition."""
        moves = self.moves()
        return moves[-1] if moves and moves[-1].rolled_back and moves[-1].partition == day else None

    def move(self, partition: date, bundle: dict[str, Any], expected: int | None, decided_by: str = "") -> Champion:
        """Make a bundle the champion.

        Args:
            partition: The day whose learning made the bundle.
            expected: The entry of the champion that the bundle was judged against (None: the logging policy).
            decided_by: Who decided it in the place of the evidence, and why; empty: nobody did.

        Raises:
            ChampionConflict: The current champion is neither the expected one nor the partition's own earlier bundle, a
                person rolled back on this partition, or another release took the entry at the same moment.
        """
        moves = self.moves()
        current = _last(moves)
        if moves and moves[-1].rolled_back and moves[-1].partition == partition:
            raise ChampionConflict(f"on {partition} the champion was rolled back ({moves[-1].because})")
        bundle_hash = sha256(canonical(bundle))
        if current is not None and current.partition == partition and current.bundle_hash == bundle_hash:
            return current
        own = current is not None and current.partition == partition
        current_entry = current.entry if current else None
        if current_entry != expected and not own:
            raise ChampionConflict(
                f"the bundle of {partition} was judged against release {expected or 'none (the logging policy)'}, but "
                f"the champion is release {current_entry} of {current.partition if current else '-'}. "
                "Materialise this partition again to judge it against that."
            )
        entry = moves[-1].entry + 1 if moves else 1
        record: dict[str, Any] = {"partition": partition.isoformat(), "bundle": bundle, "bundle_hash": bundle_hash}
        self._add(entry, record | ({"decided_by": decided_by} if decided_by else {}))
        return Champion(entry, partition, bundle, bundle_hash)

    def roll_back(self, partition: date, to: int, because: str) -> Move:
        """Let an earlier champion serve again, from a partition on. Asked again, it makes no second entry.

        Args:
            to: The entry of the earlier champion; 0: the logging policy.
            because: Who wants it, and why.

        Raises:
            InputError: There is no such entry, no reason is given, or a later partition has moved the champion.
        """
        moves = self.moves()
        if not because.strip():
            raise InputError("a roll back needs words in `because`: who wants it, and why")
        if moves and moves[-1].partition > partition:
            raise InputError(
                f"the champion was moved by {moves[-1].partition} since; roll back from that partition or a later one"
            )
        target = next((move.champion for move in moves if move.entry == to), None) if to else None
        if to and target is None:
            known = [move.entry for move in moves if move.champion is not None]
            raise InputError(f"the release log has no champion under entry {to}; it has {known}, and 0 is none at all")
        last = moves[-1] if moves else None
        requested = (partition, because, target.bundle_hash if target else None)
        if last and requested == (last.partition, last.because, last.champion.bundle_hash if last.champion else None):
            return last
        record = {
            "partition": partition.isoformat(),
            "bundle": target.bundle if target else None,
            "bundle_hash": target.bundle_hash if target else None,
            "because": because,
        }
        entry = last.entry + 1 if last else 1
        self._add(entry, record)
        champion = Champion(entry, partition, target.bundle, target.bundle_hash) if target else None
        return Move(entry, partition, champion, because)

    def _add(self, entry: int, record: dict[str, Any]) -> None:
        try:
            content = json.dumps(record, indent=1, sort_keys=True).encode()
            self.store.objects.create(f"{FOLDER}/{entry:06d}.json", content)
        except FileExistsError:
            raise ChampionConflict(
                f"another release took entry {entry} of the release log at the same moment"
            ) from None


def _last(moves: Sequence[Move]) -> Champion | None:
    return moves[-1].champion if moves else None
