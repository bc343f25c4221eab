"""What the named sources share: reading a published data set's files as they are, and writing them to be landed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from causalrec.answers import InputError
from causalrec.logs.reading.files import open_landed
from causalrec.settings.logs.cleaning import CleaningRules

NO_SEPARATOR = "\x1f"
"""Stands in no text: a line is then one cell."""


def require_folder(folder: Path, of: str) -> None:
    """Raises InputError: there is no such folder."""
    if folder.is_dir():
        return
    what = "is a file (an archive? unpack it)" if folder.is_file() else "does not exist"
    raise InputError(f"{folder} {what}; name the folder that holds the files of {of}")


def header(path: Path) -> list[str]:
    """The names in a CSV file's first line; empty where there is no such file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return file.readline().rstrip("\r\n").split(",")


def csv_pieces(path: Path, wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Some columns of a CSV file with a header, some rows at a time, every cell as text.

    Raises:
        InputError: The file is not there, cannot be read whole, or lacks a wanted column.
    """
    there = header(_require(path))
    if missing := [name for name in wanted if name not in there]:
        raise InputError(f"{path}: the column(s) {missing} are missing; the file has {there}")
    with open_landed(path, CleaningRules()) as opened:
        for piece in opened.pieces(wanted):
            yield piece.select(wanted)


def read_csv(path: Path, wanted: Sequence[str]) -> pl.DataFrame:
    """`csv_pieces` of a small file, in one."""
    return pl.concat([pl.DataFrame(schema=dict.fromkeys(wanted, pl.String)), *csv_pieces(path, wanted)])


def read_headless(path: Path, names: Sequence[str], separator: str) -> pl.DataFrame:
    """A text table without a header, in UTF-8 or else in latin-1, in which a quote is a character like others.

    Args:
        names: The columns that each row begins with; further ones are passed over.
        separator: One character or more.

    Raises:
        InputError: The file is not there, or a row has too few cells (named with its number).
    """
    content = _require(path).read_bytes()
    try:
        content.decode()
    except UnicodeDecodeError:
        content = content.decode("latin-1").encode()
    lines = pl.read_csv(
        content, separator=NO_SEPARATOR, has_header=False, quote_char=None, infer_schema=False, new_columns=["line"]
    )
    cells = lines.select(pl.col("line").str.strip_chars_end("\r").str.split(separator))
    if (short := cells["line"].list.len() < len(names)).any():
        row = int(short.arg_true()[0])
        raise InputError(
            f"{path}, row {row + 1}: {lines['line'][row][:80]!r} has fewer than {len(names)} cells parted by "
            f"{separator!r}"
        )
    return cells.select(pl.col("line").list.get(k).alias(name) for k, name in enumerate(names))


def _require(path: Path) -> Path:
    if not path.is_file():
        raise InputError(f"{path} does not exist; it is part of the data set. Unpack the whole archive there.")
    return path


def as_numbers(
    frame: pl.DataFrame, names: Sequence[str], path: Path, dtype: type[pl.Int64] | type[pl.Float64], before: int = 0
) -> pl.DataFrame:
    """Cast columns of text, without a gap and without loss.

    Args:
        before: How many rows of the file come before these.

    Raises:
        InputError: A value is no number; it is named with its row.
    """
    for name in names:
        cast = frame[name].str.strip_chars().cast(dtype, strict=False)
        if cast.null_count():
            row = int(cast.is_null().arg_true()[0])
            what = "a whole number" if dtype is pl.Int64 else "a number"
            raise InputError(f"{path}, row {before + row + 1}: `{name}` is {frame[name][row]!r}, which is not {what}")
        frame = frame.with_columns(cast)
    return frame


def write_days(events: pl.DataFrame, landing: Path, name: str, time: str) -> None:
    """Write `events/day=D/NAME.parquet` for each day of the events, sorted by time."""
    ordered = events.sort(time, maintain_order=True)
    for (day,), rows in ordered.group_by(pl.col(time).dt.date(), maintain_order=True):
        write(rows, landing / "events" / f"day={day}" / f"{name}.parquet")


def write(frame: pl.DataFrame, path: Path) -> None:
    """Write a Parquet file that is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    frame.write_parquet(draft)
    draft.replace(path)
