"""From a file's names and types to ours, without loss: what cannot be taken is named with its row, never guessed.

1.5 is no position, 20260302 is no date, and a day without an hour is no time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from causalrec.answers import InputError
from causalrec.cells.ids import IDS, NAMES, canonical_ids, text_of_bytes, why_no_id
from causalrec.cells.missing import without_missing
from causalrec.cells.times import as_dates, as_times
from causalrec.logs.reading.json_tokens import is_tokens, kinds_of, shown_tokens
from causalrec.settings.logs.feeds import Constant, Feed
from causalrec.settings.logs.sources import Source

EXACT_AS_FLOAT = 2**53
"""Whole numbers from here on are not all told apart by a Float64."""


@dataclass(frozen=True)
class Taken:
    """Rows under our names and types.

    Attributes:
        rows: One for each given row; a value that could not be taken is null.
        reason: Why a row cannot be used, in words: its first value that could not be taken; null where all could.
    """

    rows: pl.DataFrame
    reason: pl.Series

    @property
    def unreadable(self) -> int:
        return len(self.reason) - self.reason.null_count()


def take_columns(raw: pl.DataFrame, feed: Feed, types: Mapping[str, pl.DataType], time_zone: str) -> Taken:
    """Rename to our names and cast to our types; a column that is not mapped becomes null of its type.

    What stands for "no value" becomes null (`without_missing`). A mapped column that the rows do not have is null too:
    JSON Lines leave out what is null. `lacks_columns` is asked of the whole file before.

    Args:
        types: Our name -> our type; the result has exactly these columns, in this order.
        time_zone: Of times that carry none.
    """
    out, reason = [], pl.Series("reason", [None], pl.String).new_from_index(0, raw.height)
    for ours, dtype in types.items():
        if ours in feed.constants:
            out.append(pl.Series(ours, [feed.constants[ours]]).cast(dtype).new_from_index(0, raw.height))
            continue
        source_column = feed.columns.get(ours)
        if source_column is None or source_column not in raw.columns:
            out.append(pl.Series(ours, [None], dtype).new_from_index(0, raw.height))
            continue
        cast, given = _taken(raw[source_column], ours, dtype, feed, time_zone)
        if cast.null_count() > raw.height - int(given.sum()):
            bad = (cast.is_null() & given).arg_true()
            reason = _with_words(reason, bad, raw[source_column].gather(bad), source_column, ours, dtype)
        out.append(cast.alias(ours))
    return Taken(pl.DataFrame(out), reason.alias("reason"))


def _taken(values: pl.Series, ours: str, dtype: pl.DataType, feed: Feed, time_zone: str) -> tuple[pl.Series, pl.Series]:
    """The values, cast, null where that is not possible without loss; and which of them say that there is a value."""
    if is_tokens(values):
        return _of_tokens(values, ours, dtype, feed, time_zone)
    if isinstance(values.dtype, pl.Categorical | pl.Enum):
        values = values.cast(pl.String)
    if ours not in feed.codes:
        return _uncoded(values, ours, dtype, feed, time_zone)
    coded = _decoded(values, feed.codes[ours])
    named = coded.is_not_null()
    rest = values if not named.any() else _where(~named, values)
    cast, given = _uncoded(rest, ours, dtype, feed, time_zone)
    # A code for "" says that there is no value. What a person wrote is not read any further: `"12.0": "12.0"` is an id.
    meant = without_missing(coded, ())
    of_codes = meant if dtype == pl.String else _cast(meant, "", dtype, feed, time_zone)
    return cast.fill_null(of_codes), given | meant.is_not_null()


def _where(keep: pl.Series, values: pl.Series) -> pl.Series:
    return pl.select(pl.when(keep).then(values)).to_series().alias(values.name)


def _uncoded(
    values: pl.Series, ours: str, dtype: pl.DataType, feed: Feed, time_zone: str
) -> tuple[pl.Series, pl.Series]:
    if values.dtype == pl.String and dtype != pl.String:
        values = values.str.strip_chars()
    known = without_missing(values, feed.missing)
    if known.dtype == pl.String and dtype.is_numeric() and feed.csv.decimal == ",":
        return _cast(_with_point(known), ours, dtype, feed, time_zone), known.is_not_null()
    return _cast(known, ours, dtype, feed, time_zone), known.is_not_null()


def _with_point(values: pl.Series) -> pl.Series:
    """Numbers with a decimal comma as ones with a point; one with a point is none: 1.234 may be a thousand of them."""
    with_point = pl.when(values.str.contains(".", literal=True)).then(pl.lit("a point"))
    return pl.select(with_point.otherwise(values.str.replace(",", ".", literal=True))).to_series()


def _of_tokens(
    values: pl.Series, ours: str, dtype: pl.DataType, feed: Feed, time_zone: str
) -> tuple[pl.Series, pl.Series]:
    """JSON values of several kinds in one column: each is taken as if it stood among its own kind alone."""
    cast, given = _nothing(values, dtype), pl.Series([False]).new_from_index(0, len(values))
    for at, part in kinds_of(values):
        taken, there = _taken(part, ours, dtype, feed, time_zone)
        cast, given = cast.scatter(at, taken), given.scatter(at, there)
    return cast, given


def _with_words(
    reason: pl.Series, bad: pl.Series, values: pl.Series, source_column: str, ours: str, dtype: pl.DataType
) -> pl.Series:
    """The reasons, with one for each bad row that has none yet."""
    # Words are made for the bad rows alone.
    what = pl.lit(f"not {_words(dtype)}")
    if dtype == pl.String and ours in IDS | NAMES:
        of_kinds = kinds_of(values) if is_tokens(values) else [(pl.int_range(len(values), eager=True), values)]
        why = pl.Series([None], dtype=pl.String).new_from_index(0, len(values))
        for at, part in of_kinds:
            why = why.scatter(at, why_no_id(part))
        what = pl.lit(why)
    sentences = pl.select(
        pl.concat_str(pl.lit(f"`{source_column}` is "), pl.lit(_shown(values)), pl.lit(", which is "), what)
    )
    return reason.fill_null(_nothing(reason, pl.String()).scatter(bad, sentences.to_series()))


def lacks_columns(columns: Iterable[str], feed: Feed, path: object, elsewhere: Collection[str] = ()) -> None:
    """Say which mapped columns a file does not have.

    Args:
        elsewhere: Columns that it need not have: JSON Lines leave out what is null, and other files of the feed show
            that the mapping means these.

    Raises:
        InputError: There are some.
    """
    there = list(columns)
    missing = {ours: column for ours, column in feed.columns.items() if column not in {*there, *elsewhere}}
    if missing:
        shown: object = there if len(there) <= 50 else [*there[:50], f"and {len(there) - 50} more"]
        if len(missing) == len(feed.columns) and 3 * sum(map(_is_a_value, there)) >= len(there):
            # The first line of a file without a header is somebody's row.
            shown = f"{len(there)} columns whose names look like values: is its header line missing?"
        raise InputError(
            f"{path}: the column(s) {sorted(missing.values())} are missing (sources.yaml maps "
            f"{sorted(missing)} to them); the file has {shown}. Land a file that has them, or correct "
            "the mapping."
        )


def _is_a_value(name: str) -> bool:
    """Whether what stands in a header looks like data: a number, a date, an address, nothing, or an id."""
    return not name.strip() or name.strip()[0] in "-0123456789" or "@" in name or sum(c.isdigit() for c in name) >= 4


def take_all(
    raw: pl.DataFrame, feed: Feed, types: Mapping[str, pl.DataType], time_zone: str, path: object
) -> pl.DataFrame:
    """`take_columns` for a file that must be good whole.

    Raises:
        InputError: A mapped column is not in the file, or a value is not of its type (named with its row).
    """
    if raw.width == 0:
        return pl.DataFrame(schema=dict(types))
    lacks_columns(raw.columns, feed, path)
    taken = take_columns(raw, feed, types, time_zone)
    if taken.unreadable:
        raise unreadable(path, taken.reason)
    return taken.rows


def unreadable(path: object, reason: pl.Series, first_row: int = 1) -> InputError:
    """What is said of a file with values that cannot be taken: the first one, and how many rows have some."""
    row = int(reason.is_not_null().arg_true()[0])
    return InputError(
        f"{path}, row {row + first_row}: {reason[row]} ({len(reason) - reason.null_count()} such row(s)). Correct the "
        "file, or the mapping in sources.yaml."
    )


def _words(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.Datetime):
        return "a time such as 2026-03-02T10:15:00Z"
    if isinstance(dtype, pl.Date):
        return "a date such as 2026-03-02"
    if dtype.is_integer():
        return "a whole number" + (" from -128 to 127" if dtype == pl.Int8 else "")
    return "a finite number" if dtype.is_float() else "a text"


def _shown(values: pl.Series) -> pl.Series:
    """Values as messages show them, cut: a cell of ten megabytes is no reason that a person can read."""
    if is_tokens(values):
        return shown_tokens(values).str.slice(0, 80)
    if _has_no_text(values):
        return pl.Series([None if value is None else str(value)[:80] for value in values.to_list()], dtype=pl.String)
    if values.dtype == pl.Binary:
        return "0x" + values.bin.slice(0, 39).bin.encode("hex")
    cut = values.cast(pl.String, strict=False).str.slice(0, 80)
    return cut if values.dtype != pl.String else pl.select(pl.format("'{}'", cut)).to_series()


def _decoded(values: pl.Series, codes: Mapping[str, Constant]) -> pl.Series:
    """What the user's codes name, as our values in words; null for what no code names."""
    table = {code: str(ours) for code, ours in codes.items()}
    written = as_text(values)
    # 1.0 is how a float, and who writes one down, says 1.
    whole = written.str.replace(r"^(-?\d+)\.0+$", "${1}")
    coded = written.replace_strict(table, default=None, return_dtype=pl.String)
    return coded.fill_null(whole.replace_strict(table, default=None, return_dtype=pl.String))


