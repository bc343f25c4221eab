"""A glance passes over no text that the question is about."""

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from causalrec.cells.ids import LOST, ROUNDED, WITH_POINT
from causalrec.cells.missing import SPELLINGS
from causalrec.cells.screening import BLANKS as ASCII_BLANKS
from causalrec.cells.screening import is_ascii, may_hold, maybe_numerals, maybe_one_of

WORDS = (*SPELLINGS, "-", "é", "no user")
BLANKS = st.text(st.sampled_from(" \t\n\r\u00a0"), max_size=3)
TEXTS = st.one_of(
    st.text(max_size=40),
    st.text(st.sampled_from("0123456789.+eE-"), max_size=30),
    st.tuples(BLANKS, st.sampled_from(("", *WORDS)), BLANKS).map("".join),
    st.tuples(st.sampled_from(WORDS), st.text(max_size=12)).map("".join),
    st.none(),
)


@given(st.lists(TEXTS, max_size=12), st.integers(0, 3))
@example([], 0)
@example([None, None], 0)
@example(["x" * 40 + "é", "12345678901234.0"], 1)
def test_what_is_passed_over_is_not_asked_about(texts, start):
    values = pl.Series(texts, dtype=pl.String).slice(start)
    shown = [text for text in values.to_list() if text is not None]
    assert not is_ascii(values) or all(text.isascii() for text in shown)
    assert may_hold(values, b".+") or not any("." in text or "+" in text for text in shown)
    gaps = {k for k, text in enumerate(values) if text is not None and text.strip(ASCII_BLANKS) in {"", *WORDS}}
    assert gaps <= set(maybe_one_of(values, WORDS).to_list())
    written = values.str.contains(ROUNDED) | values.str.contains(WITH_POINT)
    short = written & (values.str.len_bytes() <= 25)
    assert set(short.fill_null(False).arg_true().to_list()) <= set(maybe_numerals(values, 25).to_list())


def test_ids_and_hexadecimals_of_a_usual_day_are_passed_over():
    users = pl.Series([f"user-{k}" for k in range(1000)])
    assert maybe_one_of(users, ["nan", "NULL"]).is_empty()
    assert maybe_numerals(users, 25).is_empty()
    assert not may_hold(pl.Series([f"{k:032x}" for k in range(1000)]), b".+")
    assert may_hold(pl.Series(["a" * 30, "b" * 30 + "."]), b".")
    assert not is_ascii(pl.Series(["a" * 30, "b" * 30 + LOST]))
