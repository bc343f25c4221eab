"""The notes of a table: a frozen dataclass beside the science that makes it, plain JSON in the lake.

What a field is called there is what a reader of an older version finds, so fields are added (with a default) and not
renamed. Keys that nobody here knows are those of another release, and are passed over.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


class MissingNote(KeyError):
    """A note that a reader needs was not published."""


def to_json(value: Any) -> Any:
    """Notes as JSON: dataclasses and mappings as objects, tuples and lists as arrays, days as text."""
    if isinstance(value, type):
        raise TypeError(f"notes are values, and `{value.__name__}` is a type")
    if is_dataclass(value):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def from_json(kind: type[T], raw: Mapping[str, Any]) -> T:
    """Read what `to_json` wrote.

    Args:
        kind: A dataclass of scalars, days, enums, mappings from text, tuples, optional ones and other dataclasses.

    Raises:
        MissingNote: A field without a default is not there; its name is the first argument.
    """
    # Typed at its one entry: within, a field's type is what `get_type_hints` says.
    notes: T = _dataclass(kind, raw)
    return notes


def _dataclass(kind: type[Any], raw: Mapping[str, Any]) -> Any:
    hints = _hints(kind)
    for field in fields(kind):
        if field.name not in raw and not _has_default(field):
            raise MissingNote(field.name)
    return kind(**{f.name: _value(hints[f.name], raw[f.name]) for f in fields(kind) if f.name in raw})


def _value(kind: Any, raw: Any) -> Any:
    """A value of a field's type."""
    if raw is None:
        return None
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        # Of `X | None` the X; scalars of several kinds are what JSON says they are.
        others = [one for one in args if one is not type(None)]
        return _value(others[0], raw) if len(others) == 1 else raw
    if origin is tuple:
        each = args[:1] * len(raw) if args[-1] is Ellipsis else args
        return tuple(_value(one, value) for one, value in zip(each, raw, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: _value(args[1], value) for key, value in raw.items()}
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass(kind, raw)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(raw)
    return date.fromisoformat(raw) if kind is date else raw


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
