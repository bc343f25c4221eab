"""The shop of two days as history and units: what was known at the end of the first, and the units of the second."""

from datetime import timedelta

from causalrec.logs.units.history import advance
from causalrec.logs.units.units import build_units
from tests.logs.worlds import FIRST, ITEMS, SECOND, at, clean, event, frame, source

OUTCOMES = ["click", "purchase", "rating", "revenue"]
YESTERDAY = clean(
    frame(
        event("y1", at(FIRST, 9), "shoe", click=1),
        event("y2", at(FIRST, 10), "sock"),
        event("y3", at(FIRST, 11), "hat", user="bob"),
    )
)
TODAY = clean(
    frame(
        event("t1", at(SECOND, 9), "shoe", click=1, purchase=1),
        event("t2", at(SECOND, 22), "hat", user="eve"),
    )
)


# As in `source()`, but a purchase is known at once.
AT_ONCE = {"click": {}, "purchase": {}}


def history(*events, upto=FIRST, of=None):
    """The state at the end of `upto`, the day of the last events; those before are of the days before."""
    days = {upto - timedelta(days=back): rows for back, rows in enumerate(reversed(events))}
    of, states = of or source(outcomes=AT_ONCE, first_day=min(days)), {}
    for day in sorted(days):
        states[day] = advance(states, days, ITEMS, of, day)
    return states[upto]


def units(events=TODAY, before=None, of=None):
    of = of or source()
    state = history(YESTERDAY) if before is None else before
    return build_units(events, state if of.has("user_id") else None, ITEMS, of, SECOND)
