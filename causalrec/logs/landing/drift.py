"""What changed in the columns of the landed files since the day before: named, and where it is safe, tolerated.

A mapped column that is gone refuses its file (`lacks_columns`), and a value that no longer fits its type sets its row
aside. What is left is safe for today and worth knowing: a column that nobody mapped came or went, or a type changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from causalrec.logs.landing.index import LandedFile, LandingIndex
from causalrec.settings.logs.feeds import Feed


def schema_drift(index: LandingIndex, day: date, feed: Feed) -> list[str]:
    """Sentences about the day's files beside those of the last landed day before it; empty when nothing changed."""
    earlier = [each for each in index.by_day if each < day]
    files = [file for file in index.by_day.get(day, []) if file.columns]
    if not earlier or not files:
        return []
    last = max(earlier)
    then, now = _columns(index.by_day[last]), _columns(files)
    mapped = {column: ours for ours, column in feed.columns.items()}
    sentences = []
    if new := sorted(now.keys() - then.keys()):
        sentences.append(f"new column(s) {_shown(new)}, which sources.yaml does not map and nothing reads")
    if gone := sorted(then.keys() - now.keys()):
        sentences.append(f"column(s) {_shown(gone)} are gone; sources.yaml does not map them")
    for name in sorted(now.keys() & then.keys()):
        if now[name] != then[name] and name in mapped:
            sentences.append(f"`{name}` (our `{mapped[name]}`) was {_types(then[name])}, it is {_types(now[name])}")
    return [f"{sentence} (since {last})" for sentence in sentences]


def _columns(files: Iterable[LandedFile]) -> Mapping[str, frozenset[str]]:
    types_by_name: dict[str, set[str]] = {}
    for file in files:
        for name, dtype in file.columns.items():
            types_by_name.setdefault(name, set()).add(dtype)
    # A column that is empty in one file has no type there.
    return {name: frozenset(types - {"Null"}) or frozenset(types) for name, types in types_by_name.items()}


def _types(types: Iterable[str]) -> str:
    return " and ".join(sorted(types))


def _shown(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:10])
    return shown if len(names) <= 10 else f"{shown} and {len(names) - 10} more"
