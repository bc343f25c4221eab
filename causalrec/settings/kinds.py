"""The kinds of values that settings take, each with the words that say what is accepted.

    folds: Annotated[int, whole(3)]
    time_zone: Zone = "UTC"

Whatever a value is refused for, a person reads these words: "`folds` must be a whole number of at least 3, got 2".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, core_schema


class Wrong(ValueError):
    """A value that is not accepted: "`key` must be ACCEPTED, got GIVEN".

    A check across keys raises it too; the key is then given as seen from the model, with dots.

    Args:
        secret: Of what was given only the kind is told.
    """

    def __init__(self, key: str, accepted: str, given: object, *, secret: bool = False) -> None:
        super().__init__(f"`{key}` must be {accepted}")
        self.key, self.accepted, self.given, self.secret = key, accepted, given, secret


class Conflict(ValueError):
    """Values that are each accepted, and not together. The sentence names the keys.

    Args:
        key: The one whose line is told, as seen from the model, with dots.
        sentence: `{place}` in it becomes the key of the model, or of the field, whose check this is.
    """

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(sentence)
        self.key, self.sentence = key, sentence


class Unknown(ValueError):
    """Names in a mapping that are none of those it may have.

    Args:
        key: Of the mapping, as seen from the model or the field whose check this is, with dots.
    """

    def __init__(self, key: str, names: Iterable[str], known: Iterable[str]) -> None:
        self.key, self.names, self.known = key, sorted(names), sorted(known)
        super().__init__(f"unknown {self.names}")


def require_known(key: str, names: Iterable[str], known: Collection[str]) -> None:
    """Raises Unknown: a name is none of those that are known."""
    if unknown := set(names) - set(known):
        raise Unknown(key, unknown, known)


@dataclass(frozen=True)
class Must:
    """Beside a type: what a value must be, in words; everything that is wrong with the value is told in these.

    It stands last, so that it hears of what was refused before it.

    Attributes:
        accepted: What follows "must be".
        holds: A check of the value as it was read.
        secret: Of what was given only the kind is told.
    """

    accepted: str
    holds: Callable[[Any], bool] | None = None
    secret: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._checked, handler(source))

    def _checked(self, value: Any, read: Callable[[Any], Any]) -> Any:
        try:
            parsed = read(value)
        except ValidationError:
            parsed, fine = None, False
        else:
            fine = self.holds is None or self.holds(parsed)
        if not fine:
            raise Wrong("", self.accepted, value, secret=self.secret)
        return parsed


def whole(least: int) -> Must:
    """Of an `int`."""
    return Must(f"a whole number of at least {least}", lambda value: bool(value >= least))


def number(low: float, high: float = math.inf, closed: str = "[]") -> Must:
    """Of a `float`: in an interval.

    Args:
        closed: Its brackets: `[` and `]` where the bound belongs to it.
    """

    def holds(value: float) -> bool:
        return low <= value <= high and (value != low or "[" in closed) and (value != high or "]" in closed)

    if high < math.inf:
        return Must(f"a number in {closed[0]}{low:g}, {high:g}{closed[1]}", holds)
    return Must(f"a number of at least {low:g}" if "[" in closed else f"a number above {low:g}", holds)


def left_out_as(value: object) -> Callable[[object], object]:
    """For `BeforeValidator`: a key without a value (`retention:` and no more) is read as this one."""
    return lambda given: value if given is None else given


def _listed(value: object) -> object:
    if value is None:
        return ()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return tuple(str(name) for name in value)
    return value


def _named(value: object) -> object:
    # Names that look like numbers or truth values are read as such.
    if isinstance(value, Mapping):
        return {str(name): inner for name, inner in value.items()}
    return value or {}


def _clock(value: object) -> object:
    # Without quotes, YAML 1.1 reads 03:30 as the number 210.
    if isinstance(value, str) and (clock := re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", value)):
        return int(clock[1]), int(clock[2])
    return value


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


EMPTY = BeforeValidator(lambda value: value or {})
"""Beside a section: a key without a value is an empty one."""
NAMED = BeforeValidator(_named)
"""Beside a mapping whose keys are names; without a value it is empty."""
Text = Annotated[str, Must("a text (quote it if it looks like a number)")]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed), Must("a list of names")]
Day = Annotated[date, Must("a date such as 2026-03-02", lambda day: not isinstance(day, datetime))]
Clock = Annotated[tuple[int, int], BeforeValidator(_clock), Must('a time of day in quotes, such as "03:30"')]
"""Hour and minute."""
Zone = Annotated[str, Must("the name of a time zone such as UTC or Europe/Berlin", _is_zone)]
