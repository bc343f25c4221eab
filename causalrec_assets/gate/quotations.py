"""What is kept of a message for good does not repeat what a landed row says.

A refusal stays in the lake, and a run's metadata stay in Dagster's database, where nobody can be forgotten. A message
about a row names file, row, column and what was expected; the value itself is shown as its shape: `'u-17@x.org'` as
`'a-99@a.aaa'`, which tells a wrong format as well.
"""

from __future__ import annotations

import re
import unicodedata

ABOUT_A_ROW = re.compile(r"\b(?:row|line) #?\d+\b", re.IGNORECASE)
GIVEN = re.compile(r"(?<=` is ).+?(?=, which )", re.DOTALL)
QUOTED = re.compile(r"""(?<=[\s(\[{=:,])(b?)(['"])((?:\\.|[^\\])*?)\2(?=[\s,.;:)\]}]|$)""", re.DOTALL)
SMALL = re.compile(r"-?\d{1,4}(?:\.\d{1,4})?|nan|inf")
"""A number of so few digits is nobody's."""
REST_OF_A_LINE = re.compile(
    r"(is no JSON \([^)]*\)|Expected \d+ columns, got \d+): .*?(?=\. (?:Land|Correct|It) |$)", re.DOTALL
)
NO_VALUE = ("", "-", "--", "?", ".", "\\n", "null", "none", "nil", "nan", "na", "n/a", "n.a.", "inf", "-inf", "missing")
YES_OR_NO = ("true", "false", "yes", "no", "on", "off", "y", "n", "t", "f")
HARMLESS = frozenset((*NO_VALUE, *YES_OR_NO, "unknown", "undefined"))
"""Words that stand for no value or for yes and no; they are nobody's."""


def without_quotations(message: str) -> str:
    """A message in which what it quotes of landed rows is shown as its shape; other messages stay as they are."""
    about = ABOUT_A_ROW.search(message)
    if about is None:
        return message
    before, after = message[: about.start()], message[about.start() :]
    after = REST_OF_A_LINE.sub(r"\1", after)
    after = GIVEN.sub(lambda match: match[0] if SMALL.fullmatch(match[0]) else _shape_of_given(match[0]), after)
    return before + QUOTED.sub(lambda match: f"{match[1]}{match[2]}{shape_of(match[3])}{match[2]}", after)


def _shape_of_given(value: str) -> str:
    mark = value[0] if value[0] in "'\"" and value[0] == value[-1] and len(value) > 1 else ""
    return f"{mark}{shape_of(value[len(mark) : len(value) - len(mark)])}{mark}"


def shape_of(text: str) -> str:
    """Letters as `a` or `A`, digits as `9`, all else as it is; a word that means "no value", or yes or no, stays."""
    if text.strip().lower() in HARMLESS:
        return text
    return "".join(map(_shape, text))


def _shape(character: str) -> str:
    kind = unicodedata.category(character)
    if kind[0] == "N":
        return "9"
    if kind[0] in "LM":
        return "A" if kind == "Lu" else "a"
    return character