def _cast(values: pl.Series, ours: str, dtype: pl.DataType, feed: Feed, time_zone: str) -> pl.Series:
    """Cast without loss; null where that is not possible.

    Args:
        ours: Our name of the column; empty: whatever it is.
    """
    if dtype == pl.String:
        if ours in IDS | NAMES:
            return canonical_ids(values, feed.float_ids, names=ours in NAMES)
        return as_text(values)
    if values.dtype == dtype and not dtype.is_float():
        return values
    if values.dtype == pl.Null:
        return values.cast(dtype)
    if isinstance(dtype, pl.Datetime):
        return as_times(values, time_zone, feed.time_format)
    if isinstance(dtype, pl.Date):
        return as_dates(values, feed.time_format)
    number = values.dtype.is_numeric() or values.dtype in (pl.Boolean, pl.String)
    if not number:
        return _nothing(values, dtype)
    return _as_integer(values, dtype) if dtype.is_integer() else _as_float(values)


def _as_integer(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    if values.dtype == pl.String:
        values = values.str.to_lowercase().replace({"true": "1", "false": "0"})
        exact = values.cast(pl.Int64, strict=False)
    elif values.dtype.is_integer() or values.dtype == pl.Boolean:
        return values.cast(dtype, strict=False)
    else:
        exact = _nothing(values, pl.Int64())
    # pandas writes whole numbers with a gap among them as 3.0
    float_ = values.cast(pl.Float64, strict=False)
    whole = (float_ == float_.floor()) & (float_.abs() < EXACT_AS_FLOAT)
    return exact.fill_null(float_.set(~whole.fill_null(False), None).cast(pl.Int64)).cast(dtype, strict=False)


def _as_float(values: pl.Series) -> pl.Series:
    cast = values.cast(pl.Float64, strict=False)
    return cast.set(~cast.is_finite().fill_null(True), None)


def _has_no_text(values: pl.Series) -> bool:
    return values.dtype.is_nested() or isinstance(values.dtype, pl.Object | pl.Duration)


def as_text(values: pl.Series) -> pl.Series:
    """Values as text; null where they are none."""
    if _has_no_text(values):
        return _nothing(values, pl.String())
    if values.dtype == pl.Binary:
        return text_of_bytes(values)
    text = values.cast(pl.String, strict=False)
    if values.dtype.is_float():
        # A category that pandas turned into a float is still the same category.
        return _as_integer(values, pl.Int64()).cast(pl.String).fill_null(text)
    return text


def _nothing(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    return pl.Series(values.name, [None], dtype).new_from_index(0, len(values))


def extra_types(source: Source, names: Iterable[str]) -> dict[str, pl.DataType]:
    """The types of a source's own columns."""
    return {name: pl.Float64() if source.kinds[name] == "number" else pl.String() for name in names}
