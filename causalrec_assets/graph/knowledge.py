"""What experts know of the graph: `data/expert_graph.yaml`, each edge with who, why and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from causalrec_assets.answers import InputError
from causalrec_assets.graph.mpdag import Edge, find_cycle

FILE = "expert_graph.yaml"


@dataclass(frozen=True)
class Statement:
    """One edge that must be there, or must not."""

    cause: str
    effect: str
    who: str
    why: str
    when: str

    @property
    def edge(self) -> Edge:
        return (self.cause, self.effect)


@dataclass(frozen=True)
class Hidden:
    """A cause that is known to exist and is not logged; required edges say what it causes."""

    name: str
    who: str
    why: str
    when: str


@dataclass(frozen=True)
class Knowledge:
    """Knowledge is a guarantee: where data disagree, the graph follows it and the conflict is reported."""

    required: tuple[Statement, ...]
    forbidden: tuple[Statement, ...]
    hidden: tuple[Hidden, ...] = ()


def parse_knowledge(settings: Mapping[str, Any]) -> Knowledge:
    """Read the expert graph.

    Raises:
        InputError: An entry lacks a key, an edge is both required and forbidden, or the required edges close a cycle.
    """
    if unknown := set(settings) - {"required", "forbidden", "hidden"}:
        raise InputError(f"{FILE}: unknown key {sorted(unknown)}; known are ['forbidden', 'hidden', 'required']")
    required, forbidden = (
        tuple(_statement(kind, number, raw) for number, raw in enumerate(settings.get(kind) or [], start=1))
        for kind in ("required", "forbidden")
    )
    if both := {s.edge for s in required} & {s.edge for s in forbidden}:
        raise InputError(f"{FILE}: {sorted(both)} are required and forbidden at once; remove one of the two entries")
    if cycle := find_cycle(s.edge for s in required):
        raise InputError(f"{FILE}: the required edges close the cycle {' -> '.join([*cycle, cycle[0]])}")
    hidden = tuple(_hidden(number, raw) for number, raw in enumerate(settings.get("hidden") or [], start=1))
    return Knowledge(required, forbidden, hidden)


def _hidden(number: int, raw: Any) -> Hidden:
    keys = ("name", "who", "why", "when")
    if not isinstance(raw, Mapping) or set(raw) != set(keys) or not all(str(raw[k]).strip() for k in keys):
        raise InputError(f"{FILE}, hidden entry {number}: needs exactly {list(keys)}, none empty; got {raw!r}")
    return Hidden(*(str(raw[k]).strip() for k in keys))


def _statement(kind: str, number: int, raw: Any) -> Statement:
    keys = ("cause", "effect", "who", "why", "when")
    if not isinstance(raw, Mapping) or set(raw) != set(keys) or not all(str(raw[k]).strip() for k in keys):
        raise InputError(f"{FILE}, {kind} entry {number}: needs exactly {list(keys)}, none empty; got {raw!r}")
    if raw["cause"] == raw["effect"]:
        raise InputError(f"{FILE}, {kind} entry {number}: `{raw['cause']}` cannot cause itself")
    return Statement(*(str(raw[k]).strip() for k in keys))
