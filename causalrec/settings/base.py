"""Values of a settings file, checked: a wrong one is named with its file, its key and what is accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from causalrec.answers import InputError
from causalrec.masking import masked

Constant = str | int | float


@dataclass(frozen=True)
class Values:
    """Reads the values of one settings file; every method raises InputError for a value of another kind."""

    file: str

    def wrong(self, key: str, accepted: str, given: object) -> InputError:
        # What a store is opened with may be its password.
        said = f"a {type(given).__name__}" if "options" in key else masked(repr(given))
        return InputError(f"{self.file}: `{key}` must be {accepted}, got {said}")

    def known(self, where: str, given: Mapping[str, object], known: set[str]) -> None:
        if unknown := sorted(set(given) - known):
            place = f"{self.file}: {where}" if where else self.file
            raise InputError(f"{place}: unknown {unknown}; known are {sorted(known)}")

    def mapping(self, key: str, value: object) -> dict[str, object]:
        if not isinstance(value, Mapping):
            raise self.wrong(key, "a mapping", value)
        return {str(name): inner for name, inner in value.items()}

    def column_map(self, key: str, value: object) -> dict[str, str]:
        return {ours: self.text(f"{key}.{ours}", theirs) for ours, theirs in self.mapping(key, value).items()}

    def kinds(self, key: str, value: object) -> dict[str, str]:
        given = self.mapping(key, value or {})
        return {name: self.one_of(f"{key}.{name}", kind, ("text", "number")) for name, kind in given.items()}

    def names(self, key: str, value: object) -> tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise self.wrong(key, "a list of names", value)
        return tuple(str(name) for name in value)

    def text(self, key: str, value: object) -> str:
        if not isinstance(value, str):
            raise self.wrong(key, "a text (quote it if it looks like a number)", value)
        return value

    def constant(self, key: str, value: object) -> Constant:
        if not isinstance(value, str | int | float):
            raise self.wrong(key, "a text or a number", value)
        return int(value) if isinstance(value, bool) else value

    def one_of(self, key: str, value: object, accepted: Sequence[str]) -> str:
        if not isinstance(value, str) or value not in accepted:
            raise self.wrong(key, f"one of {list(accepted)}", value)
        return value

    def boolean(self, key: str, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false", value)
        return value

    def whole(self, key: str, value: object, least: int) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.wrong(key, f"a whole number of at least {least}", value)
        return value

    def number(self, key: str, value: object, least: float, most: float = float("inf")) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
            bounds = f"from {least:g} to {most:g}" if most < float("inf") else f"of at least {least:g}"
            raise self.wrong(key, f"a number {bounds}", value)
        return float(value)

    def day(self, key: str, value: object) -> date:
        if not isinstance(value, date) or isinstance(value, datetime):
            raise self.wrong(key, "a date such as 2026-03-02", value)
        return value

    def time_zone(self, key: str, value: object) -> str:
        name = self.text(key, value)
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise self.wrong(key, "the name of a time zone such as UTC or Europe/Berlin", name) from error
        return name
