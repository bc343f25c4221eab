"""Column lineage of the log tables: from which upstream columns the values of each column are made.

A column is named where changing it can change a value: what is copied or computed from, and what rows are joined,
selected or counted by. What is no column is not named: a constant of `sources.yaml`, and the day, which is the
partition's. A row that is only carried on (an event into `units`, an older bucket into `history`) keeps its own values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from causalrec_assets.logs.cleaning import event_types
from causalrec_assets.logs.covariates import covariate_names
from causalrec_assets.logs.history import SCHEMA as HISTORY
from causalrec_assets.logs.snapshots import ITEM_TYPES
from causalrec_assets.logs.sources import Source
from causalrec_assets.logs.units import ROLES

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
    counted_by = (user, item, *category)
    today: Lineage = {
        "user_id": (user,),
        "item_id": (item,),
        "category": category,
        "exposures": counted_by,
        "clicks": (("clean_events", "click"), *counted_by),
        "purchases": (("clean_events", "purchase"), *counted_by),
    }
    return {column: _once(*today.get(column, ()), ("history", column)) for column in HISTORY}


def units_lineage(source: Source) -> Lineage:
    """A unit's own columns from its event; its covariates from the event, the catalogue and the history before."""
    covariates = covariate_names(source)
    own = {c: (("clean_events", c),) for c in (*ROLES, *source.context)}
    made: Lineage = {
        "unit_id": (("clean_events", "event_id"),),
        "day": (),
        "hour": (("clean_events", "time"),),
        "weekday": (("clean_events", "time"),),
        "price": _price(source),
        "item_age_days": _of_item("published_at"),
        **{c: _of_item(c) for c in source.item_extra},
        **_from_history(source),
        "category": _category(source),
        **{c: own[c] for c in source.context},
    }
    columns = [*(c for c in (*ROLES, "price") if c not in covariates), *covariates]
    return {column: made[column] if column in made else own[column] for column in columns}


def _from_history(source: Source) -> Lineage:
    def summed(*columns: str, by: Iterable[str], known: Iterable[Column]) -> tuple[Column, ...]:
        return _once(*known, *(("history", column) for column in ("entity", *by, *columns)))

    user = (("clean_events", "user_id"),)
    # Counts come with the catalogue's rows: an item that it does not have counts as never seen.
    item = (("clean_events", "item_id"), ("items", "item_id"))
    pair = (*user, *_category(source))
    return {
        "user_exposures": summed("exposures", by=["user_id"], known=user),
        "user_clicks": summed("clicks", by=["user_id"], known=user),
        "user_tenure_days": summed("day", by=["user_id"], known=user),
        "item_exposures": summed("exposures", by=["item_id"], known=item),
        "item_click_rate": summed("clicks", "exposures", by=["item_id"], known=item),
        "user_category_click_rate": summed("clicks", "exposures", by=["user_id", "category"], known=pair),
    }


def _of_item(column: str) -> tuple[Column, ...]:
    """A column of the catalogue, looked up by the event's item."""
    return (("items", column), ("items", "item_id"), ("clean_events", "item_id"))


def _category(source: Source) -> tuple[Column, ...]:
    """A column that event and item both have is the event's."""
    return (("clean_events", "category"),) if "category" in source.context else _of_item("category")


def _price(source: Source) -> tuple[Column, ...]:
    """The logged price; the catalogue's fills its gaps."""
    listed = _of_item("price") if "price" in source.item_columns else ()
    return (("clean_events", "price"), *listed)


def _landed(table: str, columns: Mapping[str, str], ours: Iterable[str]) -> tuple[Column, ...]:
    return _once(*((table, columns[name]) for name in ours if name in columns))


def _once(*columns: Column) -> tuple[Column, ...]:
    return tuple(dict.fromkeys(columns))
