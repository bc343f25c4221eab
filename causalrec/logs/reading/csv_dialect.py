"""How a CSV file is written, found from its head: the same for the same bytes, and refused where two ways fit."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from causalrec.logs.reading.csv_cells import CsvError, Grammar, Record, records
from causalrec.settings.logs.csv import CsvSettings

HEAD = 1024**2
"""Bytes from which the way of writing is found."""
LOOKED_AT = 1000
"""Records from which it is found."""
SEPARATORS = (",", ";", "\t", "|", "\x01")
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes", "\x01": "control characters", ", ": "commas"}
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
SAY = "say it in sources.yaml, with the feed: csv: {{{}}}"
NULL = re.compile(r"(?<![^\n\r,;\t|\x01])\\N(?![^\n\r,;\t|\x01])")
"""`\\N` alone in a cell."""
MIND = re.compile(r"(?<!\\)(?:\\\\)*\\\"")
"""A quote behind a backslash that is not one of a pair."""


@dataclass(frozen=True)
class Dialect:
    """How a file is written.

    Attributes:
        encoding: Of the file, without its byte order mark.
        mark: The length of that mark in bytes.
        grammar: Of the cells.
        doubtful: Whether a backslash can still turn out to be an escape.
        header: The columns' names, without blanks around them; empty for a file without a record.
        header_text: The header as it stands there; empty where the file has none.
        body, line: Where the records below the header begin: bytes of the text in UTF-8, and the line.
        width: The characters of each of the last column's cells, where they have all the same.
    """

    encoding: str
    mark: int
    grammar: Grammar
    doubtful: bool = False
    header: tuple[str, ...] = ()
    header_text: str = ""
    body: int = 0
    line: int = 1
    width: int | None = None


def dialect_of(path: Path, settings: CsvSettings) -> Dialect:
    """Find how a file is written.

    Raises:
        ValueError: It is no text in a known encoding, or several ways fit; the message says what to say where.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
        whole = not file.read(1)
    encoding, mark = _encoding(head, settings)
    text = _decoded(head[mark:], encoding, whole)
    if not whole:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    start, line, separator = _above_the_header(text, settings)
    body = text[start:]
    grammar, doubtful = _grammar(body, settings, separator, whole, line)
    dialect = Dialect(encoding, mark, grammar, doubtful, body=len(text[:start].encode()), line=line)
    first_records = list(islice(records(body, grammar, line, whole), LOOKED_AT))
    if not first_records:
        return replace(dialect, header=settings.columns)
    first = tuple((cell or "").strip().strip("\ufeff\u200b") for cell in first_records[0].cells)
    if settings.columns and first != settings.columns:
        return replace(dialect, header=settings.columns, width=_width(first_records))
    if not settings.quote:
        _refuse_single_quotes(first_records)
    above = text[: start + first_records[0].end]
    return replace(
        dialect,
        header=first,
        header_text=body[first_records[0].start : first_records[0].end].rstrip("\r\n"),
        body=len(above.encode()),
        line=1 + (above.count("\n") or above.count("\r")),
        width=_width(first_records[1:]),
    )


def _encoding(head: bytes, settings: CsvSettings) -> tuple[str, int]:
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    if settings.encoding is not None:
        # Without a mark Python would take this machine's order of bytes.
        return {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}.get(settings.encoding, settings.encoding), 0
    even, odd = head[: 2 * HEAD : 2].count(0), head[1 : 2 * HEAD : 2].count(0)
    half = len(head) // 2
    if half >= 4 and max(even, odd) > half * 0.6 and min(even, odd) == 0:
        return ("utf-16-le" if odd else "utf-16-be"), 0
    return "utf-8", 0


