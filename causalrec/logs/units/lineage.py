"""Column lineage of the log tables: from which upstream columns the values of each column are made.

A column is named where changing it can change a value: what is copied or computed from, and what rows are joined,
selected or counted by. What is no column is not named: a constant of `sources.yaml`, and the day, which is the
partition's. A row that is only carried on (an event into `units`, an older bucket into `history`) keeps its own values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from causalrec.logs.cleaning.clean import event_types
from causalrec.logs.landing.snapshots import ITEM_TYPES
from causalrec.logs.units.day_counts import COUNTED, KEYS, MEASURES
from causalrec.logs.units.history import SCHEMA as HISTORY
from causalrec.logs.units.history import SEEN
from causalrec.logs.units.units import ROLES, unit_columns
from causalrec.settings.logs.columns import WHERE_MAPPED
from causalrec.settings.logs.covariates import PLAIN, CovariateSettings
from causalrec.settings.logs.sources import Source

Column = tuple[str, str]
"""(table, column)."""
Lineage = dict[str, tuple[Column, ...]]

LANDED_EVENTS, LANDED_ITEMS, LANDED_USERS = "landed_events", "landed_items", "landed_users"
"""The landed files, as the graph names them; their columns are the user's own."""


def clean_events_lineage(source: Source) -> Lineage:
    """Our names from the user's; an id that the source lacks is made from all of a row's content."""
    lineage = {column: _landed(LANDED_EVENTS, source.columns, [column]) for column in event_types(source)}
    if "event_id" not in source.columns:
        lineage["event_id"] = _landed(LANDED_EVENTS, source.columns, source.columns)
    return lineage


def items_lineage(source: Source) -> Lineage:
    return {c: _landed(LANDED_ITEMS, source.item_columns, [c]) for c in (*ITEM_TYPES, *source.item_extra)}


def users_lineage(source: Source) -> Lineage:
    return {c: _landed(LANDED_USERS, source.user_columns, [c]) for c in source.user_columns or ("user_id",)}


def history_lineage(source: Source) -> Lineage:
    """The day's counts from its events, per user, item, and user with a category; and what is carried on."""
    if not source.has("user_id"):
        return dict.fromkeys(HISTORY, ())
    user, item, category = ("clean_events", "user_id"), ("clean_events", "item_id"), _category(source)
    everybody, ids = (user, item, *category), (user, item)
    price = (
        *((("clean_events", "price"),) if source.has("price") else ()),
        *(_of_item("price") if "price" in source.item_columns else ()),
    )
    click, purchase, rating = (_outcome(outcome, source) for outcome in COUNTED)
    today: Lineage = {
        "entity": (),
        "user_id": (user,),
        "item_id": (item,),
        "category": category,
        "exposures": everybody,
        # What the source does not have is 0 of everybody.
        "clicks": (*click, *everybody) if click else (),
        "purchases": (*purchase, *ids) if purchase else (),
        "ratings": (*rating, item) if rating else (),
        "rating_sum": (*rating, item) if rating else (),
        "priced": (*price, item) if price else (),
        "price_sum": (*price, item) if price else (),
        "first_seen": ids,
        "last_seen": ids,
    }
    # A sum is what it was of the same entity, and the day's count.
    carried = {c: tuple(("history", name) for name in (c, *(_summed_by(c) if today[c] else ()))) for c in HISTORY}
    return {column: _once(*today[column], *carried[column]) for column in HISTORY}


def _summed_by(column: str) -> tuple[str, ...]:
    """The keys of the entities that have a column of `history`."""
    counted = [KEYS[entity] for entity, measures in MEASURES.items() if column in measures]
    seen = [KEYS[entity] for entity in SEEN if column in ("first_seen", "last_seen")]
    return ("entity", *dict.fromkeys(key for keys in (*counted, *seen) for key in keys)) if counted or seen else ()


def _outcome(outcome: str, source: Source) -> tuple[Column, ...]:
    """An outcome that the source has, and its own time where that is logged."""
    if not source.has(outcome):
        return ()
    time = (("clean_events", f"{outcome}_time"),) if source.has(f"{outcome}_time") else ()
    return (("clean_events", outcome), *time)


def units_lineage(source: Source, settings: CovariateSettings = PLAIN) -> Lineage:
    """A unit's own columns from its event; its covariates from the event, the catalogue and the history before."""
    own = {c: (("clean_events", c),) for c in (*ROLES, *WHERE_MAPPED, "campaign_id", *source.context)}
    item_listed = (("clean_events", "item_id"), ("items", "item_id")) if source.item_columns else ()
    user_listed = (("clean_events", "user_id"), ("users", "user_id")) if source.user_columns else ()
    made: Lineage = {
        "unit_id": (("clean_events", "event_id"),),
        "day": (),
        "unknown_item": item_listed,
        "unknown_user": user_listed,
        **dict.fromkeys(("hour", "weekday", "month", "holiday"), (("clean_events", "time"),)),
        "price": _price(source),
        "item_age_days": _of_item("published_at"),
        **{c: _of_item(c) for c in source.item_extra},
        **_from_history(source),
        "category": _category(source),
        **{c: own[c] for c in source.context},
        **{c: (("users", c), ("users", "user_id"), ("clean_events", "user_id")) for c in source.user_attributes},
    }
    return {column: made[column] if column in made else own[column] for column in unit_columns(source, settings)}


def _from_history(source: Source) -> Lineage:
    def summed(*columns: str, by: Iterable[str], known: Iterable[Column]) -> tuple[Column, ...]:
        return _once(*known, *(("history", column) for column in ("entity", *by, *columns)))

    def of_user(*columns: str) -> tuple[Column, ...]:
        return summed(*columns, by=["user_id"], known=[("clean_events", "user_id")])

    def of_item(*columns: str) -> tuple[Column, ...]:
        return summed(*columns, by=["item_id"], known=[("clean_events", "item_id")])

    pair = (("clean_events", "user_id"), *_category(source))
    return {
        "user_exposures": of_user("exposures"),
        "user_clicks": of_user("clicks"),
        "user_purchases": of_user("purchases"),
        "user_recency_days": of_user("last_seen"),
        "user_tenure_days": of_user("first_seen"),
        "item_exposures": of_item("exposures"),
        "item_click_rate": of_item("clicks", "exposures"),
        "item_purchase_rate": of_item("purchases", "exposures"),
        "item_mean_rating": of_item("rating_sum", "ratings"),
        "item_price_change": _once(*_price(source), *of_item("priced", "price_sum")),
        "user_category_click_rate": summed("clicks", "exposures", by=["user_id", "category"], known=pair),
    }


def _of_item(column: str) -> tuple[Column, ...]:
    """A column of the catalogue, looked up by the event's item."""
    return (("items", column), ("items", "item_id"), ("clean_events", "item_id"))


def _category(source: Source) -> tuple[Column, ...]:
    """A column that event and item both have is the event's."""
    if "category" in source.context:
        return (("clean_events", "category"),)
    return _of_item("category")


def _price(source: Source) -> tuple[Column, ...]:
    """The logged price; the catalogue's fills its gaps."""
    listed = _of_item("price") if "price" in source.item_columns else ()
    return (("clean_events", "price"), *listed)


def _landed(table: str, columns: Mapping[str, str], ours: Iterable[str]) -> tuple[Column, ...]:
    return _once(*((table, columns[name]) for name in ours if name in columns))


def _once(*columns: Column) -> tuple[Column, ...]:
    return tuple(dict.fromkeys(columns))
