"""What a column holds, from a sample of its values: told by the code that reads landed files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

from causalrec.cells.ids import WITH_POINT, canonical_ids, text_of_bytes, why_no_id
from causalrec.cells.missing import SPELLINGS, without_missing
from causalrec.cells.times import UTC_TIME
from causalrec.logs.reading.casting import as_text, take_columns
from causalrec.logs.reading.json_tokens import is_tokens, kinds_of
from causalrec.settings.logs.feeds import Feed

EPOCHS = {"epoch_seconds": 1, "epoch_milliseconds": 1_000, "epoch_microseconds": 1_000_000}
EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
WRITTEN = (
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d%H%M%S",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d-%m-%Y %H:%M:%S",
    "%d/%b/%Y:%H:%M:%S %z",
)
YES_NO = (("y", "n"), ("yes", "no"), ("t", "f"), ("ja", "nein"), ("true", "false"), ("1", "0"))
READ_AS_FLAGS = {"true", "false", "1", "0"}
FEW = 30
"""A text column with no more values is a category."""
GAP_LIKE = (
    *("NA", "N/A", "n/a", "na", "-", "--", "?", "none", "NONE", "nil", "Null", "NAN", "Nan", "0", "-1", "unknown"),
    *("anonymous", "guest", "00000000-0000-0000-0000-000000000000"),
)
OFTEN = 0.02
"""An id that looks like a gap, and stands in more of the rows, is asked about."""
LONG = 25
"""Texts that are longer on the mean are read by people."""


@dataclass(frozen=True)
class Observed:
    """A column of a sample.

    Attributes:
        kind: `time`, `date`, `flag`, `number`, `id`, `category`, `text`, `nested`, `bytes` or `empty`.
        missing: Share of the rows without a value.
        distinct: Values in the sample.
        unique: No value stands twice, and none is missing.
        examples: The first values, as the file has them, cut.
        time_format: Of a time, as `sources.yaml` spells it.
        other_formats: Further formats that read every value: day first or month first.
        zoned: Whether a time carries its time zone.
        least, most: Of a number, time or date.
        whole: Whether every number is whole.
        codes: Of a flag that is not written 1 and 0: the file's value -> ours.
        pointed: Whether a text writes whole numbers as 12.0: an id or a float, only a person knows.
        no_ids: Of a column that is named like an id: how many values cannot be one, and why; else empty.
        gap_like: Of such a column: a frequent value that may stand for "nobody".
    """

    name: str
    kind: str
    missing: float
    distinct: int
    unique: bool
    examples: tuple[str, ...]
    time_format: str = ""
    other_formats: tuple[str, ...] = ()
    zoned: bool = False
    least: object = None
    most: object = None
    whole: bool = False
    codes: Mapping[str, int] = field(default_factory=dict)
    pointed: bool = False
    no_ids: str = ""
    gap_like: str = ""

    def words(self) -> str:
        """The column in a few words."""
        examples = ", ".join(self.examples)
        if self.kind == "empty":
            return "nothing"
        if self.kind == "nested":
            return f"lists, records or lengths of time, e.g. {examples}"
        if self.kind == "bytes":
            return f"bytes that are no text, e.g. {examples}"
        if self.kind == "time":
            zone = "with its time zone" if self.zoned else "without a time zone"
            how = self.time_format if self.time_format in EPOCHS else f"{self.time_format}, {zone}"
            return f"time ({how}), {str(self.least)[:16]} to {str(self.most)[:16]}"
        if self.kind == "date":
            return f"date without an hour, {self.least} to {self.most}"
        if self.kind == "flag":
            return f"flag, {examples}"
        if self.kind == "number":
            return f"number, {_short(self.least)} to {_short(self.most)}, {self.distinct:,} values"
        return f"{self.kind}, {self.distinct:,} values, e.g. {examples}"


def observe(values: pl.Series) -> Observed:
    """Look at a column of a sample."""
    name, rows = values.name, max(len(values), 1)
    values = _of_one_kind(values)
    if values.dtype.is_nested() or isinstance(values.dtype, pl.Duration):
        shown = tuple(str(value)[:30] for value in values.drop_nulls().head(2).to_list())
        return Observed(name, "nested", values.null_count() / rows, 0, False, shown)
    if values.dtype == pl.Binary:
        shown = tuple(f"0x{value.hex()[:20]}" for value in values.drop_nulls().head(2).to_list())
        return Observed(name, "bytes", values.null_count() / rows, 0, False, shown)
    known = _known(values)
    missing = 1 - len(known) / rows
    if known.is_empty():
        return Observed(name, "empty", 1.0, 0, False, ())
    distinct = known.n_unique()
    text = known.cast(pl.String)
    first = text.unique(maintain_order=True).head(3)
    facts = {
        "missing": missing,
        "distinct": distinct,
        "unique": distinct == len(values),
        "examples": tuple(_cut(value) for value in first.to_list()),
        **_as_ids(name, known),
    }
    for observed in (_flag(name, text, facts), _date(name, known, facts), _time(name, known, facts)):
        if observed is not None:
            return observed
    number = known.cast(pl.Float64, strict=False) if known.dtype != pl.Boolean else text.cast(pl.Float64, strict=False)
    if not number.null_count():
        whole = bool((number == number.floor()).all())
        named = _named_like_an_id(name)
        kind = "id" if whole and named else "number"
        return Observed(name, kind, least=number.min(), most=number.max(), whole=whole, **facts)  # type: ignore[arg-type]
    length = text.str.len_chars().mean()
    assert isinstance(length, float)
    if _named_like_an_id(name) and not text.str.contains(" ").any():
        kind = "id"
    elif distinct <= FEW or (distinct < len(known) / 20 and length < LONG):
        kind = "category"
    elif length >= LONG or text.str.contains(" ").mean() > 0.5:  # type: ignore[operator]
        kind = "text"
    else:
        kind = "id" if facts["unique"] else "text"
    return Observed(name, kind, **facts)  # type: ignore[arg-type]


def _of_one_kind(values: pl.Series) -> pl.Series:
    """Values as a column of one type: bytes that are text as such, JSON values of several kinds as texts."""
    if isinstance(values.dtype, pl.Categorical | pl.Enum):
        return values.cast(pl.String)
    if values.dtype == pl.Binary and (text := text_of_bytes(values)).null_count() == values.null_count():
        return text
    if not is_tokens(values):
        return values
    texts = pl.Series(values.name, [None], pl.String).new_from_index(0, len(values))
    for at, part in kinds_of(values):
        if part.dtype.is_nested():
            return part
        texts = texts.scatter(at, as_text(part))
    return texts


def _known(values: pl.Series) -> pl.Series:
    return without_missing(values, SPELLINGS).drop_nulls()


def _as_ids(name: str, known: pl.Series) -> dict[str, object]:
    """What is to be said of a column of ids."""
    pointed = known.dtype == pl.String and bool(known.str.contains(WITH_POINT).any())
    if not _named_like_an_id(name):
        return {"pointed": pointed}
    facts: dict[str, object] = {"pointed": pointed}
    # What a text with a point is, the draft asks.
    ids = canonical_ids(known, "whole")
    if bad := ids.null_count():
        why = why_no_id(known.filter(ids.is_null()).head(1))[0]
        facts["no_ids"] = f"{bad:,} of {len(known):,} cannot be ids: {why}"
    often = ids.filter(ids.is_in(list(GAP_LIKE))).value_counts(sort=True)
    if often.height and often["count"][0] > OFTEN * len(known):
        facts["gap_like"] = str(often[ids.name][0])
    return facts


def _cut(value: str) -> str:
    return value if len(value) <= 22 else value[:20] + ".."


def _short(value: object) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _named_like_an_id(name: str) -> bool:
    return plain(name).endswith(("id", "uuid", "sku", "key")) or plain(name) in ("user", "item", "customer")


def plain(name: str) -> str:
    """A column's name without case and marks: userId, USER_ID and user-id are one."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _flag(name: str, text: pl.Series, facts: Mapping[str, object]) -> Observed | None:
    written = sorted(text.unique().to_list())
    folded = {value.strip().lower().removesuffix(".0") for value in written}
    read = folded <= READ_AS_FLAGS
    pair = next((pair for pair in YES_NO if folded <= set(pair)), None)
    if pair is None and not read:
        return None
    codes = {} if read or pair is None else {v: int(v.strip().lower() == pair[0]) for v in written}
    return Observed(name, "flag", codes=codes, **facts)  # type: ignore[arg-type]


