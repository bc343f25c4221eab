"""A feed: files of one kind of rows, where they are landed and what their columns mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from causalrec.answers import InputError
from causalrec.cells.missing import SPELLINGS
from causalrec.cells.times import says_the_hour, wrong_format
from causalrec.masking import masked
from causalrec.settings.base import Constant, Values
from causalrec.settings.logs.csv import CsvSettings, parse_csv

TIME_FORMATS = ("iso", "epoch_seconds", "epoch_milliseconds", "epoch_microseconds")
OUTCOMES = ("click", "purchase", "rating", "revenue")
STREAM_KEYS = ("user_id", "request_id", "item_id")
STREAM_COLUMNS = ("id", "time", *STREAM_KEYS, *OUTCOMES)
YAML = Values("sources.yaml")


@dataclass(frozen=True)
class Feed:
    """Files of one kind of rows.

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


def parse_feed(
    key: str, given: Mapping[str, object], names: Sequence[str], folder: str, constants: Sequence[str]
) -> Feed:
    """One feed's mapping.

    Args:
        names: The columns that it may have.
        folder: Where it lies unless it says so.
        constants: The columns that may be constant.
    """
    columns = YAML.column_map(f"{key}.columns", given.get("columns"))
    YAML.known(f"{key}.columns", columns, set(names))
    fixed = {
        name: YAML.constant(f"{key}.constants.{name}", value)
        for name, value in YAML.mapping(f"{key}.constants", given.get("constants") or {}).items()
    }
    YAML.known(f"{key}.constants", fixed, set(constants))
    if both := sorted(set(columns) & set(fixed)):
        raise InputError(
            f"sources.yaml: {both} are both mapped and constant; a logged column must not be overwritten, remove one"
        )
    codes = {
        name: {
            _spelled(theirs): YAML.constant(f"{key}.codes.{name}.{theirs}", ours)
            for theirs, ours in YAML.mapping(f"{key}.codes.{name}", table).items()
        }
        for name, table in YAML.mapping(f"{key}.codes", given.get("codes") or {}).items()
    }
    YAML.known(f"{key}.codes", codes, set(columns))
    return Feed(
        _folder(f"{key}.folder", given.get("folder", folder)),
        columns,
        fixed,
        codes,
        _time_format(f"{key}.time_format", given.get("time_format", "iso"), hour="time" in names),
        csv=parse_csv(YAML, f"{key}.csv", given.get("csv")),
    )


def _folder(key: str, value: object) -> str:
    """A folder below the landing zone, and nowhere else: what is read here ends in tables and in messages."""
    text = YAML.text(key, value)
    parts = text.replace("\\", "/").split("/")
    if ".." in parts or text.startswith(("/", "\\", "~")) or ":" in parts[0] or "\0" in text:
        raise YAML.wrong(
            key, "a folder below the landing zone (what lies elsewhere is named by `landing`)", masked(text)
        )
    return text


def parse_streams(value: object) -> tuple[Stream, ...]:
    """`outcome_streams`: name -> folder, columns, gives, join, window_hours."""
    return tuple(_stream(name, given) for name, given in YAML.mapping("outcome_streams", value or {}).items())


def _stream(name: str, value: object) -> Stream:
    key = f"outcome_streams.{name}"
    given = YAML.mapping(key, value)
    YAML.known(key, given, {"folder", "columns", "codes", "time_format", "csv", "gives", "join", "window_hours"})
    feed = parse_feed(key, given, STREAM_COLUMNS, name, ())
    gives = YAML.names(f"{key}.gives", given.get("gives"))
    if not gives or not set(gives) <= set(OUTCOMES):
        raise YAML.wrong(f"{key}.gives", f"a list of some of {list(OUTCOMES)}", given.get("gives"))
    if valueless := [outcome for outcome in ("rating", "revenue") if outcome in gives and outcome not in feed.columns]:
        raise InputError(f"sources.yaml: `{key}` gives {valueless}, whose values must be mapped in `{key}.columns`")
    join = YAML.names(f"{key}.join", given.get("join"))
    if set(join) not in ({"user_id", "item_id"}, {"request_id", "item_id"}):
        raise YAML.wrong(f"{key}.join", "[user_id, item_id] or [request_id, item_id]", given.get("join"))
    if missing := [column for column in ("time", *join) if column not in feed.columns]:
        raise InputError(f"sources.yaml: `{key}.columns` must map {missing}: an outcome is joined by them")
    return Stream(name, feed, gives, join, YAML.whole(f"{key}.window_hours", given.get("window_hours"), 1))


def _spelled(value: str) -> str:
    # YAML reads an unquoted Yes or No as a truth value; files write those words.
    return {"True": "true", "False": "false"}.get(value, value)


def parse_missing(value: object) -> tuple[str, ...]:
    """`missing`: the spellings of "no value", in place of the usual ones."""
    if value is None:
        return SPELLINGS
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise YAML.wrong("missing", "a list of spellings, such as [nan, 'NULL', '-']", value)
    found: list[str] = []
    for spelling in value:
        if spelling is None:
            # YAML reads the words null and NULL, unquoted, as its own nothing.
            found += ["null", "NULL"]
        elif isinstance(spelling, bool) or not isinstance(spelling, str | int | float):
            raise YAML.wrong("missing", "a list of spellings, each a text (quoted)", spelling)
        else:
            found.append(str(spelling).strip())
    return tuple(dict.fromkeys(spelling for spelling in found if spelling))


def _time_format(key: str, value: object, hour: bool) -> str:
    """Args:
    hour: A day alone is no time.
    """
    text = YAML.text(key, value)
    if text in TIME_FORMATS:
        return text
    if "%" not in text:
        raise YAML.wrong(key, f"one of {list(TIME_FORMATS)} or a format such as '%d.%m.%Y %H:%M'", text)
    if wrong := wrong_format(text):
        raise YAML.wrong(key, f"a format that can be read ({wrong})", text)
    if hour and not says_the_hour(text):
        raise YAML.wrong(
            key, "a format with an hour (a day alone is no time: what came first on it is not known)", text
        )
    return text
