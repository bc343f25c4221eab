"""`expert_graph.yaml`: what it may say, and messages that name file and line."""

from datetime import date
from pathlib import Path

import pytest

from causalrec.answers import InputError
from causalrec.graph.knowledge.entries import read_knowledge
from causalrec.graph.knowledge.resolve import resolve, unused_table

DATA = Path(__file__).resolve().parents[3] / "data"
A_B = "cause: a, effect: b"
SIGNED = ", who: Ada, why: she built it, when: 2026-02-20"
ROLES = {
    "price": "pre_treatment",
    "user_age": "pre_treatment",
    "user_clicks": "pre_treatment",
    "user_exposures": "pre_treatment",
    "recommended": "treatment",
    "position": "mediator",
    "click": "outcome",
    "rating": "outcome",
    "user_id": "identifier",
}
NODES = ["price", "user_age", "user_clicks", "user_exposures", "recommended", "click"]


def written(**sections):
    """One entry a line, so that lines can be counted."""
    lines = []
    for section, entries in sections.items():
        lines.append(f"{section}:")
        lines += [f"  - {{{entry}{SIGNED}}}" for entry in entries]
    return "\n".join(lines)


def resolved(nodes=NODES, **sections):
    return resolve(read_knowledge(written(**sections)), nodes, ROLES)


@pytest.mark.parametrize("path", sorted(DATA.glob("**/expert_graph.yaml")), ids=lambda p: p.parent.name)
def test_every_shipped_file_is_read(path):
    read_knowledge(path.read_text(encoding="utf-8"))


def test_an_entry_knows_its_line():
    knowledge = read_knowledge(written(required=["cause: a, effect: b"], settled=["cause: a, effect: c"]))
    assert [(e.statement, e.line) for e in knowledge.entries] == [("required: a -> b", 2), ("settled: a -> c", 4)]


def test_an_empty_file_knows_nothing():
    assert read_knowledge("# nothing yet\n").entries == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (written(required=["cause: a, efect: b"]), "line 2: unknown key `efect` .*did you mean `effect`"),
        (
            written(requird=["cause: a, effect: b"]),
            "line 1: unknown key `requird` in the file; did you mean `required`",
        ),
        ("required:\n  - {cause: a, effect: b}", "line 2: an entry of `required` needs `who` and `why` and `when`"),
        (
            "required:\n  - cause: a\n    effect: b\n    cause: c",
            "line 4: the key `cause` is there twice, first on line 2",
        ),
        ("required: []\nforbidden: []\nrequired: []", "line 3: the key `required` is there twice"),
        ("required:\n  cause: a", "line 1: `required` must be a list"),
        ("required:\n  - a -> b", "line 2: an entry of `required` must be a mapping .*got `a -> b`"),
        ("required:\n  - {cause: [a], effect: b" + SIGNED + "}", "line 2: `cause` must be one value; got a list"),
        ("required:\n  - {cause: *_rate, effect: b}", "line 2: this is not valid YAML.*in quotes"),
        ("- a", "line 1: the file must be a mapping"),
        ("conflicts: maybe", "line 1: `conflicts` must be warn or block"),
        (written(required=["cause: a, effect: a"]), "line 2: `a` cannot cause itself"),
        (written(required=["cause: 'a*', effect: 'a*'"]), "line 2: `a\\*` cannot cause itself"),
        ("required:\n  - {cause: a, effect: b, who: A, why: w, when: soon}", "line 2: `when` must be a day"),
        (written(required=["cause: a, effect: b, until: 2026-02-30"]), "line 2: `until` must be a day"),
        (written(required=["cause: a, effect: b, until: 2026-01-01"]), "line 2: `until: 2026-01-01` is before `when"),
        (written(tiers=["columns: a, tier: past"]), "line 2: `tier: past` is not known; say one of context and item"),
        (written(hidden=["name: 'taste*'"]), "line 2: `name` must be a name"),
    ],
)
def test_a_faulty_entry_is_named_by_its_line(text, message):
    with pytest.raises(InputError, match=f"expert_graph.yaml, {message}"):
        read_knowledge(text)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"required": [A_B], "forbidden": [A_B]}, "2 and 4: .*required and forbidden at once"),
        ({"settled": [A_B], "forbidden": [A_B]}, "2 and 4: .*settled and forbidden at once"),
        ({"required": [A_B, "cause: b, effect: a"]}, "2 and 3: .*required both ways"),
        ({"required": [A_B], "settled": ["cause: b, effect: a"]}, "2 and 4: .*settled the other way"),
        ({"required": [A_B, A_B]}, "2 and 3: `required: a -> b` is said twice"),
        (
            {"required": [A_B, "cause: x, effect: y", "cause: b, effect: c"], "settled": ["cause: c, effect: a"]},
            "2 and 4 and 6: these entries close the cycle .*-> ",
        ),
    ],
)
def test_entries_that_contradict_each_other_are_refused_with_their_lines(sections, message):
    with pytest.raises(InputError, match=f"expert_graph.yaml, lines {message}"):
        read_knowledge(written(**sections))


def test_an_entry_counts_until_its_last_day_and_whatever_the_day_was_it_was_written_on():
    text = written(required=["cause: a, effect: b, until: 2026-03-31"])
    for day, counts in ((date(2025, 1, 1), True), (date(2026, 3, 31), True), (date(2026, 4, 1), False)):
        knowledge = read_knowledge(text, day)
        assert bool(knowledge.required) == counts == (not knowledge.expired)


