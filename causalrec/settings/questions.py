"""The causal questions that are asked: `data/questions.yaml`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from causalrec.settings.base import Settings
from causalrec.settings.kinds import Conflict, Must, Wrong

ASKED_TREATMENT, ASKED_MEDIATOR = "asked_treatment", "asked_mediator"
"""Roles of columns that are known before anything is shown, and that a question asks about all the same: a coupon, and
what comes of it before anything is shown. A coupon comes after what is known of the past, so that the past can be its
cause; for the questions about other treatments it is a covariate like any."""


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _columns(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _entries(value: object) -> object:
    if not isinstance(value, list | tuple | None):
        raise Wrong("", "a list, each entry beginning with `- `", value)
    return tuple(value or ())


Column = Annotated[str, BeforeValidator(_text), Must("a text", lambda text: bool(text.strip()))]
Columns = Annotated[
    tuple[str, ...], BeforeValidator(_columns), Must("a list of columns", lambda names: all(map(str.strip, names)))
]


class Question(Settings):
    """What does the treatment change about the outcome?

    Attributes:
        name: What reports call it.
        treatment: The column that is changed.
        outcome: The column in which the change is looked for.
        effect: `total`, or `direct`: what it would change if the `held` mediators stayed as they are.
        held: Mediators; only of a direct effect.
        instruments: Columns that people vouch for: they move the treatment, and the outcome only through it.
        through: Columns that people vouch for: the whole effect passes through them, and nothing hidden moves both
            them and the treatment, or both them and the outcome.
    """

    NAME = "question"

    name: Column
    treatment: Column
    outcome: Column
    effect: Literal["total", "direct"] = "total"
    held: Columns = ()
    instruments: Columns = ()
    through: Columns = ()

    @model_validator(mode="after")
    def _asks_about_two_columns(self) -> Self:
        if self.treatment == self.outcome:
            raise Conflict("outcome", f"`{self.treatment}` is `treatment` and `outcome` at once; ask about two columns")
        for key, columns in {"held": self.held, "instruments": self.instruments, "through": self.through}.items():
            if len(set(columns)) != len(columns):
                raise Conflict(key, f"`{key}` names a column twice: {list(columns)}")
            if taken := sorted({self.treatment, self.outcome} & set(columns)):
                raise Conflict(key, f"`{key}` names {taken}, which the question is about")
        return self

    @model_validator(mode="after")
    def _holds_mediators_of_a_direct_effect(self) -> Self:
        if self.effect == "direct" and not self.held:
            raise Conflict("effect", "a direct effect needs `held`, the mediators that stay as they are, e.g. [click]")
        if self.effect == "total" and self.held:
            raise Conflict("held", "a total effect holds no mediator; say `effect: direct`, or leave `held` out")
        if self.effect == "direct" and (self.instruments or self.through):
            raise Conflict("effect", "instruments and front doors answer a total effect only")
        return self


class Questions(Settings):
    """The causal questions that are asked.

    Attributes:
        questions: Each with a name of its own.
        adjustment: Which valid set is taken: all `causes_of_either` treatment or outcome, or the `optimal` one, whose
            estimate varies least.
        strategies: Which front doors and instruments may be used where no adjustment is valid: `declared` are those
            that a question names, `graph` are all that the graph allows (it then is believed where it has no edge).
    """

    FILE = "questions.yaml"

    questions: Annotated[tuple[Question, ...], BeforeValidator(_entries)] = Field((), strict=False)
    adjustment: Literal["causes_of_either", "optimal"]
    strategies: Literal["declared", "graph"] = "declared"

    @model_validator(mode="before")
    @classmethod
    def _no_discovery(cls, settings: Any) -> Any:
        if isinstance(settings, Mapping) and "discovery" in settings:
            raise Conflict("discovery", "`discovery` has a file of its own; move it to discovery.yaml")
        return settings

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if not self.questions:
            raise Conflict("questions", "`questions` is empty; ask at least one, e.g. recommended -> click")
        first: dict[str, int] = {}
        for number, question in enumerate(self.questions):
            if question.name in first:
                raise Conflict(
                    f"questions.{number}",
                    f"two questions have the same name: `name: {question.name}` is question "
                    f"{first[question.name] + 1} already; rename one",
                )
            first[question.name] = number
        return self

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
        asked_roles = dict.fromkeys(treatments, ASKED_TREATMENT) | dict.fromkeys(later, ASKED_MEDIATOR)
        return {
            column: asked_roles.get(column, role) if role == "pre_treatment" else role for column, role in roles.items()
        }
