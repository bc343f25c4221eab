"""Items and users as of a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from causalrec_assets.answers import InputError
from causalrec_assets.logs.reading import extra_types, map_columns, read_landed
from causalrec_assets.logs.sources import Source

ITEM_TYPES: dict[str, pl.DataType] = {
    "item_id": pl.String(),
    "title": pl.String(),
    "description": pl.String(),
    "category": pl.String(),
    "price": pl.Float64(),
    "published_at": pl.Date(),
}


def item_snapshot(files: Sequence[Path], source: Source) -> pl.DataFrame:
    """The catalogue: of an item that occurs in several files, the row of the last file."""
    types = {**ITEM_TYPES, **extra_types(source, source.item_extra)}
    return _snapshot(files, source.item_columns, types, "item_id", source)


def user_snapshot(files: Sequence[Path], source: Source) -> pl.DataFrame:
    """The users: of a user that occurs in several files, the row of the last file."""
    types = {name: pl.String() for name in source.user_columns}
    return _snapshot(files, source.user_columns, types, "user_id", source)


def _snapshot(
    files: Sequence[Path],
    columns: Mapping[str, str],
    types: Mapping[str, pl.DataType],
    key: str,
    source: Source,
) -> pl.DataFrame:
    """Raises InputError: there is no file, one cannot be read, or a row has no id."""
    if not files:
        raise InputError(
            f"sources.yaml maps `{key.removesuffix('_id')}s`, but no such file has been landed; land one, or "
            "remove the mapping (the report then says what that costs)"
        )
    parts = []
    for path in files:
        part = map_columns(read_landed(path), columns, types, source.time_zone, path)
        if nameless := part[key].null_count():
            raise InputError(f"{path}: {nameless} row(s) have no `{columns[key]}`; every row needs one")
        parts.append(part)
    return pl.concat(parts).unique(key, keep="last", maintain_order=True).sort(key)
