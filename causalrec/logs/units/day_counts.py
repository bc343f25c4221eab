"""What one day adds to the history: the exposures of its events, and the outcomes that became known on it.

An outcome counts on the day on which it is known, which may be later than the day of its event. Where the source logs
the outcome's own time, that is its day; where it does not, it is the day on which the outcome is final, its event's
day and `maturity_days`. A rating is final then too, whatever its time: until then its value is not known. So what is
counted for a day does not change when later outcomes of its events come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

import polars as pl

from causalrec.settings.logs.sources import Source

Frame = pl.DataFrame | pl.LazyFrame
Has = Callable[[date], bool]

KEYS: dict[str, tuple[str, ...]] = {
    "user": ("user_id",),
    "item": ("item_id",),
    "user_category": ("user_id", "category"),
}
MEASURES: dict[str, tuple[str, ...]] = {
    "user": ("exposures", "clicks", "purchases"),
    "item": ("exposures", "clicks", "purchases", "ratings", "rating_sum", "priced", "price_sum"),
    "user_category": ("exposures", "clicks"),
}
"""What is counted of whom. `ratings` and `priced` count the exposures that have a rating, a price."""
COUNTED = {"click": "clicks", "purchase": "purchases", "rating": "ratings"}
SCALE = 10_000
"""Ratings and prices are summed as whole numbers of 1/10,000, so that sums are exact in any order."""


def reach(source: Source) -> int:
    """How many days back events may have outcomes that become known today."""
    return max((days for outcome, days in source.maturity_days.items() if outcome in COUNTED), default=0)


def outcomes_come_on_the_day(source: Source) -> bool:
    """Whether every outcome counts on the day of its event, so that nothing has more outcomes than exposures."""
    return reach(source) == 0 and not any(_timed(outcome, source) for outcome in COUNTED)


def every_day(day: date) -> bool:
    """Whether a day has tables: of a source that is not sparse, each has."""
    return True


def day_before(source: Source, day: date, has: Has = every_day) -> date | None:
    """The day whose state a day carries on: the last one before it that has tables; None: it is the first."""
    days = ((day - timedelta(days=k)) for k in range(1, (day - source.first_day).days + 1))
    return next((d for d in days if has(d)), None)


def days_read(source: Source, day: date, has: Has = every_day) -> list[date]:
    """The days whose clean events a day's counts are made from, ascending; none is before the source's first.

    A day without tables leaves what became known on it to the next that has some.
    """
    since = day_before(source, day, has)
    first = max(source.first_day, since + timedelta(days=1 - reach(source))) if since else day
    days = [first + timedelta(days=k) for k in range((day - first).days)]
    return [*(d for d in days if has(d)), day]


def day_counts(
    events: Mapping[date, Frame], items: Frame, source: Source, day: date, has: Has = every_day
) -> dict[str, pl.DataFrame]:
    """The day's own counts per user, item, and user with a category, in no order.

    Args:
        events: Clean events of each of `days_read`.
        items: The day's catalogue, for categories, and for prices that were not logged.
        has: Whether a day has tables.
    """
    since = day_before(source, day, has)
    rows = pl.concat([_counted(events[of].lazy(), source, of, since, day) for of in days_read(source, day, has)])
    # A section of the shop that the event has goes before the catalogue's category.
    category = [] if "category" in source.context else ["category"]
    price = pl.col("price") if "price" in source.item_columns else pl.lit(None, pl.Float64)
    listed = items.lazy().select("item_id", *category, price.alias("list_price"))
    rows = rows.join(listed, on="item_id", how="left").with_columns(
        pl.when(pl.col("exposures") == 1).then(whole(pl.coalesce("price", "list_price"))).alias("price_sum")
    )
    rows = rows.with_columns(pl.col("price_sum").is_not_null().cast(pl.Int64).alias("priced"))
    # One pass for users and their categories: a user's count is the sum over categories, the unknown one too.
    by_category = _summed(rows.drop_nulls("user_id"), KEYS["user_category"], MEASURES["user"])
    pairs = by_category.drop_nulls("category").select(*KEYS["user_category"], *MEASURES["user_category"])
    counted = pl.any_horizontal(pl.exclude(*KEYS["user_category"], "item_id") != 0)
    return {
        "user": _summed(by_category.lazy(), KEYS["user"], MEASURES["user"]).filter(counted),
        "item": _summed(rows, KEYS["item"], MEASURES["item"]),
        "user_category": pairs.filter(counted),
    }


def too_late(events: Frame, source: Source, of: date) -> int:
    """Outcomes of a day's events that become known when the history no longer looks back at them: they never count.

    Their `maturity_days` are too few for what the source logs.
    """
    last = pl.lit(of + timedelta(days=reach(source)))
    outcomes = [outcome for outcome in COUNTED if source.has(outcome)]
    counts = [(_happened(o, source) & (_known_on(o, source, of) > last)).sum() for o in outcomes]
    # Nothing is counted of a source whose only outcome is money.
    return int(events.lazy().select(pl.sum_horizontal(*counts, pl.lit(0))).collect(engine="streaming").item())


def whole(value: pl.Expr) -> pl.Expr:
    """A price or a rating in whole 1/10,000; null where it is no number."""
    return pl.when(value.is_finite()).then((value * SCALE).round()).cast(pl.Int64)


def _counted(events: pl.LazyFrame, source: Source, of: date, since: date | None, day: date) -> pl.LazyFrame:
    """Rows of the events of one day with what counts on a day: 0 or 1 each, and the rating."""
    context = [c for c in ("category",) if c in source.context]
    # Whatever became known on days without tables, too.
    after = since or source.first_day - timedelta(days=1)
    today = {
        count: _happened(o, source) & _known_on(o, source, of).is_between(after, day, closed="right")
        if source.has(o)
        else pl.lit(False)
        for o, count in COUNTED.items()
    }
    rows = events if of == day else events.filter(pl.any_horizontal(*today.values()))
    return rows.select(
        "user_id",
        "item_id",
        *context,
        "price" if source.has("price") else pl.lit(None, pl.Float64).alias("price"),
        pl.lit(int(of == day), pl.Int64).alias("exposures"),
        *(counts.fill_null(False).cast(pl.Int64).alias(name) for name, counts in today.items()),
        pl.when(today["ratings"]).then(whole(pl.col("rating"))).fill_null(0).alias("rating_sum"),
    )


def _happened(outcome: str, source: Source) -> pl.Expr:
    """Whether an outcome is known to have happened. One that is not final is null, and may have its time already."""
    value = pl.col(outcome)
    if outcome == "rating":
        return value.is_finite().fill_null(False)
    happened = (value != 0).fill_null(False)
    return (
        happened | (value.is_null() & pl.col(f"{outcome}_time").is_not_null()) if _timed(outcome, source) else happened
    )


def _known_on(outcome: str, source: Source, of: date) -> pl.Expr:
    """The day on which an outcome of a day's events is known; never before the event's day."""
    final = pl.lit(of + timedelta(days=source.maturity_days.get(outcome, 0)))
    if not _timed(outcome, source):
        return final
    own = pl.max_horizontal(pl.col(f"{outcome}_time").dt.date(), pl.lit(of))
    return (
        pl.max_horizontal(own, final)
        if outcome == "rating"
        else pl.when(pl.col(f"{outcome}_time").is_null()).then(final).otherwise(own)
    )


def _timed(outcome: str, source: Source) -> bool:
    return source.has(f"{outcome}_time")


def _summed(rows: pl.LazyFrame, keys: Sequence[str], measures: Sequence[str]) -> pl.DataFrame:
    return rows.group_by(keys).agg(pl.col(measures).sum()).collect(engine="streaming")
