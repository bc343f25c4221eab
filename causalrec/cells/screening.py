"""A glance at every text of a column, so that dear questions are asked of few.

Each question (is it a gap? a number that was rounded? does it hold a letter that was lost?) costs tens of nanoseconds a
text when it is asked by a pattern, and a day has a hundred million texts. Arrow keeps of each text its length and first
four bytes side by side, and the rest behind it up to twelve: a look at those is enough to pass over nearly all.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt
import polars as pl

INLINE = 12
"""Bytes of a text that stand in Arrow's view of it."""
HIGH = np.uint64(0x8080_8080_8080_8080)
ONES = 0x0101_0101_0101_0101
BLANKS = " \t\n\r\v\f"
BLANK = max(BLANKS.encode())


def maybe_one_of(values: pl.Series, words: Iterable[str]) -> pl.Series:
    """Where texts stand that may be empty, blank, or one of some words with blanks around; the others are none."""
    first = _first_bytes(values)
    likely = _table(tuple(words))[_hash(first)] | ((first & 0xFF) <= BLANK)
    return _positions(likely)


def maybe_numerals(values: pl.Series, longest: int) -> pl.Series:
    """Where texts stand that begin with a digit or a sign and are no longer than so many bytes."""
    views = _views(values)
    letter = views[:, 1] & 0xFF
    return _positions((letter >= ord("+")) & (letter <= ord("9")) & (views[:, 0] <= longest))


def is_ascii(values: pl.Series) -> bool:
    """Whether surely no text holds a letter beyond ASCII."""
    behind = _behind(values)
    if behind is None:
        return int(values.str.len_bytes().sum()) == int(values.str.len_chars().sum())
    views = _views(values)
    if (views[:, 1] & np.uint32(0x8080_8080)).any() or (_rest(views) & HIGH).any():
        return False
    return not any((words & HIGH).any() or (last & 0x80).any() for words, last in behind)


def may_hold(values: pl.Series, letters: bytes) -> bool:
    """Whether some text may hold one of some letters of ASCII."""
    behind = _behind(values)
    if behind is None:
        return True
    views = _views(values)
    first, rest = views[:, 1].copy(), _rest(views)
    for letter in letters:
        every = np.uint64(letter * ONES)
        if _zero_byte(first ^ every.astype(np.uint32)) or _zero_byte(rest ^ every):
            return True
        if any(_zero_byte(words ^ every) or (last == letter).any() for words, last in behind):
            return True
    return False


def _zero_byte(words: npt.NDArray[np.uint64] | npt.NDArray[np.uint32]) -> bool:
    """Whether a byte of some word is 0 (Mycroft's trick)."""
    one, high = (words.dtype.type(pattern & (256**words.dtype.itemsize - 1)) for pattern in (ONES, int(HIGH)))
    return bool(((words - one) & ~words & high).any())


def _rest(views: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint64]:
    """The fifth to twelfth byte of each text that stands in its view; 0 for the others."""
    return views.view(np.uint64)[:, 1] * (views[:, 0] <= INLINE)


def _behind(values: pl.Series) -> list[tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]] | None:
    """What stands behind longer texts, in words and the bytes that are left; None where it is mostly others'."""
    buffers = values.to_arrow(compat_level=pl.CompatLevel.newest()).buffers()[2:]
    parts = [np.frombuffer(buffer, np.uint8) for buffer in buffers if buffer is not None and buffer.size]
    if sum(map(len, parts)) > 1024 + 4 * int(values.str.len_bytes().sum() or 0):
        return None
    ends = [len(part) // 8 * 8 for part in parts]
    return [(part[:end].view(np.uint64), part[end:]) for part, end in zip(parts, ends, strict=True)]


def _views(values: pl.Series) -> npt.NDArray[np.uint32]:
    """Length, first four bytes, and eight more, of each text; of a null whatever stands there."""
    arrow = values.to_arrow(compat_level=pl.CompatLevel.newest())
    views = np.frombuffer(arrow.buffers()[1], np.uint32).reshape(-1, 4)
    return views[arrow.offset : arrow.offset + len(arrow)]


def _first_bytes(values: pl.Series) -> npt.NDArray[np.uint32]:
    return _views(values)[:, 1].copy()


def _hash(first: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    return (first * np.uint32(2_654_435_761)) >> np.uint32(20)


@lru_cache(maxsize=64)
def _table(words: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    table = np.zeros(4096, bool)
    for word in words:
        letters = word.encode()
        # A shorter word ends there, or goes on with blanks.
        for length in range(max(4 - len(letters), 0) + 1):
            for after in product(BLANKS.encode(), repeat=length):
                first = (letters + bytes(after) + bytes(4))[:4]
                table[_hash(np.frombuffer(first, np.uint32))] = True
    return table


def _positions(likely: npt.NDArray[np.bool_]) -> pl.Series:
    return pl.Series(np.flatnonzero(likely).astype(np.uint32))