def _decoded(head: bytes, encoding: str, whole: bool) -> str:
    try:
        text = codecs.getincrementaldecoder(encoding)("strict").decode(head, whole)
    except UnicodeDecodeError as error:
        raise ValueError(not_in(encoding, head, error, 1)) from None
    if (nul := text.find("\0")) >= 0:
        raise ValueError(f"line {text.count(chr(10), 0, nul) + 1:,} holds a NUL byte, so it is no text")
    return text


def not_in(encoding: str, block: bytes, error: UnicodeDecodeError, line: int) -> str:
    """What is said of bytes that are not in an encoding; `line` is the block's first."""
    line += block[: error.start].count(b"\n")
    if encoding == "utf-8":
        byte = f"byte {block[error.start]:#04x}"
        if "unexpected end" in error.reason:
            return f"line {line:,} ends inside of a character: the file was cut off"
        return (
            f"line {line:,} is not UTF-8 ({byte}): save the file in that encoding; or, if you know which it is, "
            + SAY.format("encoding: cp1252")
        )
    return f"line {line:,} is not in {encoding} ({error.reason})"


def _above_the_header(text: str, settings: CsvSettings) -> tuple[int, int, str | None]:
    """Where the first record begins, its line, and the separator that the file itself names."""
    at, line = 0, 1

    def next_line() -> str:
        end = re.compile(r"\r\n|\n|\r").search(text, at)
        return text[at : end.end() if end else len(text)]

    separator = None
    if named := re.fullmatch(r'"?sep=(\\t|[^"\r\n])"?', next_line().rstrip("\r\n"), re.IGNORECASE):
        separator, at, line = named[1].replace("\\t", "\t"), len(next_line()), 2
    if settings.skip_lines is not None:
        for _ in range(settings.skip_lines):
            at, line = at + len(next_line()), line + 1
        return at, line, separator
    comment = None
    while at < len(text) and (not next_line().strip() or next_line().startswith("#")):
        if next_line().startswith("#"):
            comment = (line, next_line())
        at, line = at + len(next_line()), line + 1
    if comment is not None:
        below = next_line()
        for sign in [settings.separator or separator] if settings.separator or separator else SEPARATORS:
            if sign and below.count(sign) and comment[1].count(sign) == below.count(sign):
                raise ValueError(
                    f"line {comment[0]:,} begins with `#` and has as many cells as the line below: whether it is the "
                    "header, nobody can know; "
                    + SAY.format(f"skip_lines: {line - 1}")
                    + f" if it is not, or {{skip_lines: {comment[0] - 1}}} if it is"
                )
    return at, line, separator


# -- separator, quote and escape -------------------------------------------------------------------------------------


def _grammar(text: str, settings: CsvSettings, named: str | None, whole: bool, line: int) -> tuple[Grammar, bool]:
    first_end = re.search(r"\r\n|\n|\r", text)
    returns = first_end is not None and first_end[0] == "\r" and (whole or first_end.end() < len(text))
    base = Grammar(",", quote='"' if settings.quote is None else settings.quote, returns=returns)
    dump = NULL.search(text) is not None
    if settings.escape is not None:
        escape = "" if settings.escape == base.quote else settings.escape
        base = replace(base, escape=escape, letters=True, null=settings.escape == "\\")
    elif dump:
        only_nulls = len(NULL.findall(text)) == text.count("\\")
        base = replace(base, null=True, escape="" if only_nulls else "\\", letters=not only_nulls)
    separator = named or settings.separator or _separator(text, base, whole, line)
    grammar = replace(base, separator=separator)
    if settings.escape is not None:
        return grammar, False
    if dump:
        if settings.quote is None and separator == "\t":
            grammar = _quoted_dump(text, grammar, whole)
        # Where only nulls were seen, another backslash may still be anything.
        return grammar, not grammar.escape
    if MIND.search(text) and separator != "\t":
        return _with_escape(text, grammar, whole, line)
    return grammar, True


