"""What a source's logs mean: `data/sources.yaml`, from a user's own names to ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from causalrec_assets.answers import InputError

EVENT_COLUMNS = (
    "event_id",
    "time",
    "user_id",
    "item_id",
    "request_id",
    "position",
    "policy",
    "action_propensity",
    "recommended",
    "click",
    "purchase",
    "rating",
    "revenue",
    "price",
    "click_time",
    "purchase_time",
    "rating_time",
    "campaign_id",
    "experiment_id",
    "variant",
)
ITEM_COLUMNS = ("item_id", "title", "description", "category", "price", "published_at")
OUTCOMES = ("click", "purchase", "rating", "revenue")
ORGANIC_ROWS = ("every_impression", "interactions_only", "none")
CLUSTERS = ("auto", "user_id", "request_id", "hour")
DERIVED_COLUMNS = (
    "unit_id",
    "day",
    "hour",
    "weekday",
    "item_age_days",
    "user_exposures",
    "user_clicks",
    "user_tenure_days",
    "item_exposures",
    "item_click_rate",
    "user_category_click_rate",
    "file",
    "row",
    "reason",
)
"""Names that the log stage makes itself: a source's own column cannot have one of them."""

Constant = str | int | float
KEYS = {
    "name",
    "about",
    "first_day",
    "last_day",
    "time_zone",
    "events",
    "organic_rows",
    "purchase_needs_click",
    "context",
    "items",
    "users",
    "outcomes",
    "history_days",
    "rate_prior",
    "held_out_policies",
    "cluster",
}


