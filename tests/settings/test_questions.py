"""`data/questions.yaml` and the shipped files."""

from pathlib import Path

import pytest
import yaml

from causalrec.answers import InputError
from causalrec.graph.discovery.nodes import TIERS
from causalrec.graph.knowledge.entries import parse_knowledge
from causalrec.graph.knowledge.resolve import tier_order
from causalrec.settings.questions import Question, parse_questions

DATA = Path(__file__).resolve().parents[2] / "data"
GOOD = {
    "questions": [{"name": "q", "treatment": "t", "outcome": "y"}],
    "adjustment": "optimal",
}


@pytest.mark.parametrize("folder", [DATA, DATA / "demos" / "obd"])
def test_the_shipped_files_parse(folder):
    assert len(parse_questions(yaml.safe_load((folder / "questions.yaml").read_text())).questions) == 2
    parse_knowledge(yaml.safe_load((folder / "expert_graph.yaml").read_text()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"questions": []}, "empty"),
        ({"questions": [{"name": "q", "treatment": "t"}]}, "question 1"),
        ({"questions": GOOD["questions"] * 2}, "question 2: two questions have the same name: `name: q` is question 1"),
        ({"questions": [{"name": None, "treatment": "t", "outcome": "y"}]}, "question 1: `name` must be a text"),
        ({"questions": [{"name": "q", "treatment": ["t"], "outcome": "y"}]}, "question 1: `treatment` must be a text"),
        ({"adjustment": "best"}, "causes_of_either or optimal"),
        ({"discovery": {"alpha": 0.001}}, "move it to discovery.yaml"),
        ({"asked": 1}, "unknown key"),
        ({"strategies": "all"}, "declared or graph"),
        ({"questions": [{"name": "q", "treatment": "t", "outcome": "t"}]}, "at once"),
        ({"questions": [{"name": "q", "treatment": "t", "outcome": "y", "effect": "net"}]}, "total or direct"),
        ({"questions": [{"name": "q", "treatment": "t", "outcome": "y", "effect": "direct"}]}, "needs `held`"),
        ({"questions": [{"name": "q", "treatment": "t", "outcome": "y", "held": ["m"]}]}, "holds no mediator"),
        ({"questions": [{"name": "q", "treatment": "t", "outcome": "y", "through": "m"}]}, "list of columns"),
        ({"questions": [{"name": "q", "treatment": "t", "outcome": "y", "through": ["m", "m"]}]}, "twice"),
        ({"questions": [{"name": "q", "treatment": "t", "outcome": "y", "instruments": ["t"]}]}, "is about"),
        (
            {
                "questions": [
                    {
                        "name": "q",
                        "treatment": "t",
                        "outcome": "y",
                        "effect": "direct",
                        "held": ["m"],
                        "through": ["m"],
                    }
                ]
            },
            "total effect only",
        ),
    ],
)
def test_a_faulty_file_is_refused_in_words(change, message):
    with pytest.raises(InputError, match=message):
        parse_questions(GOOD | change)


def test_a_direct_question_and_the_columns_that_people_vouch_for():
    direct = {"name": "d", "treatment": "t", "outcome": "y", "effect": "direct", "held": ["click"]}
    vouched = {"name": "v", "treatment": "t", "outcome": "y", "instruments": ["lottery"], "through": ["click"]}
    found = parse_questions({"questions": [direct, vouched], "adjustment": "optimal", "strategies": "graph"})
    assert found.strategies == "graph"
    assert found.questions[0] == Question("d", "t", "y", "direct", ("click",))
    assert found.questions[1] == Question("v", "t", "y", instruments=("lottery",), through=("click",))
    assert found.spoken_of == ["y", "click"]
    assert parse_questions(GOOD).strategies == "declared"


def test_what_is_asked_about_before_the_slate_comes_after_the_past_and_its_mediators_after_it():
    roles = {
        "user_clicks": "pre_treatment",
        "device": "pre_treatment",
        "banner": "pre_treatment",
        "page_visit": "pre_treatment",
        "price": "pre_treatment",
        "recommended": "treatment",
        "position": "mediator",
        "click": "outcome",
        "purchase": "outcome",
    }
    asked = [
        {"name": "1", "treatment": "recommended", "outcome": "click"},
        {"name": "2", "treatment": "banner", "outcome": "purchase", "through": ["page_visit"]},
        {"name": "3", "treatment": "price", "outcome": "click"},
    ]
    found = parse_questions({"questions": asked, "adjustment": "optimal"}).roles(roles, ["recommended", "banner"])
    # A price is no arm, so that question moves nothing.
    assert found == roles | {"banner": "asked_treatment", "page_visit": "asked_mediator"}
    order = tier_order((), found)
    by_time = sorted(roles, key=lambda column: order.of[column])
    assert set(by_time[:2]) == {"device", "price"}
    assert by_time[2:] == ["user_clicks", "banner", "page_visit", "recommended", "position", "click", "purchase"]
    assert [order.names[order.of[c]] for c in ("banner", "page_visit")] == ["after history", "before treatment"]
    # Where nobody asks about them the order is as it was.
    assert tier_order((), roles).names == TIERS
