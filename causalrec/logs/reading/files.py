"""Reading a landed file piece by piece: any format, packed or not, with an error that a tired person understands.

Nothing is guessed from values, and a file is good whole or not at all: one that is cut off, or in which a quote is left
open, is refused, because what it seems to hold may not be what was written.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import polars as pl

from causalrec.answers import InputError
from causalrec.engine.full_disk import disk_is_full
from causalrec.engine.one_file import parquet_schema, scan_parquet
from causalrec.logs.reading.bounds import LEAST_UNPACKED, require_bounded, require_bounded_parquet, require_short_lines
from causalrec.logs.reading.csv_reading import csv_header, csv_pieces
from causalrec.logs.reading.json_lines import json_lines, together
from causalrec.logs.reading.listing import PACKED, SUFFIXES, is_remote
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.csv import CsvSettings

ROWS = 500_000
"""Rows of a piece: some 100 MB."""
BLOCK = 32 * 1024**2
"""Bytes of text that are read at a time; a row has to fit."""
STRETCH = 1024**2


def read_landed(path: Path, rules: CleaningRules | None = None) -> pl.DataFrame:
    """All rows of a landed file, as they are; every cell of a CSV file is text.

    Raises:
        InputError: As `open_landed` does.
    """
    with open_landed(path, rules or CleaningRules()) as landed:
        frames = list(landed.pieces())
    return together(frames) if frames else pl.DataFrame()


@dataclass(frozen=True)
class Opened:
    """A landed file, ready to be read.

    Attributes:
        name: What messages call it.
        plain: The file, or its unpacked or fetched copy, on this machine.
        format: `parquet`, `csv` or `jsonl`.
        csv: What is said of how CSV is written.
    """

    name: str
    plain: Path
    format: str
    rules: CleaningRules = field(default_factory=CleaningRules)
    csv: CsvSettings = field(default_factory=CsvSettings)

    def pieces(self, columns: Collection[str] | None = None, rows: int = ROWS) -> Iterator[pl.DataFrame]:
        """The rows in their order, as they are, some at a time; nothing for a file of no bytes.

        Args:
            columns: Only these; those that the file does not have are passed over. None: all.
            rows: At most so many in a piece, as far as the format lets choose.

        Raises:
            InputError: The file cannot be read whole.
        """
        with _named(self.name, self.format):
            if self.format == "parquet":
                yield from _parquet(self.plain, columns, rows)
            elif self.plain.stat().st_size:
                yield from self._text(columns)

    def _text(self, columns: Collection[str] | None) -> Iterator[pl.DataFrame]:
        if self.format == "csv":
            longest = int(self.rules.reading.line_mb * 1024**2)
            return csv_pieces(self.plain, columns, self.csv, BLOCK, longest)
        return json_lines(self.plain, columns, BLOCK)

    def bounded_pieces(self, columns: Collection[str] | None, rules: CleaningRules) -> Iterator[pl.DataFrame]:
        """`pieces` of a file that nobody has read yet: what it costs is bounded, as far as it can be seen before.

        JSON Lines are read with all columns.

        Raises:
            InputError: The file cannot be read whole, or costs more than the rules allow.
        """
        lines = self.format == "jsonl"
        with _named(self.name, self.format):
            if self.format != "parquet":
                require_short_lines(self.plain, rules)
            else:
                require_bounded_parquet(self.plain, columns, rules)
        before = 0
        for piece in self.pieces(None if lines else columns):
            with _named(self.name, self.format):
                require_bounded(piece.select(c for c in piece.columns if _asked(c, columns)), before, rules)
            before += piece.height
            yield piece

    def header(self) -> dict[str, str] | None:
        """The columns with their types; None for JSON Lines, whose rows say theirs one by one."""
        with _named(self.name, self.format):
            if self.format == "parquet":
                return {name: str(dtype) for name, dtype in parquet_schema(self.plain).items()}
            if self.plain.stat().st_size == 0:
                return {}
            if self.format == "csv":
                return dict.fromkeys(csv_header(self.plain, self.csv), "text")
        return None


@contextmanager
def open_landed(path: Path, rules: CleaningRules, csv: CsvSettings | None = None, name: str = "") -> Iterator[Opened]:
    """Open a local file, or one behind any URL that fsspec knows (a `UPath`), packed or not.

    Args:
        csv: What is said of how CSV is written; None: nothing.
        name: What messages call it, if not by its path.

    Raises:
        InputError: It cannot be opened, unpacks to more than the rules allow, or its ending is none of `SUFFIXES`,
            which may be followed by one of `PACKED`.
    """
    format_ = _format(path)
    with ExitStack() as stack:
        with _named(name or str(path), format_):
            plain = stack.enter_context(_local_copy(path, rules, name or str(path)))
        yield Opened(name or str(path), plain, format_, rules, csv or CsvSettings())


@contextmanager
def fetched(path: Path) -> Iterator[Path]:
    """A file as it is, packed or not, on this machine: itself, or a copy that is removed afterwards.

    Raises:
        InputError: It cannot be opened, or its ending is none of `SUFFIXES`.
    """
    if not is_remote(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="causalrec-") as folder:
        local = Path(folder) / path.name
        with _named(str(path), _format(path)), path.open("rb") as source, local.open("wb") as target:
            shutil.copyfileobj(source, target, STRETCH)
        yield local


@contextmanager
def _named(name: str, format_: str) -> Iterator[None]:
    """Errors of the readers, with the file's name and what to do."""
    try:
        yield
    # pyarrow's errors are ValueErrors, KeyErrors, OSErrors or, of types that it does not know, NotImplementedErrors.
    except (pl.exceptions.PolarsError, OSError, ValueError, KeyError, EOFError, NotImplementedError) as error:
        if isinstance(error, InputError) or disk_is_full(error):
            raise
        cause = str(error).splitlines()[0] if str(error) else "it ends too early"
        raise _unreadable(name, format_, cause) from error
    except RecursionError as error:
        raise _unreadable(name, format_, "it is nested too deeply") from error
    except pl.exceptions.PanicException as error:
        # It is no Exception, and would pass by whoever handles those.
        raise _unreadable(name, format_, f"its reader panicked ({str(error).partition(chr(10))[0][:200]})") from error


