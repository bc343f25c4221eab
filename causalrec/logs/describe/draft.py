"""A draft of `sources.yaml` for logs that nobody has mapped: only what is there, and TODO where a person decides."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from causalrec.cells.ids import IDS, NAMES
from causalrec.cells.missing import SPELLINGS
from causalrec.logs.describe.guesses import EVENTS, ITEMS, USERS, Guess, Rule, guess, is_sensitive
from causalrec.logs.describe.observed import Observed
from causalrec.logs.describe.previews import Sample
from causalrec.settings.logs.columns import DERIVED_COLUMNS, EVENT_COLUMNS, ITEM_COLUMNS, OUTCOMES

NAMES_OF_OURS = {*EVENT_COLUMNS, *ITEM_COLUMNS, *DERIVED_COLUMNS}
MOST_SLOTS = 50
"""Positions that begin with 0 are moved by codes up to so many."""


def draft_source(samples: Sequence[Sample]) -> str:
    """The text of a `sources.yaml`; what a person must say is marked TODO."""
    events = _largest(samples, "events")
    items, users = _largest(samples, "items"), _largest(samples, "users")
    lines = ["# A draft by describe-source, from a sample. Settle each TODO; leave out what your logs do not have."]
    lines += ["name: TODO", "about: TODO   # whose logs these are, and what a reader of the report must know of them"]
    guesses = _fitting(events, EVENTS)
    columns = {column.name: column for column in events.columns} if events else {}
    lines += _calendar(columns.get(guesses["time"].theirs) if "time" in guesses else None)
    lines += _ids([s for s in (events, items, users) if s])
    lines += ["", "events:", *_folder(events, "events"), *_time(columns, guesses), *_codes(columns, guesses)]
    lines += ["  columns:"]
    for required in ("time", "item_id"):
        if required not in guesses:
            lines.append(f"    {required}: TODO   # required: no column was recognised")
    lines += [f"    {name}: {_text(g.theirs)}" for name, g in guesses.items()]
    if "recommended" not in guesses:
        lines.append("  # constants: {recommended: 1}   # TODO: only if every row is a recommendation")
    lines += ["", *_organic(guesses), *_context(columns, guesses)]
    if items:
        lines += ["", *_items(items)]
    if users:
        lines += ["", *_users(users)]
    outcomes = [name for name in OUTCOMES if name in guesses]
    lines += ["", "outcomes:   # days until each is final: TODO where one comes later than on its day"]
    lines += [f"  {name}: {{maturity_days: 0}}" for name in outcomes]
    if not outcomes:
        lines.append("  TODO: {maturity_days: 0}   # at least one of click, purchase, rating, revenue, mapped above")
    others = [s for s in samples if s.kind == "events" and s is not events]
    for other in others:
        lines.append(
            f"# {other.name} has events too: outcomes of their own (outcome_streams), or files of another kind?"
        )
    return "\n".join(lines) + "\n"


def _largest(samples: Iterable[Sample], kind: str) -> Sample | None:
    return max((s for s in samples if s.kind == kind), key=lambda s: (len(_fitting(s, EVENTS)), s.rows), default=None)


def _fitting(sample: Sample | None, rules: Mapping[str, Rule]) -> dict[str, Guess]:
    if sample is None:
        return {}
    return {g.ours: g for g in guess(sample.columns, rules) if g.fits}


def _text(value: str) -> str:
    """A value as YAML reads it back."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value) and value.lower() not in ("y", "n", "yes", "no", "on", "off")
    return value if plain and value.lower() not in ("true", "false", "null") else json.dumps(value, ensure_ascii=False)


def _calendar(time: Observed | None) -> Iterator[str]:
    least = time.least if time else None
    if isinstance(least, datetime):
        yield f"first_day: {least.date()}   # TODO: the first in the sample; earlier rows are not used"
        most = time.most if time else None
        if isinstance(most, datetime):
            yield f"# last_day: {most.date()}   # the last in the sample; only for logs that have ended"
    else:
        yield "first_day: TODO   # such as 2026-03-02"
    zoned = time is not None and time.zoned
    yield "time_zone: UTC" + ("" if zoned else "   # TODO: of times that carry none, such as Europe/Berlin")


def _ids(samples: Sequence[Sample]) -> Iterator[str]:
    """How ids and gaps are written, where the files leave a doubt."""
    rules = {"events": EVENTS, "items": ITEMS, "users": USERS}
    columns = []
    for sample in samples:
        by_name = {column.name: column for column in sample.columns}
        columns += [by_name[g.theirs] for g in _fitting(sample, rules[sample.kind]).values() if g.ours in IDS | NAMES]
    if pointed := next((column.name for column in columns if column.pointed), None):
        yield f"float_ids: whole   # TODO: {_text(pointed)} has ids such as 12.0; `text` if the point belongs to them"
    if gaps := dict.fromkeys(column.gap_like for column in columns if column.gap_like):
        name = next(column.name for column in columns if column.gap_like)
        yield f"# TODO: if {', '.join(map(json.dumps, gaps))} (in {_text(name)}, ...) stands for nobody, say so:"
        yield f"# missing: {json.dumps([*SPELLINGS, *gaps], ensure_ascii=False)}"


