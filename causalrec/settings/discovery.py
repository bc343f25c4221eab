"""How the graph is searched for: `data/discovery.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from causalrec.answers import InputError

FILE = "discovery.yaml"
RULES = ("strongest", "majority", "stock")


@dataclass(frozen=True)
class Search:
    """Settings of the discovery.

    Attributes:
        alpha: A pair is called independent when its test's p-value is above this.
        floor: ... or when the dependence is weaker than this partial correlation: with enough rows every tiny
            dependence is significant, and a graph of those says nothing.
        max_conditioning: Size of the largest conditioning set.
        separating_sets: Which set decides whether a - c - b is a collider a -> c <- b: of all that separate a and b
            the best (`strongest`), most of them (`majority`), or all that causal-learn lists (`stock`).
        max_rows: Rows used, in whole clusters.
        bootstraps: How often clusters are drawn anew for the confidence of edges; 0: not at all.
        bootstrap_seconds: No draw begins later than this after the first.
        fci: Whether FCI is asked for a second opinion.
        split: Whether the graph is found on one half of the users and effects are estimated on the other.
        may_change: Share of edges that may change from one partition to the next without a warning.
    """

    alpha: float = 0.001
    floor: float = 0.01
    max_conditioning: int = 3
    separating_sets: str = "strongest"
    max_rows: int = 1_000_000
    bootstraps: int = 0
    bootstrap_seconds: float = 120.0
    fci: bool = False
    split: bool = False
    may_change: float = 0.2


def parse_search(settings: Mapping[str, Any]) -> Search:
    """Read `data/discovery.yaml`.

    Raises:
        InputError: An unknown or missing key, a value of another type, or one out of its range.
    """
    known = {f.name for f in fields(Search)}
    if set(settings) != known:
        raise InputError(f"{FILE}: needs exactly {sorted(known)}, got {sorted(settings)}")
    for name, value in settings.items():
        wanted: tuple[type, ...] = {
            "fci": (bool,),
            "split": (bool,),
            "may_change": (int, float),
            "alpha": (float,),
            "floor": (int, float),
            "separating_sets": (str,),
        }.get(name, (int,))
        if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
            raise InputError(f"{FILE}: `{name}` must be {' or '.join(t.__name__ for t in wanted)}, got {value!r}")
    parsed = Search(**settings)
    ranges = {
        "alpha": 0 < parsed.alpha < 1,
        "floor": 0 <= parsed.floor < 1,
        "max_conditioning": parsed.max_conditioning >= 0,
        "separating_sets": parsed.separating_sets in RULES,
        "max_rows": parsed.max_rows >= 100,
        "bootstraps": parsed.bootstraps >= 0,
        "bootstrap_seconds": parsed.bootstrap_seconds > 0,
        "may_change": 0 <= parsed.may_change <= 1,
    }
    if wrong := [name for name, holds in ranges.items() if not holds]:
        raise InputError(f"{FILE}: out of range: {', '.join(f'{name}: {settings[name]}' for name in wrong)}")
    return parsed
