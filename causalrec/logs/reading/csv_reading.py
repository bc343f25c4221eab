"""Reading a CSV file as its writer meant it, every cell as text, some rows at a time.

A stretch of plain records is read by pyarrow, after it was seen that its quotes can only mean one thing; what is not
plain is read record by record: slower by some times, and exact.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from causalrec.logs.reading.csv_cells import CsvError, Grammar, Record, records
from causalrec.logs.reading.csv_dialect import MIND, NULL, SAY, Dialect, both_ways, dialect_of, not_in
from causalrec.settings.logs.csv import CsvSettings

LONGEST = 64 * 1024**2
"""Bytes of a record, line ends within quotes included, unless another bound is given."""
END = re.compile(r"^\\\.[\r\n]*\Z", re.MULTILINE)
"""How a dump of Postgres says its end."""
TWO = "\\\\"
SLOW_ROWS = 50_000
"""Records that are read one by one make a piece."""


def csv_header(path: Path, settings: CsvSettings) -> list[str]:
    """The names of the columns that have one.

    Raises:
        ValueError: How the file is written cannot be found.
    """
    return [name for name in _dialect(path, settings).header if name]


def csv_pieces(
    path: Path, columns: Collection[str] | None, settings: CsvSettings, block: int, longest: int = LONGEST
) -> Iterator[pl.DataFrame]:
    """The rows in their order.

    Args:
        columns: Only these; those that the file does not have are passed over. None: all that have a name.
        block: Bytes that are read at a time.

    Raises:
        ValueError: A record cannot be meant as it is written, or the file was cut off; the line is named.
    """
    dialect = _dialect(path, settings)
    wanted = _wanted(dialect.header, columns)
    reader = _Reader(dialect, wanted, settings, columns is not None)
    rest, line = b"", dialect.line
    for text, final in _text(path, dialect, block):
        part = rest + text
        yield from reader.frames(part, line, final)
        rest = part[reader.taken :]
        line += _line_ends(part[: reader.taken])
        if len(rest) > longest:
            raise ValueError(
                f"line {line:,}: its record is longer than {longest / 1024**2:g} MB: a quote that is left open? If it "
                "is in order, raise `reading.line_mb` in cleaning.yaml"
            )


def _dialect(path: Path, settings: CsvSettings) -> Dialect:
    stat = path.stat()
    return _found(path, settings, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _found(path: Path, settings: CsvSettings, modified_ns: int, size: int) -> Dialect:
    # Looked at once, while it is not written to.
    return dialect_of(path, settings)


def _wanted(header: Sequence[str], columns: Collection[str] | None) -> dict[int, str]:
    """Where the columns stand that are asked for. What has no name is not asked for: an index, or a last separator."""
    wanted = {k: name for k, name in enumerate(header) if name and (columns is None or name in columns)}
    if twice := sorted(name for name, times in Counter(wanted.values()).items() if times > 1):
        raise ValueError(f"the header has {twice} more than once")
    # Row numbers are counted, whichever columns are asked for.
    return wanted or dict(list(enumerate(header))[:1])


def _text(path: Path, dialect: Dialect, block: int) -> Iterator[tuple[bytes, bool]]:
    """The text below the header in UTF-8, checked; with whether it is the last of it."""
    decoder = codecs.getincrementaldecoder(dialect.encoding)("strict")
    line, skip = 1, dialect.body
    with path.open("rb") as file:
        file.seek(dialect.mark)
        read = file.read(block)
        while True:
            following = file.read(block)
            final = not following
            try:
                text = decoder.decode(read, final)
            except UnicodeDecodeError as error:
                raise ValueError(not_in(dialect.encoding, error.object, error, line)) from None
            if "\0" in text:
                nul = line + text.count("\n", 0, text.find("\0"))
                raise ValueError(f"line {nul:,} holds a NUL byte, so it is no text")
            line += text.count("\n")
            data = text.encode()
            yield data[skip:], final
            skip = max(0, skip - len(data))
            if final:
                return
            read = following


def _whole_lines(text: bytes, wanted: bytes) -> Iterator[tuple[int, int]]:
    """Where lines stand that are just this, their line ends included."""
    at = 0
    while at >= 0:
        if text.startswith(wanted, at):
            end = at + len(wanted)
            end += text.startswith(b"\r\n", end)
            if end == len(text) or text.startswith(b"\n", end):
                yield at, min(end + 1, len(text))
        at = text.find(b"\n" + wanted, at) + 1 or -1


def _line_ends(text: bytes) -> int:
    return text.count(b"\n") or text.count(b"\r")


class _Reader:
    """Reads stretches of text that begin with a record; `taken` says how much of the last one."""

    def __init__(self, dialect: Dialect, wanted: dict[int, str], settings: CsvSettings, mapped: bool) -> None:
        self.dialect, self.wanted, self.said = dialect, wanted, settings
        self.taken = 0
        self.quotes_settled = False
        # Of what nobody maps, nothing is garbled.
        self.unsure = mapped and dialect.doubtful and not dialect.grammar.null
        separator = re.escape(dialect.grammar.separator.encode())
        self._nulls = re.compile(rb"(?:(?<=" + separator + rb")|(?<=\n)|\A)\\N(?=" + separator + rb"|\r?\n|\Z)")
        self._begins = re.compile(rb"(?:" + separator + rb"|\n|\A)\"")
        nothing = dialect.grammar.separator * (len(dialect.header) - 1)
        # A spreadsheet writes rows below the last that was ever filled.
        again = [dialect.header_text, "\ufeff" + dialect.header_text] if dialect.header_text else []
        self._no_rows = [line.encode() for line in (*again, nothing) if line]

    def frames(self, part: bytes, line: int, final: bool) -> Iterator[pl.DataFrame]:
        """Rows of the records that end in a stretch."""
        end = self._plain_end(part, final)
        if end is None:
            yield from self._one_by_one(part, line, final)
            return
        self.taken = end
        whole = part[:end]
        if final and whole and not whole.endswith((b"\n", b"\r")):
            self._require_whole(whole, line)
        for stretch, first in self._between_no_rows(whole, line):
            if stretch.strip(b"\r\n"):
                yield self._arrow(stretch, first)

    # -- what is plain -----------------------------------------------------------------------------------------------

    def _plain_end(self, part: bytes, final: bool) -> int | None:
        """Where the last whole record ends, if pyarrow reads all records before as they are meant; else None."""
        grammar = self.dialect.grammar
        if len(grammar.separator) > 1 or not self._backslashes_are_plain(part):
            return None
        if final and part.rstrip(b"\r\n").endswith(b"\n\\."):
            return None
        if part.count(b"\r") != part.count(b"\r\n") + (part.endswith(b"\r") and not final):
            return None
        quote = grammar.quote.encode()
        if not quote or quote not in part:
            if not grammar.quotable and self._begins.search(part):
                return None
            return len(part) if final else part.rfind(b"\n") + 1
        data = np.frombuffer(part, np.uint8)
        quotes = np.flatnonzero(data == quote[0])
        if final:
            if len(quotes) % 2:
                return None
            end = len(part)
        else:
            ends = np.flatnonzero(data == ord("\n"))
            outside = np.flatnonzero(np.searchsorted(quotes, ends) % 2 == 0)
            if not len(outside):
                return None if _odd(data, quotes[: len(quotes) // 2 * 2], grammar) else 0
            end = int(ends[outside[-1]]) + 1
            quotes = quotes[quotes < end]
        return None if _odd(data[:end], quotes, grammar) else end

    def _backslashes_are_plain(self, part: bytes) -> bool:
        grammar = self.dialect.grammar
        escape = (grammar.escape or "\\").encode()
        if escape not in part:
            return True
        if grammar.escape or grammar.null:
            return grammar.null and len(self._nulls.findall(part)) == part.count(b"\\")
        # Where it was said, or where nothing speaks for an escape, a backslash is a character like others.
        return not self.dialect.doubtful or (
            grammar.separator != "\t"
            and self._nulls.search(part) is None
            and (self.quotes_settled or b'\\"' not in part)
        )

    def _between_no_rows(self, text: bytes, line: int) -> Iterator[tuple[bytes, int]]:
        """The stretches between lines of no cell, and headers: files that were written into one have several."""
        at, quote = 0, self.dialect.grammar.quote.encode()
        for start, end in sorted(span for wanted in self._no_rows for span in _whole_lines(text, wanted)):
            if quote and text.count(quote, 0, start) % 2:
                continue  # It stands in a cell.
            yield text[at:start], line + text.count(b"\n", 0, at)
            at = end
        yield text[at:], line + text.count(b"\n", 0, at)

    def _arrow(self, text: bytes, line: int) -> pl.DataFrame:
        import pyarrow as pa  # type: ignore[import-untyped]
        from pyarrow import csv as arrow_csv

        grammar = self.dialect.grammar
        names = [str(k) for k in range(len(self.dialect.header))]
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(text),
                read_options=arrow_csv.ReadOptions(
                    column_names=names, use_threads=False, block_size=min(len(text) + 1, 2**31 - 1)
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=grammar.separator, quote_char=grammar.quote or False, newlines_in_values=True
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    include_columns=[str(k) for k in self.wanted],
                    strings_can_be_null=True,
                    null_values=["", "\\N"] if grammar.null else [""],
                    quoted_strings_can_be_null=not grammar.null,
                ),
            )
        except pa.ArrowInvalid as error:
            for record in records(text.decode(), grammar, line):
                self._require_cells(record)
            raise ValueError(f"from line {line:,} on: {error}") from error
        frame = pl.from_arrow(table)
        assert isinstance(frame, pl.DataFrame)
        frame.columns = list(self.wanted.values())
        if self.unsure and b"\\\\" in text and any(values.str.contains(TWO, literal=True).any() for values in frame):
            for record in records(text.decode(), grammar, line):
                self._require_no_pair(record)
        # A quoted \\N is a text, and a quoted nothing is nothing all the same.
        return frame.with_columns(pl.all().replace("", None)) if grammar.null else frame

    # -- what is not -------------------------------------------------------------------------------------------------

    def _one_by_one(self, part: bytes, line: int, final: bool) -> Iterator[pl.DataFrame]:
        text = part.decode()
        self._settle(END.sub("", text) if final else text[: max(text.rfind("\n"), text.rfind("\r")) + 1], line, final)
        rows, end = list[list[str | None]](), 0
        for record in records(text, self.dialect.grammar, line, final):
            end = record.end
            self._require_cells(record)
            if self.unsure:
                self._require_no_pair(record)
            if text[record.start : record.end].rstrip("\r\n").encode() in self._no_rows:
                continue
            if not record.ended:
                self._require_end(record)
            rows.append([record.cells[k] or None for k in self.wanted])
            if len(rows) == SLOW_ROWS:
                yield self._frame(rows)
                rows = []
        self.taken = len(part) if final else len(text[:end].encode())
        if rows:
            yield self._frame(rows)

    def _frame(self, rows: Sequence[Sequence[str | None]]) -> pl.DataFrame:
        columns = zip(self.wanted.values(), zip(*rows, strict=True), strict=True)
        return pl.DataFrame([pl.Series(name, cells, pl.String) for name, cells in columns])

    def _settle(self, text: str, line: int, final: bool) -> None:
        """Refuse a backslash that may be an escape, where nothing in the file's head has told."""
        grammar = self.dialect.grammar
        if grammar.escape or not self.dialect.doubtful:
            return
        dump = list(NULL.finditer(text))
        if grammar.null and len(dump) == text.count("\\"):
            return
        backslash = re.search(r"\\(?!N)", text) if grammar.null else dump[0] if dump else None
        if backslash is None and grammar.separator == "\t":
            backslash = re.search(r"\\", text)
        if backslash is not None:
            at = line + text.count("\n", 0, backslash.start())
            shown = text[max(0, backslash.start() - 10) : backslash.start() + 10]
            raise ValueError(
                f"line {at:,}: whether the backslash in {shown!r} is an escape, as in the dump of a database, or a "
                "character like others, nobody can know; " + SAY.format("escape: '\\'") + " or {escape: none}"
            )
        if not self.quotes_settled and (backslash := MIND.search(text)):
            usual, escaped = (self._read_to(text, line, final, g) for g in (grammar, _escaped(grammar)))
            if usual is not None and escaped is not None and escaped >= usual:
                raise ValueError(f"line {line + text.count(chr(10), 0, backslash.start()):,}: {both_ways()}")
            # Of a file that does not escape quotes here, no later line can say that it does.
            self.quotes_settled = usual is not None

    def _read_to(self, text: str, line: int, final: bool, grammar: Grammar) -> int | None:
        """Where the last whole record ends; None: the text cannot be read in this way."""
        end = 0
        try:
            for record in records(text, grammar, line, final):
                if not self._fits(record):
                    return None
                end = record.end
        except CsvError:
            return None
        return end

    def _fits(self, record: Record) -> bool:
        return len(record.cells) == len(self.dialect.header)

    def _require_cells(self, record: Record) -> None:
        if not self._fits(record):
            has, of = len(record.cells), len(self.dialect.header)
            shown = (self.dialect.grammar.separator.join(cell or "" for cell in record.cells))[:80]
            raise ValueError(
                f"line {record.line:,} has {has} cell(s) and the header has {of}: {shown!r}. If the header is a later "
                "line, " + SAY.format("skip_lines: ...") + ", and {separator: ...} if cells are parted by another sign"
            )

    def _require_no_pair(self, record: Record) -> None:
        if pair := next((cell for k in self.wanted if (cell := record.cells[k] or "") and TWO in cell), None):
            raise ValueError(
                f"line {record.line:,}: whether the two backslashes in {pair[:80]!r} are two, or the escape of one, "
                "nobody can know; " + SAY.format("escape: '\\'") + " or {escape: none}"
            )

    # -- the end -----------------------------------------------------------------------------------------------------

    def _require_whole(self, text: bytes, line: int) -> None:
        """A last line without a line end is whole where its last cell shows it."""
        at = text.rfind(b"\n") + 1
        quote = self.dialect.grammar.quote.encode()
        while at and quote and text.count(quote, 0, at) % 2:
            at = text.rfind(b"\n", 0, at - 1) + 1
        for record in records(text[at:].decode(), self.dialect.grammar, line + text.count(b"\n", 0, at)):
            self._require_cells(record)
            self._require_end(record)

    def _require_end(self, record: Record) -> None:
        if self.said.last_line_end == "optional" or record.quoted:
            return
        last = record.cells[-1] or ""
        if self.dialect.width is None or len(last) != self.dialect.width:
            raise ValueError(
                f"line {record.line:,} is the last and has no line end: it may be cut off inside of its last cell, "
                f"{last[-40:]!r}. If whatever writes these files never ends the last line, "
                + SAY.format("last_line_end: optional")
            )


def _odd(data: np.ndarray, quotes: np.ndarray, grammar: Grammar) -> bool:
    """Whether a quote stands where neither a cell begins or ends nor another quote makes a pair with it."""
    if not len(quotes):
        return False
    opening, closing = quotes[0::2], quotes[1::2]
    marks = np.array([ord(grammar.separator), ord("\n"), ord("\r")], np.uint8)
    before = data[np.maximum(opening - 1, 0)]
    begins = (opening == 0) | np.isin(before, marks)
    begins[1:] |= opening[1:] == closing[: len(opening) - 1] + 1
    after = data[np.minimum(closing + 1, len(data) - 1)]
    ends = (closing + 1 == len(data)) | np.isin(after, marks)
    ends[: len(opening) - 1] |= closing[: len(opening) - 1] + 1 == opening[1:]
    return not (begins.all() and ends.all())


def _escaped(grammar: Grammar) -> Grammar:
    return replace(grammar, escape="\\")
