"""The lake at one moment, listed once: which versions are current and which attempts were refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from causalrec_assets.lake.lost import LostObject, cut_off
from causalrec_assets.lake.storage.pointer import Pointer, Refusal
from causalrec_assets.lake.store import Store


@dataclass(frozen=True)
class Snapshot:
    """Answers what a `Store` answers about many days without asking the lake for each of them."""

    store: Store
    _listed: dict[str, tuple[dict[date, int], dict[str, int]]] = field(default_factory=dict)
    _refused: dict[str, dict[date, Refusal]] = field(default_factory=dict)

    def number(self, table: str, day: date) -> int:
        """The number of the current version; 0: none."""
        return self._list(table)[0].get(day, 0)

    def pointer(self, table: str, day: date, number: int | None = None) -> Pointer | None:
        """As `Store.pointer`; None also where it is cut off."""
        number = number or self.number(table, day)
        try:
            return self.store.pointer(table, day, number) if number else None
        except LostObject:
            return None

    def lost(self, table: str, day: date) -> str | None:
        """What of the current version is missing or cut off, in words; None: nothing, or there is no version."""
        number = self.number(table, day)
        if not number:
            return None
        pointer = self.pointer(table, day)
        if pointer is None:
            return f"the pointer of its version {number} is cut off"
        return cut_off(pointer.content, pointer.sizes, self._list(table)[1])

    def days(self, table: str) -> list[date]:
        """The days that have a published version, ascending."""
        return sorted(self._list(table)[0])

    def standing_refusal(self, table: str, day: date) -> Refusal | None:
        if table not in self._refused:
            self._refused[table] = self.store.quarantine.all_standing(table)
        return self._refused[table].get(day)

    def _list(self, table: str) -> tuple[dict[date, int], dict[str, int]]:
        if table not in self._listed:
            self._listed[table] = self.store.listed(table)
        return self._listed[table]
