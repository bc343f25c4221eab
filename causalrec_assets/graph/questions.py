"""The causal questions that are asked, from `data/questions.yaml`, and how the graph is searched for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from causalrec_assets.answers import InputError


@dataclass(frozen=True)
class Question:
    """What does the treatment change about the outcome?"""

    name: str
    treatment: str
    outcome: str


@dataclass(frozen=True)
class Search:
    """Settings of the discovery.

    Attributes:
        alpha: A pair is called independent when its test's p-value is above this.
        floor: ... or when the dependence is weaker than this partial correlation: with enough rows every tiny
        dependence is
            significant, and a graph of those says nothing.
        max_conditioning: Size of the largest conditioning set.
        max_rows: Rows used, in whole clusters.
    """

    alpha: float
    floor: float
    max_conditioning: int
    max_rows: int


@dataclass(frozen=True)
class Questions:
    questions: tuple[Question, ...]
    search: Search
    adjustment: str
    """`causes_of_either` or `optimal`; see `adjustment.adjust`."""


def parse_questions(settings: Mapping[str, Any]) -> Questions:
    """Read `data/questions.yaml`.

    Raises:
        InputError: An unknown or missing key, two questions of one name, or a setting out of its range.
    """
    if unknown := set(settings) - {"questions", "discovery", "adjustment"}:
        raise InputError(f"questions.yaml: unknown key {sorted(unknown)}; known are adjustment, discovery, questions")
    rule = settings.get("adjustment")
    if rule not in ("causes_of_either", "optimal"):
        raise InputError(f"questions.yaml: `adjustment` must be causes_of_either or optimal, got {rule!r}")
    found = []
    for number, raw in enumerate(settings.get("questions") or [], start=1):
        if not isinstance(raw, Mapping) or set(raw) != {"name", "treatment", "outcome"}:
            raise InputError(
                f"questions.yaml, question {number}: needs exactly name, treatment and outcome, got {raw!r}"
            )
        found.append(Question(str(raw["name"]), str(raw["treatment"]), str(raw["outcome"])))
    names = [q.name for q in found]
    if len(set(names)) != len(names):
        raise InputError(f"questions.yaml: two questions have the same name: {names}")
    if not found:
        raise InputError("questions.yaml: `questions` is empty; ask at least one, e.g. recommended -> click")
    search = settings.get("discovery") or {}
    known = {"alpha", "floor", "max_conditioning", "max_rows"}
    if set(search) != known:
        raise InputError(f"questions.yaml: `discovery` needs exactly {sorted(known)}, got {sorted(search)}")
    parsed = Search(
        float(search["alpha"]), float(search["floor"]), int(search["max_conditioning"]), int(search["max_rows"])
    )
    if not 0 < parsed.alpha < 1 or not 0 <= parsed.floor < 1 or parsed.max_conditioning < 0 or parsed.max_rows < 100:
        raise InputError(f"questions.yaml: `discovery` is out of range: {parsed}")
    return Questions(tuple(found), parsed, rule)
