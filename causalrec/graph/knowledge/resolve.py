"""What experts know meets the columns at hand: patterns become names, tiers an order; what cannot be used is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import polars as pl

from causalrec.answers import InputError
from causalrec.graph.knowledge.entries import (
    FILE,
    Entry,
    Knowledge,
    Placement,
    Statement,
    is_pattern,
    refuse_contradictions,
)
from causalrec.graph.mpdag import Edge
from causalrec.graph.roles import KNOWN_BEFORE, TIERS, place_of

# Within what time allows: covariates are known before the treatment, outcomes come after it and after what it works
# through. Places are counted in thirds of a tier: before it, in it, after it.
_AT = {name: 3 * number for number, name in enumerate(TIERS)}
ALLOWED = {
    **dict.fromkeys(KNOWN_BEFORE, (_AT["context and item"] - 1, _AT["treatment"] - 1)),
    "treatment": (_AT["treatment"] - 1, _AT["treatment"] + 1),
    "mediator": (_AT["treatment"] + 1, _AT["click"] - 1),
    "outcome": (_AT["mediator"] + 1, _AT["later outcomes"] + 1),
}


@dataclass(frozen=True)
class Unused:
    """An entry, or a part of one, that says nothing of these columns on this day; no error."""

    line: int
    says: str
    why_not: str
    who: str


@dataclass(frozen=True)
class TierOrder:
    """What can come before what.

    Attributes:
        of: Column -> the number of its tier, of all causal columns of the source.
        names: Of the tiers, by their numbers. Without any placement they are `roles.TIERS`.
        placed: Column -> the entry that placed it.
    """

    of: Mapping[str, int]
    names: tuple[str, ...]
    placed: Mapping[str, Placement]


@dataclass(frozen=True)
class Resolved:
    """Arrows between columns, each with the statement that it comes from."""

    required: Mapping[Edge, Statement]
    forbidden: Mapping[Edge, Statement]
    settled: Mapping[Edge, Statement]
    hidden: tuple[str, ...]
    order: TierOrder
    unused: tuple[Unused, ...]


def unused_table(unused: Sequence[Unused]) -> pl.DataFrame:
    """As rows, for the metadata."""
    schema = {"line": pl.Int64, "says": pl.String, "why_not": pl.String, "who": pl.String}
    return pl.DataFrame([vars(u) for u in unused], schema=schema)


def tier_order(placements: Sequence[Placement], roles: Mapping[str, str]) -> TierOrder:
    """The default time order, with what experts place otherwise.

    A name goes before a pattern; two entries that place a column differently otherwise are refused.

    Args:
        roles: Of the source's columns.

    Raises:
        InputError: Two entries contradict each other, or one runs against time.
    """
    causal = [column for column, role in roles.items() if role in ALLOWED]
    by: dict[str, Placement] = {}
    for patterns in (True, False):
        placed: dict[str, Placement] = {}
        for placement in placements:
            for column in (c for p in placement.columns if is_pattern(p) == patterns for c in _matches(p, causal)):
                first = placed.setdefault(column, placement)
                if first.place != placement.place:
                    raise InputError(
                        f"{FILE}, lines {first.line} and {placement.line}: `{column}` is placed in `{first.place}` "
                        f"and in `{placement.place}`; remove it from one of the two entries"
                    )
        by |= placed
    at = {column: place_of(column, roles[column]) for column in causal}
    for column, placement in by.items():
        at[column] = _AT[placement.tier] + placement.beside
        earliest, latest = ALLOWED[roles[column]]
        if not earliest <= at[column] <= latest:
            raise InputError(
                f"{FILE}, line {placement.line}: `{column}` ({roles[column]}) cannot stand in `{placement.place}`: "
                "covariates come before the treatment, mediators after it and before click, outcomes after mediators"
            )
    names = {place: name for name, place in _AT.items()}
    between = {_AT["history"] + 1: "after history", _AT["treatment"] - 1: "before treatment"}
    names |= {place: name for place, name in between.items() if place in at.values()}
    names |= {at[column]: placement.place for column, placement in by.items()}
    places = sorted(names)
    numbers = {column: places.index(place) for column, place in at.items()}
    return TierOrder(numbers, tuple(names[place] for place in places), by)


def resolve(knowledge: Knowledge, nodes: Iterable[str], roles: Mapping[str, str]) -> Resolved:
    """Say each entry of the columns at hand.

    Args:
        nodes: Of the discovered graph. Beside them a statement may name a mediator that data could not place, such as
            `position`, and a hidden cause. Patterns match columns only.
        roles: Of the source's columns.

    Raises:
        InputError: Entries contradict each other or the time order, or a hidden cause has the name of a column.
    """
    hidden = tuple(sorted(h.name for h in knowledge.hidden))
    for entry in knowledge.hidden:
        if entry.name in roles:
            raise InputError(
                f"{FILE}, line {entry.line}: `{entry.name}` is declared hidden, but the source logs it; remove the "
                "entry"
            )
    discovered = set(nodes)
    usable = sorted(discovered | {c for c, role in roles.items() if role == "mediator"})
    unused = [_not_used(entry, f"it is over since {entry.until}") for entry in knowledge.expired]
    arrows: dict[str, dict[Edge, Statement]] = {"required": {}, "forbidden": {}, "settled": {}}
    statements = [*knowledge.required, *knowledge.forbidden, *knowledge.settled]
    # Names before patterns: where both say the same, the name's entry is the one that is quoted.
    for statement in sorted(statements, key=lambda s: any(map(is_pattern, s.edge))):
        if obstacle := _obstacle(statement, usable, hidden, roles):
            unused.append(_not_used(statement, obstacle))
            continue
        causes, effects = (_matches(end, usable) if is_pattern(end) else [end] for end in statement.edge)
        edges = [(c, e) for c in causes for e in effects if c != e]
        if not edges:
            unused.append(_not_used(statement, "its patterns match one column only"))
        for edge in edges:
            arrows[statement.kind].setdefault(edge, statement)
    refuse_contradictions([pair for by_edge in arrows.values() for pair in by_edge.items()])
    order = tier_order(knowledge.tiers, roles)
    for placement in knowledge.tiers:
        unused += [
            _not_used(placement, f"`{name}` {'matches' if is_pattern(name) else 'is'} no causal column of the source")
            for name in placement.columns
            if not _matches(name, order.of)
        ]
    ends = {end for edge in (*arrows["required"], *arrows["settled"]) for end in edge}
    unused += [_not_used(h, "no required arrow leads from it or to it") for h in knowledge.hidden if h.name not in ends]
    _follow_time({**arrows["settled"], **arrows["required"]}, order, roles)
    return Resolved(
        arrows["required"],
        arrows["forbidden"],
        arrows["settled"],
        hidden,
        order,
        tuple(sorted(unused, key=lambda u: (u.line, u.why_not))),
    )


def _matches(name: str, columns: Iterable[str]) -> list[str]:
    return sorted(c for c in columns if fnmatchcase(c, name)) if is_pattern(name) else [c for c in columns if c == name]


def _not_used(entry: Entry, why_not: str) -> Unused:
    return Unused(entry.line, entry.statement, why_not, entry.who)


def _obstacle(statement: Statement, usable: list[str], hidden: tuple[str, ...], roles: Mapping[str, str]) -> str | None:
    """Why a statement cannot be followed with these columns, or None."""
    if statement.kind != "required" and (unseen := [name for name in statement.edge if name in hidden]):
        return f"{unseen[0]} is hidden: the data have no edge of it to speak of; say what it causes in `required`"
    for name in statement.edge:
        if name in usable or name in hidden:
            continue
        of_source = [c for c in _matches(name, roles) if roles[c] in ALLOWED]
        if is_pattern(name):
            if not _matches(name, usable):
                of = "the graph (what it matches does not vary)" if of_source else "the source"
                return f"`{name}` matches no column of {of}"
        elif not of_source:
            return f"{name} is no causal column of the source"
        else:
            return f"{name} does not vary in these data, or no question asks about it"
    return None


def _follow_time(wanted: Mapping[Edge, Statement], order: TierOrder, roles: Mapping[str, str]) -> None:
    """Refuse an arrow, or a chain of them through hidden causes, that leads to an earlier tier."""
    for (cause, effect), statement in wanted.items():
        if cause in order.of and effect in order.of and order.of[cause] > order.of[effect]:
            moved = sorted({order.placed[c].line for c in (cause, effect) if c in order.placed} | {statement.line})
            raise InputError(
                f"{FILE}, line{'s' * (len(moved) > 1)} {' and '.join(map(str, moved))}: `{cause} -> {effect}` "
                f"({statement.kind} by {statement.who}) runs against time: `{cause}` ({order.names[order.of[cause]]}) "
                f"comes after `{effect}` ({order.names[order.of[effect]]})"
            )
    latest: dict[str, tuple[str, Statement]] = {}
    for _ in wanted:
        for (cause, effect), statement in wanted.items():
            start = (cause, statement) if cause in order.of else latest.get(cause)
            if start is None:
                continue
            if effect in order.of:
                if order.of[start[0]] > order.of[effect]:
                    lines = sorted({start[1].line, statement.line})
                    raise InputError(
                        f"{FILE}, lines {' and '.join(map(str, lines))}: `{start[0]}` causes `{effect}` through "
                        f"`{cause}`, which runs against time"
                    )
            elif effect not in latest or order.of[latest[effect][0]] < order.of[start[0]]:
                latest[effect] = start