@dataclass(frozen=True)
class Source:
    """The parsed mapping.

    Attributes:
        first_day, last_day: The days that have partitions; None as last day: the logs go on.
        columns: Our name -> the user's, of `events`; a column of ours that is not here is not in the source.
        constants: Our name -> a value that holds for every row. Knowledge of the source ("each row is a
            recommendation"), never a stand-in for something that was not logged.
        organic_rows: Which organic exposures the logs hold; only `every_impression` lets "recommended or not"
            be asked.
        context: Further event columns that are known before the treatment.
        kinds: `text` or `number` of each context and extra column.
        item_extra: Further item columns that are known before the treatment.
        prior_rate, prior_exposures: Past click rates are (clicks + rate x exposures) / (seen + exposures): a
            user or item that was hardly seen has the prior's rate.
        held_out_policies: Rows of these logging policies are read by no fit; they are an answer sheet.
        maturity_days: Outcome -> days until it is final.
        cluster_by: What intervals are clustered by, or `auto`.
    """

    name: str
    first_day: date
    time_zone: str
    events_folder: str
    columns: Mapping[str, str]
    constants: Mapping[str, Constant]
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
    last_day: date | None = None
    maturity_days: Mapping[str, int] = field(default_factory=dict)
    cluster_by: str = "auto"

    def has(self, column: str) -> bool:
        """Whether the source has an event column, mapped or constant."""
        return column in self.columns or column in self.constants

    def covers(self, day: date) -> bool:
        """Whether a day is one of the source's."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)

    @property
    def cluster(self) -> str:
        """What intervals are clustered by: what the source says, else user, else request, else hour."""
        if self.cluster_by != "auto":
            return self.cluster_by
        return next((c for c in ("user_id", "request_id") if self.has(c)), "hour")


def parse_source(settings: Mapping[str, object]) -> Source:
    """Read `data/sources.yaml`.

    Raises:
        InputError: An unknown key, a missing required one, a value of the wrong kind, or two that contradict
            each other; the message names the key, what was given, and what is accepted.
    """
    _known("", settings, KEYS)
    first_day = _day("first_day", settings.get("first_day"))
    last_day = None if settings.get("last_day") is None else _day("last_day", settings["last_day"])
    if last_day is not None and last_day < first_day:
        raise _wrong("last_day", f"a day not before first_day, {first_day}", last_day)
    events = _mapping("events", settings.get("events"))
    _known("events", events, {"folder", "columns", "constants"})
    kinds = _kinds("context", settings.get("context"))
    columns, constants = _event_columns(events, kinds)
    maturity = _outcomes(settings.get("outcomes"), columns, constants)
    items, item_columns, extra_kinds = _items(settings.get("items"))
    for name in kinds.keys() & extra_kinds.keys():
        if kinds[name] != extra_kinds[name]:
            raise _wrong(f"items.extra.{name}", f"{kinds[name]}, as in `context`", extra_kinds[name])
    users, user_columns, sensitive = _users(settings.get("users"))
    prior_rate, prior_exposures = _prior(settings.get("rate_prior"))
    source = Source(
        name=_text("name", settings.get("name", "source")),
        about=_text("about", settings.get("about", "")),
        first_day=first_day,
        last_day=last_day,
        time_zone=_time_zone(settings.get("time_zone", "UTC")),
        events_folder=_text("events.folder", events.get("folder", "events")),
        columns=columns,
        constants=constants,
        organic_rows=_one_of("organic_rows", settings.get("organic_rows", "none"), ORGANIC_ROWS),
        purchase_needs_click=_boolean("purchase_needs_click", settings.get("purchase_needs_click", False)),
        context=tuple(kinds),
        kinds={**kinds, **extra_kinds},
        items_folder=_text("items.folder", items.get("folder", "items")) if item_columns else None,
        item_columns=item_columns,
        item_extra=tuple(extra_kinds),
        users_folder=_text("users.folder", users.get("folder", "users")) if user_columns else None,
        user_columns=user_columns,
        sensitive=sensitive,
        outcomes=tuple(maturity),
        maturity_days=maturity,
        history_days=_whole("history_days", settings.get("history_days", 28), 1),
        prior_rate=prior_rate,
        prior_exposures=prior_exposures,
        held_out_policies=_names("held_out_policies", settings.get("held_out_policies")),
        cluster_by=_one_of("cluster", settings.get("cluster", "auto"), CLUSTERS),
    )
    _agree(source)
    return source


def _event_columns(
    events: Mapping[str, object], kinds: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, Constant]]:
    columns = _column_map("events.columns", events.get("columns"))
    constants = _mapping("events.constants", events.get("constants") or {})
    if taken := set(kinds) & {*EVENT_COLUMNS, *DERIVED_COLUMNS}:
        raise InputError(f"sources.yaml: `context`: {sorted(taken)} are names of ours; rename them")
    _known("events.columns", columns, {*EVENT_COLUMNS, *kinds})
    _known("events.constants", constants, set(EVENT_COLUMNS) - {"event_id", "time", "item_id"})
    for required in ("time", "item_id"):
        if required not in columns:
            key = f"events.columns.{required}"
            raise InputError(f"sources.yaml: `{key}` is required: which of your columns is it?")
    if missing := [name for name in kinds if name not in columns]:
        raise InputError(f"sources.yaml: the context columns {missing} are not mapped in `events.columns`")
    if both := sorted(set(columns) & set(constants)):
        raise InputError(
            f"sources.yaml: {both} are both mapped and constant; a logged column must not be overwritten, remove one"
        )
    fixed: dict[str, Constant] = {}
    for name, value in constants.items():
        if not isinstance(value, str | int | float):
            raise _wrong(f"events.constants.{name}", "a text or a number", value)
        fixed[name] = int(value) if isinstance(value, bool) else value
    for name in {"recommended", "click", "purchase"} & fixed.keys():
        if fixed[name] not in (0, 1):
            raise _wrong(f"events.constants.{name}", "0 or 1", fixed[name])
    return columns, fixed


def _outcomes(value: object, columns: Mapping[str, str], constants: Mapping[str, Constant]) -> dict[str, int]:
    outcomes = _mapping("outcomes", value)
    _known("outcomes", outcomes, set(OUTCOMES))
    mapped = [name for name in outcomes if name in columns or name in constants]
    if not outcomes or len(mapped) != len(outcomes):
        raise InputError(
            "sources.yaml: at least one outcome is required and each must be mapped; `outcomes` has "
            f"{list(outcomes)}, `events` maps {mapped}"
        )
    maturity = {}
    for name, given in outcomes.items():
        settings = _mapping(f"outcomes.{name}", given or {})
        _known(f"outcomes.{name}", settings, {"maturity_days"})
        maturity[name] = _whole(f"outcomes.{name}.maturity_days", settings.get("maturity_days", 0), 0)
    return maturity


def _items(value: object) -> tuple[Mapping[str, object], dict[str, str], dict[str, str]]:
    items = _mapping("items", value or {})
    _known("items", items, {"folder", "columns", "extra"})
    extra = _kinds("items.extra", items.get("extra"))
    if taken := set(extra) & {*ITEM_COLUMNS, *EVENT_COLUMNS, *DERIVED_COLUMNS}:
        raise InputError(f"sources.yaml: `items.extra`: {sorted(taken)} are names of ours; rename them")
    columns = _column_map("items.columns", items.get("columns") or {})
    _known("items.columns", columns, {*ITEM_COLUMNS, *extra})
    if items and "item_id" not in columns:
        raise InputError("sources.yaml: `items.columns.item_id` is required where `items` is given")
    if missing := [name for name in extra if name not in columns]:
        raise InputError(f"sources.yaml: the extra columns {missing} are not mapped in `items.columns`")
    return items, columns, extra


def _users(value: object) -> tuple[Mapping[str, object], dict[str, str], tuple[str, ...]]:
    users = _mapping("users", value or {})
    _known("users", users, {"folder", "columns", "sensitive"})
    columns = _column_map("users.columns", users.get("columns") or {})
    if users and "user_id" not in columns:
        raise InputError("sources.yaml: `users.columns.user_id` is required where `users` is given")
    sensitive = _names("users.sensitive", users.get("sensitive"))
    if unknown := [name for name in sensitive if name not in columns]:
        raise InputError(f"sources.yaml: `users.sensitive` names {unknown}; `users.columns` has {sorted(columns)}")
    return users, columns, sensitive


def _prior(value: object) -> tuple[float, float]:
    prior = _mapping("rate_prior", value or {"rate": 0.1, "exposures": 10})
    _known("rate_prior", prior, {"rate", "exposures"})
    rate, exposures = prior.get("rate"), prior.get("exposures")
    numbers = isinstance(rate, int | float) and isinstance(exposures, int | float)
    if not numbers or not 0 < rate < 1 or not exposures > 0:  # type: ignore[operator]
        raise _wrong("rate_prior", "a rate in (0, 1) and exposures above 0", dict(prior))
    return float(rate), float(exposures)  # type: ignore[arg-type]


def _agree(source: Source) -> None:
    """Settings that are fine alone and contradict one another."""
    if source.organic_rows != "none" and "recommended" not in source.columns:
        raise InputError(
            f"sources.yaml: `organic_rows: {source.organic_rows}` says that organic rows are logged, so a "
            "column must say which ones: map `events.columns.recommended`, or set `organic_rows: none`"
        )
    if source.purchase_needs_click and not (source.has("click") and source.has("purchase")):
        raise InputError("sources.yaml: `purchase_needs_click` is about two columns; map both `click` and `purchase`")
    if source.held_out_policies and not source.has("policy"):
        raise InputError("sources.yaml: `held_out_policies` are found by their name; map `events.columns.policy`")
    if source.cluster_by in ("user_id", "request_id") and not source.has(source.cluster_by):
        raise InputError(f"sources.yaml: `cluster: {source.cluster_by}` needs that column; map it in `events.columns`")


def _wrong(key: str, accepted: str, given: object) -> InputError:
    return InputError(f"sources.yaml: `{key}` must be {accepted}, got {given!r}")


def _known(where: str, given: Mapping[str, object], known: set[str]) -> None:
    if unknown := sorted(set(given) - known):
        place = f"sources.yaml: {where}" if where else "sources.yaml"
        raise InputError(f"{place}: unknown {unknown}; known are {sorted(known)}")


def _mapping(key: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise _wrong(key, "a mapping", value)
    return {str(name): inner for name, inner in value.items()}


def _column_map(key: str, value: object) -> dict[str, str]:
    return {ours: _text(f"{key}.{ours}", theirs) for ours, theirs in _mapping(key, value).items()}


def _kinds(key: str, value: object) -> dict[str, str]:
    kinds = _mapping(key, value or {})
    return {name: _one_of(f"{key}.{name}", kind, ("text", "number")) for name, kind in kinds.items()}


def _names(key: str, value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise _wrong(key, "a list of names", value)
    return tuple(str(name) for name in value)


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(key, "a text (quote it if it looks like a number)", value)
    return value


def _one_of(key: str, value: object, accepted: Sequence[str]) -> str:
    if not isinstance(value, str) or value not in accepted:
        raise _wrong(key, f"one of {list(accepted)}", value)
    return value


def _boolean(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(key, "true or false", value)
    return value


def _whole(key: str, value: object, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise _wrong(key, f"a whole number of at least {least}", value)
    return value


def _day(key: str, value: object) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _wrong(key, "a date such as 2026-03-02", value)
    return value


def _time_zone(value: object) -> str:
    name = _text("time_zone", value)
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise _wrong("time_zone", "the name of a time zone such as UTC or Europe/Berlin", name) from error
    return name
