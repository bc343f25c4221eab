"""What each optional part of the logs unlocks, in words: the one home of the sentences that say what a gap costs.

The stages' typed answers and `describe-source` say them alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

NO_USER_ID = "the source has no user id, so nobody's past can be told from anybody else's"
NO_ITEMS = "the source lists no items"
NO_USERS = "the source lists no users"
NO_ITEM_TEXT = "no item has a text; log titles or descriptions to let the model read what an item is about"
NO_CLICKS = "the source logs no clicks, which the outcome model learns first; log them"
NO_PRICED_PURCHASES = "the source logs no purchases with prices, so policies are judged by satisfaction alone; log both"
NO_MARGIN = (
    "no margin is stated, so policies are ranked and judged by satisfaction alone; say in objective.yaml which share "
    "of its price a purchase brings (`margin`)"
)
NO_PRICE = (
    "{without} of {of} items of {day} have no price, so what they would bring cannot be compared with the others; land "
    "their prices (0 for what is free), or leave them out of the items"
)
NO_ACTION_PROPENSITIES = (
    "the source logs no action propensities, so no policy but the logging one can be judged; log the "
    "probability with which each item was chosen"
)
NOT_EVERY_ORGANIC_ROW = {
    "none": "the logs hold recommended impressions only, so there is nothing to compare with; log the impressions of "
    "items that were met without a recommendation, if need be by withholding some at random",
    "interactions_only": "organic rows exist only where the user interacted, so the contrast would be a selection on "
    "the outcome; log every organic impression",
}
"""Of `organic_rows`, by its value: why the effect of recommending is not identifiable."""
NOT_MARKED = (
    "the logs do not say what was recommended and what was not, so there are no two arms to compare; log it, with the "
    "impressions of items that were met without a recommendation, if need be by withholding some at random"
)
NO_SLATES = "what was shown together is not known, so each impression is judged alone; log the request and the position"
NO_POLICY = "which policy chose an item is not known, so logs of several policies are read as one"


def gaps_of(
    has: Callable[[str], bool], item_columns: Callable[[str], bool] | None, users: bool, organic_rows: str | None
) -> Iterator[tuple[str, str]]:
    """(what is not there, what that costs) of a source, the weightiest first.

    Args:
        has: Whether the events have a column of ours.
        item_columns: Whether the items have one; None: no items are listed.
        users: Whether users are listed.
        organic_rows: As in `sources.yaml`; None where that is not known yet.
    """
    if not has("click"):
        yield "click", NO_CLICKS
    if not has("recommended"):
        yield "recommended", NOT_MARKED
    elif organic_rows in NOT_EVERY_ORGANIC_ROW:
        yield f"organic_rows: {organic_rows}", NOT_EVERY_ORGANIC_ROW[organic_rows]
    if not has("action_propensity"):
        yield "action_propensity", NO_ACTION_PROPENSITIES
    if not has("user_id"):
        yield "user_id", NO_USER_ID
    if not (has("request_id") and has("position")):
        yield "request_id, position", NO_SLATES
    priced = has("price") or (item_columns is not None and item_columns("price"))
    if not (has("purchase") and priced):
        yield "purchase, price", NO_PRICED_PURCHASES
    if item_columns is None:
        yield "items", f"{NO_ITEMS}; {NO_ITEM_TEXT}"
    elif not (item_columns("title") or item_columns("description")):
        yield "title, description", NO_ITEM_TEXT
    if not users and has("user_id"):
        yield "users", f"{NO_USERS}, so nothing that is known of them can be adjusted for, or read by a policy"
    if not has("policy"):
        yield "policy", NO_POLICY


def why_no_revenue(priced: bool, margin: float | None, no_price: str | None) -> str:
    """Why policies are not judged by revenue, the first thing to do about it first.

    Args:
        priced: The source logs purchases, and prices.
        margin: As people have stated it.
        no_price: Which items that could be shown have no price, in words.
    """
    if not priced:
        return NO_PRICED_PURCHASES
    return NO_MARGIN if margin is None or no_price is None else no_price
