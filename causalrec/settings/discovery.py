"""How the graph is searched for: `data/discovery.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from causalrec.answers import InputError
from causalrec.settings.base import Settings
from causalrec.settings.kinds import number, whole


class Search(Settings):
    """How the graph is searched for. A file states every key; the defaults are those of a program that calls it.

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

    FILE = "discovery.yaml"

    alpha: Annotated[float, number(0, 1, "()")] = 0.001
    floor: Annotated[float, number(0, 1, "[)")] = 0.01
    max_conditioning: Annotated[int, whole(0)] = 3
    separating_sets: Literal["strongest", "majority", "stock"] = "strongest"
    max_rows: Annotated[int, whole(100)] = 1_000_000
    bootstraps: Annotated[int, whole(0)] = 0
    bootstrap_seconds: Annotated[float, number(0, closed="()")] = 120.0
    fci: bool = False
    split: bool = False
    may_change: Annotated[float, number(0, 1)] = 0.2

    @classmethod
    def parse(cls, settings: Mapping[str, Any], where: str = "", others: Mapping[str, Any] | None = None) -> Self:
        """As of every file; this one states each key, for what a program leaves out is no shop's choice."""
        if missing := [f"`{key}`" for key in cls.by_key() if key not in settings]:
            raise InputError(f"{where or cls.FILE}: {', '.join(missing)} missing; the file states every key")
        return super().parse(settings, where, others)