def _separator(text: str, base: Grammar, whole: bool, line: int) -> str:
    first = re.split(r"\r\n|\n|\r", text, maxsplit=1)[0]
    candidates = [sign for sign in SEPARATORS if sign in first]
    if ", " in first and first.count(", ") == first.count(","):
        candidates = [", ", *candidates]
    counts = {sign: _counts(text, replace(base, separator=sign), whole) for sign in candidates}
    counts = {sign: cell_counts for sign, cell_counts in counts.items() if not cell_counts or cell_counts[0] > 1}
    even = [sign for sign, cell_counts in counts.items() if cell_counts and len(set(cell_counts)) == 1]
    if ", " in even:
        even.remove(",") if "," in even else None
    if len(even) == 1:
        return even[0]
    if len(even) > 1:
        ways = " or ".join(NAMES[sign] for sign in even)
        raise ValueError(f"line {line:,}: its cells may be parted by {ways}; " + SAY.format("separator: ..."))
    # None fits every line: the one that parts the header most, so that the line that does not fit is named.
    if candidates:
        return max((sign for sign in candidates if sign != ", "), key=first.count)
    return ","


def _counts(text: str, grammar: Grammar, whole: bool) -> list[int]:
    """How many cells the first records have; empty: they cannot be read in this way."""
    try:
        return [len(record.cells) for record in islice(records(text, grammar, final=whole), LOOKED_AT)]
    except CsvError:
        return []


def _quoted_dump(text: str, grammar: Grammar, whole: bool) -> Grammar:
    """A dump in tabs: of Postgres, in which a quote is a character, or with quotes around cells, as MySQL can."""
    if '"' not in text:
        return replace(grammar, quote="", quotable=False)
    inside, outside = _counts(text, grammar, whole), _counts(text, replace(grammar, quote=""), whole)
    begins = re.search(r'(?:^|[\t\n\r])"', text) is not None
    if not begins:
        return replace(grammar, quote="", quotable=False)
    if len(set(inside)) == 1 and len(set(outside)) == 1:
        raise ValueError(
            "its escapes are those of a dump, and cells begin with a quote: whether quotes stand around cells or "
            "belong to them, nobody can know; " + SAY.format("quote: '\"'") + " or {quote: none}"
        )
    return replace(grammar, quote="") if len(set(outside)) == 1 else grammar


def _with_escape(text: str, grammar: Grammar, whole: bool, line: int) -> tuple[Grammar, bool]:
    """A backslash stands before a quote: it escapes the quote, or it does not, and only one of them gives records."""
    escaped = replace(grammar, escape="\\")
    literal_fits, escaped_fits = (len(set(_counts(text, g, whole))) == 1 for g in (grammar, escaped))
    if literal_fits and escaped_fits:
        match = MIND.search(text)
        at = line + text.count("\n", 0, match.start() if match else 0)
        raise ValueError(f"line {at:,}: {both_ways()}")
    # Where neither fits, the error of the usual way is said when it is read.
    return (escaped, False) if escaped_fits else (grammar, False)


def both_ways() -> str:
    """What is said of a backslash before a quote that may be an escape."""
    return (
        "whether the backslash before a quote belongs to the cell or escapes the quote, nobody can know; "
        + SAY.format("escape: '\\'")
        + " or {escape: none}"
    )


def _refuse_single_quotes(first_records: Sequence[Record]) -> None:
    for cells in zip(
        *(record.cells for record in first_records[1:] if len(record.cells) == len(first_records[0].cells)), strict=True
    ):
        some = [cell for cell in cells if cell]
        if some and all(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in some):
            raise ValueError(
                f"line {first_records[1].line:,}: cells such as {some[0][:40]} stand in single quotes; "
                + SAY.format('quote: "\'"')
                + " if these are no part of them, or {quote: '\"'} if they are"
            )


def _width(first_records: Sequence[Record]) -> int | None:
    widths = {len(record.cells[-1] or "") for record in first_records if record.ended}
    return widths.pop() if len(widths) == 1 else None