def test_what_is_over_contradicts_nothing_and_is_reported():
    text = written(
        required=["cause: price, effect: click, until: 2026-03-31"], forbidden=["cause: price, effect: click"]
    )
    knowledge = resolve(read_knowledge(text, date(2026, 4, 1)), NODES, ROLES)
    assert list(knowledge.forbidden) == [("price", "click")] and not knowledge.required
    assert (knowledge.unused[0].line, knowledge.unused[0].why_not) == (2, "it is over since 2026-03-31")
    with pytest.raises(InputError, match="required and forbidden"):
        read_knowledge(text, date(2026, 3, 31))


def test_a_pattern_stands_for_the_columns_that_it_matches():
    knowledge = resolved(required=["cause: 'user_*', effect: click"])
    assert set(knowledge.required) == {("user_age", "click"), ("user_clicks", "click"), ("user_exposures", "click")}
    both = resolved(forbidden=["cause: 'user_*', effect: 'user_*'"])
    assert len(both.forbidden) == 6


@pytest.mark.parametrize(
    ("entry", "why_not"),
    [
        ("cause: 'shop_*', effect: click", "`shop_*` matches no column of the source"),
        ("cause: weather, effect: click", "weather is no causal column of the source"),
        ("cause: user_id, effect: click", "user_id is no causal column of the source"),
        ("cause: price, effect: rating", "rating does not vary in these data, or no question asks about it"),
        ("cause: 'ra*', effect: click", "`ra*` matches no column of the graph (what it matches does not vary)"),
        ("cause: 'pri*', effect: 'pr*'", "its patterns match one column only"),
    ],
)
def test_what_says_nothing_of_these_columns_is_reported_and_no_error(entry, why_not):
    knowledge = resolved(required=[entry])
    assert [(u.line, u.why_not) for u in knowledge.unused] == [(2, why_not)] and not knowledge.required
    assert unused_table(knowledge.unused)["why_not"].to_list() == [why_not] and unused_table(()).is_empty()


def test_patterns_that_contradict_each_other_on_a_column_are_refused():
    with pytest.raises(InputError, match="lines 2 and 4: `user_age -> click` is required and forbidden at once"):
        resolved(required=["cause: 'user_*', effect: click"], forbidden=["cause: '*_age', effect: click"])


def test_a_required_arrow_against_time_is_refused_and_so_is_one_through_a_hidden_cause():
    with pytest.raises(
        InputError, match=r"line 2: `click -> price` \(required by Ada\) runs against time: .*click\) comes"
    ):
        resolved(required=["cause: click, effect: price"])
    with pytest.raises(InputError, match="lines 2 and 3: `click` causes `price` through `mood`"):
        resolved(required=["cause: click, effect: mood", "cause: mood, effect: price"], hidden=["name: mood"])


def test_a_settled_pair_of_a_hidden_cause_and_an_idle_hidden_cause_are_reported():
    knowledge = resolved(settled=["cause: mood, effect: click"], hidden=["name: mood", "name: taste"])
    assert [u.line for u in knowledge.unused] == [2, 4, 5] and "is hidden" in knowledge.unused[0].why_not


def test_columns_move_in_the_time_order():
    default = resolved().order
    assert default.of["user_age"] == 0 and default.of["user_clicks"] == 1 and default.of["recommended"] == 2
    order = resolved(
        tiers=["columns: ['user_*'], tier: before context and item", "columns: user_clicks, tier: history"]
    )
    names = [order.order.names[order.order.of[c]] for c in ("user_age", "user_exposures", "price", "user_clicks")]
    assert names == ["before context and item", "before context and item", "context and item", "history"]
    later = resolved(tiers=["columns: rating, tier: after later outcomes"]).order
    assert later.names[-1] == "after later outcomes" and later.of["rating"] == len(later.names) - 1


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (["columns: price, tier: after treatment"], r"line 2: `price` \(pre_treatment\) cannot stand"),
        (["columns: click, tier: history"], "line 2: `click` .outcome. cannot stand"),
        (["columns: 'user_*', tier: history", "columns: '*_age', tier: context and item"], "lines 2 and 3: `user_age`"),
    ],
)
def test_a_place_that_time_forbids_or_two_places_are_refused(entries, message):
    with pytest.raises(InputError, match=message):
        resolved(tiers=entries)


def test_a_required_arrow_against_the_experts_own_tiers_names_both_lines():
    with pytest.raises(InputError, match=r"lines 2 and 4: `price -> user_age` .* runs against time"):
        resolved(tiers=["columns: price, tier: after history"], required=["cause: price, effect: user_age"])


def test_a_place_of_no_column_is_reported():
    assert (
        resolved(tiers=["columns: [price, 'shop_*'], tier: history"]).unused[0].why_not.startswith("`shop_*` matches")
    )


def test_the_example_of_the_documentation_is_read():
    text = (DATA.parent / "docs" / "causal-graph.md").read_text(encoding="utf-8")
    example = text.split("```yaml\n")[1].split("```")[0]
    knowledge = read_knowledge(example, date(2026, 12, 31))
    assert [e.statement.split(":")[0] for e in knowledge.entries] == [
        "required",
        "forbidden",
        "settled",
        "tier",
        "hidden",
    ]
    assert not knowledge.blocks and not knowledge.expired
