"""The records of the lake: a pointer to one version of a table's day, a refused attempt, and how they are named."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from causalrec.answers import Answer, Status

JSON = dict[str, object]
POINTER = re.compile(r"([^/]+)/day=(\d{4}-\d\d-\d\d)/pointers/(\d+)\.json")
REFUSAL = re.compile(r"quarantine/([^/]+)/day=(\d{4}-\d\d-\d\d)/([^/]+)/refusal\.json")


def folder_of(table: str, day: date) -> str:
    return f"{table}/day={day.isoformat()}"


def pointer_name(table: str, day: date, number: int) -> str:
    return f"{folder_of(table, day)}/pointers/{number:06d}.json"


@dataclass(frozen=True)
class Version:
    """What is published of a table's day beside its rows.

    Attributes:
        rows: How many there are.
        files: Name -> content.
        inputs: What was read -> its hash.
        set_aside: How many rows could not be used.
    """

    table: str
    day: date
    rows: int
    answer: Answer
    notes: JSON
    files: Mapping[str, bytes]
    inputs: Mapping[str, str]
    run_id: str
    set_aside: int = 0


@dataclass(frozen=True)
class Pointer:
    """One published version of a table's day.

    `hash` covers the rows, the files, the answer and the notes: what a reader can see. `inputs` maps what was read
    to its hash; the version is current while those are unchanged. `sizes` has the bytes of each object of `content`.
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
    sizes: Sequence[int] = ()

    def to_json(self) -> bytes:
        return json.dumps({**asdict(self), "day": self.day.isoformat()}, indent=1, sort_keys=True).encode()

    @classmethod
    def from_json(cls, content: bytes) -> Pointer:
        raw = json.loads(content)
        raw["day"] = date.fromisoformat(raw["day"])
        raw["sizes"] = tuple(raw.get("sizes", ()))
        raw["answer"] = Answer(Status(raw["answer"]["status"]), raw["answer"]["reason"])
        return cls(**raw)

    @property
    def content(self) -> list[str]:
        """The names of the objects that this version is made of."""
        folder = folder_of(self.table, self.day)
        return [f"{folder}/{self.data}.parquet", *(f"{folder}/{self.hash}.files/{name}" for name in self.files)]


@dataclass(frozen=True)
class Refusal:
    """An attempt that the gate refused, kept beside its offending rows."""

    table: str
    day: date
    run_id: str
    after_pointer: int
    reasons: list[str]
    folder: Path | str
