"""What can come before what: the tiers of time, and the place that a column's role gives it among them."""

from __future__ import annotations

from causalrec.settings.questions import ASKED_MEDIATOR, ASKED_TREATMENT

HISTORY_PREFIXES = (
    "user_exposures",
    "user_clicks",
    "user_purchases",
    "user_recency",
    "user_tenure",
    "user_category",
    "item_exposures",
    "item_click_rate",
    "item_purchase_rate",
    "item_mean_rating",
    "item_price_change",
)
NOT_THERE = "the source does not have it"
"""Why a column without any value is no node."""
KNOWN_BEFORE = ("pre_treatment", ASKED_TREATMENT, ASKED_MEDIATOR)
"""Roles of the columns that are known before anything is shown."""
TIERS = ("context and item", "history", "treatment", "mediator", "click", "later outcomes")


def tier_of(column: str, role: str) -> int:
    """What can come before what: an earlier tier is never an effect of a later one."""
    if role == "treatment":
        return 2
    if role == "mediator":
        return 3
    if role == "outcome":
        return 4 if column == "click" else 5
    return 1 if column.startswith(HISTORY_PREFIXES) else 0


def place_of(column: str, role: str) -> int:
    """The place of a column by time, in thirds of a tier.

    A column from before the treatment that a question asks about comes after the history, and what it does before
    anything is shown comes after it.
    """
    if role == ASKED_TREATMENT:
        return 3 * TIERS.index("history") + 1
    return 3 * TIERS.index("treatment") - 1 if role == ASKED_MEDIATOR else 3 * tier_of(column, role)
