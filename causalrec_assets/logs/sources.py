"""What a source's logs mean: `data/sources.yaml`, from a user's own names to ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from causalrec_assets.answers import InputError

EVENT_COLUMNS = (
    "event_id", "time", "user_id", "item_id", "request_id", "position", "policy", "action_propensity", "recommended",
    "click", "purchase", "rating", "revenue", "price",
)
ITEM_COLUMNS = ("item_id", "title", "description", "category", "price", "published_at")
OUTCOMES = ("click", "purchase", "rating", "revenue")
ORGANIC_ROWS = ("every_impression", "interactions_only", "none")


@dataclass(frozen=True)
class Source:
    """The parsed mapping.

    Attributes:
        columns: Our name -> the user's, of `events`; a column of ours that is not here does not exist in the source.
        constants: Our name -> a value that holds for every row. Knowledge of the source ("each row is a
            recommendation"), never a stand-in for something that was not logged.
        organic_rows: Which organic exposures the logs hold; only `every_impression` lets "recommended or not" be asked.
        context: Further event columns that are known before the treatment.
        item_extra: Further item columns that are known before the treatment.
        prior_rate, prior_exposures: Past click rates are (clicks + rate x exposures) / (seen + exposures): a user or item
            that was hardly seen has the prior's rate.
        kinds: `text` or `number` of each context and extra column.
        held_out_policies: Rows of these logging policies are read by no fit; they are an answer sheet.
    """

    name: str
    first_day: date
    time_zone: str
    events_folder: str
    columns: Mapping[str, str]
    constants: Mapping[str, Any]
    organic_rows: str
    purchase_needs_click: bool
    context: tuple[str, ...]
    kinds: Mapping[str, str]
    items_folder: str | None
    item_columns: Mapping[str, str]
    item_extra: tuple[str, ...]
    users_folder: str | None
    user_columns: Mapping[str, str]
    sensitive: tuple[str, ...]
    outcomes: tuple[str, ...]
    history_days: int
    prior_rate: float
    prior_exposures: float
    held_out_policies: tuple[str, ...]
    about: str = ""

    def has(self, column: str) -> bool:
        """Whether the source has an event column, mapped or constant."""
        return column in self.columns or column in self.constants

    @property
    def cluster(self) -> str:
        """What intervals are clustered by: the user, else the request, else the hour."""
        return next((c for c in ("user_id", "request_id") if self.has(c)), "hour")


def parse_source(settings: Mapping[str, Any]) -> Source:
    """Read `data/sources.yaml`.

    Raises:
        InputError: An unknown key, a missing required one, or a value of the wrong kind; the message names the key.
    """
    _known("sources.yaml", settings, {
        "name", "about", "first_day", "last_day", "time_zone", "events", "organic_rows", "purchase_needs_click", "context",
        "items", "users", "outcomes", "history_days", "rate_prior", "held_out_policies",
    })
    first_day = settings.get("first_day")
    if not isinstance(first_day, date):
        raise InputError(f"sources.yaml: `first_day` must be a date such as 2026-03-02, got {first_day!r}")
    events = _mapping("events", settings.get("events"))
    _known("sources.yaml: events", events, {"folder", "columns", "constants"})
    columns = {str(k): str(v) for k, v in _mapping("events.columns", events.get("columns")).items()}
    constants = dict(_mapping("events.constants", events.get("constants") or {}))
    kinds = _kinds("context", settings.get("context"))
    context = tuple(kinds)
    _known("sources.yaml: events.columns", columns, {*EVENT_COLUMNS, *context})
    _known("sources.yaml: events.constants", constants, set(EVENT_COLUMNS))
    for required in ("time", "item_id"):
        if required not in columns:
            raise InputError(f"sources.yaml: `events.columns.{required}` is required: which of your columns is it?")
    if missing := [c for c in context if c not in columns]:
        raise InputError(f"sources.yaml: the context columns {missing} are not mapped in `events.columns`")
    outcomes = tuple(_mapping("outcomes", settings.get("outcomes")))
    _known("sources.yaml: outcomes", dict.fromkeys(outcomes), set(OUTCOMES))
    mapped = [o for o in outcomes if o in columns or o in constants]
    if not outcomes or len(mapped) != len(outcomes):
        raise InputError(f"sources.yaml: at least one outcome is required and each must be mapped; `outcomes` has "
                         f"{list(outcomes)}, `events.columns` maps {mapped}")
    organic = settings.get("organic_rows", "none")
    if organic not in ORGANIC_ROWS:
        raise InputError(f"sources.yaml: `organic_rows` must be one of {ORGANIC_ROWS}, got {organic!r}")
    items = _mapping("items", settings.get("items") or {})
    _known("sources.yaml: items", items, {"folder", "columns", "extra"})
    extra_kinds = _kinds("items.extra", items.get("extra"))
    extra = tuple(extra_kinds)
    item_columns = {str(k): str(v) for k, v in _mapping("items.columns", items.get("columns") or {}).items()}
    _known("sources.yaml: items.columns", item_columns, {*ITEM_COLUMNS, *extra})
    users = _mapping("users", settings.get("users") or {})
    _known("sources.yaml: users", users, {"folder", "columns", "sensitive"})
    user_columns = {str(k): str(v) for k, v in _mapping("users.columns", users.get("columns") or {}).items()}
    history_days = settings.get("history_days", 28)
    if not isinstance(history_days, int) or history_days < 1:
        raise InputError(f"sources.yaml: `history_days` must be a whole number of at least 1, got {history_days!r}")
    prior = _mapping("rate_prior", settings.get("rate_prior") or {"rate": 0.1, "exposures": 10})
    _known("sources.yaml: rate_prior", prior, {"rate", "exposures"})
    prior_rate, prior_exposures = float(prior.get("rate", 0)), float(prior.get("exposures", 0))
    if not 0 < prior_rate < 1 or prior_exposures <= 0:
        raise InputError(f"sources.yaml: `rate_prior` needs a rate in (0, 1) and exposures above 0, got {dict(prior)}")
    return Source(
        name=str(settings.get("name", "source")), about=str(settings.get("about", "")), first_day=first_day,
        time_zone=str(settings.get("time_zone", "UTC")), events_folder=str(events.get("folder", "events")),
        columns=columns, constants=constants, organic_rows=str(organic),
        purchase_needs_click=bool(settings.get("purchase_needs_click", False)), context=context,
        kinds={**kinds, **extra_kinds},
        items_folder=str(items.get("folder", "items")) if item_columns else None, item_columns=item_columns,
        item_extra=extra, users_folder=str(users.get("folder", "users")) if user_columns else None,
        user_columns=user_columns, sensitive=_names("users.sensitive", users.get("sensitive")), outcomes=outcomes,
        history_days=history_days, prior_rate=prior_rate,
        prior_exposures=prior_exposures, held_out_policies=_names("held_out_policies", settings.get("held_out_policies")),
    )


def _known(where: str, given: Mapping[str, Any], known: set[str]) -> None:
    if unknown := set(given) - known:
        raise InputError(f"{where}: unknown {sorted(unknown)}; known are {sorted(known)}")


def _mapping(key: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"sources.yaml: `{key}` must be a mapping, got {value!r}")
    return value


def _kinds(key: str, value: Any) -> dict[str, str]:
    kinds = {str(k): str(v) for k, v in _mapping(key, value or {}).items()}
    if wrong := {k: v for k, v in kinds.items() if v not in ("text", "number")}:
        raise InputError(f"sources.yaml: `{key}` maps each column to `text` or `number`, got {wrong}")
    return kinds


def _names(key: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise InputError(f"sources.yaml: `{key}` must be a list of names, got {value!r}")
    return tuple(str(v) for v in value)
