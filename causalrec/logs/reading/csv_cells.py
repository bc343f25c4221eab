"""The records of a CSV text, strictly: what its writer cannot have meant is an error with its line.

A quote opens a cell only at its beginning; elsewhere in an unquoted cell it is a character like others. After the
closing quote, the cell is over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v"}
"""What letters behind an escape stand for, in the dumps of databases."""
END_OF_DUMP = "\\."


@dataclass(frozen=True)
class Grammar:
    """How cells are written.

    Attributes:
        quote: Empty: none.
        escape: Empty: none.
        letters: Whether a letter behind the escape stands for something else; otherwise one is an error.
        null: Whether an unquoted `\\N` is no value.
        returns: Whether lines end in a carriage return alone; otherwise one outside of quotes is an error.
        quotable: Whether a cell may begin with a double quote, where there is no quote; otherwise one is an error.
    """

    separator: str
    quote: str = '"'
    escape: str = ""
    letters: bool = False
    null: bool = False
    quotable: bool = True
    returns: bool = False


@dataclass(frozen=True)
class Record:
    """A record.

    Attributes:
        cells: None: no value.
        line: That it begins in.
        start, end: Where it stands in the text, its line end included.
        quoted: Whether its last cell is.
        ended: Whether it has a line end.
    """

    cells: list[str | None]
    line: int
    start: int
    end: int
    quoted: bool
    ended: bool


class CsvError(ValueError):
    """A record that cannot be meant as it is written, with its line."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line:,}: {message}")
        self.line = line


@cache
def _patterns(grammar: Grammar) -> tuple[re.Pattern[str], re.Pattern[str] | None]:
    separator, q, e = re.escape(grammar.separator), re.escape(grammar.quote), re.escape(grammar.escape)
    outside = rf"(?:(?!{separator})[^\r\n])*" if len(grammar.separator) > 1 else rf"[^{separator}\r\n]*"
    if e:
        plain = rf"(?!{separator})[^\r\n{e}]"
        outside = rf"(?:(?:{plain})+|{e}(?:\r\n|[\s\S]))*"
    if not q:
        return re.compile(outside), None
    twice = rf"{q}{q}" + (rf"|{e}[\s\S]" if e and e != q else "")
    stop = q + (e if e != q else "")
    return re.compile(outside), re.compile(rf"{q}([^{stop}]*(?:(?:{twice})[^{stop}]*)*){q}(?!{q})")


def records(text: str, grammar: Grammar, line: int = 1, final: bool = True) -> Iterator[Record]:
    """The records of a text that begins with one; blank lines are none.

    Args:
        line: The number of the text's first line.
        final: Whether the text ends here; otherwise a record without a line end is not given.

    Raises:
        CsvError: A record cannot be meant as it is written.
    """
    bare, quoted = _patterns(grammar)
    separator, at, size = grammar.separator, 0, len(text)
    while at < size:
        start, cells, in_quotes = at, list[str | None](), False
        while True:
            if quoted is not None and text.startswith(grammar.quote, at):
                match = quoted.match(text, at)
                if match is None or (match.end() == size and not final):
                    if not final:
                        return
                    opened = line + _lines(text, start, at)
                    message = 'a quote is left open (one that belongs to a cell is written twice: "a 5"" pipe")'
                    raise CsvError(opened, message)
                in_quotes, at = True, match.end()
                where = line + _lines(text, start, match.start())
                if at < size and not text.startswith((separator, "\r", "\n"), at):
                    shown = text[match.start() : at + 20][-60:]
                    message = (
                        f"after the quote that closes a cell comes {text[at]!r} ({shown!r}). A quote within a cell is "
                        "written twice; or say how it is written: csv: {escape: '\\'} or {quote: none} of the feed in "
                        "sources.yaml"
                    )
                    raise CsvError(where, message)
                cells.append(_inside(match[1], grammar, where))
            else:
                match = bare.match(text, at)
                assert match is not None
                in_quotes, at = False, match.end()
                raw = match[0]
                if not grammar.quotable and raw.startswith('"'):
                    raise CsvError(line + _lines(text, start, match.start()), DOUBTFUL_QUOTE)
                cells.append(_outside(raw, grammar, line + _lines(text, start, match.start())))
            if not text.startswith(separator, at):
                break
            at += len(separator)
        ended = at < size
        if not ended and not final:
            return
        if not final and at + 1 == size and text[at] in ("\r", grammar.escape):
            return  # A line feed may follow, or what is escaped.
        if ended and text[at] not in "\r\n":
            raise CsvError(line, f"it ends in the escape {text[at]!r}: the file was cut off")
        if ended and grammar.returns != (text[at] == "\r" and not text.startswith("\r\n", at)):
            raise CsvError(line, MIXED_ENDS)
        at += 2 if text.startswith("\r\n", at) else int(ended)
        blank = cells == [""] and not in_quotes
        if not blank and text[start:at].rstrip("\r\n") != END_OF_DUMP:
            yield Record(cells, line, start, at, in_quotes, ended)
        line += _lines(text, start, at)


DOUBTFUL_QUOTE = (
    "a cell begins with a quote, in a file whose escapes are those of a dump: say whether quotes stand around cells: "
    "csv: {quote: '\"'} or {quote: none} of the feed in sources.yaml"
)


MIXED_ENDS = (
    "a carriage return alone and a line feed both seem to end lines: one that belongs to a cell stands in quotes. "
    "Write the file with one kind of line end"
)


def _lines(text: str, start: int, end: int) -> int:
    feeds = text.count("\n", start, end)
    return feeds or (text.count("\r", start, end) if "\r" in text[start:end] else 0)


def _inside(raw: str, grammar: Grammar, line: int) -> str:
    if grammar.escape and grammar.escape != grammar.quote and grammar.escape in raw:
        return _unescaped(raw, grammar, line, twice=True)
    return raw.replace(grammar.quote * 2, grammar.quote)


def _outside(raw: str, grammar: Grammar, line: int) -> str | None:
    if grammar.null and raw == "\\N":
        return None
    if grammar.escape and grammar.escape != grammar.quote and grammar.escape in raw:
        return _unescaped(raw, grammar, line, twice=False)
    return raw


def _unescaped(raw: str, grammar: Grammar, line: int, twice: bool) -> str:
    out, at, e, q = list[str](), 0, grammar.escape, grammar.quote
    pattern = re.compile(re.escape(e) + r"(\r\n|[\s\S])" + (rf"|{re.escape(q)}{re.escape(q)}" if twice else ""))
    for match in pattern.finditer(raw):
        out.append(raw[at : match.start()])
        at, sign = match.end(), match[1]
        if sign is None:
            out.append(q)
        elif sign.isalnum():
            if not grammar.letters or sign not in ESCAPED:
                message = (
                    f"{e + sign!r} may be two characters or stand for another one: say which: csv: {{escape: none}} or "
                    f"{{escape: '{e}'}} of the feed in sources.yaml"
                )
                if grammar.letters:
                    message = (
                        f"{e + sign!r} is no escape that is known ({', '.join(e + letter for letter in ESCAPED)}); "
                        "if it is two characters, say csv: {escape: none} of the feed in sources.yaml"
                    )
                raise CsvError(line, message)
            out.append(ESCAPED[sign])
        else:
            out.append(sign)
    return "".join([*out, raw[at:]])
