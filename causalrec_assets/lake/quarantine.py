"""What was not published: refused drafts with their offending rows, rows that could not be used, and why."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from causalrec_assets.lake.lost import LostObject
from causalrec_assets.lake.storage.objects import Found
from causalrec_assets.lake.storage.pointer import REFUSAL, Refusal, folder_of

if TYPE_CHECKING:
    from causalrec_assets.lake.store import Store


@dataclass(frozen=True)
class Quarantine:
    """The quarantine of a lake: a folder for each attempt, named by its run."""

    store: Store

    def folder(self, table: str, day: date, run_id: str) -> Path:
        """An attempt's folder; see `Store.path`."""
        return self.store.path(_folder(table, day, run_id))

    def keep(self, table: str, day: date, run_id: str, name: str, frame: pl.DataFrame) -> None:
        """Put rows into an attempt's folder."""
        staged = self.store.staging(table, day, run_id)
        try:
            frame.write_parquet(staged)
            self.keep_file(table, day, run_id, name, staged)
        finally:
            staged.unlink(missing_ok=True)

    def keep_file(self, table: str, day: date, run_id: str, name: str, staged: Path) -> None:
        """Put a staged file into an attempt's folder; it may be moved."""
        self.store.objects.upload(staged, f"{_folder(table, day, run_id)}/{name}")

    def read(self, refusal: Refusal, name: str) -> pl.DataFrame | None:
        """Rows that a refused attempt left; None where it left no such file."""
        folder = _folder(refusal.table, refusal.day, refusal.run_id)
        if not any(object_.name == f"{folder}/{name}" for object_ in self.store.objects.find(folder)):
            return None
        return pl.read_parquet(io.BytesIO(self.store.objects.read(f"{folder}/{name}")))

    def refuse(self, table: str, day: date, run_id: str, after: int, reasons: list[str]) -> Refusal:
        """Record that an attempt was refused; its offending rows are in the same folder already.

        Args:
            after: The number of the version that was current when the attempt began (0: none).
        """
        folder = _folder(table, day, run_id)
        record = {"after_pointer": after, "reasons": reasons, "time_ns": time.time_ns()}
        self.store.objects.write(f"{folder}/refusal.json", json.dumps(record, indent=1).encode())
        return Refusal(table, day, run_id, after, reasons, self.store.objects.where(folder))

    def standing(self, table: str, day: date) -> Refusal | None:
        """The refusal of the newest attempt, if no good version has been published since."""
        records = self._records(folder_of(table, day))
        if not records:
            return None
        numbers = self.store.numbers(table, day)
        return self._newest(records, {day: numbers[-1]} if numbers else {}).get(day)

    def all_standing(self, table: str) -> dict[date, Refusal]:
        """The same of all days; one listing of the quarantine and, if there are any, one of the table."""
        records = self._records(table)
        return self._newest(records, self.store.current(table)) if records else {}

    def _records(self, folder: str) -> list[Found]:
        return [
            object_ for object_ in self.store.objects.find(f"quarantine/{folder}") if REFUSAL.fullmatch(object_.name)
        ]

    def _newest(self, records: Iterable[Found], current: Mapping[date, int]) -> dict[date, Refusal]:
        newest: dict[date, tuple[int, Refusal]] = {}
        for record in records:
            match = REFUSAL.fullmatch(record.name)
            assert match is not None
            table, day, run_id = match[1], date.fromisoformat(match[2]), match[3]
            try:
                raw = self.store.load_json(record)
            except LostObject:
                # What it said is lost. What that attempt was made from is not what the good version was made from, so
                # that it is made again, and says it again.
                continue
            # Records of earlier releases have no time of their own.
            at = raw.get("time_ns") or int(record.modified.timestamp() * 1e9)
            if raw["after_pointer"] < current.get(day, 0) or (day in newest and newest[day][0] >= at):
                continue
            folder = self.store.objects.where(record.name.rpartition("/")[0])
            newest[day] = at, Refusal(table, day, run_id, raw["after_pointer"], raw["reasons"], folder)
        return {day: refusal for day, (_, refusal) in sorted(newest.items())}


def _folder(table: str, day: date, run_id: str) -> str:
    return f"quarantine/{folder_of(table, day)}/{run_id}"
