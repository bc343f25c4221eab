"""What the lake may forget: old versions, what killed runs left behind, old quarantine.

A pointer goes before its content, so that a sweep that is killed leaves content that nobody points to, never a pointer
to nothing; the next sweep finds that content by its age.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from causalrec.settings.deployment.lake import Retention
from causalrec_assets.lake.releases import FOLDER as RELEASE_LOG
from causalrec_assets.lake.releases import ReleaseLog
from causalrec_assets.lake.storage.objects import Folder, Found, Objects
from causalrec_assets.lake.storage.pointer import POINTER
from causalrec_assets.lake.store import Store
from causalrec_assets.lake.trials import FOLDER as TRIAL_LOG
from causalrec_assets.lake.trials import TrialLog

Numbered = tuple[str, date, int]
"""A version: its table, day and number."""

# Files of other names are somebody else's and stay.
CONTENT = re.compile(r"[^/]+/day=\d{4}-\d\d-\d\d/([0-9a-f]{64}\.parquet|[0-9a-f]{64}\.files/.+)")
DRAFT = re.compile(r".+/\.[0-9a-f]{32}\.tmp")
ATTEMPT = re.compile(r"(quarantine/([^/]+)/day=(\d{4}-\d\d-\d\d)/[^/]+)/.+")


@dataclass
class Tally:
    """How many objects of a kind, and their bytes."""

    count: int = 0
    bytes: int = 0

    def add(self, objects: Iterable[Found]) -> None:
        for one in objects:
            self.count += 1
            self.bytes += one.size


@dataclass(frozen=True)
class Swept:
    """What a sweep removed, or would remove.

    Attributes:
        pointers: Old versions.
        content: Rows and files that only those versions were made of.
        orphans: Content that no version was ever made of, left by killed runs.
        staging: Drafts on this machine, left by killed runs.
        quarantine: Refused drafts and unusable rows.
    """

    pointers: Tally = field(default_factory=Tally)
    content: Tally = field(default_factory=Tally)
    orphans: Tally = field(default_factory=Tally)
    staging: Tally = field(default_factory=Tally)
    quarantine: Tally = field(default_factory=Tally)

    def lines(self) -> Iterator[str]:
        kinds = {
            "old versions": self.pointers,
            "content of old versions": self.content,
            "left by killed runs, lake": self.orphans,
            "left by killed runs, here": self.staging,
            "quarantine": self.quarantine,
        }
        yield f"{'':<27}{'objects':>9}{'MB':>12}"
        for kind, tally in kinds.items():
            yield f"{kind:<27}{tally.count:>9,}{tally.bytes / 1e6:>12,.1f}"


def sweep(
    store: Store, settings: Retention, now: datetime, keep: Iterable[Numbered] = (), *, dry_run: bool = False
) -> Swept:
    """Remove what the settings let go of.

    The current version of a day is never removed, nor one that a bundle in the release log or an open trial names, nor
    a refusal that still stands. Runs may publish meanwhile. A run that is about to release versions that were replaced
    since it judged them is not foreseen: sweep when no learning run is at work.

    Args:
        settings: How many versions and days are kept.
        now: With a time zone.
        keep: Further versions to keep.
        dry_run: Say what would go, remove nothing.
    """
    task = _Sweep(store, settings, now, dry_run)
    tables: dict[str, dict[str, Found]] = defaultdict(dict)
    for object_ in store.objects.find():
        tables[object_.name.partition("/")[0]][object_.name] = object_
    pinned = {*keep, *_named(store)}
    for table, listed in tables.items():
        if table not in ("quarantine", RELEASE_LOG, TRIAL_LOG):
            task.table(table, listed, pinned)
    task.quarantine()
    task.staging()
    return task.swept


def _named(store: Store) -> Iterator[Numbered]:
    """The versions that champions and the challengers of open trials are made of."""
    champions = [move.champion.bundle for move in ReleaseLog(store).moves() if move.champion]
    for bundle in (*champions, *TrialLog(store).bundles()):
        for table, version in bundle.get("tables", {}).items():
            yield table, date.fromisoformat(version["day"]), int(version["pointer"])


@dataclass(frozen=True)
class _Sweep:
    """One sweep: of what, by which settings, as of when, and what it has removed so far."""

    store: Store
    settings: Retention
    now: datetime
    dry_run: bool
    swept: Swept = field(default_factory=Swept)

    @property
    def left_before(self) -> datetime:
        """What is older and belongs to nothing was left by a killed run."""
        return self.now - timedelta(days=self.settings.staging_days)

    def table(self, table: str, before: dict[str, Found], pinned: Collection[Numbered]) -> None:
        """Remove a table's old versions and what killed runs left.

        Args:
            before: Object -> as it was listed.
            pinned: Versions that stay.
        """
        by_day: dict[str, list[tuple[int, Found]]] = defaultdict(list)
        for name, object_ in before.items():
            if match := POINTER.fullmatch(name):
                by_day[match[2]].append((int(match[3]), object_))
        old = [
            pointer
            for day, numbered in by_day.items()
            for number, pointer in sorted(numbered, key=lambda pair: pair[0], reverse=True)[self.settings.versions :]
            if (table, date.fromisoformat(day), number) not in pinned
        ]
        replaced = self._content(old)
        self._remove(self.store.objects, old, self.swept.pointers)

        # Listed again: what has been published or written meanwhile is not ours to judge.
        gone = {pointer.name for pointer in old}
        after = [object_ for object_ in self.store.objects.find(table) if object_.name not in gone]
        needed = self._content([object_ for object_ in after if POINTER.fullmatch(object_.name)])
        spare = [
            object_
            for object_ in after
            if object_.name not in needed and before.get(object_.name) == object_ and CONTENT.fullmatch(object_.name)
        ]
        drafts = [draft for draft in after if DRAFT.fullmatch(draft.name)]
        orphans = [f for f in (*spare, *drafts) if f.name not in replaced and f.modified < self.left_before]
        self._remove(self.store.objects, [object_ for object_ in spare if object_.name in replaced], self.swept.content)
        self._remove(self.store.objects, orphans, self.swept.orphans)

    def quarantine(self) -> None:
        """Remove attempts that are old and do not stand."""
        attempts: dict[str, list[Found]] = defaultdict(list)
        tables = set()
        for object_ in self.store.objects.find("quarantine"):
            if match := ATTEMPT.fullmatch(object_.name):
                attempts[match[1]].append(object_)
                tables.add(match[2])
        standing = {
            str(refusal.folder) for table in tables for refusal in self.store.quarantine.all_standing(table).values()
        }
        kept_after = self.now - timedelta(days=self.settings.quarantine_days)
        for folder, objects in attempts.items():
            if max(f.modified for f in objects) < kept_after and str(self.store.objects.where(folder)) not in standing:
                self._remove(self.store.objects, objects, self.swept.quarantine)

    def staging(self) -> None:
        """Remove the drafts that killed runs left on this machine."""
        staging = Folder(self.store.staging_folder)
        self._remove(staging, [f for f in staging.find() if f.modified < self.left_before], self.swept.staging)

    def _content(self, pointers: Sequence[Found]) -> set[str]:
        """The objects that some versions are made of."""
        # Many at once: one at a time, an object store would take minutes.
        with ThreadPoolExecutor(max_workers=16) as pool:
            return {name for pointer in pool.map(self.store.load, pointers) for name in pointer.content}

    def _remove(self, objects: Objects, to_remove: Sequence[Found], tally: Tally) -> None:
        tally.add(to_remove)
        if not self.dry_run:
            objects.delete([one.name for one in to_remove])
