"""The causal questions that are asked: `data/questions.yaml`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from causalrec.answers import InputError

FILE = "questions.yaml"
NEEDED = ("name", "treatment", "outcome")
LISTS = ("held", "instruments", "through")
RULES = ("causes_of_either", "optimal")
STRATEGIES = ("declared", "graph")
ASKED_TREATMENT, ASKED_MEDIATOR = "asked_treatment", "asked_mediator"
"""Roles of columns that are known before anything is shown, and that a question asks about all the same: a coupon, and
what comes of it before anything is shown. A coupon comes after what is known of the past, so that the past can be its
cause; for the questions about other treatments it is a covariate like any."""


@dataclass(frozen=True)
class Question:
    """What does the treatment change about the outcome?

    Attributes:
        effect: `total`, or `direct`: what it would change if the `held` mediators stayed as they are.
        held: Mediators; only of a direct effect.
        instruments: Columns that people vouch for: they move the treatment, and the outcome only through it.
        through: Columns that people vouch for: the whole effect passes through them, and nothing hidden moves both
            them and the treatment, or both them and the outcome.
    """

    name: str
    treatment: str
    outcome: str
    effect: str = "total"
    held: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    through: tuple[str, ...] = ()


@dataclass(frozen=True)
class Questions:
    """All that is asked.

    Attributes:
        adjustment: `causes_of_either` or `optimal`; see `adjustment.adjust`.
        strategies: Which front doors and instruments may be used where no adjustment is valid: `declared` are those
            that a question names, `graph` are all that the graph allows (it then is believed where it has no edge).
    """

    questions: tuple[Question, ...]
    adjustment: str
    strategies: str = "declared"

    @property
    def spoken_of(self) -> list[str]:
        """The outcomes, held mediators and front doors: an outcome among them must be a node of the graph."""
        named = (column for q in self.questions for column in (q.outcome, *q.held, *q.through))
        return list(dict.fromkeys(named))

    def roles(self, roles: Mapping[str, str], arms: Collection[str]) -> dict[str, str]:
        """The roles of columns, as these questions ask about them.

        Args:
            roles: Of the units.
            arms: The columns that could be a treatment, being 0 or 1: a question that cannot be asked moves nothing.
        """
        before = {column for column in arms if roles.get(column) == "pre_treatment"}
        treatments = {q.treatment for q in self.questions if q.treatment in before}
        later = {
            column for q in self.questions if q.treatment in treatments for column in (*q.held, *q.through, q.outcome)
        }
        asked = dict.fromkeys(treatments, ASKED_TREATMENT) | dict.fromkeys(later, ASKED_MEDIATOR)
        return {column: asked.get(column, role) if role == "pre_treatment" else role for column, role in roles.items()}


def parse_questions(settings: Mapping[str, Any]) -> Questions:
    """Read `data/questions.yaml`.

    Raises:
        InputError: An unknown or missing key, two questions of one name, or a setting out of its range.
    """
    if "discovery" in settings:
        raise InputError(f"{FILE}: `discovery` has a file of its own; move it to discovery.yaml")
    if unknown := set(settings) - {"questions", "adjustment", "strategies"}:
        raise InputError(f"{FILE}: unknown key {sorted(unknown)}; known are adjustment, questions, strategies")
    rule, strategies = settings.get("adjustment"), settings.get("strategies", "declared")
    if rule not in RULES:
        raise InputError(f"{FILE}: `adjustment` must be {' or '.join(RULES)}, got {rule!r}")
    if strategies not in STRATEGIES:
        raise InputError(f"{FILE}: `strategies` must be {' or '.join(STRATEGIES)}, got {strategies!r}")
    asked = settings.get("questions") or []
    if not isinstance(asked, list | tuple):
        raise InputError(f"{FILE}: `questions` must be a list, each entry beginning with `- `; got {asked!r}")
    found = [_question(number, raw) for number, raw in enumerate(asked, start=1)]
    first: dict[str, int] = {}
    for number, question in enumerate(found, start=1):
        if question.name in first:
            raise InputError(
                f"{FILE}, question {number}: two questions have the same name: `name: {question.name}` is question "
                f"{first[question.name]} already; rename one"
            )
        first[question.name] = number
    if not found:
        raise InputError(f"{FILE}: `questions` is empty; ask at least one, e.g. recommended -> click")
    return Questions(tuple(found), rule, strategies)


def _question(number: int, raw: Any) -> Question:
    where = f"{FILE}, question {number}"
    if not isinstance(raw, Mapping) or not set(NEEDED) <= set(raw) or set(raw) - {*NEEDED, "effect", *LISTS}:
        raise InputError(
            f"{where}: needs exactly name, treatment and outcome, and may have effect, held, instruments and through; "
            f"got {raw!r}"
        )
    for key in NEEDED:
        if not isinstance(raw[key], str | int) or isinstance(raw[key], bool) or not str(raw[key]).strip():
            raise InputError(f"{where}: `{key}` must be a text, got {raw[key]!r}")
    treatment, outcome = str(raw["treatment"]), str(raw["outcome"])
    if treatment == outcome:
        raise InputError(f"{where}: `{treatment}` is `treatment` and `outcome` at once; ask about two columns")
    effect = raw.get("effect", "total")
    if effect not in ("total", "direct"):
        raise InputError(f"{where}: `effect` must be total or direct, got {effect!r}")
    lists = {key: _names(where, key, raw.get(key, [])) for key in LISTS}
    for key, columns in lists.items():
        if taken := sorted({treatment, outcome} & set(columns)):
            raise InputError(f"{where}: `{key}` names {taken}, which the question is about")
    if effect == "direct" and not lists["held"]:
        raise InputError(f"{where}: a direct effect needs `held`, the mediators that stay as they are, e.g. [click]")
    if effect == "total" and lists["held"]:
        raise InputError(f"{where}: a total effect holds no mediator; say `effect: direct`, or leave `held` out")
    if effect == "direct" and (lists["instruments"] or lists["through"]):
        raise InputError(f"{where}: instruments and front doors answer a total effect only")
    return Question(str(raw["name"]), treatment, outcome, effect, **lists)


def _names(where: str, key: str, raw: Any) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(name, str) and name.strip() for name in raw):
        raise InputError(f"{where}: `{key}` must be a list of columns, got {raw!r}")
    if len(set(raw)) != len(raw):
        raise InputError(f"{where}: `{key}` names a column twice: {raw}")
    return tuple(raw)
