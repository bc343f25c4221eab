"""What a source's logs mean: `data/sources.yaml`, from a user's own names to ours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from causalrec.answers import InputError
from causalrec.cells.ids import FLOAT_IDS
from causalrec.settings.logs.feeds import OUTCOMES, YAML, Feed, Stream, parse_feed, parse_missing, parse_streams

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
    "user_purchases",
    "user_recency_days",
    "item_purchase_rate",
    "item_mean_rating",
    "item_price_change",
    "month",
    "holiday",
    "unknown_item",
    "unknown_user",
    "file",
    "row",
    "reason",
)
"""Names that the log stage makes itself: a source's own column cannot have one of them."""

KEYS = {
    "name",
    "about",
    "first_day",
    "last_day",
    "sparse",
    "time_zone",
    "landing",
    "landing_options",
    "events",
    "outcome_streams",
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
    "missing",
    "float_ids",
}


@dataclass(frozen=True)
class Source:
    """The parsed mapping.

    Attributes:
        first_day, last_day: The days that have partitions; None as last day: the logs go on.
        sparse: Days for which nothing is landed have no partition, and are passed over; otherwise each day is landed or
            declared empty.
        landing, landing_options: Where files are landed: a URL that fsspec knows, with its options; empty: below the
            home's `data/landing`.
        events: The feed of the events.
        streams: Outcomes that come apart from the events.
        organic_rows: Which organic exposures the logs hold; only `every_impression` lets "recommended or not"
            be asked.
        context: Further event columns that are known before the treatment.
        kinds: `text` or `number` of each context and extra column.
        items, users: The feeds of the snapshots; None where the source lists none.
        item_extra: Further item columns that are known before the treatment.
        user_kinds: `text` or `number` of each attribute of the users, by our name.
        sensitive: Attributes that no policy reads unless `policy.yaml` allows it.
        prior_rate, prior_exposures: Past click rates are (clicks + rate x exposures) / (seen + exposures): a
            user or item that was hardly seen has the prior's rate.
        held_out_policies: Rows of these logging policies are read by no fit; they are an answer sheet.
        maturity_days: Outcome -> days until it is final.
        cluster_by: What intervals are clustered by, or `auto`.
    """

    name: str
    first_day: date
    time_zone: str
    events: Feed
    streams: tuple[Stream, ...]
    organic_rows: str
    purchase_needs_click: bool
    context: tuple[str, ...]
    kinds: Mapping[str, str]
    items: Feed | None
    item_extra: tuple[str, ...]
    users: Feed | None
    user_kinds: Mapping[str, str]
    sensitive: tuple[str, ...]
    history_days: int
    prior_rate: float
    prior_exposures: float
    held_out_policies: tuple[str, ...]
    about: str = ""
    landing: str = ""
    landing_options: Mapping[str, object] = field(default_factory=dict)
    last_day: date | None = None
    sparse: bool = False
    maturity_days: Mapping[str, int] = field(default_factory=dict)
    cluster_by: str = "auto"

    @property
    def outcomes(self) -> tuple[str, ...]:
        return tuple(self.maturity_days)

    @property
    def columns(self) -> Mapping[str, str]:
        """Our name -> the user's, of the events."""
        return self.events.columns

    @property
    def item_columns(self) -> Mapping[str, str]:
        return self.items.columns if self.items else {}

    @property
    def user_columns(self) -> Mapping[str, str]:
        return self.users.columns if self.users else {}

    @property
    def user_attributes(self) -> tuple[str, ...]:
        """What is known of users and can be joined to their events, in the order of the mapping."""
        return tuple(self.user_kinds) if self.has("user_id") else ()

    @property
    def folders(self) -> dict[str, str]:
        """Every feed's folder, by the feed's name."""
        feeds = {"events": self.events, "items": self.items, "users": self.users}
        named = {name: feed.folder for name, feed in feeds.items() if feed is not None}
        return named | {stream.name: stream.feed.folder for stream in self.streams}

    def has(self, column: str) -> bool:
        """Whether the source has an event column: mapped, constant, or brought by a stream of outcomes."""
        given = {name for stream in self.streams for name in stream.gives}
        return self.events.has(column) or column in given or (column.removesuffix("_time") in given - {column})

    def covers(self, day: date) -> bool:
        """Whether a day is one of the source's."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)

    @property
    def attribution_days(self) -> int:
        """How many days after its event an outcome of a stream can still come."""
        return max((stream.window_days for stream in self.streams), default=0)

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
    YAML.known("", settings, KEYS)
    first_day = YAML.day("first_day", settings.get("first_day"))
    last_day = None if settings.get("last_day") is None else YAML.day("last_day", settings["last_day"])
    if last_day is not None and last_day < first_day:
        raise YAML.wrong("last_day", f"a day not before first_day, {first_day}", last_day)
    kinds = YAML.kinds("context", settings.get("context"))
    events = _events(settings.get("events"), kinds)
    streams = parse_streams(settings.get("outcome_streams"))
    items, extra_kinds = _items(settings.get("items"))
    for name in kinds.keys() & extra_kinds.keys():
        if kinds[name] != extra_kinds[name]:
            raise YAML.wrong(f"items.extra.{name}", f"{kinds[name]}, as in `context`", extra_kinds[name])
    users, user_kinds, sensitive = _users(settings.get("users"), {*kinds, *extra_kinds})
    prior_rate, prior_exposures = _prior(settings.get("rate_prior"))
    missing = parse_missing(settings.get("missing"))
    float_ids = YAML.one_of("float_ids", settings.get("float_ids", FLOAT_IDS[0]), FLOAT_IDS)

    def written(feed: Feed) -> Feed:
        # One thing for all files of a source: ids are compared across them.
        return replace(feed, missing=missing, float_ids=float_ids)

    source = Source(
        name=YAML.text("name", settings.get("name", "source")),
        about=YAML.text("about", settings.get("about", "")),
        landing=YAML.text("landing", settings.get("landing", "")),
        landing_options=YAML.mapping("landing_options", settings.get("landing_options") or {}),
        first_day=first_day,
        last_day=last_day,
        sparse=YAML.boolean("sparse", settings.get("sparse", False)),
        time_zone=YAML.time_zone("time_zone", settings.get("time_zone", "UTC")),
        events=written(events),
        streams=tuple(replace(stream, feed=written(stream.feed)) for stream in streams),
        organic_rows=YAML.one_of("organic_rows", settings.get("organic_rows", "none"), ORGANIC_ROWS),
        purchase_needs_click=YAML.boolean("purchase_needs_click", settings.get("purchase_needs_click", False)),
        context=tuple(kinds),
        kinds={**kinds, **extra_kinds},
        items=written(items) if items else None,
        item_extra=tuple(extra_kinds),
        users=written(users) if users else None,
        user_kinds=user_kinds,
        sensitive=sensitive,
        maturity_days=_outcomes(settings.get("outcomes"), events, streams),
        history_days=YAML.whole("history_days", settings.get("history_days", 28), 1),
        prior_rate=prior_rate,
        prior_exposures=prior_exposures,
        held_out_policies=YAML.names("held_out_policies", settings.get("held_out_policies")),
        cluster_by=YAML.one_of("cluster", settings.get("cluster", "auto"), CLUSTERS),
    )
    _agree(source)
    return source


def _events(value: object, kinds: Mapping[str, str]) -> Feed:
    given = YAML.mapping("events", value)
    YAML.known("events", given, {"folder", "columns", "constants", "codes", "time_format", "csv"})
    if taken := set(kinds) & {*EVENT_COLUMNS, *DERIVED_COLUMNS}:
        raise InputError(f"sources.yaml: `context`: {sorted(taken)} are names of ours; rename them")
    may_be_constant = sorted(set(EVENT_COLUMNS) - {"event_id", "time", "item_id"})
    feed = parse_feed("events", given, (*EVENT_COLUMNS, *kinds), "events", may_be_constant)
    for required in ("time", "item_id"):
        if required not in feed.columns:
            key = f"events.columns.{required}"
            raise InputError(f"sources.yaml: `{key}` is required: which of your columns is it?")
    if missing := [name for name in kinds if name not in feed.columns]:
        raise InputError(f"sources.yaml: the context columns {missing} are not mapped in `events.columns`")
    for name in {"recommended", "click", "purchase"} & feed.constants.keys():
        if feed.constants[name] not in (0, 1):
            raise YAML.wrong(f"events.constants.{name}", "0 or 1", feed.constants[name])
    return feed


def _outcomes(value: object, events: Feed, streams: Sequence[Stream]) -> dict[str, int]:
    outcomes = YAML.mapping("outcomes", value)
    YAML.known("outcomes", outcomes, set(OUTCOMES))
    days = {name: stream.window_days for stream in streams for name in stream.gives}
    mapped = [name for name in outcomes if events.has(name) or name in days]
    if not outcomes or len(mapped) != len(outcomes):
        raise InputError(
            "sources.yaml: at least one outcome is required and each must be mapped; `outcomes` has "
            f"{list(outcomes)}, `events` and `outcome_streams` map {mapped}"
        )
    maturity = {}
    for name, given in outcomes.items():
        settings = YAML.mapping(f"outcomes.{name}", given or {})
        YAML.known(f"outcomes.{name}", settings, {"maturity_days"})
        maturity[name] = YAML.whole(f"outcomes.{name}.maturity_days", settings.get("maturity_days", 0), 0)
        if maturity[name] < days.get(name, 0):
            least = f"at least {days[name]}, the attribution window of its stream in days"
            raise YAML.wrong(f"outcomes.{name}.maturity_days", least, maturity[name])
    return maturity


def _items(value: object) -> tuple[Feed | None, dict[str, str]]:
    given = YAML.mapping("items", value or {})
    YAML.known("items", given, {"folder", "columns", "codes", "time_format", "csv", "extra"})
    extra = YAML.kinds("items.extra", given.get("extra"))
    if taken := set(extra) & {*ITEM_COLUMNS, *EVENT_COLUMNS, *DERIVED_COLUMNS}:
        raise InputError(f"sources.yaml: `items.extra`: {sorted(taken)} are names of ours; rename them")
    if not given:
        return None, {}
    feed = parse_feed("items", given, (*ITEM_COLUMNS, *extra), "items", ())
    if "item_id" not in feed.columns:
        raise InputError("sources.yaml: `items.columns.item_id` is required where `items` is given")
    if missing := [name for name in extra if name not in feed.columns]:
        raise InputError(f"sources.yaml: the extra columns {missing} are not mapped in `items.columns`")
    return feed, extra


def _users(value: object, others: Collection[str]) -> tuple[Feed | None, dict[str, str], tuple[str, ...]]:
    """The feed, the kind of each attribute, and which of them are sensitive.

    Args:
        others: Names of context and item columns: an attribute of that name could not be told from them in `units`.
    """
    given = YAML.mapping("users", value or {})
    YAML.known("users", given, {"folder", "columns", "codes", "csv", "kinds", "sensitive"})
    if not given:
        return None, {}, ()
    # Attributes have the user's own names.
    own = YAML.column_map("users.columns", given.get("columns"))
    feed = parse_feed("users", given, tuple(own), "users", ())
    if "user_id" not in feed.columns:
        raise InputError("sources.yaml: `users.columns.user_id` is required where `users` is given")
    attributes = [name for name in feed.columns if name != "user_id"]
    if taken := sorted({*EVENT_COLUMNS, *ITEM_COLUMNS, *DERIVED_COLUMNS, *others} & set(attributes)):
        raise InputError(
            f"sources.yaml: `users.columns`: {taken} are names of other columns of the units; give these attributes "
            "other names on the left, e.g. user_age"
        )
    kinds = YAML.kinds("users.kinds", given.get("kinds"))
    sensitive = YAML.names("users.sensitive", given.get("sensitive"))
    for key, names in (("kinds", tuple(kinds)), ("sensitive", sensitive)):
        if unknown := [name for name in names if name not in attributes]:
            raise InputError(f"sources.yaml: `users.{key}` names {unknown}; `users.columns` has {sorted(attributes)}")
    return feed, {name: kinds.get(name, "text") for name in attributes}, sensitive


def _prior(value: object) -> tuple[float, float]:
    prior = YAML.mapping("rate_prior", value or {"rate": 0.1, "exposures": 10})
    YAML.known("rate_prior", prior, {"rate", "exposures"})
    rate, exposures = prior.get("rate"), prior.get("exposures")
    numbers = isinstance(rate, int | float) and isinstance(exposures, int | float)
    if not numbers or not 0 < rate < 1 or not exposures > 0:  # type: ignore[operator]
        raise YAML.wrong("rate_prior", "a rate in (0, 1) and exposures above 0", dict(prior))
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
    by_stream = {outcome for stream in source.streams for outcome in stream.gives}
    if source.purchase_needs_click and {"click", "purchase"} <= by_stream:
        raise InputError(
            "sources.yaml: `purchase_needs_click` is read off the events' own `click`, and yours come as a stream, as "
            "do the purchases; set it to false"
        )
    for stream in source.streams:
        if both := [outcome for outcome in stream.gives if source.events.has(outcome)]:
            raise InputError(
                f"sources.yaml: {both} come with the events and with the stream `{stream.name}`; say which: remove one"
            )
        if unlisted := [outcome for outcome in stream.gives if outcome not in source.maturity_days]:
            raise InputError(f"sources.yaml: the stream `{stream.name}` gives {unlisted}; list them in `outcomes`")
        if unjoinable := [column for column in stream.join if column not in source.columns]:
            raise InputError(f"sources.yaml: `{stream.name}` is joined by {unjoinable}; map them in `events.columns`")
    given = [outcome for stream in source.streams for outcome in stream.gives]
    if twice := sorted({outcome for outcome in given if given.count(outcome) > 1}):
        raise InputError(f"sources.yaml: {twice} come with more than one stream; land them in one")
