"""A bounded look into files: the first rows of the first and the last ones, those with the same columns together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from causalrec.answers import InputError
from causalrec.logs.describe.guesses import kind_of_feed
from causalrec.logs.describe.observed import Observed, observe
from causalrec.logs.landing.files import landed_files
from causalrec.logs.landing.first_look import first_rows_of
from causalrec.logs.reading.files import is_json_lines
from causalrec.logs.reading.json_lines import together
from causalrec.logs.reading.listing import PACKED, SUFFIXES
from causalrec.settings.logs.cleaning import CleaningRules

ROWS = 200_000
"""Rows of all files with the same columns that are looked at."""
FILES = 20
"""Files of a folder that are opened: half from its beginning, half from its end."""


@dataclass(frozen=True)
class Sample:
    """Files with the same columns.

    Attributes:
        name: The folder or the file, as the person named it or below that.
        files, opened: How many there are, and into how many was looked.
        rows: That were read.
        whole: Whether those are all.
        kind: `events`, `items`, `users`, or empty.
    """

    name: str
    files: int
    opened: int
    rows: int
    whole: bool
    columns: tuple[Observed, ...]
    kind: str

    def head(self) -> str:
        where = f"{self.files} files" if self.files > 1 else "1 file"
        if self.opened < self.files:
            where += f", {self.opened} of them opened"
        return f"{self.rows:,} rows{'' if self.whole else ' (a sample: there are more)'} of {where}"


def look_into(path: Path, rows: int = ROWS) -> tuple[list[Sample], list[str]]:
    """Sample a file or a folder.

    Returns:
        The samples, and what is said of the files that cannot be read.

    Raises:
        InputError: There is nothing at the path.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist; name a file or a folder of logs")
    if path.is_file():
        return _look_into_files(path.name, [path], rows)
    samples, messages = [], []
    for name, files in _folders(path).items():
        feed_samples, wrong = _look_into_files(name, files, rows)
        samples += feed_samples
        messages += wrong
    if not samples and not messages:
        raise InputError(f"{path} holds no file (names that begin with a dot or `_`, or end in .part, are passed over)")
    return samples, messages


def _folders(root: Path) -> dict[str, list[Path]]:
    """Feeds lie side by side: what is below each folder is one, `day=D` folders apart; files beside them are alone."""
    feeds: dict[str, list[Path]] = {}
    for path in landed_files(root):
        below = path.relative_to(root).parts[:-1]
        folders = [part for part in below if "=" not in part]
        name = "/".join(folders) or (root.name if below else path.name)
        feeds.setdefault(name, []).append(path)
    return feeds


def _look_into_files(name: str, files: Sequence[Path], rows: int) -> tuple[list[Sample], list[str]]:
    chosen = list(files) if len(files) <= FILES else [*files[: FILES // 2], *files[-FILES // 2 :]]
    parts: dict[tuple[str, ...], list[pl.DataFrame]] = {}
    messages: list[str] = []
    others: list[Path] = []
    cut: set[tuple[str, ...]] = set()
    opened: dict[tuple[str, ...], int] = {}
    lines: set[tuple[str, ...]] = set()
    for path in chosen:
        try:
            frames, more = first_rows_of(path, CleaningRules(), max(rows // len(chosen), 1000))
        except InputError as error:
            if is_readable(path):
                messages.append(str(error))
            else:
                others.append(path)
            continue
        columns = tuple(sorted({name for frame in frames for name in frame.columns}))
        if frames:
            opened[columns] = opened.get(columns, 0) + 1
            parts.setdefault(columns, []).extend(frames)
        if more:
            cut.add(columns)
        if is_json_lines(path):
            lines.add(columns)
    # JSON Lines leave out what is null: a file that lacks columns of another is of the same kind.
    for fewer in sorted(lines & parts.keys(), key=len):
        for fuller in sorted(parts, key=len, reverse=True):
            if set(fewer) < set(fuller):
                parts[fuller] += parts.pop(fewer)
                opened[fuller] += opened.pop(fewer)
                cut |= {fuller} if fewer in cut else set()
                break
    if others:
        messages.append(_of_others(others))
    samples = []
    for columns, frames in parts.items():
        frame = together(frames)
        seen = tuple(observe(frame[column]) for column in frame.columns)
        whole = columns not in cut and len(chosen) == len(files)
        many = len(files) if len(parts) == 1 else opened[columns]
        label = name if len(parts) == 1 else f"{name} (files with the columns {', '.join(frame.columns[:4])}, ...)"
        samples.append(Sample(label, many, opened[columns], frame.height, whole, seen, kind_of_feed(seen)))
    return samples, messages


def is_readable(path: Path) -> bool:
    """Whether a file's ending is one that is read."""
    name = path.name.lower()
    for packed in PACKED:
        name = name.removesuffix(packed)
    return name.endswith(SUFFIXES)


def _of_others(paths: Sequence[Path]) -> str:
    names = ", ".join(path.name for path in paths[:6]) + (f" and {len(paths) - 6} more" if len(paths) > 6 else "")
    return (
        f"{names}: what is read ends in {', '.join(SUFFIXES)}, packed ({', '.join(PACKED)}) or not.{_begins(paths[0])}"
    )


def _begins(path: Path) -> str:
    """What a text file that is none of ours looks like."""
    try:
        with path.open("rb") as file:
            line = file.readline(100_000).decode()
    except (OSError, UnicodeDecodeError):
        return ""
    cells = line.split()
    if len(cells) > 9 and all(cell.lstrip("-").replace(".", "", 1).isdigit() for cell in cells):
        return (
            f" {path.name} begins with {len(cells)} numbers: a matrix? Make rows of it, one for each value that was "
            "logged: user, item, value, time."
        )
    return f" {path.name} begins: {line[:60].rstrip()!r}."
