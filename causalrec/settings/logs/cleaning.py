"""What is believed of a landed row, and how much of a day may be wrong: `data/cleaning.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from causalrec.settings.base import Settings
from causalrec.settings.kinds import EMPTY, NAMED, Wrong, number, require_known, whole

FILE = "cleaning.yaml"
BOUNDED = ("position", "rating", "revenue", "price", "action_propensity")


class Duplicates(Settings):
    """When an id that comes again is one event.

    Attributes:
        look_back_days: A row with an id that was landed on one of so many days before is that event sent again.
    """

    look_back_days: Annotated[int, whole(0)] = 1


class Late(Settings):
    """Events that were sent late.

    Attributes:
        days: An event that was sent more than so many days after its own is set aside.
    """

    days: Annotated[int, whole(0)] = 30


class Ahead(Settings):
    """Clocks that are ahead.

    Attributes:
        minutes: A clock may be ahead of the day that an event was sent for by so much.
    """

    minutes: Annotated[int, whole(0)] = 10


class Bots(Settings):
    """Who is no person on a day; left out: nobody is.

    Attributes:
        events_an_hour: A user with more events in an hour.
        loads_a_request: A user with more events in one slot of one request.
    """

    events_an_hour: Annotated[int, whole(1)] | None = None
    loads_a_request: Annotated[int, whole(1)] | None = None


class Unbelievable(Settings):
    """A day is refused of which too many rows are unreadable, impossible or contradict themselves: then the mapping is
    wrong, not the rows.

    Attributes:
        share: Of the day's rows; more of them, and at least `rows`, refuse it.
        rows: Fewer than this refuse no day.
    """

    share: Annotated[float, number(0, 1)] = 0.02
    rows: Annotated[int, whole(1)] = 1


class Fewer(Settings):
    """A day is refused until a person says that it is right, if it would lose too many of its published rows, or all.

    Attributes:
        share: Of the published rows; to lose more, and at least `rows`, refuses the day.
        rows: To lose fewer than this refuses no day.
    """

    share: Annotated[float, number(0, 1)] = 0.2
    rows: Annotated[int, whole(1)] = 10


class Packed(Settings):
    """What a packed file may unpack to; one that does to more is refused.

    Attributes:
        gb: Gigabytes.
        ratio: Times its size.
    """

    gb: Annotated[float, number(0)] = 100.0
    ratio: Annotated[float, number(1)] = 200.0


class Reading(Settings):
    """What the first reading of a file may take.

    Attributes:
        memory_gb: Of the process that reads it.
        minutes: Of that process; it may also take a second for each of the file's megabytes.
        line_mb: A file with a longer line is refused.
        cell_mb: A file with a longer value in a mapped column is refused.
    """

    memory_gb: Annotated[float, number(0.5)] = 4.0
    minutes: Annotated[float, number(0.01)] = 5.0
    line_mb: Annotated[float, number(1)] = 64.0
    cell_mb: Annotated[float, number(0.001)] = 16.0


def _bound(value: object) -> object:
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(map(_is_number, value)):
        raise Wrong("", "two numbers, [least, most]", value)
    if value[0] > value[1]:
        raise Wrong("", "[least, most] with least <= most", value)
    return float(value[0]), float(value[1])


def _is_number(value: object) -> bool:
    # NaN is above nothing and below nothing: as a bound it would set every row aside.
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


Bound = Annotated[tuple[float, float], BeforeValidator(_bound)]


class CleaningRules(Settings):
    """The thresholds, each with its default where it is left out.

    Attributes:
        duplicates: When an id that comes again is one event.
        late: Events that were sent late.
        ahead: Clocks that are ahead.
        bounds: Column -> [least, most]; a value outside is impossible: an event is set aside, a catalogue refused.
        bots: Who is no person on a day.
        wrong: When the mapping is wrong, and not the rows.
        fewer: When a day that loses rows is refused.
        packed: What a packed file may unpack to.
        reading: What the first reading of a file may take.
    """

    FILE = FILE

    duplicates: Annotated[Duplicates, EMPTY] = Duplicates()
    late: Annotated[Late, EMPTY] = Late()
    ahead: Annotated[Ahead, EMPTY] = Ahead()
    bounds: Annotated[dict[str, Bound], NAMED] = Field(default_factory=dict)
    bots: Annotated[Bots, EMPTY] = Bots()
    wrong: Annotated[Unbelievable, EMPTY] = Unbelievable()
    fewer: Annotated[Fewer, EMPTY] = Fewer()
    packed: Annotated[Packed, EMPTY] = Packed()
    reading: Annotated[Reading, EMPTY] = Reading()

    @field_validator("bounds")
    @classmethod
    def _of_known_columns(cls, bounds: dict[str, Bound], info: ValidationInfo) -> dict[str, Bound]:
        if info.context:
            require_known("", bounds, info.context["columns"])
        return bounds


def parse_cleaning(settings: Mapping[str, Any], own: Iterable[str] = ()) -> CleaningRules:
    """Read `data/cleaning.yaml`.

    Args:
        own: The source's own number columns, of events and items, which may be bounded beside ours.

    Raises:
        InputError: An unknown key or a value of the wrong kind.
    """
    return CleaningRules.parse(settings, others={"columns": {*BOUNDED, *own}})
