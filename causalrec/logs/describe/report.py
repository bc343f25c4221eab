"""What is in files of logs, which of our names their columns probably are, and what is missing and what that costs.

A look is bounded: some 200,000 rows of each kind of file. Nothing is written.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from causalrec.home import Home
from causalrec.logs.describe.draft import draft_source
from causalrec.logs.describe.guesses import BY_NAME, EVENTS, ITEMS, USERS, guess
from causalrec.logs.describe.home import FeedSeen, feeds_seen, unusable
from causalrec.logs.describe.previews import Sample, look_into
from causalrec.logs.formats import source_formats
from causalrec.logs.gaps import gaps_of
from causalrec.logs.landing.zone import LandingZone
from causalrec.settings.logs.sources import Source

WIDTH = 100
RULES = {"events": EVENTS, "items": ITEMS, "users": USERS}
LOOKS = {
    "events": "looks like events",
    "items": "looks like items (a catalogue)",
    "users": "looks like users",
    "": "looks like none of events, items, users: no item and no user was recognised",
}
REQUIRED = {
    "time": "without a time nothing can be placed on a day",
    "item_id": "without an item there is nothing to recommend",
    "outcome": "without one of click, purchase, rating and revenue there is nothing to learn from",
}


def describe_paths(paths: Sequence[Path]) -> Iterator[str]:
    """The lines that are printed about files and folders.

    Raises:
        InputError: There is nothing at a path.
    """
    samples: list[Sample] = []
    for path in paths:
        yield from _source_format(path)
        previews, unread = look_into(path)
        for sample in previews:
            yield ""
            yield from _sample(sample)
        for line in unread:
            yield ""
            yield from _wrapped(f"Not read: {line}")
        samples += previews
    if not samples:
        return
    yield from _gaps_of_samples(samples)
    yield from _heading("A draft of sources.yaml (settle each TODO)")
    yield from draft_source(samples).splitlines()


def describe_home(home: Home) -> Iterator[str]:
    """The lines that are printed about a home's landed files.

    Raises:
        InputError: Its settings cannot be read.
    """
    zone = LandingZone.of(home)
    source = zone.source
    yield f"{source.name}: landed in {zone.root}, read by {home.setting('sources.yaml')}"
    days = zone.events.days
    if days:
        yield f"Events of {len(days)} days, {days[0]} to {days[-1]}."
        if not source.sparse and (holes := len(zone.span) - len(days)) > 0:
            yield f"{holes} days between have none: land them, or declare them empty (_EMPTY)."
    for seen in feeds_seen(zone):
        yield ""
        yield from _feed(seen, zone)
    if unused := unusable(zone):
        yield from _heading("Not used")
        for line in unused:
            yield from _wrapped(f"- {line}", "  ")
    yield from _heading("Not there, and what that costs")
    yield from _costs(_gaps_of_source(source))


def _source_format(path: Path) -> Iterator[str]:
    for name, source in source_formats().items() if path.is_dir() else ():
        if recognised := source.recognise(path):
            yield f"{path} {recognised}: make demo LOGS={name} DIR={path}"


def _sample(sample: Sample) -> Iterator[str]:
    yield f"{sample.name}: {sample.head()}"
    yield f"  {LOOKS[sample.kind]}"
    yield ""
    guesses = guess(sample.columns, RULES[sample.kind]) if sample.kind else []
    ours = {g.theirs: g for g in guesses if g.fits}
    width = min(max(len(c.name) for c in sample.columns), 24)
    yield f"  {'column':<{width}}  {'missing':>7}  {'our name':<17}  what it holds"
    for column in sample.columns:
        g = ours.get(column.name)
        missing = f"{column.missing:.1%}" if column.missing else "-"
        start = f"  {_fit(column.name, width):<{width}}  {missing:>7}  {g.ours if g else '':<17}  "
        yield from _wrapped(start + column.words(), " " * len(start))
    for g in guesses:
        if g.fits and g.why not in BY_NAME:
            yield from _wrapped(f"  `{g.theirs}` as our {g.ours}: {g.why}.", "    ")
    wrong = [g for g in guesses if not g.fits and g.ours not in {h.ours for h in ours.values()}]
    for g in wrong:
        yield from _wrapped(f"  `{g.theirs}` is named like our {g.ours}, and is not taken for it: {g.why}.", "    ")
    for column in sample.columns:
        if column.no_ids:
            yield from _wrapped(f"  `{column.name}`: {column.no_ids}.", "    ")
    twins = [c for c in sample.columns if c.other_formats]
    for column in twins:
        both = " and ".join((column.time_format, *column.other_formats))
        yield from _wrapped(f"  `{column.name}` is read by {both}: say which in time_format.", "    ")


def _gaps_of_samples(samples: Sequence[Sample]) -> Iterator[str]:
    recognised: dict[str, set[str]] = {kind: set() for kind in RULES}
    for sample in samples:
        if sample.kind:
            recognised[sample.kind] |= {g.ours for g in guess(sample.columns, RULES[sample.kind]) if g.fits}
    events, items = recognised["events"], recognised["items"]
    outcomes = {"click", "purchase", "rating", "revenue"} & events
    missing = [name for name in ("time", "item_id") if name not in events] + ([] if outcomes else ["outcome"])
    if missing:
        yield from _heading("Required, and not recognised")
        yield from _costs((name, REQUIRED[name]) for name in missing)
    yield from _heading("Optional, not recognised, and what that costs")
    has_items = (lambda name: name in items) if items else None
    yield from _costs(gaps_of(lambda name: name in events, has_items, bool(recognised["users"]), None))
    if "recommended" in events:
        yield from _wrapped(
            "- organic_rows: whether every exposure without a recommendation is logged, no file can say; you can.", "  "
        )


def _gaps_of_source(source: Source) -> Iterator[tuple[str, str]]:
    items = source.items
    return gaps_of(source.has, items.has if items else None, source.users is not None, source.organic_rows)


def _costs(gaps: Iterator[tuple[str, str]]) -> Iterator[str]:
    nothing = True
    for what, costs in gaps:
        nothing = False
        yield from _wrapped(f"- {what}: {costs}.", "  ")
    if nothing:
        yield "- nothing"


def _feed(seen: FeedSeen, zone: LandingZone) -> Iterator[str]:
    where = f"{seen.folder}/" if seen.folder else ""
    more = "" if seen.opened == seen.files else f", {seen.opened} of them opened"
    yield f"{seen.name} ({where}): {seen.rows:,} rows of {seen.files} file{'' if seen.files == 1 else 's'}{more}"
    width = min(max((len(m.ours) for m in seen.mapped), default=8), 24)
    yield f"  {'ours':<{width}}  {'yours':<24}  {'missing':>8}  {'wrong':>8}"
    for m in seen.mapped:
        missing, wrong = (f"{n / seen.rows:.1%}" if n else "-" for n in (m.missing, m.wrong)) if seen.rows else ("", "")
        yield f"  {_fit(m.ours, width):<{width}}  {_fit(m.theirs, 24):<24}  {missing:>8}  {wrong:>8}"
        if m.reason:
            yield from _wrapped(f"      {m.wrong:,} rows: {m.reason}", "      ")
    constants = zone.source.events.constants if seen.name == "events" else {}
    for name, value in constants.items():
        yield f"  {_fit(name, width):<{width}}  always {value}"
    if seen.unmapped:
        yield from _wrapped(f"  not mapped, read by nothing: {', '.join(seen.unmapped)}", "    ")
    for line in seen.refused:
        yield from _wrapped(f"  Not read: {line}", "    ")


def _heading(text: str) -> Iterator[str]:
    yield from ("", text, "-" * len(text))


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 2] + ".."


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
