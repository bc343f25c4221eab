"""The trial log: what was enrolled, each look at it, how it ended; and each refresh of the champion's own recipe.

Entries `trial_log/N.json` are created exclusively under the next number, as the release log's are, and never changed: a
decision that was made stands, whatever the data say afterwards. A lake without the folder has had no trial.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from causalrec.hashing import canonical, sha256
from causalrec_assets.lake.store import Store

FOLDER = "trial_log"
ENTRY = re.compile(rf"{FOLDER}/(\d+)\.json")


class TrialConflict(RuntimeError):
    """Another run wrote to the trial log since this one read it; nothing was written."""


class Kind(StrEnum):
    """What an entry says."""

    OPENED = "opened"
    LOOK = "look"
    CLOSED = "closed"
    REFRESH = "refresh"


@dataclass(frozen=True)
class TrialEntry:
    """One entry of the log.

    Attributes:
        partition: The day whose run wrote it.
        record: What it says, as JSON.
    """

    entry: int
    kind: Kind
    partition: date
    record: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class TrialLog:
    """Entries `trial_log/N.json` in the lake."""

    store: Store

    def entries(self) -> list[TrialEntry]:
        """All entries, oldest first."""
        found = []
        for listed in self.store.objects.find(FOLDER):
            if match := ENTRY.fullmatch(listed.name):
                raw = self.store.load_json(listed)
                partition = date.fromisoformat(raw["partition"])
                found.append(TrialEntry(int(match[1]), Kind(raw["kind"]), partition, raw["record"]))
        return sorted(found, key=lambda entry: entry.entry)

    def before(self, day: date) -> list[TrialEntry]:
        """What the runs of earlier partitions wrote: the state that a run of `day` starts from, however often."""
        return [entry for entry in self.entries() if entry.partition < day]

    def hash_before(self, day: date) -> str:
        """Changes when `before` does."""
        return entries_hash(self.before(day))

    def bundles(self) -> Iterator[Mapping[str, Any]]:
        """The bundles of the trials that are still open."""
        open_now: dict[int, Mapping[str, Any]] = {}
        for entry in self.entries():
            if entry.kind is Kind.OPENED:
                open_now[entry.entry] = entry.record["bundle"]
            elif entry.kind is Kind.CLOSED:
                open_now.pop(int(entry.record["trial"]), None)
        yield from open_now.values()

    def add(self, kind: Kind, partition: date, record: Mapping[str, Any], after: int) -> TrialEntry:
        """Write the next entry.

        Args:
            partition: The day whose run writes it.
            record: What it says: JSON.
            after: The number of the last entry that the writer has read (0: none).

        Raises:
            TrialConflict: Another run has written since, or a later partition has.
        """
        entries = self.entries()
        last = entries[-1] if entries else None
        if last is not None and last.partition > partition:
            raise TrialConflict(
                f"the trial log has been carried on by {last.partition} since, so {partition} adds nothing to it: "
                "materialise `release` of the newest day"
            )
        content = {"kind": kind.value, "partition": partition.isoformat(), "record": dict(record)}
        try:
            if last is not None and last.entry > after:
                raise FileExistsError
            self.store.objects.create(f"{FOLDER}/{after + 1:06d}.json", json.dumps(content, indent=1).encode())
        except FileExistsError:
            raise TrialConflict(
                f"another run took entry {after + 1} of the trial log while this one was at work on {partition}. "
                "Nothing of this run was written; materialise `release` again: it goes on from what the other wrote"
            ) from None
        return TrialEntry(after + 1, kind, partition, record)


def entries_hash(entries: Iterable[TrialEntry]) -> str:
    """Of what some entries say; `none` of none, as in lakes of releases that knew no trials."""
    said = [[one.entry, one.kind.value, one.partition.isoformat(), dict(one.record)] for one in entries]
    return sha256(canonical(said)) if said else "none"
