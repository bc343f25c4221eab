"""Why a landed row cannot be used: each rule looks at one row alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from causalrec.logs.landing.day_assignment import Placing
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec.settings.logs.sources import Source

UNREADABLE, TIME, NO_ID, IMPOSSIBLE, CONTRADICTION = "unreadable", "time", "no id", "impossible", "contradiction"
SENT_AGAIN, REPEATED_ID, BOT, UNATTRIBUTED = "sent again", "repeated id", "bot", "unattributed"
WRONG = (UNREADABLE, NO_ID, IMPOSSIBLE, CONTRADICTION, REPEATED_ID)
"""Kinds of reasons that speak against the file or the mapping when they are many."""

OUTCOME_TIMES = {"click": "click_time", "purchase": "purchase_time", "rating": "rating_time"}


def told_apart(
    rows: pl.DataFrame,
    unreadable: pl.Series,
    source: Source,
    rules: CleaningRules,
    placing: Placing,
    own_day: date | None,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that can be used; and those that cannot, with `kind` and `reason`, of several reasons the first.

    Args:
        rows: Under our names and types.
        unreadable: Why a value could not be taken, per row.
        own_day: The day of the file's folder.
    """
    misplaced = placing.reasons(rows["time"], own_day)
    checks = list(_checks(source, rules))
    # What is not known breaks nothing.
    bad = rows.select(pl.any_horizontal(broken for _, broken, _ in checks).fill_null(False)).to_series()
    bad = bad | unreadable.is_not_null() | misplaced.is_not_null()
    # Words are made for the bad rows alone.
    few = rows.filter(bad).with_columns(unreadable.filter(bad).alias("reason"), misplaced.filter(bad).alias("kind"))
    reason, kind = pl.lit(None, pl.String), pl.lit(None, pl.String)
    given = [(UNREADABLE, pl.col("reason").is_not_null(), pl.col("reason"))]
    away = [(TIME, pl.col("kind").is_not_null(), pl.col("kind"))]
    for why, broken, words in reversed([*given, *away, *checks]):
        reason, kind = pl.when(broken).then(words).otherwise(reason), pl.when(broken).then(pl.lit(why)).otherwise(kind)
    few = few.with_columns(kind.alias("kind"), reason.alias("reason"))
    return rows if not few.height else rows.filter(~bad), few


def _checks(source: Source, rules: CleaningRules) -> Iterator[tuple[str, pl.Expr, pl.Expr]]:
    """(kind, what is broken, how it is said), the weightiest first; only of columns that the source has."""
    yield NO_ID, pl.col("item_id").is_null(), pl.lit("no item")
    if "event_id" in source.columns:
        yield NO_ID, pl.col("event_id").is_null(), pl.lit("no event id")
    mapped = source.columns
    if source.has("recommended"):
        unknown = pl.lit("`recommended` is missing: whether it was recommended is not known")
        yield IMPOSSIBLE, pl.col("recommended").is_null(), unknown
    for name in ("recommended", "click", "purchase"):
        if name in mapped:
            words = pl.format(f"`{name}` is {{}}, which is neither 0 nor 1", name)
            yield IMPOSSIBLE, ~pl.col(name).is_between(0, 1), words
    for name, (least, most) in rules.bounds.items():
        if name in mapped:
            words = pl.format(f"`{name}` is {{}}, which is not from {least:g} to {most:g}", name)
            yield IMPOSSIBLE, ~pl.col(name).is_between(least, most), words
    if "action_propensity" in mapped:
        yield IMPOSSIBLE, pl.col("action_propensity") <= 0, pl.lit("it was chosen with an action propensity of 0")
        if source.has("recommended"):
            organic = (pl.col("recommended") == 0) & pl.col("action_propensity").is_not_null()
            yield CONTRADICTION, organic, pl.lit("nobody chose an organic row, and it has an action propensity")
    if "first_slot_propensity" in mapped:
        first = pl.col("first_slot_propensity")
        yield IMPOSSIBLE, (first <= 0) | (first > 1), pl.lit("its first-slot propensity is not in (0, 1]")
        if source.has("recommended"):
            # What a slot shows is told by its action propensity.
            chosen = (pl.col("recommended") == 1) & first.is_not_null()
            yield (
                CONTRADICTION,
                chosen,
                pl.lit("recommended, and it has an organic row's first-slot propensity"),
            )
    if source.purchase_needs_click and source.events.has("purchase"):
        unclicked = pl.col("purchase").fill_null(0) > pl.col("click").fill_null(0)
        yield CONTRADICTION, unclicked, pl.lit("a purchase without a click (sources.yaml: purchase_needs_click)")
    if "revenue" in mapped and source.events.has("purchase"):
        yield CONTRADICTION, (pl.col("revenue") > 0) & (pl.col("purchase") == 0), pl.lit("revenue without a purchase")
    for outcome, when in OUTCOME_TIMES.items():
        if when in mapped:
            yield CONTRADICTION, pl.col(when) < pl.col("time"), pl.lit(f"its {outcome} was before it")
