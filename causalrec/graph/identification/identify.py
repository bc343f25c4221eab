"""Which columns to adjust for, by which strategy, or why none will do.

The registered strategies are asked in order of preference: the back door, where some set of logged columns is valid,
else what people vouch for. If none identifies the effect, the answer says what would settle it (`explanations`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from causalrec.answers import Answer, insufficient_evidence, not_available, not_identifiable
from causalrec.graph.identification import STRATEGIES
from causalrec.graph.identification import explanations as explain
from causalrec.graph.identification.adjustment import Adjustment, IdentificationProblem
from causalrec.graph.identification.explanations import Scale
from causalrec.graph.mpdag import MPDAG
from causalrec.graph.roles import KNOWN_BEFORE, NOT_THERE
from causalrec.logs.gaps import NOT_EVERY_ORGANIC_ROW, NOT_MARKED
from causalrec.settings.questions import Question


@dataclass(frozen=True)
class LoggedColumns:
    """What is logged.

    Attributes:
        roles: Of the observed columns. Only a `pre_treatment` column may be adjusted for, whatever the graph says (an
            edge from the treatment to a mediator may have stayed below the floor); a node without a role is hidden.
        dropped: Column -> why it is no node of the graph, or not one that data could place.
        twins: Column -> the node that it equals in every unit.
        organic_rows: The source's declaration of its organic rows; asked of the treatment `recommended` only.
    """

    roles: Mapping[str, str]
    dropped: Mapping[str, str] = field(default_factory=dict)
    twins: Mapping[str, str] = field(default_factory=dict)
    organic_rows: str = "every_impression"


def adjust(
    question: Question,
    graph: MPDAG,
    columns: LoggedColumns,
    rule: str = "causes_of_either",
    strategies: str = "declared",
    scale: Scale | None = None,
) -> Adjustment:
    """The adjustment set of a question, or another strategy, or a typed answer that says what would settle it.

    Args:
        graph: The causal graph.
        rule: `optimal` is the most precise valid set. `causes_of_either` adds the logged parents of the treatment
            where that stays valid: a little less precise, and right when discovery has missed one of a confounder's
            two edges (VanderWeele and Shpitser 2011, Biometrics 67(4)).
        strategies: `declared`: only front doors and instruments that the question names. `graph`: all that the graph
            allows.
        scale: How many units there are and how common the outcomes are: gives the share to randomise a number.
    """
    if gap := _gap(question, graph, columns):
        return Adjustment(question, gap, ())
    allowed = {column for column, role in columns.roles.items() if role in KNOWN_BEFORE} & set(graph.nodes)
    allowed -= {question.treatment, question.outcome, *question.held}
    logged = {column for column in columns.roles if column in graph.nodes and column not in columns.dropped}
    problem = IdentificationProblem(question, graph, allowed, logged, rule, strategies == "declared")
    for strategy in STRATEGIES.values():
        if question.effect in strategy.effects and (adjustment := strategy.identify(problem)):
            return adjustment
    return Adjustment(question, _why_not(problem, columns.roles, scale), ())


def _why_not(problem: IdentificationProblem, roles: Mapping[str, str], scale: Scale | None) -> Answer:
    """Why each strategy fails, what people could vouch for, and the experiment that would do."""
    question = problem.question
    applicable = [strategy for strategy in STRATEGIES.values() if question.effect in strategy.effects]
    vouched = [strategy for strategy in applicable if strategy.vouched]
    reasons = [strategy.why_not(problem, roles) for strategy in applicable if not strategy.vouched]
    # Of what people declare, that first which would be used last: it asks the most of them.
    reasons += [strategy.why_not(problem, roles) for strategy in reversed(vouched)]
    for strategy in vouched:
        if adjustment := strategy.identify(problem.undeclared()):
            reasons.append(strategy.how_to_vouch(adjustment))
            break
    reasons.append(explain.experiment(question, scale))
    return not_identifiable("; ".join(reason for reason in reasons if reason))


def _gap(question: Question, graph: MPDAG, columns: LoggedColumns) -> Answer | None:
    """What the logs lack to speak of the question at all."""
    t, y, dropped = question.treatment, question.outcome, columns.dropped
    if t == "recommended" and columns.organic_rows in NOT_EVERY_ORGANIC_ROW:
        marked = dropped.get(t) != NOT_THERE
        return not_identifiable(NOT_EVERY_ORGANIC_ROW[columns.organic_rows] if marked else NOT_MARKED)
    for column, asked_as, of_it in ((t, "treatment", (*KNOWN_BEFORE, "treatment")), (y, "outcome", ("outcome",))):
        if column not in graph.nodes and column not in dropped:
            return explain.no_such_column(question.name, column, asked_as, columns.roles, of_it)
    if t not in graph.nodes:
        if dropped.get(t) == NOT_THERE:
            return not_available(f"the treatment `{t}`: {NOT_THERE}, or no unit of the window has a value of it")
        return not_identifiable(
            f"the treatment `{t}` is no node: {dropped.get(t, NOT_THERE)}; an effect needs units of both arms"
        )
    if y not in graph.nodes:
        why = dropped.get(y, NOT_THERE)
        return insufficient_evidence(f"`{y}` is {why}") if "constant" in why else not_available(f"`{y}`: {why}")
    if same := sorted(column for column, node in columns.twins.items() if node == t):
        return not_identifiable(
            f"{', '.join(same)} is the same as `{t}` in every unit: it decides the arm, so no unit could have been "
            f"in the other one; randomise `{t}` for a share of the units"
        )
    for column in question.held:
        if column in dropped or column not in graph.nodes:
            return explain.cannot_be_held(column, t, dropped.get(column, NOT_THERE))
    return None