def cannot_be_read(path: Path, cause: str) -> InputError:
    """What is said of a file that cannot be read, with what to do."""
    return _unreadable(str(path), _format(path), cause)


def _unreadable(name: str, format_: str, cause: str) -> InputError:
    return InputError(
        f"{name} cannot be read as {format_}: {cause}. Land the whole file again, or remove it; nothing was "
        "published from it."
    )


def is_json_lines(path: Path) -> bool:
    """Whether a file's rows say their columns one by one, and may leave some out."""
    return _format(path) == "jsonl"


def _format(path: Path) -> str:
    name = path.name.lower()
    for ending in PACKED:
        name = name.removesuffix(ending)
    suffix = Path(name).suffix
    if suffix not in SUFFIXES:
        raise InputError(
            f"{path} has the ending {path.suffix!r}; landed files end in one of {list(SUFFIXES)}, and may be packed "
            f"({list(PACKED)}). Convert it, or move it out of the landing zone (names that begin with a dot, or end in "
            ".part or .tmp, are passed over)."
        )
    return {".ndjson": "jsonl", ".tsv": "csv", ".psv": "csv"}.get(suffix, suffix[1:])


# -- what is read is a plain file on this machine --------------------------------------------------------------------


@contextmanager
def _local_copy(path: Path, rules: CleaningRules, name: str) -> Iterator[Path]:
    """The file itself, or an unpacked or fetched copy that is removed afterwards.

    Raises:
        InputError: It unpacks to more than the rules allow.
        OSError, EOFError: It cannot be opened, or is cut off.
    """
    packed = path.suffix.lower()
    if packed not in PACKED and not is_remote(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="causalrec-") as folder:
        plain = Path(folder) / "plain"
        with path.open("rb") as source, plain.open("wb") as target:
            if packed not in PACKED:
                shutil.copyfileobj(source, target, STRETCH)
            else:
                allowed = max(LEAST_UNPACKED, rules.packed.ratio * path.stat().st_size)
                _unpack(source, packed, target, min(allowed, rules.packed.gb * 1024**3), name)
        yield plain


def _unpack(source: IO[bytes], packed: str, target: IO[bytes], most: float, name: str) -> None:
    written = 0
    for block in _gunzipped(source) if packed == ".gz" else _unzstd(source):
        written += len(block)
        if written > most:
            raise InputError(
                f"{name} unpacks to more than {most / 1024**2:,.0f} MB: more than a log of its size holds, and perhaps "
                "more than the disk does. If it is in order, land it in parts, or raise `packed` in cleaning.yaml; "
                "else remove it. Nothing was published from it."
            )
        target.write(block)


def _gunzipped(source: IO[bytes]) -> Iterator[bytes]:
    """Raises ValueError, EOFError or OSError: it is damaged or cut off."""
    import gzip
    import zlib

    with gzip.GzipFile(fileobj=source) as unpacked:
        while True:
            try:
                block = unpacked.read(STRETCH)
            except zlib.error as error:
                raise ValueError(f"it is damaged ({error})") from error
            if not block:
                return
            yield block


def _unzstd(source: IO[bytes]) -> Iterator[bytes]:
    """Raises ValueError: it is damaged or cut off."""
    import zstandard

    frame, rest, inside = zstandard.ZstdDecompressor().decompressobj(write_size=STRETCH), b"", True
    try:
        # Small steps: what one step unpacks is in memory whole.
        while block := rest or source.read(STRETCH // 64):
            yield frame.decompress(block)
            rest, inside = b"", not frame.eof
            if frame.eof:
                rest, frame = frame.unused_data, zstandard.ZstdDecompressor().decompressobj(write_size=STRETCH)
    except zstandard.ZstdError as error:
        raise ValueError(f"it is damaged ({error})") from error
    if inside:
        # Its stream reader would end here without a word.
        raise ValueError("it is cut off")


# -- the formats -----------------------------------------------------------------------------------------------------


def _parquet(path: Path, columns: Collection[str] | None, rows: int) -> Iterator[pl.DataFrame]:
    frame = scan_parquet(path)
    schema = frame.collect_schema()
    wanted = [name for name in schema if _asked(name, columns)]
    if not wanted:
        # Row numbers are counted, whichever columns are asked for.
        wanted = list(schema)[:1]
    any_piece = False
    for piece in frame.select(wanted).collect_batches(chunk_size=rows, maintain_order=True):
        any_piece = True
        yield piece
    if not any_piece:
        yield pl.DataFrame(schema={name: schema[name] for name in wanted})


def _asked(name: str, columns: Collection[str] | None) -> bool:
    return columns is None or name in columns
