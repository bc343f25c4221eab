"""What each entry of the expert graph changes: the graph and the answers with it beside those without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from causalrec.answers import Answer, InputError
from causalrec.graph.discovery.result import Discovery
from causalrec.graph.knowledge.changes import compare
from causalrec.graph.knowledge.entries import Entry, Knowledge
from causalrec.graph.knowledge.orient import graph_with_knowledge
from causalrec.graph.mpdag import MPDAG

SCHEMA: dict[str, pl.DataType] = {
    "line": pl.Int64(),
    "entry": pl.String(),
    "who": pl.String(),
    "edges": pl.String(),
    "question": pl.String(),
    "without_it": pl.String(),
    "with_it": pl.String(),
}
NOTHING = "changes nothing"
MOST = 12
"""Changed edges that are written out."""

Sets = Callable[[MPDAG], Mapping[str, str]]
"""The graph -> for each question its adjustment set, or why there is none, in words (`in_words`)."""


@dataclass(frozen=True)
class Effect:
    """What an entry changes.

    Attributes:
        edges: What it does to the graph, in words; without any change `NOTHING`.
        questions: Question -> (its set without the entry, with it), of those that change.
    """

    entry: Entry
    edges: str
    questions: Mapping[str, tuple[str, str]]


def override_effects(discovery: Discovery, knowledge: Knowledge, sets: Sets) -> list[Effect]:
    """Orient without each entry in turn and compare.

    An entry that says what others say too, or what the data give anyway, changes nothing, and that is said. One that
    another entry cannot do without (it places a column where that one's arrow follows time) is told so.

    Args:
        discovery, knowledge: As of `orient_with_knowledge`.
        sets: Asked once for each graph that differs.
    """
    whole = graph_with_knowledge(discovery, knowledge)
    answers = dict(sets(whole))
    answers_of: dict[MPDAG, Mapping[str, str]] = {whole: answers}
    effects = []
    for entry in knowledge.entries:
        try:
            rest = graph_with_knowledge(discovery, knowledge.without(entry))
        except InputError as error:
            effects.append(Effect(entry, f"another entry needs it; without it: {error}", {}))
            continue
        if rest not in answers_of:
            answers_of[rest] = sets(rest)
        before = answers_of[rest]
        changed = {q: (before[q], now) for q, now in answers.items() if before[q] != now}
        effects.append(Effect(entry, _edges(rest, whole), changed))
    return effects


def effect_table(effects: Sequence[Effect]) -> pl.DataFrame:
    """One row for each entry and question that it changes; an entry that changes no question has one row."""
    rows: list[tuple[object, ...]] = []
    for effect in effects:
        entry = (effect.entry.line, effect.entry.statement, effect.entry.who, effect.edges)
        rows += [(*entry, q, *sets) for q, sets in effect.questions.items()] or [(*entry, None, None, None)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def in_words(answer: Answer, columns: Sequence[str]) -> str:
    """An adjustment set, with what is to be said of it, or why there is none."""
    if not answer.answered:
        return f"{answer.status}: {answer.reason}"
    named = ", ".join(sorted(columns)) or "nothing to adjust for"
    return f"{named} ({answer.reason})" if answer.reason else named


def _edges(without: MPDAG, whole: MPDAG) -> str:
    if without == whole:
        return NOTHING
    changes = compare(_table(without), list(without.nodes), _table(whole), list(whole.nodes)).table
    verbs = {
        "gained": "adds",
        "lost": "takes away",
        "turned": "turns to",
        "directed": "directs",
        "opened": "leaves open",
    }
    words = [
        f"{verbs[kind]} {_arrow(a, b, kind, whole)}"
        for a, b, kind in changes.select("source", "target", "change").iter_rows()
    ]
    gained = [n for n in whole.nodes if n not in without.nodes]
    words += [f"adds the node {n}" for n in gained]
    more = [f"and {len(words) - MOST} more"] if len(words) > MOST else []
    return "; ".join([*words[:MOST], *more])


def _arrow(a: str, b: str, kind: str, whole: MPDAG) -> str:
    if kind == "lost":
        return f"{a} - {b}"
    return f"{a} {'->' if (a, b) in whole.directed else '-'} {b}"


def _table(graph: MPDAG) -> pl.DataFrame:
    rows = [(a, b, "directed") for a, b in sorted(graph.directed)]
    rows += [(a, b, "undirected") for a, b in sorted(graph.undirected)]
    return pl.DataFrame(rows, schema=["source", "target", "mark"], orient="row")
