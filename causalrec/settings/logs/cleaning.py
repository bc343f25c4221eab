"""What is believed of a landed row, and how much of a day may be wrong: `data/cleaning.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from causalrec.settings.base import Values

FILE = "cleaning.yaml"
YAML = Values(FILE)
BOUNDED = ("position", "rating", "revenue", "price", "action_propensity")


@dataclass(frozen=True)
class CleaningRules:
    """The thresholds.

    Attributes:
        look_back_days: A row with an id that was landed on one of so many days before is that event sent again.
        late_days: An event that was sent more than so many days after its own is set aside.
        ahead_minutes: A clock may be ahead of the day that an event was sent for by so much.
        bounds: Column -> (least, most); a value outside is impossible: an event is set aside, a catalogue refused.
        bot_events_an_hour: A user with more events in an hour is no person that day; None: nobody is.
        bot_loads_a_request: A user with more events in one slot of one request is none either.
        wrong_share, wrong_rows: A day of which more than this share, and at least so many rows, are unreadable,
            impossible or contradict themselves is refused: then the mapping is wrong, not the rows.
        fewer_share, fewer_rows: A day that would lose more than this share of its published rows, and at least so
            many, or all, is refused until a person says that it is right.
        unpacked_gb, unpacked_ratio: A packed file that unpacks to more, or to so many times its size, is refused.
        memory_gb, minutes: Of the process in which a file is read for the first time; it may also take a second for
            each of the file's megabytes.
        line_mb, cell_mb: A file with a longer line, or a longer value in a mapped column, is refused.
    """

    look_back_days: int = 1
    late_days: int = 30
    ahead_minutes: int = 10
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    bot_events_an_hour: int | None = None
    bot_loads_a_request: int | None = None
    wrong_share: float = 0.02
    wrong_rows: int = 1
    fewer_share: float = 0.2
    fewer_rows: int = 10
    unpacked_gb: float = 100.0
    unpacked_ratio: float = 200.0
    memory_gb: float = 4.0
    minutes: float = 5.0
    line_mb: float = 64.0
    cell_mb: float = 16.0


def parse_cleaning(settings: Mapping[str, object], own: Iterable[str] = ()) -> CleaningRules:
    """Read `data/cleaning.yaml`; what is left out has its default.

    Args:
        own: The source's own number columns, of events and items, which may be bounded beside ours.

    Raises:
        InputError: An unknown key or a value of the wrong kind.
    """
    YAML.known("", settings, {"duplicates", "late", "ahead", "bounds", "bots", "wrong", "fewer", "packed", "reading"})

    def part(key: str, *names: str) -> dict[str, object]:
        given = YAML.mapping(key, settings.get(key) or {})
        YAML.known(key, given, set(names))
        return given

    duplicates, late, ahead = part("duplicates", "look_back_days"), part("late", "days"), part("ahead", "minutes")
    bots, wrong, packed = (
        part("bots", "events_an_hour", "loads_a_request"),
        part("wrong", "share", "rows"),
        part("packed", "gb", "ratio"),
    )
    reading = part("reading", "memory_gb", "minutes", "line_mb", "cell_mb")
    fewer = part("fewer", "share", "rows")
    default = CleaningRules()
    rate, loads = bots.get("events_an_hour"), bots.get("loads_a_request")
    return CleaningRules(
        look_back_days=YAML.whole(
            "duplicates.look_back_days", duplicates.get("look_back_days", default.look_back_days), 0
        ),
        late_days=YAML.whole("late.days", late.get("days", default.late_days), 0),
        ahead_minutes=YAML.whole("ahead.minutes", ahead.get("minutes", default.ahead_minutes), 0),
        bounds=_bounds(part("bounds", *BOUNDED, *own)),
        bot_events_an_hour=None if rate is None else YAML.whole("bots.events_an_hour", rate, 1),
        bot_loads_a_request=None if loads is None else YAML.whole("bots.loads_a_request", loads, 1),
        wrong_share=YAML.number("wrong.share", wrong.get("share", default.wrong_share), 0, 1),
        wrong_rows=YAML.whole("wrong.rows", wrong.get("rows", default.wrong_rows), 1),
        fewer_share=YAML.number("fewer.share", fewer.get("share", default.fewer_share), 0, 1),
        fewer_rows=YAML.whole("fewer.rows", fewer.get("rows", default.fewer_rows), 1),
        unpacked_gb=YAML.number("packed.gb", packed.get("gb", default.unpacked_gb), 0),
        unpacked_ratio=YAML.number("packed.ratio", packed.get("ratio", default.unpacked_ratio), 1),
        memory_gb=YAML.number("reading.memory_gb", reading.get("memory_gb", default.memory_gb), 0.5),
        minutes=YAML.number("reading.minutes", reading.get("minutes", default.minutes), 0.01),
        line_mb=YAML.number("reading.line_mb", reading.get("line_mb", default.line_mb), 1),
        cell_mb=YAML.number("reading.cell_mb", reading.get("cell_mb", default.cell_mb), 0.001),
    )


def _bounds(given: Mapping[str, object]) -> dict[str, tuple[float, float]]:
    found = {}
    for name, value in given.items():
        if not isinstance(value, list) or len(value) != 2 or not all(map(_is_number, value)):
            raise YAML.wrong(f"bounds.{name}", "two numbers, [least, most]", value)
        least, most = float(value[0]), float(value[1])
        if least > most:
            raise YAML.wrong(f"bounds.{name}", "[least, most] with least <= most", value)
        found[name] = (least, most)
    return found


def _is_number(value: object) -> bool:
    # NaN is above nothing and below nothing: as a bound it would set every row aside.
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value
