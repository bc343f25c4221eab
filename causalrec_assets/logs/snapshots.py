"""Items and users as of a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from causalrec_assets.answers import InputError
from causalrec_assets.logs.casting import extra_types, take_all
from causalrec_assets.logs.cleaning_rules import CleaningRules
from causalrec_assets.logs.feeds import Feed
from causalrec_assets.logs.landed_files import hash_of
from causalrec_assets.logs.reading import read_landed
from causalrec_assets.logs.sources import Source

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
    types = {name: pl.String() for name in source.user_columns}
    return _snapshot(files, source.users, types, "user_id", source, rules)


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
    parts = []
    for path in files:
        hash_of(path)  # A link is refused here.
        part = take_all(read_landed(path, rules), feed, types, source.time_zone, path)
        if nameless := part[key].null_count():
            raise InputError(f"{path}: {nameless} row(s) have no `{feed.columns[key]}`; every row needs one")
        # The bounds of our own columns are those of events: a catalogue's price is the contract's to judge.
        for name, bounds in (rules.bounds if rules else {}).items():
            if name in types and name in source.kinds:
                _require_within(part[name], bounds, feed.columns[name], path)
        parts.append(part)
    return pl.concat(parts).unique(key, keep="last", maintain_order=True).sort(key)


def _require_within(values: pl.Series, bounds: tuple[float, float], theirs: str, path: Path) -> None:
    beyond = (~values.is_between(*bounds)).fill_null(False).arg_true()
    if len(beyond):
        row = int(beyond[0])
        raise InputError(
            f"{path}, row {row + 1}: `{theirs}` is {values[row]:g}, which is not from {bounds[0]:g} to {bounds[1]:g} "
            f"({len(beyond)} such row(s)). Correct the file (an unknown value is an empty field), or the bounds in "
            "cleaning.yaml."
        )
