"""The one form of an id, whatever the format of its file: text before anything else.

A text is its id letter by letter: neither case, nor zeros before it, nor blanks around it, nor Unicode forms (NFC) are
changed, so that two ids never become one. A whole number is its digits: 12 in Parquet, 12 in JSON Lines and 12 in CSV
are the same id, and 12.0 of a column of floats (as pandas keeps whole numbers with a gap among them) is it too. What
cannot be told apart any more has no form, and is named:

- a float from 2**53 on (2**24 in 32 bits), which stands for several whole numbers; a fraction, which lost its zeros;
- a truth value: `true` is not the text "true", which CSV cannot tell from it;
- bytes that are no text; lists, records and times;
- a text with U+FFFD in it, the sign for a letter that was lost (half of a surrogate pair is read as it);
- a text that looks like a float that was written down: 1.2e+17 always (digits are lost), 12.0 unless the source says
  (`float_ids`) whether that is the id 12 or an id of its own.

Names of policies and variants are ids too, but a truth value or a fraction may name one.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from causalrec.answers import InputError
from causalrec.cells.missing import SPELLINGS, without_missing
from causalrec.cells.screening import is_ascii, may_hold, maybe_numerals

IDS = frozenset({"event_id", "id", "user_id", "item_id", "request_id", "campaign_id", "experiment_id"})
NAMES = frozenset({"policy", "variant"})
FLOAT_IDS = ("refuse", "whole", "text")
LOST = "\N{REPLACEMENT CHARACTER}"
EXACT = {"Float16": 2**11, "Float32": 2**24, "Float64": 2**53}
"""Whole numbers from here on are not all told apart by a float."""
WITH_POINT = r"^-?(?:0|[1-9]\d*)\.0+$"
"""A whole number as a float writes it; nothing writes 012.0."""
ROUNDED = r"^[+-]?(?:\d+(?:\.\d+)?[eE]\+\d+|\d+\.\d+[eE]-?\d+)$"
"""How pandas, Excel and C write large floats. `1e17` alone is a piece of hexadecimals as well."""
FRACTION = "a fraction, whose zeros at the end are lost: write ids as text"
NO_TEXT = "no id: write ids as text or whole numbers, or say by `codes` what it stands for"


def canonical_ids(values: pl.Series, float_ids: str = "refuse", *, names: bool = False) -> pl.Series:
    """Each value's id; null where it has none, or is null.

    Args:
        values: Of any type; what stands for "missing" is null already (`without_missing`).
        float_ids: What `12.0` in a text is: one of `FLOAT_IDS`.
        names: They name policies or variants.
    """
    dtype = values.dtype
    if dtype == pl.String:
        return _of_text(values, float_ids)
    if dtype.is_float():
        return _of_floats(values, names)
    if dtype.is_integer() or dtype == pl.Null:
        return values.cast(pl.String)
    if dtype.is_decimal():
        exact = values.cast(pl.String)
        return exact.str.replace(r"\.0+$", "") if names else exact.str.extract(r"^(-?\d+)(?:\.0*)?$")
    if dtype == pl.Boolean and names:
        return values.cast(pl.String)
    if dtype in (pl.Categorical, pl.Enum):
        return _of_text(values.cast(pl.String), float_ids)
    if dtype == pl.Binary:
        return _of_text(text_of_bytes(values), float_ids)
    if dtype == pl.Date:
        return values.cast(pl.String)
    return pl.Series(values.name, [None], pl.String).new_from_index(0, len(values))


def id_of(typed: str, float_ids: str = "refuse", missing: Sequence[str] = SPELLINGS) -> str:
    """The id that a person typed, in the form in which landed files come to have it.

    Raises:
        InputError: No row can have it as its id, with why.
    """
    given = without_missing(pl.Series([typed]), missing)
    if given[0] is None:
        raise InputError(f"{typed!r} is how the source writes that there is no id (sources.yaml: `missing`)")
    ids = canonical_ids(given, float_ids)
    if ids[0] is None:
        raise InputError(f"{typed!r} is no id: {why_no_id(given)[0]}")
    return str(ids[0])


def why_no_id(values: pl.Series) -> pl.Series:
    """For values that have no id: why, in words that say what to do."""
    dtype = values.dtype
    if dtype in (pl.Categorical, pl.Enum, pl.String):
        text = values.cast(pl.String).alias("v")
        return text.to_frame().select(_why_no_id_of_text(pl.col("v"))).to_series()
    if dtype.is_float():
        several = "a float that stands for several whole numbers: write ids as text or whole numbers"
        many = pl.col("v").abs() >= EXACT[str(dtype)]
        why = pl.when(pl.col("v").is_infinite()).then(pl.lit(NO_TEXT)).when(many).then(pl.lit(several))
        return values.alias("v").to_frame().select(why.otherwise(pl.lit(FRACTION))).to_series()
    words = FRACTION if dtype.is_decimal() else NO_TEXT
    if dtype == pl.Binary:
        words = "bytes that are no text: write ids as text, such as hexadecimals"
    return pl.Series([words]).new_from_index(0, len(values))


def _why_no_id_of_text(text: pl.Expr) -> pl.Expr:
    lost = "a text that lost a letter (U+FFFD) and may be several ids: export it again, in UTF-8"
    rounded = "a number that was rounded and may be several ids: export ids as text or whole numbers"
    point = (
        "an id that went through a float, or a text with a point: say which in sources.yaml, `float_ids: whole` or "
        "`float_ids: text` (from 2**53 on a float is several ids)"
    )
    why = pl.when(text.str.contains(LOST, literal=True)).then(pl.lit(lost))
    return why.when(text.str.contains(ROUNDED)).then(pl.lit(rounded)).otherwise(pl.lit(point))


def _of_text(values: pl.Series, float_ids: str) -> pl.Series:
    if not is_ascii(values):
        lost = values.str.contains(LOST, literal=True)
        values = values.set(lost, None) if lost.any() else values
    # A float that was written down has few letters, and a point or a plus is among them.
    at = maybe_numerals(values, 25)
    if not len(at) or not may_hold(values, b".+"):
        return values
    some = values.gather(at)
    ids = some
    if float_ids != "text":
        ids = ids.set(some.str.contains(ROUNDED), None)
    if float_ids != "text" and some.str.ends_with("0").any():
        pointed = some.str.contains(WITH_POINT)
        ids = ids.set(pointed, None)
        if float_ids == "whole":
            number = some.str.extract(r"^(.*)\.0+$").set(~pointed, None).cast(pl.Int64, strict=False)
            exact = number.set(number.abs() >= EXACT["Float64"], None)
            ids = ids.fill_null(exact.cast(pl.String))
    return values if ids.equals(some) else values.clone().scatter(at, ids)


def _of_floats(values: pl.Series, names: bool) -> pl.Series:
    whole = (values == values.floor()) & (values.abs() < EXACT[str(values.dtype)])
    ids = values.set(~whole.fill_null(False), None).cast(pl.Int64).cast(pl.String)
    if names and (fractions := (values != values.floor()) & values.is_finite()).any():
        return ids.fill_null(values.set(~fractions.fill_null(False), None).cast(pl.String))
    return ids


def text_of_bytes(values: pl.Series) -> pl.Series:
    """Bytes that are text, as old writers of Parquet store it; null where they are none."""
    return pl.Series(values.name, [_text(value) for value in values.to_list()], pl.String)


def _text(value: bytes | None) -> str | None:
    try:
        text = None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
    return text if text is None or text.isprintable() else None
