"""The lake's tables: content named by its hash, pointers numbered and created exclusively.

Content goes to `TABLE/day=D/HASH.parquet` (and `HASH.files/NAME`) first; then the pointer `TABLE/day=D/pointers/N.json`
is created under a number that nobody else can take, complete or not at all. Readers follow the highest pointer only, so
a table is never seen half-written, and what was good before stays readable.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from causalrec_assets.answers import Answer, Status
from causalrec_assets.home import Home

JSON = dict[str, object]


class PublishRace(RuntimeError):
    """Another run published the same partition first. Nothing is lost: read what it published, or run again."""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sha256_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical(value: object) -> bytes:
    """JSON with one spelling, so that equal values have equal hashes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()


def create_exclusively(path: Path, content: bytes) -> None:
    """Create a file with all its content or not at all.

    Raises:
        FileExistsError: The name is taken. A hard link is used because `open("x")` would let a reader see a file
            whose content is still being written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.parent / f".{uuid.uuid4().hex}.tmp"
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


@dataclass(frozen=True)
class Pointer:
    """One published version of a table's day.

    `hash` covers the rows, the files, the answer and the notes: what a reader can see. `inputs` maps what was read
    to its hash; the version is current while those are unchanged.
    """

    table: str
    day: date
    number: int
    hash: str
    data: str
    rows: int
    answer: Answer
    notes: JSON
    files: Mapping[str, str]
    inputs: Mapping[str, str]
    run_id: str
    set_aside: int = 0

    def to_json(self) -> bytes:
        return json.dumps({**asdict(self), "day": self.day.isoformat()}, indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Pointer:
        raw = json.loads(content)
        raw["day"] = date.fromisoformat(raw["day"])
        raw["answer"] = Answer(Status(raw["answer"]["status"]), raw["answer"]["reason"])
        return cls(**raw)


@dataclass(frozen=True)
class Refusal:
    """An attempt that the gate refused, kept beside its offending rows."""

    table: str
    day: date
    run_id: str
    after_pointer: int
    reasons: list[str]
    folder: Path


def open_store(home: Home) -> Store:
    """The lake of a home."""
    return Store(home.lake)


@dataclass(frozen=True)
class Store:
    """Tables by day under one root folder."""

    root: Path
    _cache: dict[Path, Pointer] = field(default_factory=dict, repr=False, compare=False)

    def folder(self, table: str, day: date) -> Path:
        return self.root / table / f"day={day.isoformat()}"

    def numbers(self, table: str, day: date) -> list[int]:
        """The numbers of the published versions, ascending."""
        folder = self.folder(table, day) / "pointers"
        return sorted(int(path.stem) for path in folder.glob("*.json")) if folder.exists() else []

    def pointer(self, table: str, day: date, number: int | None = None) -> Pointer | None:
        """The current version (or the one with a number); None where there is none."""
        if number is None:
            numbers = self.numbers(table, day)
            if not numbers:
                return None
            number = numbers[-1]
        path = self.folder(table, day) / "pointers" / f"{number:06d}.json"
        if path not in self._cache:
            if not path.exists():
                return None
            self._cache[path] = Pointer.from_json(path.read_bytes())
        return self._cache[path]

    def days(self, table: str) -> list[date]:
        """The days that have a published version, ascending."""
        folder = self.root / table
        if not folder.exists():
            return []
        named = sorted(date.fromisoformat(path.name.removeprefix("day=")) for path in folder.glob("day=*"))
        return [day for day in named if self.numbers(table, day)]

    def data_path(self, pointer: Pointer) -> Path:
        return self.folder(pointer.table, pointer.day) / f"{pointer.data}.parquet"

    def file_path(self, pointer: Pointer, name: str) -> Path:
        if name not in pointer.files:
            raise KeyError(f"`{pointer.table}` of {pointer.day} has no file `{name}`; it has {sorted(pointer.files)}")
        return self.folder(pointer.table, pointer.day) / f"{pointer.hash}.files" / name

    def staging(self, table: str, day: date, run_id: str) -> Path:
        folder = self.root / "staging" / table / f"day={day.isoformat()}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{run_id}-{uuid.uuid4().hex[:8]}.parquet"

    def publish(
        self,
        staged: Path,
        *,
        table: str,
        day: date,
        after: int,
        rows: int,
        answer: Answer,
        notes: JSON,
        files: Mapping[str, bytes],
        inputs: Mapping[str, str],
        run_id: str,
        set_aside: int = 0,
    ) -> Pointer:
        """Move an audited staged table into place and point to it.

        Args:
            staged: The Parquet file that was audited; it is moved.
            after: The number of the version that was current when the attempt began (0: none).

        Raises:
            PublishRace: Somebody else published version `after + 1` meanwhile.
        """
        data = sha256_of_file(staged)
        hashes = {name: sha256(content) for name, content in sorted(files.items())}
        notes = json.loads(canonical(notes))
        seen = [data, hashes, notes, answer.status.value, answer.reason]
        pointer = Pointer(
            table,
            day,
            after + 1,
            sha256(canonical(seen)),
            data,
            rows,
            answer,
            notes,
            hashes,
            dict(inputs),
            run_id,
            set_aside,
        )
        folder = self.folder(table, day)
        folder.mkdir(parents=True, exist_ok=True)
        with staged.open("rb") as file:
            os.fsync(file.fileno())
        staged.replace(folder / f"{data}.parquet")
        for name, content in files.items():
            target = folder / f"{pointer.hash}.files" / name
            if not target.exists():
                create_exclusively(target, content)
        try:
            create_exclusively(folder / "pointers" / f"{pointer.number:06d}.json", pointer.to_json())
        except FileExistsError:
            raise PublishRace(
                f"`{table}` of {day}: another run published version {pointer.number} while this one was at work. "
                "This run publishes nothing; run it again if its inputs are newer."
            ) from None
        return pointer

    def quarantine(self, table: str, day: date, run_id: str) -> Path:
        folder = self.root / "quarantine" / table / f"day={day.isoformat()}" / run_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def refuse(self, table: str, day: date, run_id: str, after: int, reasons: list[str]) -> Refusal:
        """Record that an attempt was refused; offending rows go into the same folder."""
        folder = self.quarantine(table, day, run_id)
        record = {"after_pointer": after, "reasons": reasons}
        (folder / "refusal.json").write_bytes(json.dumps(record, indent=1).encode())
        return Refusal(table, day, run_id, after, reasons, folder)

    def standing_refusal(self, table: str, day: date) -> Refusal | None:
        """The refusal of the newest attempt, if no good version has been published since."""
        numbers = self.numbers(table, day)
        current = numbers[-1] if numbers else 0
        folder = self.root / "quarantine" / table / f"day={day.isoformat()}"
        for record in sorted(folder.glob("*/refusal.json"), key=lambda p: p.stat().st_mtime_ns, reverse=True):
            raw = json.loads(record.read_bytes())
            if raw["after_pointer"] >= current:
                return Refusal(table, day, record.parent.name, raw["after_pointer"], raw["reasons"], record.parent)
        return None
