"""What one attempt reads. Every read is recorded, and the record becomes the `inputs` of the pointer it publishes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from causalrec.answers import Answer, InputError
from causalrec.engine.one_file import scan_parquet
from causalrec.hashing import canonical, sha256, sha256_of_file
from causalrec.home import Home
from causalrec.settings.file import read_setting, read_text, setting_path
from causalrec.settings.learning import parse_learning
from causalrec_assets.lake.notes import MissingNote, from_json
from causalrec_assets.lake.releases import Champion, ReleaseLog
from causalrec_assets.lake.storage.pointer import Pointer
from causalrec_assets.lake.store import Store
from causalrec_assets.lake.trials import TrialEntry, TrialLog, entries_hash
from causalrec_assets.lake.windows import LearningWindow, days_hash, learning_window

Notes = TypeVar("Notes")


class MissingDay(InputError):
    """A day that is needed has no published version."""


@dataclass(frozen=True)
class Table:
    """A published version of a table, read when first asked for: whole as `frame`, or in parts by `scan`.

    Attributes:
        fetched: Where its file is fetched to from a bucket.
    """

    store: Store
    pointer: Pointer
    fetched: Path | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        return self.pointer.table

    @property
    def day(self) -> date:
        return self.pointer.day

    @property
    def hash(self) -> str:
        return self.pointer.hash

    @property
    def number(self) -> int:
        return self.pointer.number

    @property
    def answer(self) -> Answer:
        return self.pointer.answer

    def notes_as(self, kind: type[Notes]) -> Notes:
        """What the table says beside its rows.

        Args:
            kind: The dataclass of the table's notes.

        Raises:
            InputError: This version has no such note; it was published by another release.
        """
        try:
            return from_json(kind, self.pointer.notes)
        except MissingNote as missing:
            raise InputError(
                f"version {self.number} of `{self.name}` of {self.day} has no note `{missing.args[0]}`: another "
                "release of the code published it; materialise it again"
            ) from missing

    @property
    def files(self) -> list[str]:
        return sorted(self.pointer.files)

    @cached_property
    def frame(self) -> pl.DataFrame:
        return self.store.read_frame(self.pointer)

    @cached_property
    def path(self) -> Path:
        """The rows as a Parquet file on this machine; from a bucket it is fetched once, for this attempt."""
        return self.store.local_data(self.pointer, self.fetched)

    def scan(self) -> pl.LazyFrame:
        """The rows, read as far as a query needs them."""
        return scan_parquet(self.path)

    def file(self, name: str) -> bytes:
        return self.store.read_file(self.pointer, name)


@dataclass(frozen=True)
class WindowTable:
    """The same table over several days, in the order of the days."""

    tables: tuple[Table, ...]

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(table.day for table in self.tables)

    @property
    def answer(self) -> Answer:
        """The last day's answer."""
        return self.tables[-1].answer

    def notes_as(self, kind: type[Notes]) -> Notes:
        """The last day's notes."""
        return self.tables[-1].notes_as(kind)

    @cached_property
    def frame(self) -> pl.DataFrame:
        return pl.concat([table.frame for table in self.tables], how="vertical")


