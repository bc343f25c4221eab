"""A good day is not replaced by fewer rows unnoticed: a fall is refused until a person says that it is right.

An export that failed, a folder that was deleted and a day that was corrected look alike from here. The person's word is
the marker `_FEWER` in the day's folder (of items and users: in theirs), which holds the number that is right. It lies
beside the files, so a build from nothing finds it too, and it says nothing of a later fall below that number.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from causalrec.answers import InputError

ROWS = "rows"


def numbers_of(path: Path) -> dict[str, int]:
    """What a marker says: a number of rows, or lines `rows: N` and `OUTCOME: N`.

    Raises:
        InputError: It says something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}. {_holds()}") from error
    numbers: dict[str, int] = {}
    for line in text.splitlines():
        name, colon, number = line.strip().rpartition(":")
        if line.strip():
            if not number.strip().isdecimal() or (colon and not name.strip()):
                raise InputError(f"{path} says {line.strip()[:80]!r}. {_holds()}")
            numbers[name.strip() or ROWS] = int(number)
    if not numbers:
        raise InputError(f"{path} is empty. {_holds()}")
    return numbers


def _holds() -> str:
    return "It must hold the number of rows that is right although it is fewer than before, e.g. `120`, or `click: 3`."


def too_few(now: int, before: int, share: float, rows: int) -> bool:
    """Whether a number fell from some to none, or by more than a share of it and at least so many."""
    fell = before - now
    return fell > 0 and (now == 0 or (fell > share * before and fell >= rows))


def fallen(
    what: str, now: Mapping[str, int], before: Mapping[str, int], allowed: Mapping[str, int], share: float, rows: int
) -> list[str]:
    """The numbers that fell by too much and are not allowed for, in words.

    Args:
        what: The table and its day.
        now, before: `rows` or an outcome -> how many.
        allowed: The least that a person says is right.
    """
    sentences = []
    for name, number in now.items():
        was = before.get(name, 0)
        if too_few(number, was, share, rows) and number < allowed.get(name, was):
            sentences.append(f"{what} would fall from {was:,} {name} to {number:,}")
    return sentences
