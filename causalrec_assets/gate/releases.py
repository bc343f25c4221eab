"""The release log: one immutable entry per move of the champion, created exclusively under the next number.

The log is the truth about which bundle serves; registry aliases only mirror it. It lives with the gate because the
policy stage reads it before the serving stage moves it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from causalrec_assets.gate.store import Store, canonical, sha256

FOLDER = "release_log"
ENTRY = re.compile(rf"{FOLDER}/(\d+)\.json")


class ChampionConflict(RuntimeError):
    """The champion has moved since this partition looked; the move was not made."""


@dataclass(frozen=True)
class Champion:
    """One entry of the log: from `partition` on, `bundle` serves."""

    entry: int
    partition: date
    bundle: dict[str, Any]
    bundle_hash: str


@dataclass(frozen=True)
class ReleaseLog:
    """Entries `release_log/N.json` in the lake."""

    store: Store

    def entries(self) -> list[Champion]:
        """All moves, oldest first."""
        found = []
        for listed in self.store.objects.find(FOLDER):
            if not (match := ENTRY.fullmatch(listed.name)):
                continue
            raw = self.store.load_json(listed)
            found.append(
                Champion(int(match[1]), date.fromisoformat(raw["partition"]), raw["bundle"], raw["bundle_hash"])
            )
        return sorted(found, key=lambda champion: champion.entry)

    def current(self) -> Champion | None:
        """The bundle that serves now; None: the logging policy still does."""
        entries = self.entries()
        return entries[-1] if entries else None

    def champion_before(self, day: date) -> Champion | None:
        """The last move with a partition earlier than `day`: what a challenger of `day` has to beat."""
        earlier = [entry for entry in self.entries() if entry.partition < day]
        return earlier[-1] if earlier else None

    def champion_as_of(self, day: date) -> Champion | None:
        """The last move with a partition of `day` or earlier: what serves after the decision of `day`."""
        until = [entry for entry in self.entries() if entry.partition <= day]
        return until[-1] if until else None

    def move(self, partition: date, bundle: dict[str, Any], expected: int | None) -> Champion:
        """Make a bundle the champion.

        Args:
            partition: The day whose learning made the bundle.
            expected: The entry of the champion that the bundle was judged against (None: the logging policy).

        Raises:
            ChampionConflict: The current champion is neither the expected one nor the partition's own earlier bundle,
                or another release took the entry at the same moment.
        """
        current = self.current()
        bundle_hash = sha256(canonical(bundle))
        if current is not None and current.partition == partition and current.bundle_hash == bundle_hash:
            return current
        own = current is not None and current.partition == partition
        found = current.entry if current else None
        if found != expected and not own:
            raise ChampionConflict(
                f"the bundle of {partition} was judged against release {expected or 'none (the logging policy)'}, but "
                f"the champion is release {found} of {current.partition if current else '-'}. "
                "Materialise this partition again to judge it against that."
            )
        entry = (found or 0) + 1
        record = {"partition": partition.isoformat(), "bundle": bundle, "bundle_hash": bundle_hash}
        try:
            content = json.dumps(record, indent=1, sort_keys=True).encode()
            self.store.objects.create(f"{FOLDER}/{entry:06d}.json", content)
        except FileExistsError:
            raise ChampionConflict(
                f"another release took entry {entry} of the release log at the same moment"
            ) from None
        return Champion(entry, partition, bundle, bundle_hash)