@dataclass
class Inputs:
    """The reads of one attempt at one partition of one table.

    Attributes:
        code: The version of the asset's code.
    """

    home: Home
    store: Store
    asset: str
    code: str
    day: date
    run_id: str
    recorded: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        numbers = self.store.numbers(self.asset, self.day)
        self.after = numbers[-1] if numbers else 0
        self.note(f"code:{self.asset}", self.code)
        self.note(f"contract:{self.asset}", setting_hash(self.home, f"contracts/{self.asset}.yaml"))

    @property
    def fetched(self) -> Path:
        """Where this attempt fetches the tables of a bucket to."""
        return self.store.workplace / "fetched" / self.asset / str(self.day) / self.run_id

    def remove_fetched(self) -> None:
        """Remove what was fetched: rows of users do not stay on a machine that has read them."""
        if self.fetched.exists():
            shutil.rmtree(self.fetched)

    def note(self, key: str, value: str) -> None:
        """Record an input that is not a table or a setting, under a key whose prefix says how to find it again."""
        self.recorded[key] = value

    # -- tables ----------------------------------------------------------------------------------------------------

    def table(self, name: str, day: date | None = None) -> Table:
        """The current version of a table, of this partition's day unless another is named.

        Raises:
            MissingDay: It has never been published.
        """
        day = day or self.day
        pointer = self.store.pointer(name, day)
        if pointer is None:
            refused = self.store.quarantine.standing(name, day)
            why = f" Its newest attempt was refused: {'; '.join(refused.reasons)}." if refused else ""
            raise MissingDay(
                f"`{self.asset}` of {self.day} needs `{name}` of {day}, which has no published version.{why} "
                f"Materialise `{name}` of {day} first; a day on which nothing happened is landed as an empty file "
                f"`landing/events/day={day}/_EMPTY`."
            )
        refused = self.store.quarantine.standing(name, day)
        if refused is not None:
            self.warnings.append(
                f"`{name}` of {day}: the newest attempt was refused ({'; '.join(refused.reasons)}); it is read in its "
                f"last good version ({pointer.number})"
            )
        self.note(f"table:{name}:{day}", pointer.hash)
        return Table(self.store, pointer, self.fetched)

    def window(self, name: str, days: Sequence[date]) -> WindowTable:
        """The current versions of a table on each of the days.

        Raises:
            MissingDay: A day has no published version; the message names the day.
        """
        if not days:
            raise MissingDay(f"`{self.asset}` of {self.day} needs `{name}` over a window that holds no day")
        return WindowTable(tuple(self.table(name, day) for day in days))

    def latest(self, name: str, before: date) -> Table | None:
        """The newest published version of an earlier day, or None."""
        days = [day for day in self.store.days(name) if day < before]
        pointer = self.store.pointer(name, days[-1]) if days else None
        self.note(f"latest:{name}:{before}", pointer.hash if pointer else "none")
        return Table(self.store, pointer, self.fetched) if pointer else None

    def table_at(self, name: str, day: date | str, number: int) -> Table:
        """One particular version, e.g. of the bundle of a champion."""
        day = date.fromisoformat(day) if isinstance(day, str) else day
        pointer = self.store.pointer(name, day, number)
        if pointer is None:
            raise MissingDay(f"version {number} of `{name}` of {day} is not in the lake; was it removed by retention?")
        self.note(f"version:{name}:{day}:{number}", pointer.hash)
        return Table(self.store, pointer, self.fetched)

    # -- settings, window, champion ----------------------------------------------------------------------------------

    def setting(self, file: str) -> dict[str, Any]:
        """A settings file of the home's `data/` folder, parsed."""
        self.note(f"setting:{file}", setting_hash(self.home, file))
        return read_setting(self.home, file)

    def setting_of(self, file: str, key: str) -> Any:
        """One key of a settings file, None where it is not there: what the file's other keys say is no input."""
        self.note(f"key:{file}:{key}", setting_key_hash(self.home, f"{file}:{key}"))
        return read_setting(self.home, file).get(key)

    def setting_text(self, file: str) -> str:
        """The same as text, for a reader that names lines in its errors."""
        self.note(f"setting:{file}", setting_hash(self.home, file))
        return read_text(setting_path(self.home, file))

    @cached_property
    def learning(self) -> LearningWindow:
        """The training and judgement days of this partition."""
        settings = parse_learning(self.setting("learning.yaml"), self.setting("sources.yaml"))
        present = set(self.store.days("units")) if settings.sparse else None
        window = learning_window(self.day, settings, present)
        if settings.sparse:
            self.note("days:units", days_hash(window.days))
        return window

    @cached_property
    def seed(self) -> int:
        return parse_learning(self.setting("learning.yaml"), self.setting("sources.yaml")).seed

    @cached_property
    def first_day(self) -> date:
        return parse_learning(self.setting("learning.yaml"), self.setting("sources.yaml")).first_day

    def champion(self) -> Champion | None:
        """The champion that a challenger of this day has to beat; None: the logging policy."""
        champion = ReleaseLog(self.store).champion_before(self.day)
        self.note("champion", champion_hash(champion))
        return champion

    def release(self, entry: int) -> Champion | None:
        """What an entry of the release log lets serve; None: there is no such entry, or the logging policy does."""
        self.note(f"release:{entry}", release_hash(self.store, entry))
        return _released(self.store, entry)

    def trials(self) -> list[TrialEntry]:
        """The trial log as the runs of earlier partitions left it."""
        entries = TrialLog(self.store).before(self.day)
        self.note("trials", entries_hash(entries))
        return entries

    def table_hash(self, name: str, day: date) -> str:
        """The hash of a table's current version, or `none`: recorded, for what waits until a day is there."""
        pointer = self.store.pointer(name, day)
        hash_ = pointer.hash if pointer else "none"
        self.note(f"table:{name}:{day}", hash_)
        return hash_


def champion_hash(champion: Champion | None) -> str:
    return f"{champion.entry}:{champion.bundle_hash}" if champion else "none"


def _released(store: Store, entry: int) -> Champion | None:
    return next((move.champion for move in ReleaseLog(store).moves() if move.entry == entry), None)


def release_hash(store: Store, entry: int) -> str:
    champion = _released(store, entry)
    return champion.bundle_hash if champion else "none"


def setting_hash(home: Home, file: str) -> str:
    path = home.setting(file)
    return sha256_of_file(path) if path.exists() else "none"


def setting_key_hash(home: Home, rest: str) -> str:
    """Of `FILE:KEY`: changes when what the file says under that key does."""
    file, _, key = rest.partition(":")
    return sha256(canonical(read_setting(home, file).get(key)))
