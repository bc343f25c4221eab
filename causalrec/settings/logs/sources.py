"""What a source's logs mean: `data/sources.yaml`, from a user's own names to ours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from causalrec.cells.ids import FLOAT_IDS
from causalrec.cells.missing import SPELLINGS
from causalrec.settings.base import Settings
from causalrec.settings.kinds import (
    EMPTY,
    NAMED,
    Conflict,
    Day,
    Must,
    Names,
    Text,
    Wrong,
    Zone,
    number,
    require_known,
    whole,
)
from causalrec.settings.logs.columns import DERIVED_COLUMNS, EVENT_COLUMNS, ITEM_COLUMNS, OUTCOMES
from causalrec.settings.logs.feeds import (
    EventFeed,
    Feed,
    FeedSettings,
    ItemFeed,
    Kinds,
    Stream,
    StreamFeed,
    UserFeed,
    spellings,
)


class Outcome(Settings):
    """An outcome that is learned from.

    Attributes:
        maturity_days: Days until it is final.
    """

    maturity_days: Annotated[int, whole(0)] = 0


class RatePrior(Settings):
    """Past click rates are (clicks + rate x exposures) / (seen + exposures): a user or item that was hardly seen has
    the prior's rate.

    Attributes:
        rate: Of clicks, in (0, 1).
        exposures: How often each counts as seen at that rate.
    """

    rate: Annotated[float, number(0, 1, "()")]
    exposures: Annotated[float, number(0, closed="()")]


def _streams(value: object) -> object:
    # A stream lies in a folder of its own name.
    if isinstance(value, Mapping):
        return {str(k): {"folder": str(k), **v} if isinstance(v, Mapping) else v for k, v in value.items()}
    return value or {}


NONE_GIVEN = BeforeValidator(lambda value: value or None)


class Source(Settings):
    """What the logs mean: from your own names to ours.

    Attributes:
        name: Of the source.
        about: What a reader of its reports has to know of it.
        first_day: The first that has a partition.
        last_day: The last that has one; left out: the logs go on.
        sparse: Days for which nothing is landed have no partition, and are passed over; otherwise each day is landed or
            declared empty.
        time_zone: Of times that carry none.
        landing: Where files are landed: a URL that fsspec knows; empty: below the home's `data/landing`.
        landing_options: What that URL is opened with.
        missing: How all files write that there is no value, besides the empty text.
        float_ids: What the id `12.0` in a text is: `refuse`, `whole` (the id 12), or `text`.
        context: Further event columns that are known before the treatment, each `text` or `number`.
        events: The feed of the events.
        items: The catalogue's feed; left out: none is landed.
        users: The users' feed; left out: nothing is known of them.
        outcome_streams: Outcomes that come apart from the events, by the stream's name.
        outcomes: Those that are learned from.
        organic_rows: Which organic exposures the logs hold; only `every_impression` lets "recommended or not"
            be asked.
        purchase_needs_click: Whether nothing is bought that was not clicked.
        history_days: How many days of the past count.
        rate_prior: Of past rates.
        held_out_policies: Rows of these logging policies are read by no fit; they are an answer sheet.
        holdout: The name, in the column `policy`, of a random share of requests that get no recommendations.
        cluster: What intervals are clustered by, or `auto`: user, else request, else hour.
    """

    FILE = "sources.yaml"

    name: Text = "source"
    about: Text = ""
    first_day: Day
    last_day: Day | None = None
    sparse: bool = False
    time_zone: Zone = "UTC"
    landing: Text = ""
    landing_options: Annotated[dict[str, Any], NAMED, Must("a mapping", secret=True)] = Field(default_factory=dict)
    missing: Annotated[tuple[str, ...], BeforeValidator(spellings)] = SPELLINGS
    float_ids: Annotated[str, Must(f"one of {list(FLOAT_IDS)}", FLOAT_IDS.__contains__)] = FLOAT_IDS[0]
    context_kinds: Kinds = Field(default_factory=dict, validation_alias="context")
    event_feed: EventFeed = Field(validation_alias="events")
    item_feed: Annotated[ItemFeed | None, NONE_GIVEN] = Field(default=None, validation_alias="items")
    user_feed: Annotated[UserFeed | None, NONE_GIVEN] = Field(default=None, validation_alias="users")
    stream_feeds: Annotated[dict[str, StreamFeed], BeforeValidator(_streams)] = Field(
        default_factory=dict, validation_alias="outcome_streams"
    )
    final_after: dict[str, Annotated[Outcome, EMPTY]] = Field(validation_alias="outcomes")
    organic_rows: Literal["every_impression", "interactions_only", "none"] = "none"
    purchase_needs_click: bool = False
    history_days: Annotated[int, whole(1)] = 28
    rate_prior: Annotated[RatePrior, NONE_GIVEN] = RatePrior(rate=0.1, exposures=10)
    held_out_policies: Names = ()
    holdout: Text = ""
    cluster_by: Literal["auto", "user_id", "request_id", "hour"] = Field(default="auto", validation_alias="cluster")

    # -- what the rest of the project asks ----------------------------------------------------------------------------

    @cached_property
    def events(self) -> Feed:
        return self._feed(self.event_feed)

    @cached_property
    def items(self) -> Feed | None:
        return self._feed(self.item_feed) if self.item_feed else None

    @cached_property
    def users(self) -> Feed | None:
        return self._feed(self.user_feed) if self.user_feed else None

    @cached_property
    def streams(self) -> tuple[Stream, ...]:
        return tuple(feed.stream(name, self.missing, self.float_ids) for name, feed in self.stream_feeds.items())

    def _feed(self, feed: FeedSettings) -> Feed:
        # One thing for all files of a source: ids are compared across them.
        return feed.feed(self.missing, self.float_ids)

    @property
    def context(self) -> tuple[str, ...]:
        """Further event columns that are known before the treatment."""
        return tuple(self.context_kinds)

    @property
    def item_extra(self) -> tuple[str, ...]:
        """Further item columns that are known before the treatment."""
        return tuple(self.item_feed.extra) if self.item_feed else ()

    @cached_property
    def kinds(self) -> Mapping[str, str]:
        """`text` or `number` of each context and extra column."""
        return {**self.context_kinds, **(self.item_feed.extra if self.item_feed else {})}

    @cached_property
    def user_kinds(self) -> Mapping[str, str]:
        """`text` or `number` of each attribute of the users, by our name."""
        feed = self.user_feed
        return {name: feed.kinds.get(name, "text") for name in feed.attributes} if feed else {}

    @property
    def sensitive(self) -> tuple[str, ...]:
        """Attributes that no policy reads unless `policy.yaml` allows it."""
        return self.user_feed.sensitive if self.user_feed else ()

    @property
    def prior_rate(self) -> float:
        return self.rate_prior.rate

    @property
    def prior_exposures(self) -> float:
        return self.rate_prior.exposures

    @property
    def outcomes(self) -> tuple[str, ...]:
        return tuple(self.final_after)

    @cached_property
    def maturity_days(self) -> Mapping[str, int]:
        """Outcome -> days until it is final."""
        return {name: outcome.maturity_days for name, outcome in self.final_after.items()}

    @property
    def columns(self) -> Mapping[str, str]:
        """Our name -> the user's, of the events."""
        return self.event_feed.columns

    @property
    def item_columns(self) -> Mapping[str, str]:
        return self.item_feed.columns if self.item_feed else {}

    @property
    def user_columns(self) -> Mapping[str, str]:
        return self.user_feed.columns if self.user_feed else {}

    @property
    def user_attributes(self) -> tuple[str, ...]:
        """What is known of users and can be joined to their events, in the order of the mapping."""
        return tuple(self.user_kinds) if self.has("user_id") else ()

    @property
    def folders(self) -> dict[str, str]:
        """Every feed's folder, by the feed's name."""
        feeds = {"events": self.event_feed, "items": self.item_feed, "users": self.user_feed, **self.stream_feeds}
        return {name: feed.folder for name, feed in feeds.items() if feed is not None}

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

    # -- what has to agree; `info.data` has the fields above that are right -------------------------------------------

    @field_validator("last_day")
    @classmethod
    def _not_before_the_first(cls, day: date | None, info: ValidationInfo) -> date | None:
        first = info.data.get("first_day")
        if day is not None and first is not None and day < first:
            raise Wrong("", f"a day not before first_day, {first}", day)
        return day

    @field_validator("context_kinds")
    @classmethod
    def _has_names_of_its_own(cls, kinds: dict[str, str]) -> dict[str, str]:
        if taken := sorted(set(kinds) & {*EVENT_COLUMNS, *DERIVED_COLUMNS}):
            raise Conflict(taken[0], f"`context`: {taken} are names of ours; rename them")
        return kinds

    @field_validator("event_feed")
    @classmethod
    def _maps_the_context(cls, feed: EventFeed, info: ValidationInfo) -> EventFeed:
        if (kinds := info.data.get("context_kinds")) is not None:
            require_known("columns", feed.columns, {*EVENT_COLUMNS, *kinds})
            if missing := [name for name in kinds if name not in feed.columns]:
                raise Conflict("columns", f"the context columns {missing} are not mapped in `events.columns`")
        return feed

    @field_validator("item_feed")
    @classmethod
    def _extra_is_as_in_context(cls, feed: ItemFeed | None, info: ValidationInfo) -> ItemFeed | None:
        kinds = info.data.get("context_kinds", {})
        for name in (feed.extra.keys() & kinds.keys()) if feed else ():
            if feed and kinds[name] != feed.extra[name]:
                raise Wrong(f"extra.{name}", f"{kinds[name]}, as in `context`", feed.extra[name])
        return feed

    @field_validator("user_feed")
    @classmethod
    def _attributes_are_told_from_other_columns(cls, feed: UserFeed | None, info: ValidationInfo) -> UserFeed | None:
        items, context = info.data.get("item_feed"), info.data.get("context_kinds", {})
        others = {*EVENT_COLUMNS, *ITEM_COLUMNS, *DERIVED_COLUMNS, *context, *(items.extra if items else ())}
        if taken := sorted(others & set(feed.attributes if feed else ())):
            raise Conflict(
                f"columns.{taken[0]}",
                f"`users.columns`: {taken} are names of other columns of the units; give these attributes other names "
                "on the left, e.g. user_age",
            )
        return feed

    @field_validator("stream_feeds")
    @classmethod
    def _streams_bring_what_events_lack(
        cls, feeds: dict[str, StreamFeed], info: ValidationInfo
    ) -> dict[str, StreamFeed]:
        given = [outcome for feed in feeds.values() for outcome in feed.gives]
        if twice := sorted({outcome for outcome in given if given.count(outcome) > 1}):
            raise Conflict("", f"{twice} come with more than one stream; land them in one")
        events: EventFeed | None = info.data.get("event_feed")
        if events is None:
            return feeds
        for name, feed in feeds.items():
            if both := [outcome for outcome in feed.gives if outcome in {*events.columns, *events.constants}]:
                raise Conflict(name, f"{both} come with the events and with the stream `{name}`; say which: remove one")
            if unjoinable := [column for column in feed.join if column not in events.columns]:
                raise Conflict(name, f"`{name}` is joined by {unjoinable}; map them in `events.columns`")
        return feeds

    @field_validator("final_after")
    @classmethod
    def _outcomes_are_mapped(cls, outcomes: dict[str, Outcome], info: ValidationInfo) -> dict[str, Outcome]:
        require_known("", outcomes, OUTCOMES)
        if not {"event_feed", "stream_feeds"} <= info.data.keys():
            return outcomes
        feeds: dict[str, StreamFeed] = info.data["stream_feeds"]
        mapped = [name for name in outcomes if _logged(info, name)]
        if not outcomes or len(mapped) != len(outcomes):
            raise Conflict(
                "",
                f"at least one outcome is required and each must be mapped; `outcomes` has {list(outcomes)}, `events` "
                f"and `outcome_streams` map {mapped}",
            )
        for name, feed in feeds.items():
            if unlisted := [outcome for outcome in feed.gives if outcome not in outcomes]:
                raise Conflict("", f"the stream `{name}` gives {unlisted}; list them in `outcomes`")
            days = -(-feed.window_hours // 24)
            for outcome in feed.gives:
                if outcomes[outcome].maturity_days < days:
                    least = f"at least {days}, the attribution window of its stream in days"
                    raise Wrong(f"{outcome}.maturity_days", least, outcomes[outcome].maturity_days)
        return outcomes

    @field_validator("organic_rows")
    @classmethod
    def _organic_rows_are_marked(cls, rows: str, info: ValidationInfo) -> str:
        events = info.data.get("event_feed")
        if rows != "none" and events and "recommended" not in events.columns:
            raise Conflict(
                "",
                f"`organic_rows: {rows}` says that organic rows are logged, so a column must say which ones: map "
                "`events.columns.recommended`, or set `organic_rows: none`",
            )
        return rows

    @field_validator("purchase_needs_click")
    @classmethod
    def _click_and_purchase_are_logged(cls, needs: bool, info: ValidationInfo) -> bool:
        if not needs or not {"event_feed", "stream_feeds"} <= info.data.keys():
            return needs
        if not (_logged(info, "click") and _logged(info, "purchase")):
            raise Conflict("", "`purchase_needs_click` is about two columns; map both `click` and `purchase`")
        if {"click", "purchase"} <= {outcome for feed in info.data["stream_feeds"].values() for outcome in feed.gives}:
            raise Conflict(
                "",
                "`purchase_needs_click` is read off the events' own `click`, and yours come as a stream, as do the "
                "purchases; set it to false",
            )
        return needs

    @field_validator("held_out_policies", "holdout")
    @classmethod
    def _policies_are_logged(cls, names: tuple[str, ...] | str, info: ValidationInfo) -> tuple[str, ...] | str:
        if names and "event_feed" in info.data and not _logged(info, "policy"):
            found = (
                "`holdout` is found by its"
                if info.field_name == "holdout"
                else "`held_out_policies` are found by their"
            )
            raise Conflict("", f"{found} name; map `events.columns.policy`")
        return names

    @field_validator("cluster_by")
    @classmethod
    def _clusters_are_logged(cls, column: str, info: ValidationInfo) -> str:
        if column in ("user_id", "request_id") and "event_feed" in info.data and not _logged(info, column):
            raise Conflict("", f"`cluster: {column}` needs that column; map it in `events.columns`")
        return column


def _logged(info: ValidationInfo, column: str) -> bool:
    """Whether the events have a column, mapped or constant, or a stream gives it."""
    events: EventFeed = info.data["event_feed"]
    given = (feed.gives for feed in info.data.get("stream_feeds", {}).values())
    return column in events.columns or column in events.constants or any(column in names for names in given)


def parse_source(settings: Mapping[str, Any]) -> Source:
    """Read `data/sources.yaml`.

    Raises:
        InputError: An unknown key, a missing required one, a value of the wrong kind, or two that contradict
            each other; each is told with its key, what was given, and what is accepted.
    """
    return Source.parse(settings)
