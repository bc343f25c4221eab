"""The causal questions that are asked: `data/questions.yaml`."""

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
class Questions:
    questions: tuple[Question, ...]
    adjustment: str
    """`causes_of_either` or `optimal`; see `adjustment.adjust`."""


def parse_questions(settings: Mapping[str, Any]) -> Questions:
    """Read `data/questions.yaml`.

    Raises:
        InputError: An unknown or missing key, two questions of one name, or a setting out of its range.
    """
    if "discovery" in settings:
        raise InputError("questions.yaml: `discovery` has a file of its own; move it to discovery.yaml")
    if unknown := set(settings) - {"questions", "adjustment"}:
        raise InputError(f"questions.yaml: unknown key {sorted(unknown)}; known are adjustment, questions")
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
    return Questions(tuple(found), rule)
