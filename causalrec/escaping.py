"""Text of others where it is shown: one function for each place.

Titles, ids, names of columns and files, reasons, findings: all of it comes from files that somebody else wrote. Each
place has letters that mean something there; these functions give back text that is shown as it is and means nothing.
"""

from __future__ import annotations

import html as _html
import re

_LINKED = re.compile(r"https?:|www\.|@|://", re.IGNORECASE)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$&^=:\"'/])")
_JOINERS = "\u200c\u200d"
"""Of letters in Persian and of parts of an emoji; they turn nothing."""
_BACKTICKS = re.compile(r"`+")


def plain(text: object) -> str:
    """One line of letters that are printed: no line breaks, no cursor moves or colours, no turned directions."""
    return "".join(letter if letter.isprintable() or letter in _JOINERS else " " for letter in str(text))


def lines(text: object, indent: str = "  ") -> str:
    """Text that may have several lines; the second and later ones are indented, so none passes for a line of a log."""
    return f"\n{indent}".join(plain(line) for line in str(text).splitlines())


def html(text: object) -> str:
    """Text inside of an element or of a quoted attribute."""
    return _html.escape("\n".join(plain(line) for line in str(text).split("\n")))


def markdown(text: object, cell: bool = False) -> str:
    """Text in Dagster's markdown, within a line.

    A backslash before each letter that means something; but what looks like an address becomes a link after the
    backslashes are gone, so that a text with one stands as code, where nothing is read.

    Args:
        cell: Of a table, which takes a bar for the next cell even in code.
    """
    # Blanks at the beginning of a line make code of it.
    line = plain(text).strip()
    if not _LINKED.search(line):
        return _MARKDOWN.sub(r"\\\1", line)
    longest = max((len(run) for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * (longest + 1)
    code = f"{fence} {line} {fence}"
    return code.replace("|", "\\|") if cell else code


def dot(text: object) -> str:
    r"""Text as a quoted name of graphviz; in labels a backslash begins an escape such as \n, so it is doubled.

    Two texts have two names; what is shown of one is `dot(plain(text))`.
    """
    return '"' + str(text).replace("\0", "\ufffd").replace("\\", "\\\\").replace('"', '\\"') + '"'


def plot(text: object) -> str:
    """Text of a matplotlib figure, which takes what stands between dollars for a formula."""
    return plain(text).replace("$", r"\$")


def slack(text: object) -> str:
    """Text in Slack's messages, which read <!channel> and <@U1> as calls. Lines stay; nothing else moves a cursor."""
    shown = "\n".join(plain(line) for line in str(text).split("\n"))
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
