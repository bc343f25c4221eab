"""Covariates as of the end of the day before: one code for units that happened and candidates that might.

A covariate belongs to a context (who, when, where), to an item, or to the pair. Nothing of the day itself is
read but its calendar and its catalogue, so that neither a unit's own outcome nor a later event can enter its
covariates. A covariate that cannot vary in a source (a click count where no clicks are logged) is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from causalrec.logs.units.day_counts import SCALE, Frame, whole
from causalrec.logs.units.user_category_rates import Tastes
from causalrec.settings.logs.calendar import calendar_covariates
from causalrec.settings.logs.columns import HISTORY_COVARIATES
from causalrec.settings.logs.covariates import PLAIN, CovariateSettings
from causalrec.settings.logs.sources import Source


@dataclass(frozen=True)
class AsOf:
    """The history at the end of the day before `day`: a row per user, item and pair.

    Attributes:
        users, items, pairs: None where the source has no user id, and so no history.
        never: The covariates of a user, an item or a pair that the window does not have.
        attributes: `user_id` and what is known of each user as of `day`; None: nothing of users is joined.
    """

    day: date
    users: pl.DataFrame | None
    items: pl.DataFrame | None
    pairs: Tastes | None
    never: dict[str, float | int | None]
    settings: CovariateSettings = PLAIN
    attributes: pl.DataFrame | None = None


def as_of(
    history: Frame | None,
    day: date,
    source: Source,
    settings: CovariateSettings = PLAIN,
    attributes: pl.DataFrame | None = None,
) -> AsOf:
    """Turn the sums of a history state into covariates.

    A past rate is (outcomes + rate x exposures of the prior) / (exposures + exposures of the prior). The prior's rate
    is the source's for clicks; for purchases and ratings it is the mean of all exposures (ratings) of the window. An
    outcome that becomes known later than its exposure may outlive it in the window: a rate is at most 1.

    Args:
        history: The state at the end of the day before `day`; None where it is not available.
        source: For the prior, and for what is logged.
        settings: For the marked days.
        attributes: From `user_attributes`.
    """
    beyond = source.history_days + 1
    if history is None:
        return AsOf(day, None, None, None, {}, settings, attributes)
    state, prior = history.lazy(), source.prior_exposures

    def of(entity: str) -> pl.LazyFrame:
        return state.filter(pl.col("entity") == entity)

    def rate(outcomes: str, mean: float | None) -> pl.Expr:
        return (
            ((pl.col(outcomes) + mean * prior) / (pl.col("exposures") + prior)).clip(upper_bound=1.0)
            if mean is not None
            else pl.lit(None, pl.Float64)
        )

    def days_since(column: str) -> pl.Expr:
        return (pl.lit(day) - pl.col(column)).dt.total_days()

    users = of("user").select(
        "user_id",
        pl.col("exposures").alias("user_exposures"),
        pl.col("clicks").alias("user_clicks"),
        pl.col("purchases").alias("user_purchases"),
        days_since("last_seen").fill_null(beyond).clip(upper_bound=beyond).alias("user_recency_days"),
        days_since("first_seen").alias("user_tenure_days"),
    )
    sums = (
        of("item")
        .select("item_id", "exposures", "clicks", "purchases", "ratings", "rating_sum", "priced", "price_sum")
        .collect(engine="streaming")
    )
    total = sums.select(pl.exclude("item_id").sum()).row(0, named=True)
    purchase_rate = min(1.0, total["purchases"] / total["exposures"]) if total["exposures"] else None
    mean_rating = total["rating_sum"] / total["ratings"] / SCALE if total["ratings"] else None
    items = sums.select(
        "item_id",
        pl.col("exposures").alias("item_exposures"),
        rate("clicks", source.prior_rate).alias("item_click_rate"),
        rate("purchases", purchase_rate).alias("item_purchase_rate"),
        (
            (pl.col("rating_sum") / SCALE + mean_rating * prior) / (pl.col("ratings") + prior)
            if mean_rating is not None
            else pl.lit(None, pl.Float64)
        ).alias("item_mean_rating"),
        "priced",
        "price_sum",
    )
    pairs = of("user_category").select("user_id", "category", rate("clicks", source.prior_rate).alias("rate"))
    never = {
        "user_exposures": 0,
        "user_clicks": 0,
        "user_purchases": 0,
        "user_recency_days": beyond,
        "user_tenure_days": 0,
        "user_category_click_rate": source.prior_rate,
        "item_exposures": 0,
        "item_click_rate": source.prior_rate,
        "item_purchase_rate": purchase_rate,
        "item_mean_rating": mean_rating,
    }
    known, tastes = pl.collect_all([users, pairs], engine="streaming")
    return AsOf(day, known, items, Tastes.of(tastes), never, settings, attributes)


def attribute_names(source: Source, settings: CovariateSettings = PLAIN) -> list[str]:
    """The attributes of users that are covariates, sensitive ones too."""
    return [name for name in source.user_attributes if name not in settings.leave_out]


def user_attributes(users: pl.DataFrame | None, source: Source, names: Sequence[str]) -> pl.DataFrame | None:
    """Some attributes of the users, to be joined to their events: `user_id` and `names`.

    Args:
        users: The table `users` as of the day; None where there is none, and the attributes of everybody are null.
        names: Of `attribute_names`. Without any, nothing is joined.
    """
    if not names:
        return None
    types = {name: pl.Float64() if source.user_kinds[name] == "number" else pl.String() for name in names}
    if users is None:
        return pl.DataFrame(schema={"user_id": pl.String(), **types})
    return users.select("user_id", *(pl.col(name).cast(dtype) for name, dtype in types.items()))


def as_of_covariates(pairs: pl.DataFrame, state: AsOf, items: pl.DataFrame, source: Source) -> pl.DataFrame:
    """Add every covariate to rows of a context and an item, in the rows' order.

    Args:
        pairs: `time`, `item_id`, the context columns, `user_id` where the source has one; where there is a `price`
            it is the one at the time of the event, and the catalogue's only fills its gaps.
        items: The catalogue, one row per item.

    Returns:
        The rows with the columns of `covariate_names`. An item that the catalogue does not have has nulls for
        what the catalogue would say.
    """
    rows = context_covariates(pairs, state)
    known = _listed(items, state, source).rename({"price": "list_price"}, strict=False)
    # A column that both have (a section of the shop) is the context's.
    known = known.drop([c for c in known.columns if c in rows.columns and c != "item_id"])
    rows = rows.join(known, on="item_id", how="left", maintain_order="left")
    if "list_price" in rows.columns:
        logged = [c for c in ("price",) if c in rows.columns]
        rows = rows.with_columns(pl.coalesce(*logged, "list_price").alias("price")).drop("list_price")
    return pair_covariates(_shown(rows, state), state)


def context_covariates(contexts: pl.DataFrame, state: AsOf) -> pl.DataFrame:
    """Add what is known of who asks and when: the time's hour, weekday, month and holiday (UTC), the user's counts and
    attributes. A user without a row has nulls for attributes; what is not known of them is not made up.
    """
    days = list(state.settings.calendar.holidays)
    contexts = contexts.with_columns(
        pl.col("time").dt.hour().cast(pl.Int64).alias("hour"),
        pl.col("time").dt.weekday().cast(pl.Int64).alias("weekday"),
        pl.col("time").dt.month().cast(pl.Int64).alias("month"),
        pl.col("time")
        .dt.date()
        .is_in(pl.lit(pl.Series(days, dtype=pl.Date)).implode())
        .cast(pl.Int64)
        .alias("holiday"),
    )
    if state.attributes is not None:
        contexts = contexts.join(state.attributes, on="user_id", how="left", maintain_order="left")
    if state.users is None:
        return contexts
    return _or_never(contexts.join(state.users, on="user_id", how="left", maintain_order="left"), state)


def item_covariates(items: pl.DataFrame, state: AsOf, source: Source) -> pl.DataFrame:
    """The catalogue's items as candidates: category, list price, age, extra columns, and what was seen of them."""
    return _shown(_listed(items, state, source), state)


