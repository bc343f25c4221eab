"""What experts know of the graph: `data/expert_graph.yaml`, each entry with who, why, when and, if it ends, until."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import yaml

from causalrec.answers import InputError
from causalrec.graph.knowledge.yaml_lines import Value, read_lines
from causalrec.graph.mpdag import Edge, find_cycle
from causalrec.graph.roles import TIERS

FILE = "expert_graph.yaml"
Kind = Literal["required", "forbidden", "settled"]
KINDS: tuple[Kind, ...] = ("required", "forbidden", "settled")
SECTIONS = ("conflicts", "tiers", *KINDS, "hidden")
SIGNED = ("who", "why", "when")


@dataclass(frozen=True)
class Entry(ABC):
    """Who says something, why, since when, and until when it counts (that day included)."""

    who: str
    why: str
    when: str
    until: str | None = None
    line: int = 0

    def in_force(self, day: date) -> bool:
        """Whether it counts for a partition of that day.

        `when` does not restrict: what is known today is also used for an older day that is built again.
        """
        return self.until is None or day <= date.fromisoformat(self.until)

    @property
    @abstractmethod
    def statement(self) -> str:
        """The entry in a few words."""


@dataclass(frozen=True, kw_only=True)
class Statement(Entry):
    """One arrow: it is there (required), it is not (forbidden), or it is the direction if the pair is joined (settled).

    Attributes:
        cause, effect: Names of columns, or patterns such as `user_*`.
    """

    kind: Kind
    cause: str
    effect: str

    @property
    def edge(self) -> Edge:
        return (self.cause, self.effect)

    @property
    def statement(self) -> str:
        return f"{self.kind}: {self.cause} -> {self.effect}"


@dataclass(frozen=True, kw_only=True)
class Placement(Entry):
    """Columns that come earlier or later than their kind of column does.

    Attributes:
        columns: Names or patterns.
        tier: One of `roles.TIERS`.
        beside: -1 just before that tier, 0 in it, 1 just after it.
    """

    columns: tuple[str, ...]
    tier: str
    beside: int

    @property
    def place(self) -> str:
        return f"{('before ', '', 'after ')[self.beside + 1]}{self.tier}"

    @property
    def statement(self) -> str:
        return f"tier: {', '.join(self.columns)} in `{self.place}`"


@dataclass(frozen=True, kw_only=True)
class Hidden(Entry):
    """A cause that is known to exist and is not logged; required edges say what it causes."""

    name: str

    @property
    def statement(self) -> str:
        return f"hidden: {self.name}"


@dataclass(frozen=True)
class Knowledge:
    """Knowledge is a guarantee: where data disagree, the graph follows it and the conflict is reported.

    Attributes:
        blocks: Whether a conflict stops the graph (`conflicts: block`) or warns.
        expired: Entries that are over on the day, and so are in none of the others.
    """

    required: tuple[Statement, ...] = ()
    forbidden: tuple[Statement, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    settled: tuple[Statement, ...] = ()
    tiers: tuple[Placement, ...] = ()
    blocks: bool = False
    expired: tuple[Entry, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All that are in force, in the order of the file."""
        every: list[Entry] = [*self.tiers, *self.required, *self.forbidden, *self.settled, *self.hidden]
        return tuple(sorted(every, key=lambda entry: entry.line))

    def without(self, entry: Entry) -> Knowledge:
        """The same but for one entry; with a hidden cause go the arrows that need it."""
        name = entry.name if isinstance(entry, Hidden) else None

        def kept(statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
            return tuple(s for s in statements if s is not entry and name not in s.edge)

        return replace(
            self,
            required=kept(self.required),
            forbidden=kept(self.forbidden),
            settled=kept(self.settled),
            hidden=tuple(h for h in self.hidden if h is not entry),
            tiers=tuple(p for p in self.tiers if p is not entry),
        )


def read_knowledge(text: str, day: date | None = None, file: str = FILE) -> Knowledge:
    """Read the expert graph.

    Args:
        text: Of the file.
        day: The partition's; what is over by then does not count. None: everything counts.
        file: Its name, for messages.

    Raises:
        InputError: An entry is faulty, or two of those in force contradict each other; the message names the lines.
            What patterns and the time order contradict shows when they meet the columns (`resolve`).
    """
    top = read_lines(text, file).mapping("the file", SECTIONS)
    by_section: dict[str, list[Entry]] = {}
    for section in SECTIONS[1:]:
        what = f"an entry of `{section}`"
        raw = top[section].items(f"`{section}`") if section in top else []
        by_section[section] = [_entry(section, what, value) for value in raw]
    blocks = _blocks(top.get("conflicts"))
    expired = [e for entries in by_section.values() for e in entries if day and not e.in_force(day)]
    live: dict[str, Any] = {name: tuple(e for e in entries if e not in expired) for name, entries in by_section.items()}
    knowledge = Knowledge(**live, blocks=blocks, expired=tuple(sorted(expired, key=lambda e: e.line)))
    _refuse_duplicates(knowledge, file)
    statements = [*knowledge.required, *knowledge.forbidden, *knowledge.settled]
    refuse_contradictions([(s.edge, s) for s in statements if s.cause != s.effect], file)
    return knowledge


def parse_knowledge(settings: Mapping[str, Any]) -> Knowledge:
    """Read an expert graph that has been parsed already; lines are those of its sections written out again."""
    return read_knowledge(yaml.safe_dump(dict(settings), sort_keys=False))


def is_pattern(name: str) -> bool:
    return any(sign in name for sign in "*?[")


def refuse_contradictions(stated_arrows: Iterable[tuple[Edge, Statement]], file: str = FILE) -> None:
    """Refuse arrows that cannot all be.

    Args:
        stated_arrows: Each arrow with the statement that it comes from.

    Raises:
        InputError: An arrow is required or settled, and forbidden; two statements want opposite directions; or what is
            required and settled closes a cycle. The message names the lines.
    """
    wanted: dict[Edge, Statement] = {}
    forbidden: dict[Edge, Statement] = {}
    for edge, statement in stated_arrows:
        (forbidden if statement.kind == "forbidden" else wanted).setdefault(edge, statement)
    for edge, statement in wanted.items():
        arrow = f"`{edge[0]} -> {edge[1]}`"
        if other := forbidden.get(edge):
            raise InputError(
                f"{_lines(file, statement, other)}: {arrow} is {statement.kind} and forbidden at once; "
                "remove one of the two entries"
            )
        if other := wanted.get((edge[1], edge[0])):
            both = "both ways" if statement.kind == other.kind else "the other way"
            raise InputError(
                f"{_lines(file, statement, other)}: {arrow} is {statement.kind}, and {other.kind} {both}; "
                "remove one of the two entries"
            )
    if cycle := find_cycle(wanted):
        arrows = list(zip(cycle, [*cycle[1:], cycle[0]], strict=True))
        raise InputError(
            f"{_lines(file, *(wanted[a] for a in arrows))}: these entries close the cycle "
            f"{' -> '.join([*cycle, cycle[0]])}; remove one of them"
        )


def _lines(file: str, *entries: Entry) -> str:
    lines = sorted({entry.line for entry in entries})
    return f"{file}, line{'s' if len(lines) > 1 else ''} {' and '.join(str(line) for line in lines)}"


def _refuse_duplicates(knowledge: Knowledge, file: str) -> None:
    seen: dict[str, Entry] = {}
    for entry in knowledge.entries:
        key = f"hidden: {entry.name}" if isinstance(entry, Hidden) else entry.statement
        if first := seen.get(key):
            raise InputError(f"{_lines(file, first, entry)}: `{key}` is said twice; keep one of the two entries")
        seen[key] = entry


def _blocks(value: Value | None) -> bool:
    if value is None:
        return False
    if (conflicts := value.text("`conflicts`")) not in ("warn", "block"):
        raise value.error(f"`conflicts` must be warn or block, got `{conflicts}`")
    return conflicts == "block"


def _entry(section: str, what: str, value: Value) -> Entry:
    own = {"tiers": ("columns", "tier"), "hidden": ("name",)}.get(section, ("cause", "effect"))
    raw = value.mapping(what, (*own, *SIGNED, "until"), (*own, *SIGNED))
    signed: dict[str, Any] = {key: raw[key].text(f"`{key}`") for key in ("who", "why")}
    signed |= {"when": _date(raw["when"], "when"), "line": value.line}
    if "until" in raw:
        signed["until"] = _date(raw["until"], "until")
        if signed["until"] < signed["when"]:
            raise raw["until"].error(f"`until: {signed['until']}` is before `when: {signed['when']}`")
    if section == "hidden":
        return Hidden(name=_name(raw["name"], "name"), **signed)
    if section == "tiers":
        columns = raw["columns"]
        names = columns.content if isinstance(columns.content, list) else [columns]
        tier, beside = _tier(raw["tier"])
        return Placement(columns=tuple(n.text("a column") for n in names), tier=tier, beside=beside, **signed)
    cause, effect = (raw[key].text(f"`{key}`") for key in own)
    if cause == effect and (section != "forbidden" or not is_pattern(cause)):
        raise value.error(f"`{cause}` cannot cause itself")
    kind = next(kind for kind in KINDS if kind == section)
    return Statement(kind=kind, cause=cause, effect=effect, **signed)


def _name(value: Value, key: str) -> str:
    if is_pattern(name := value.text(f"`{key}`")):
        raise value.error(f"`{key}` must be a name, `{name}` is a pattern")
    return name


def _date(value: Value, key: str) -> str:
    text = value.text(f"`{key}`")
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise value.error(f"`{key}` must be a day such as 2026-02-20, got `{text}`") from None


def _tier(value: Value) -> tuple[str, int]:
    text = " ".join(value.text("`tier`").split())
    beside, name = 0, text
    for word, side in (("before ", -1), ("after ", 1)):
        if text.startswith(word):
            beside, name = side, text.removeprefix(word)
    if name not in TIERS:
        raise value.error(f"`tier: {text}` is not known; say one of {', '.join(TIERS)}, or `before` or `after` one")
    return name, beside