def _folder(sample: Sample | None, usual: str) -> list[str]:
    name = sample.name if sample and "." not in sample.name and " " not in sample.name else usual
    todo = "" if name == (sample.name if sample else "") else "   # TODO: land the files there"
    return [f"  folder: {_text(name) if '/' not in name else name}{todo}"]


def _time(columns: dict[str, Observed], guesses: dict[str, Guess]) -> Iterator[str]:
    if "time" not in guesses:
        return
    time = columns[guesses["time"].theirs]
    if time.time_format != "iso":
        form = time.time_format if "%" not in time.time_format else json.dumps(time.time_format)
        others = " or ".join(time.other_formats)
        yield f"  time_format: {form}" + (f"   # TODO: {others} reads all values too" if others else "")


def _codes(columns: dict[str, Observed], guesses: dict[str, Guess]) -> Iterator[str]:
    codes = {}
    for name, g in guesses.items():
        column = columns[g.theirs]
        if column.codes:
            codes[name] = ", ".join(f"{json.dumps(v)}: {code}" for v, code in column.codes.items())
        elif name == "position" and (column.least == 0 or (column.kind == "flag" and "0" in column.examples)):
            # Our slots count from 1, and a slot 0 would be set aside as impossible.
            most = int(column.most) if isinstance(column.most, float) else 1
            if most < MOST_SLOTS:
                codes[name] = ", ".join(f'"{slot}": {slot + 1}' for slot in range(most + 1))
    if codes:
        yield "  codes:"
        yield from (f"    {name}: {{{table}}}" for name, table in codes.items())


def _organic(guesses: dict[str, Guess]) -> Iterator[str]:
    if "recommended" in guesses:
        yield "# TODO: every_impression, if each exposure without a recommendation is logged; interactions_only, if"
        yield "# only those that were clicked are; none"
    yield "organic_rows: none"


def _context(columns: dict[str, Observed], guesses: dict[str, Guess]) -> Iterator[str]:
    taken = {g.theirs for g in guesses.values()}
    rest = [c for c in columns.values() if c.name not in taken and c.kind in ("number", "category", "flag", "text")]
    # A name of ours would be refused as context.
    kinds = {c.name: "number" if c.kind == "number" else "text" for c in rest if c.name not in EVENTS}
    if kinds:
        yield "# TODO: keep those that are known before anything is shown (what came after it would be read as a"
        yield "# cause), and map each in `events.columns` too:"
        yield "# context:"
        yield from (f"#   {_text(name)}: {kind}" for name, kind in kinds.items())


def _items(sample: Sample) -> Iterator[str]:
    guesses = _fitting(sample, ITEMS)
    yield "items:"
    yield from _folder(sample, "items")
    yield "  columns:"
    yield from (f"    {name}: {_text(g.theirs)}" for name, g in guesses.items())
    rest = [c for c in sample.columns if c.name not in {g.theirs for g in guesses.values()}]
    kinds = {
        c.name: "number" if c.kind == "number" else "text" for c in rest if c.kind in ("number", "category", "flag")
    }
    if kinds:
        yield "  # TODO: keep what is known before anything is shown (no later popularity), and map each above too:"
        yield "  # extra:"
        yield from (f"  #   {_text(name)}: {kind}" for name, kind in kinds.items())


def _users(sample: Sample) -> Iterator[str]:
    id_guess = _fitting(sample, USERS)["user_id"]
    rest = [c for c in sample.columns if c.name != id_guess.theirs]
    kept = [c for c in rest if c.kind in ("number", "category", "flag")]
    # An attribute stands among the units' other columns, so it cannot have the name of one.
    ours = {c.name: f"user_{c.name}" if c.name in NAMES_OF_OURS else c.name for c in kept}
    yield "users:"
    yield from _folder(sample, "users")
    yield "  columns:"
    yield f"    user_id: {_text(id_guess.theirs)}"
    yield from (f"    {_text(attribute)}: {_text(column)}" for column, attribute in ours.items())
    if others := [c.name for c in rest if c not in kept]:
        yield f"    # not mapped, for a value of nearly every user tells no group from another: {', '.join(others)}"
    if numbers := [ours[c.name] for c in kept if c.kind == "number"]:
        yield f"  kinds: {{{', '.join(f'{_text(name)}: number' for name in numbers)}}}"
    sensitive = [ours[c.name] for c in kept if is_sensitive(c.name)]
    yield f"  sensitive: [{', '.join(_text(name) for name in sensitive)}]   # TODO: which others?"
