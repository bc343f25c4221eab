"""Items and users as of a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from causalrec.answers import InputError
from causalrec.logs.landing.first_look import require_readable
from causalrec.logs.reading.casting import extra_types, lacks_columns, take_columns, unreadable
from causalrec.logs.reading.files import is_json_lines, open_landed
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.feeds import Feed
from causalrec.settings.logs.sources import Source

ITEM_TYPES: dict[str, pl.DataType] = {
    "item_id": pl.String(),
    "title": pl.String(),
    "description": pl.String(),
    "category": pl.String(),
    "price": pl.Float64(),
    "published_at": pl.Date(),
}


def item_snapshot(files: Sequence[Path], source: Source, rules: CleaningRules | None = None) -> pl.DataFrame:
    """The catalogue: of an item that occurs in several files, the row of the last file."""
    assert source.items is not None
    types = {**ITEM_TYPES, **extra_types(source, source.item_extra)}
    return _snapshot(files, source.items, types, "item_id", source, rules)


def user_snapshot(files: Sequence[Path], source: Source, rules: CleaningRules | None = None) -> pl.DataFrame:
    """The users: of a user that occurs in several files, the row of the last file."""
    assert source.users is not None
    types = user_types(source)
    return _snapshot(files, source.users, types, "user_id", source, rules)


def user_types(source: Source) -> dict[str, pl.DataType]:
    """The columns of the users, `user_id` among them, with their types."""
    number = {name for name, kind in source.user_kinds.items() if kind == "number"}
    return {name: pl.Float64() if name in number else pl.String() for name in source.user_columns}


def _snapshot(
    files: Sequence[Path],
    feed: Feed,
    types: Mapping[str, pl.DataType],
    key: str,
    source: Source,
    rules: CleaningRules | None,
) -> pl.DataFrame:
    """Raises InputError: there is no file, one cannot be read, a row has no id, or a bounded value is impossible."""
    if not files:
        raise InputError(
            f"sources.yaml maps `{key.removesuffix('_id')}s`, but no such file has been landed; land one, or "
            "remove the mapping (the report then says what that costs)"
        )
    parts, somewhere = [], dict[Path, list[str]]()
    for path in files:
        require_readable(path, feed, rules or CleaningRules())
        part, somewhere[path] = _taken(path, feed, types, key, source, rules)
        # The bounds of our own columns are those of events: a catalogue's price is the contract's to judge.
        for name, bounds in (rules.bounds if rules else {}).items():
            if name in types and name in source.kinds:
                _require_within(part[name], bounds, feed.columns[name], path)
        parts.append(part)
    for path, columns in somewhere.items():
        if columns:
            lacks_columns(columns, feed, path, _left_out(path, somewhere))
    return pl.concat(parts).unique(key, keep="last", maintain_order=True).sort(key)


def _taken(
    path: Path, feed: Feed, types: Mapping[str, pl.DataType], key: str, source: Source, rules: CleaningRules | None
) -> tuple[pl.DataFrame, list[str]]:
    """A file's rows under our names, and its own columns."""
    taken, columns, first = [pl.DataFrame(schema=dict(types))], dict[str, None](), 1
    with open_landed(path, rules or CleaningRules(), feed.csv) as landed:
        for raw in landed.pieces():
            columns |= dict.fromkeys(raw.columns)
            piece = take_columns(raw, feed, types, source.time_zone)
            if piece.unreadable:
                raise unreadable(path, piece.reason, first)
            taken.append(piece.rows)
            first += raw.height
    if columns:
        needed = [column for ours, column in feed.columns.items() if ours != key]
        lacks_columns(columns, feed, path, needed if is_json_lines(path) else ())
    rows = pl.concat(taken)
    if nameless := rows[key].null_count():
        raise InputError(f"{path}: {nameless} row(s) have no `{feed.columns[key]}`; every row needs one")
    return rows, list(columns)


def _left_out(path: Path, somewhere: Mapping[Path, list[str]]) -> set[str]:
    """What a file may lack: JSON Lines leave out what is null, and the other files show that it is not misspelled."""
    return {name for columns in somewhere.values() for name in columns} if is_json_lines(path) else set()


def _require_within(values: pl.Series, bounds: tuple[float, float], column: str, path: Path) -> None:
    beyond = (~values.is_between(*bounds)).fill_null(False).arg_true()
    if len(beyond):
        row = int(beyond[0])
        raise InputError(
            f"{path}, row {row + 1}: `{column}` is {values[row]:g}, which is not from {bounds[0]:g} to {bounds[1]:g} "
            f"({len(beyond)} such row(s)). Correct the file (an unknown value is an empty field), or the bounds in "
            "cleaning.yaml."
        )
