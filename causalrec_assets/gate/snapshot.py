"""The lake at one moment, listed once: which versions are current and which attempts were refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from causalrec_assets.gate.store import Pointer, Refusal, Store


@dataclass(frozen=True)
class Snapshot:
    """Answers what a `Store` answers about many days without asking the lake for each of them."""

    store: Store
    _current: dict[str, dict[date, int]] = field(default_factory=dict)
    _refused: dict[str, dict[date, Refusal]] = field(default_factory=dict)

    def number(self, table: str, day: date) -> int:
        """The number of the current version; 0: none."""
        return self._numbers(table).get(day, 0)

    def pointer(self, table: str, day: date, number: int | None = None) -> Pointer | None:
        number = number or self.number(table, day)
        return self.store.pointer(table, day, number) if number else None

    def days(self, table: str) -> list[date]:
        """The days that have a published version, ascending."""
        return sorted(self._numbers(table))

    def standing_refusal(self, table: str, day: date) -> Refusal | None:
        if table not in self._refused:
            self._refused[table] = self.store.refusals(table)
        return self._refused[table].get(day)

    def _numbers(self, table: str) -> dict[date, int]:
        if table not in self._current:
            self._current[table] = self.store.current(table)
        return self._current[table]
