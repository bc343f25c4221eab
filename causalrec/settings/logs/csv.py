"""How a feed's CSV files are written, as far as a person says it: `csv` of a feed in `data/sources.yaml`."""

from __future__ import annotations

import codecs
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, model_validator

from causalrec.settings.base import Settings
from causalrec.settings.kinds import Must, Names, Text, Wrong, whole

NONE = "none"
SEPARATORS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


def _separator(value: object) -> object:
    text = SEPARATORS.get(value, value) if isinstance(value, str) else value
    if text is None:
        return None
    if not isinstance(text, str) or not text or len(text) > 2 or text[0] in '\r\n"\\' or text[1:].strip():
        raise ValueError(value)
    return text


def _mark(value: object) -> object:
    if value is None or value == NONE:
        return value and ""
    if not isinstance(value, str) or len(value) != 1 or not value.isascii() or value.isalnum() or value.isspace():
        raise ValueError(value)
    return value


def _encoding(name: str) -> str:
    try:
        codec = codecs.lookup(name)
        "a".encode(name).decode(name)
    except (LookupError, UnicodeError, TypeError, AttributeError) as error:
        raise ValueError(name) from error
    return {"utf-8-sig": "utf-8"}.get(codec.name, codec.name)


Separator = Annotated[
    str | None, BeforeValidator(_separator), Must("one character, `tab`, or one with a blank behind it")
]
Mark = Annotated[str | None, BeforeValidator(_mark), Must(f"one mark, or `{NONE}`")]
Encoding = Annotated[
    Text, AfterValidator(_encoding), Must("an encoding that Python knows, such as utf-8, cp1252 or utf-16")
]


class CsvSettings(Settings):
    """What is said of CSV files; what is left out is found from each file.

    Attributes:
        separator: Between cells.
        quote: Around cells; `none`: a quote is a character like others.
        escape: Before a character that stands for itself, or for a line end or the like; `none`: a backslash is a
            character like others.
        encoding: A name that Python knows.
        decimal: Of numbers, `.` or `,`.
        columns: Names of the columns, where the files have no header.
        skip_lines: Lines above the header.
        last_line_end: Whether a file may end without a line end.
    """

    separator: Separator = None
    quote: Mark = None
    escape: Mark = None
    encoding: Encoding | None = None
    decimal: Annotated[Literal[".", ","], Must("'.' or ','")] = "."
    columns: Annotated[
        Names, Must("a list of names that are all different", lambda names: len(set(names)) == len(names))
    ] = ()
    skip_lines: Annotated[int, whole(0)] | None = None
    last_line_end: Literal["required", "optional"] = "required"

    @model_validator(mode="after")
    def _marks_differ(self) -> Self:
        marks = {"separator": self.separator, "quote": self.quote, "escape": self.escape}
        given = [mark for mark in marks.values() if mark]
        # As escape, the quote is how a quote within a cell is written anyway: twice.
        if len(set(given)) < len(given) and not (self.quote == self.escape != self.separator):
            raise Wrong("", "a separator, a quote and an escape that differ", {key: m for key, m in marks.items() if m})
        return self
