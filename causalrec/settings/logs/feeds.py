"""A feed: files of one kind of rows, where they are landed and what their columns mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from causalrec.cells.missing import SPELLINGS
from causalrec.cells.times import says_the_hour, wrong_format
from causalrec.settings.base import Settings
from causalrec.settings.kinds import EMPTY, NAMED, Conflict, Must, Names, Text, Wrong, require_known, whole
from causalrec.settings.logs.columns import (
    DERIVED_COLUMNS,
    EVENT_COLUMNS,
    ITEM_COLUMNS,
    OUTCOMES,
    STREAM_COLUMNS,
)
from causalrec.settings.logs.csv import CsvSettings

Constant = str | int | float
TIME_FORMATS = ("iso", "epoch_seconds", "epoch_milliseconds", "epoch_microseconds")
MAY_BE_CONSTANT = frozenset(EVENT_COLUMNS) - {"event_id", "time", "item_id"}


@dataclass(frozen=True)
class Feed:
    """Files of one kind of rows, as they are read.

    Attributes:
        folder: Below the landing zone.
        columns: Our name -> the user's; a column of ours that is not here is not in the files.
        constants: Our name -> a value that holds for every row. Knowledge of the source ("each row is a
            recommendation"), never a stand-in for something that was not logged.
        codes: Our name -> the user's value -> ours ("Y": 1).
        time_format: How times are written: one of `TIME_FORMATS`, or a format such as "%d.%m.%Y %H:%M".
        missing: How the files write that there is no value, besides the empty text.
        csv: What is said of how CSV files are written.
        float_ids: What the id `12.0` in a text is; see `ids.py`.
    """

    folder: str
    columns: Mapping[str, str]
    constants: Mapping[str, Constant] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, Constant]] = field(default_factory=dict)
    time_format: str = "iso"
    missing: tuple[str, ...] = SPELLINGS
    float_ids: str = "refuse"
    csv: CsvSettings = field(default_factory=CsvSettings)

    def has(self, column: str) -> bool:
        """Whether the rows have a column, mapped or constant."""
        return column in self.columns or column in self.constants


@dataclass(frozen=True)
class Stream:
    """Outcomes that come apart from the events, each with its own time.

    A row belongs to the last event with the same keys that is at most `window_hours` older than it.

    Attributes:
        gives: The outcomes; one that no column is mapped to is 1 in every row.
        join: `user_id` or `request_id`, and `item_id`.
    """

    name: str
    feed: Feed
    gives: tuple[str, ...]
    join: tuple[str, ...]
    window_hours: int

    @property
    def window_days(self) -> int:
        """How many days after its event's day a row can still come."""
        return -(-self.window_hours // 24)


# -- values ----------------------------------------------------------------------------------------------------------


def _is_below_the_landing_zone(folder: str) -> bool:
    # What is read here ends in tables and in messages.
    parts = folder.replace("\\", "/").split("/")
    return not (".." in parts or folder.startswith(("/", "\\", "~")) or ":" in parts[0] or "\0" in folder)


def _format(text: str) -> str:
    if text in TIME_FORMATS:
        return text
    if "%" not in text:
        raise Wrong("", f"one of {list(TIME_FORMATS)} or a format such as '%d.%m.%Y %H:%M'", text)
    if wrong := wrong_format(text):
        raise Wrong("", f"a format that can be read ({wrong})", text)
    return text


def _with_hour(text: str) -> str:
    if text not in TIME_FORMATS and not says_the_hour(text):
        accepted = "a format with an hour (a day alone is no time: what came first on it is not known)"
        raise Wrong("", accepted, text)
    return text


def _constant(value: object) -> object:
    return int(value) if isinstance(value, bool) else value


def _codes(value: object) -> object:
    # YAML reads an unquoted Yes or No as a truth value; files write those words.
    if isinstance(value, Mapping):
        return {{"True": "true", "False": "false"}.get(str(code), str(code)): ours for code, ours in value.items()}
    return value


Folder = Annotated[
    str,
    Must(
        "a folder below the landing zone (what lies elsewhere is named by `landing`)",
        _is_below_the_landing_zone,
    ),
]
DayFormat = Annotated[Text, AfterValidator(_format)]
TimeFormat = Annotated[DayFormat, AfterValidator(_with_hour)]
Value = Annotated[Constant, BeforeValidator(_constant), Must("a text or a number")]
Kind = Annotated[Literal["text", "number"], Must("'text' or 'number'")]
Kinds = Annotated[dict[str, Kind], NAMED]
Columns = Annotated[dict[str, Text], NAMED]


def spellings(value: object) -> tuple[str, ...]:
    """`missing`: the spellings of "no value", in place of the usual ones."""
    if value is None:
        return SPELLINGS
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Wrong("", "a list of spellings, such as [nan, 'NULL', '-']", value)
    given: list[str] = []
    for spelling in value:
        if spelling is None:
            # YAML reads the words null and NULL, unquoted, as its own nothing.
            given += ["null", "NULL"]
        elif isinstance(spelling, bool) or not isinstance(spelling, str | int | float):
            raise Wrong("", "a list of spellings, each a text (quoted)", spelling)
        else:
            given.append(str(spelling).strip())
    return tuple(dict.fromkeys(spelling for spelling in given if spelling))


# -- sections --------------------------------------------------------------------------------------------------------


class FeedSettings(Settings):
    """What every feed says.

    Attributes:
        folder: Below the landing zone.
        columns: Our name -> yours.
        codes: Our name -> your value -> ours.
        csv: How its CSV files are written, where that cannot be found from them.
    """

    REQUIRED: ClassVar[tuple[str, ...]] = ()

    folder: Folder
    columns: Columns
    codes: Annotated[dict[str, Annotated[dict[str, Value], BeforeValidator(_codes)]], NAMED] = Field(
        default_factory=dict
    )
    csv: Annotated[CsvSettings, EMPTY] = CsvSettings()

    @field_validator("codes")
    @classmethod
    def _of_mapped_columns(cls, codes: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        require_known("", codes, info.data.get("columns", codes))
        return codes

    def feed(self, missing: tuple[str, ...], float_ids: str) -> Feed:
        """What is said here, and how the source writes cells."""
        own = {part.name: getattr(self, part.name) for part in fields(Feed) if part.name in type(self).model_fields}
        return Feed(**own, missing=missing, float_ids=float_ids)


class EventFeed(FeedSettings):
    """The events.

    Attributes:
        constants: Our name -> a value that holds for every row: knowledge of the source ("each row is a
            recommendation"), never a stand-in for something that was not logged.
        time_format: How times are written: iso, epoch_seconds, epoch_milliseconds, epoch_microseconds, or a format such
            as "%d.%m.%Y %H:%M".
    """

    folder: Folder = "events"
    constants: Annotated[dict[str, Value], NAMED] = Field(default_factory=dict)
    time_format: TimeFormat = "iso"

    @field_validator("columns")
    @classmethod
    def _has_time_and_item(cls, columns: dict[str, str]) -> dict[str, str]:
        if missing := [f"`{{place}}.{name}`" for name in ("time", "item_id") if name not in columns]:
            raise Conflict("", f"{' and '.join(missing)} is required: which of your columns is it?")
        return columns

    @field_validator("constants")
    @classmethod
    def _may_be_constant(cls, constants: dict[str, Constant], info: ValidationInfo) -> dict[str, Constant]:
        require_known("", constants, MAY_BE_CONSTANT)
        if both := sorted(set(constants) & set(info.data.get("columns", ()))):
            says = (
                f"`{{place}}`: {both} are both mapped and constant; a logged column must not be overwritten, remove one"
            )
            raise Conflict(both[0], says)
        for name in {"recommended", "click", "purchase"} & constants.keys():
            if constants[name] not in (0, 1):
                raise Wrong(name, "0 or 1", constants[name])
        return constants


class ItemFeed(FeedSettings):
    """The catalogue.

    Attributes:
        extra: Further columns that are known before the treatment, each `text` or `number`.
        time_format: As of the events; a day is enough.
    """

    folder: Folder = "items"
    extra: Kinds = Field(default_factory=dict)
    time_format: DayFormat = "iso"

    @model_validator(mode="after")
    def _columns_are_known(self) -> Self:
        require_known("columns", self.columns, {*ITEM_COLUMNS, *self.extra})
        if "item_id" not in self.columns:
            raise Conflict("columns", "`{place}.columns.item_id` is required where `{place}` is given")
        if taken := sorted(set(self.extra) & {*ITEM_COLUMNS, *EVENT_COLUMNS, *DERIVED_COLUMNS}):
            raise Conflict("extra", f"`{{place}}.extra`: {taken} are names of ours; rename them")
        if missing := [name for name in self.extra if name not in self.columns]:
            raise Conflict("extra", f"the extra columns {missing} are not mapped in `{{place}}.columns`")
        return self


class UserFeed(FeedSettings):
    """The users; their attributes have your own names.

    Attributes:
        kinds: `text` or `number` of an attribute; left out: text.
        sensitive: Attributes that no policy reads unless `policy.yaml` allows it.
    """

    folder: Folder = "users"
    kinds: Kinds = Field(default_factory=dict)
    sensitive: Names = ()

    @property
    def attributes(self) -> list[str]:
        return [name for name in self.columns if name != "user_id"]

    @model_validator(mode="after")
    def _attributes_are_mapped(self) -> Self:
        if "user_id" not in self.columns:
            raise Conflict("columns", "`{place}.columns.user_id` is required where `{place}` is given")
        for key, names in (("kinds", tuple(self.kinds)), ("sensitive", self.sensitive)):
            if unknown := [name for name in names if name not in self.attributes]:
                says = f"`{{place}}.{key}` names {unknown}; `{{place}}.columns` has {sorted(self.attributes)}"
                raise Conflict(key, says)
        return self


class StreamFeed(FeedSettings):
    """Outcomes that come apart from the events.

    Attributes:
        folder: Below the landing zone; left out: the stream's name.
        time_format: As of the events.
        gives: The outcomes; one that no column is mapped to is 1 in every row.
        join: `user_id` or `request_id`, and `item_id`: a row belongs to the last event with the same keys.
        window_hours: That event is at most so many hours older.
    """

    time_format: TimeFormat = "iso"
    gives: Annotated[
        Names, Must(f"a list of some of {list(OUTCOMES)}", lambda names: bool(names) and set(names) <= set(OUTCOMES))
    ]
    join: Annotated[
        Names,
        Must(
            "[user_id, item_id] or [request_id, item_id]",
            lambda names: set(names) in ({"user_id", "item_id"}, {"request_id", "item_id"}),
        ),
    ]
    window_hours: Annotated[int, whole(1)]

    @model_validator(mode="after")
    def _can_be_joined(self) -> Self:
        require_known("columns", self.columns, STREAM_COLUMNS)
        if valueless := [name for name in ("rating", "revenue") if name in self.gives and name not in self.columns]:
            says = f"`{{place}}` gives {valueless}, whose values must be mapped in `{{place}}.columns`"
            raise Conflict("gives", says)
        if missing := [name for name in ("time", *self.join) if name not in self.columns]:
            raise Conflict("columns", f"`{{place}}.columns` must map {missing}: an outcome is joined by them")
        return self

    def stream(self, name: str, missing: tuple[str, ...], float_ids: str) -> Stream:
        return Stream(name, self.feed(missing, float_ids), self.gives, self.join, self.window_hours)
