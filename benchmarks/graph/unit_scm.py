"""Discovery, the chosen sets and the bias that they leave, where the graph over the columns of `units` is known.

Twenty seeds of 200,000 units each, tiers given, no other knowledge. Precision, recall and F1 are of the skeleton. A
direction is right where an edge that is truly there has the mark that the true graph's class has, given the tiers. The
sets are those of the default questions; valid is judged in the true graph. The bias is the mean over seeds of the AIPW
estimate less the truth, beside that of the naive contrast.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.figures import Figure, say
from causalrec.estimators.effects import Role, first_of
from causalrec.graph.discovery.nodes import choose_nodes
from causalrec.graph.discovery.pc import discover, time_order
from causalrec.graph.identification.criteria import is_valid
from causalrec.graph.identification.identify import LoggedColumns, adjust
from causalrec.graph.mpdag import MPDAG, colliders_of, orient, pair
from causalrec.graph.roles import tier_of
from causalrec.home import TEMPLATE
from causalrec.model.effects import estimate_effect
from causalrec.model.effects.propensities import treatment_propensities
from causalrec.model.effects.study import EffectStudy
from causalrec.settings.discovery import Search
from causalrec.settings.file import read_yaml
from causalrec.settings.model import ModelSettings
from causalrec.settings.questions import Questions
from causalrec.simulator.world import unit_scm

ROWS, ROWS_A_USER = 200_000, 10
ROLES = dict.fromkeys(unit_scm.COLUMNS, "pre_treatment") | {
    "recommended": "treatment",
    "position": "mediator",
    "click": "outcome",
    "purchase": "outcome",
    "revenue": "outcome",
}


@dataclass(frozen=True)
class World:
    """What one seed gave; questions by name."""

    f1: float
    directions: float
    valid: bool
    naive: dict[str, float]
    robust: dict[str, float]


def run(seeds: int = 20, rows: int = ROWS) -> list[Figure]:
    worlds = []
    for seed in range(1, seeds + 1):
        worlds.append(world(seed, rows))
        say(f"seed {seed}: {worlds[-1]}")
    truth = {outcome: unit_scm.true_effect(outcome, 2_000_000)[0] for outcome in ("click", "purchase")}
    how = f"{rows:,} units, {seeds} seeds"
    figures = [
        Figure("skeleton F1, mean", float(np.mean([w.f1 for w in worlds])), 0.95, "at least", how),
        Figure("directions right, mean", float(np.mean([w.directions for w in worlds])), 0.95, "at least", how),
        Figure(
            "seeds in which both chosen sets are valid in the true graph",
            sum(w.valid for w in worlds),
            math.ceil(0.95 * seeds),
            "at least",
            how,
        ),
    ]
    for outcome, effect in truth.items():
        errors = np.array([w.robust[outcome] - effect for w in worlds])
        naive = np.array([w.naive[outcome] - effect for w in worlds])
        spread = errors.std(ddof=1) / np.sqrt(seeds) if seeds > 1 else float("nan")
        figures.append(
            Figure(
                f"bias left on {outcome} / naive bias",
                float(abs(errors.mean()) / abs(naive.mean())),
                0.1,
                how=f"doubly robust {errors.mean():+.5f} (standard error {spread:.5f}), naive {naive.mean():+.5f}, "
                f"truth {effect:.5f}",
            )
        )
    return figures


def world(seed: int, rows: int) -> World:
    """Discover, choose, estimate."""
    units = unit_scm.sample(rows, seed)
    clusters = np.arange(rows) // ROWS_A_USER
    questions = Questions.parse(_setting("questions.yaml"))
    nodes, dropped = choose_nodes(units, ROLES, [q.outcome for q in questions.questions])
    discovered = discover(nodes, Search.parse(_setting("discovery.yaml")), [clusters])
    truth = true_class(list(discovered.tiers))
    f1, directions = agreement(discovered.graph, truth)
    settings, valid, naive, robust = ModelSettings.parse(_setting("model.yaml")), True, {}, {}
    whole = MPDAG(unit_scm.COLUMNS, frozenset(unit_scm.edges()), frozenset())
    for question in questions.questions:
        reasons = {d.column: d.reason for d in dropped}
        chosen = adjust(question, discovered.graph, LoggedColumns(ROLES, reasons), questions.adjustment)
        columns = list(chosen.columns)
        valid &= chosen.answer.answered and is_valid(whole, question.treatment, question.outcome, set(columns))
        fitted = treatment_propensities(units, question.treatment, columns, clusters, settings, seed)
        asked_of = {"treatment": question.treatment, "outcome": question.outcome, "columns": columns}
        estimates = estimate_effect(EffectStudy(units, asked_of, fitted, clusters, settings, seed)).estimates
        naive[question.outcome] = estimates[first_of(Role.NAIVE).name].value
        robust[question.outcome] = estimates[first_of(Role.ROBUST).name].value
    return World(f1, directions, valid, naive, robust)


def arrows_between(nodes: Iterable[str]) -> set[tuple[str, str]]:
    """The true arrows; a column that is no node (`position`, `revenue`) leads its causes' arrows on to its effects."""
    arrows = set(unit_scm.edges())
    for gone in set(unit_scm.COLUMNS) - set(nodes):
        into, out = {a for a, b in arrows if b == gone}, {b for a, b in arrows if a == gone}
        arrows = {e for e in arrows if gone not in e} | {(a, b) for a in into for b in out}
    return arrows


def true_class(nodes: list[str]) -> MPDAG:
    """What data and tiers can tell of the true graph at best."""
    arrows = arrows_between(nodes)
    skeleton = {pair(a, b) for a, b in arrows}
    tiers = {node: tier_of(node, ROLES[node]) for node in nodes}
    return orient(nodes, skeleton, time_order(skeleton, tiers), sorted(colliders_of(arrows)))[0]


def agreement(discovered: MPDAG, truth: MPDAG) -> tuple[float, float]:
    """F1 of the skeleton, and the share of its true edges that have the true mark."""
    there = {pair(a, b) for a, b in truth.directed | truth.undirected}
    seen = {pair(a, b) for a, b in discovered.directed | discovered.undirected}
    both = there & seen
    right = len(truth.directed & discovered.directed) + len(truth.undirected & discovered.undirected)
    return 2 * len(both) / (len(there) + len(seen)), right / max(1, len(both))


def _setting(file: str) -> dict[str, object]:
    return dict(read_yaml(TEMPLATE / file))