def _date(name: str, known: pl.Series, facts: Mapping[str, object]) -> Observed | None:
    if known.dtype == pl.String:
        days = known.str.strip_chars().str.to_date("%Y-%m-%d", strict=False)
    elif known.dtype == pl.Date:
        days = known
    else:
        return None
    if days.null_count():
        return None
    return Observed(name, "date", least=days.min(), most=days.max(), **facts)  # type: ignore[arg-type]


def _time(name: str, known: pl.Series, facts: Mapping[str, object]) -> Observed | None:
    """A time is what `take_columns` takes for one, whole."""
    if isinstance(known.dtype, pl.Datetime):
        fits = ["iso"]
    elif known.dtype == pl.String or known.dtype.is_numeric():
        fits = [form for form in _candidates(known) if _reads(known, form) is not None]
    else:
        return None
    if not fits or (fits[0] in EPOCHS and not _named_like_a_time(name)):
        return None
    times = _reads(known, fits[0])
    assert times is not None
    elsewhere = _reads(known, fits[0], "Asia/Tokyo")
    zoned = elsewhere is not None and elsewhere.equals(times)
    time_facts = {"time_format": fits[0], "other_formats": tuple(fits[1:]), "zoned": zoned}
    return Observed(name, "time", least=times.min(), most=times.max(), **time_facts, **facts)  # type: ignore[arg-type]


def _candidates(known: pl.Series) -> list[str]:
    number = known.cast(pl.Float64, strict=False)
    if number.null_count():
        return ["iso", *WRITTEN]
    latest = datetime.now(UTC) + timedelta(days=366)
    inside = [
        form
        for form, per_second in EPOCHS.items()
        if number.is_between(EARLIEST.timestamp() * per_second, latest.timestamp() * per_second).all()
    ]
    return inside or (["%Y%m%d%H%M%S"] if known.dtype == pl.String else [])


def _reads(known: pl.Series, form: str, time_zone: str = "UTC") -> pl.Series | None:
    feed = Feed("", {"time": known.name}, time_format=form)
    taken = take_columns(known.to_frame(), feed, {"time": UTC_TIME}, time_zone)
    return None if taken.unreadable or taken.rows["time"].null_count() else taken.rows["time"]


def _named_like_a_time(name: str) -> bool:
    word = plain(name)
    return word.endswith(("time", "timestamp", "ts", "at", "ms", "date", "dt")) or word.startswith(
        ("time", "ts", "date")
    )
