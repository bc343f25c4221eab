"""What each entry of the expert graph changes, and that it is told when it changes nothing."""

import time

import numpy as np
import pytest

from causalrec.answers import ANSWERED, Answer, Status, not_identifiable
from causalrec.graph.discovery.result import Discovery
from causalrec.graph.knowledge.entries import Knowledge, read_knowledge
from causalrec.graph.knowledge.overrides import NOTHING, effect_table, in_words, override_effects
from causalrec.graph.mpdag import MPDAG, colliders_of, orient
from tests.graph.graphs import random_dag, skeleton_of
from tests.graph.strategies import said

SIGNED = "who: Ada, why: she built it, when: 2026-02-20"
ROLES = {"a": "pre_treatment", "b": "pre_treatment", "t": "treatment", "y": "outcome"}
DATA = MPDAG(("a", "b", "t", "y"), frozenset({("a", "t"), ("b", "t"), ("a", "y"), ("t", "y")}), frozenset())


def parents(graph):
    return {"t on y": in_words(ANSWERED, sorted(graph.parents("t"))), "y": in_words(ANSWERED, ())}


def effects(text, data=DATA):
    knowledge = read_knowledge(text.replace("SIGNED", SIGNED))
    return {e.entry.line: e for e in override_effects(Discovery(data, ROLES), knowledge, parents)}


def test_an_entry_that_changes_the_graph_and_a_set_is_told_with_both():
    overrides = effects("forbidden:\n  - {cause: b, effect: t, SIGNED}\n  - {cause: y, effect: t, SIGNED}")
    assert overrides[2].edges == "takes away b - t" and overrides[2].questions == {"t on y": ("a, b", "a")}
    assert overrides[3].edges == NOTHING and overrides[3].questions == {}
    table = effect_table(list(overrides.values()))
    assert table.select("line", "edges", "question", "without_it", "with_it").rows() == [
        (2, "takes away b - t", "t on y", "a, b", "a"),
        (3, NOTHING, None, None, None),
    ]


@pytest.mark.parametrize(
    ("text", "line", "edges"),
    [
        ("required:\n  - {cause: b, effect: y, SIGNED}", 2, "adds b -> y"),
        ("required:\n  - {cause: a, effect: t, SIGNED}", 2, NOTHING),
        ("settled:\n  - {cause: b, effect: a, SIGNED}", 2, NOTHING),
        (
            "hidden:\n  - {name: h, SIGNED}\nrequired:\n  - {cause: h, effect: y, SIGNED}",
            2,
            "adds h -> y; adds the node h",
        ),
    ],
)
def test_changes_are_told_in_words(text, line, edges):
    assert effects(text)[line].edges == edges


def test_a_direction_is_told():
    data = MPDAG(("a", "b"), frozenset(), frozenset({("a", "b")}))
    for section in ("required", "settled"):
        assert effects(f"{section}:\n  - {{cause: b, effect: a, SIGNED}}", data)[2].edges == "directs b -> a"
    assert effects("tiers:\n  - {columns: a, tier: history, SIGNED}", data)[2].edges == "directs b -> a"


def test_two_entries_that_say_the_same_each_change_nothing():
    overrides = effects("required:\n  - {cause: b, effect: y, SIGNED}\n  - {cause: 'b*', effect: y, SIGNED}")
    assert [e.edges for e in overrides.values()] == [NOTHING, NOTHING]


def test_an_entry_that_another_needs_is_told_so():
    roles = ROLES | {"user_clicks": "pre_treatment"}
    text = f"""
tiers:
  - {{columns: a, tier: after history, {SIGNED}}}
required:
  - {{cause: user_clicks, effect: a, {SIGNED}}}
  - {{cause: b, effect: user_clicks, {SIGNED}}}
"""
    data = MPDAG(("a", "b", "t", "user_clicks", "y"), DATA.directed, frozenset())
    overrides = override_effects(Discovery(data, roles), read_knowledge(text), parents)
    assert overrides[0].edges.startswith(
        "another entry needs it; without it: expert_graph.yaml, line 5: `user_clicks -> a`"
    )
    assert overrides[1].edges.startswith("adds user_clicks -> a")


def test_sets_in_words():
    assert in_words(ANSWERED, ("b", "a")) == "a, b" and in_words(ANSWERED, ()) == "nothing to adjust for"
    front_door = Answer(Status.ANSWERED, "by the front door")
    assert in_words(front_door, ("a",)) == "a (by the front door)"
    assert in_words(not_identifiable("no way"), ()) == "not_identifiable: no way"


def test_thirty_entries_and_twenty_nodes_take_seconds():
    rng = np.random.default_rng(1)
    names, arrows = random_dag(rng, 20, 0.25)
    graph, _ = orient(names, skeleton_of(arrows), (), sorted(colliders_of(arrows)))
    pairs = sorted(arrows)
    entries = [said(("required", "settled")[k % 2], edge, k + 1) for k, edge in enumerate(pairs[:20])]
    others = [(b, a) for a, b in pairs[20:30]]
    entries += [said("forbidden", edge, 21 + k) for k, edge in enumerate(others)]
    known = Knowledge(
        **{kind: tuple(s for s in entries if s.kind == kind) for kind in ("required", "settled", "forbidden")}
    )
    started = time.process_time()
    discovery = Discovery(graph, dict.fromkeys(names, "pre_treatment"), tuple(sorted(colliders_of(arrows))))
    overrides = override_effects(discovery, known, lambda g: {"q": str(len(g.directed))})
    assert len(overrides) == 30 and time.process_time() - started < 10
