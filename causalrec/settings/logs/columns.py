"""Names of columns: those that a source can have, and those that the log stage makes."""

from __future__ import annotations

OUTCOMES = ("click", "purchase", "rating", "revenue")
EVENT_COLUMNS = (
    "event_id",
    "time",
    "user_id",
    "item_id",
    "request_id",
    "position",
    "policy",
    "action_propensity",
    "first_slot_propensity",
    "recommended",
    *OUTCOMES,
    "price",
    "click_time",
    "purchase_time",
    "rating_time",
    "campaign_id",
    "experiment_id",
    "variant",
)
WHERE_MAPPED = ("first_slot_propensity",)
"""Of them, those that tables have only where a source maps them."""
ITEM_COLUMNS = ("item_id", "title", "description", "category", "price", "published_at")
JOINED_BY = ("user_id", "request_id", "item_id")
STREAM_COLUMNS = ("id", "time", *JOINED_BY, *OUTCOMES)
HISTORY_COVARIATES: dict[str, str | None] = {
    "user_exposures": None,
    "user_clicks": "click",
    "user_purchases": "purchase",
    "user_recency_days": None,
    "user_tenure_days": None,
    "user_category_click_rate": "click",
    "item_exposures": None,
    "item_click_rate": "click",
    "item_purchase_rate": "purchase",
    "item_mean_rating": "rating",
    "item_price_change": None,
}
"""Covariate of the past -> the outcome that has to be logged for it."""
DERIVED_COLUMNS = (
    *("unit_id", "day", "hour", "weekday", "month", "holiday", "item_age_days"),
    *HISTORY_COVARIATES,
    *("unknown_item", "unknown_user", "file", "row", "reason"),
)
"""Names that the log stage makes itself: a source's own column cannot have one of them."""
