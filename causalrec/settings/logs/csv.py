"""How a feed's CSV files are written, as far as a person says it: `csv` of a feed in `data/sources.yaml`."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass

from causalrec.settings.base import Values

NONE = "none"
KEYS = {"separator", "quote", "escape", "encoding", "decimal", "columns", "skip_lines", "last_line_end"}


@dataclass(frozen=True)
class CsvSettings:
    """What is said; None: it is found from each file.

    Attributes:
        separator: Between cells.
        quote: Around cells; empty: a quote is a character like others.
        escape: Before a character that stands for itself, or for a line end or the like; empty: a backslash is a
            character like others.
        encoding: A name that Python knows.
        decimal: Of numbers, `.` or `,`.
        columns: Names of the columns, where the files have no header.
        skip_lines: Lines above the header.
        last_line_end: Whether a file may end without a line end.
    """

    separator: str | None = None
    quote: str | None = None
    escape: str | None = None
    encoding: str | None = None
    decimal: str = "."
    columns: tuple[str, ...] = ()
    skip_lines: int | None = None
    last_line_end: str = "required"


def parse_csv(yaml: Values, key: str, value: object) -> CsvSettings:
    """A feed's `csv`.

    Raises:
        InputError: An unknown key or a value of the wrong kind.
    """
    given = yaml.mapping(key, value or {})
    yaml.known(key, given, KEYS)
    columns = yaml.names(f"{key}.columns", given.get("columns"))
    if len(set(columns)) < len(columns):
        raise yaml.wrong(f"{key}.columns", "names that are all different", list(columns))
    skip = given.get("skip_lines")
    found = CsvSettings(
        separator=_separator(yaml, f"{key}.separator", given.get("separator")),
        quote=_character(yaml, f"{key}.quote", given),
        escape=_character(yaml, f"{key}.escape", given),
        encoding=_encoding(yaml, f"{key}.encoding", given.get("encoding")),
        decimal=yaml.one_of(f"{key}.decimal", given.get("decimal", "."), (".", ",")),
        columns=columns,
        skip_lines=None if skip is None else yaml.whole(f"{key}.skip_lines", skip, 0),
        last_line_end=yaml.one_of(
            f"{key}.last_line_end", given.get("last_line_end", "required"), ("required", "optional")
        ),
    )
    said = [part for part in (found.separator, found.quote, found.escape) if part]
    # As escape, the quote is how a quote within a cell is written anyway: twice.
    if len(set(said)) < len(said) and not (found.quote == found.escape != found.separator):
        raise yaml.wrong(key, "a separator, a quote and an escape that differ", dict(given))
    return found


def _separator(yaml: Values, key: str, value: object) -> str | None:
    if value is None:
        return None
    text = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}.get(str(value), value)
    if not isinstance(text, str) or not text or len(text) > 2 or text[0] in '\r\n"\\' or text[1:].strip():
        raise yaml.wrong(key, "one character, `tab`, or one with a blank behind it", value)
    return text


def _character(yaml: Values, key: str, given: Mapping[str, object]) -> str | None:
    value = given.get(key.rsplit(".", 1)[1])
    if value is None:
        return None
    if value == NONE:
        return ""
    if not isinstance(value, str) or len(value) != 1 or not value.isascii() or value.isalnum() or value.isspace():
        raise yaml.wrong(key, f"one mark, or `{NONE}`", value)
    return value


def _encoding(yaml: Values, key: str, value: object) -> str | None:
    if value is None:
        return None
    name = yaml.text(key, value)
    try:
        found = codecs.lookup(name)
        "a".encode(name).decode(name)
    except (LookupError, UnicodeError, TypeError, AttributeError) as error:
        raise yaml.wrong(key, "an encoding that Python knows, such as utf-8, cp1252 or utf-16", name) from error
    return {"utf-8-sig": "utf-8"}.get(found.name, found.name)