def _listed(items: pl.DataFrame, state: AsOf, source: Source) -> pl.DataFrame:
    """What the catalogue says of its items."""
    columns = [c for c in ("category", "price", "published_at") if c in source.item_columns]
    known = items.select("item_id", *columns, *source.item_extra)
    if "published_at" in columns:
        age = (pl.lit(state.day) - pl.col("published_at")).dt.total_days().alias("item_age_days")
        known = known.with_columns(age).drop("published_at")
    return known


def _shown(rows: pl.DataFrame, state: AsOf) -> pl.DataFrame:
    """Add what the window says of each row's item, in the catalogue or not.

    The price change is the price over the mean price at which the item was shown, less 1; null where there is no
    price, or none that was shown. It is made of whole numbers, so that no change is 0 and not nearly 0.
    """
    if state.items is None:
        return rows
    rows = _or_never(rows.join(state.items, on="item_id", how="left", maintain_order="left"), state)
    if "price" in rows.columns:
        mean = pl.when(pl.col("price_sum") > 0).then("price_sum")
        rows = rows.with_columns((whole(pl.col("price")) * pl.col("priced") / mean - 1).alias("item_price_change"))
    return rows.drop("priced", "price_sum")


def pair_covariates(pairs: pl.DataFrame, state: AsOf) -> pl.DataFrame:
    """Add what is known of a user with an item: the past click rate in its category."""
    if state.pairs is None or "category" not in pairs.columns:
        return pairs
    return _or_never(pairs.with_columns(state.pairs.rate(pairs).alias("user_category_click_rate")), state)


def _or_never(rows: pl.DataFrame, state: AsOf) -> pl.DataFrame:
    """Whoever the window does not have has the covariates of what was never seen."""
    values = {c: v for c, v in state.never.items() if c in rows.columns and v is not None}
    return rows.with_columns(pl.col(c).fill_null(v) for c, v in values.items())


def context_columns(source: Source) -> list[str]:
    """The columns of an event that say where it happened, known before anything is shown.

    A campaign is among them: it runs, for whoever it runs, before a slate is asked for.
    """
    campaign = ["campaign_id"] if "campaign_id" in source.columns else []
    return [*source.context, *campaign]


def covariate_names(source: Source, settings: CovariateSettings = PLAIN) -> list[str]:
    """The pre-treatment columns of a source's units, in a stable order."""
    names = ["hour", "weekday", *calendar_covariates(source, settings.calendar), *context_columns(source)]
    names += ["category"] if "category" in source.item_columns else []
    priced = "price" in source.item_columns or source.has("price")
    names += ["price"] if priced else []
    names += ["item_age_days"] if "published_at" in source.item_columns else []
    names += source.item_extra
    if source.has("user_id"):
        fine = {"user_category_click_rate": "category" in names, "item_price_change": priced}
        names += [
            name
            for name, outcome in HISTORY_COVARIATES.items()
            if (outcome is None or source.has(outcome)) and fine.get(name, True)
        ]
    names += attribute_names(source, settings)
    return [name for name in dict.fromkeys(names) if name not in settings.leave_out]
