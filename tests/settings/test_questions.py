"""`data/questions.yaml` and the shipped files."""

from pathlib import Path

import pytest
import yaml

from causalrec.graph.knowledge.entries import parse_knowledge
from causalrec.graph.knowledge.resolve import tier_order
from causalrec.graph.roles import TIERS
from causalrec.settings.questions import Question, Questions

DATA = Path(__file__).resolve().parents[2] / "data"
GOOD = {
    "questions": [{"name": "q", "treatment": "t", "outcome": "y"}],
    "adjustment": "optimal",
}


@pytest.mark.parametrize("folder", [DATA, DATA / "demos" / "obd"])
def test_the_shipped_files_parse(folder):
    assert len(Questions.parse(yaml.safe_load((folder / "questions.yaml").read_text())).questions) == 2
    parse_knowledge(yaml.safe_load((folder / "expert_graph.yaml").read_text()))


def test_a_direct_question_and_the_columns_that_people_vouch_for():
    direct = {"name": "d", "treatment": "t", "outcome": "y", "effect": "direct", "held": ["click"]}
    vouched = {"name": "v", "treatment": "t", "outcome": "y", "instruments": ["lottery"], "through": ["click"]}
    parsed = Questions.parse({"questions": [direct, vouched], "adjustment": "optimal", "strategies": "graph"})
    assert parsed.strategies == "graph"
    assert parsed.questions[0] == Question(name="d", treatment="t", outcome="y", effect="direct", held=("click",))
    assert parsed.questions[1] == Question(
        name="v", treatment="t", outcome="y", instruments=("lottery",), through=("click",)
    )
    assert parsed.spoken_of == ["y", "click"]
    assert Questions.parse(GOOD).strategies == "declared"


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
    questions = [
        {"name": "1", "treatment": "recommended", "outcome": "click"},
        {"name": "2", "treatment": "banner", "outcome": "purchase", "through": ["page_visit"]},
        {"name": "3", "treatment": "price", "outcome": "click"},
    ]
    asked_roles = Questions.parse({"questions": questions, "adjustment": "optimal"}).roles(
        roles, ["recommended", "banner"]
    )
    # A price is no arm, so that question moves nothing.
    assert asked_roles == roles | {"banner": "asked_treatment", "page_visit": "asked_mediator"}
    order = tier_order((), asked_roles)
    by_time = sorted(roles, key=lambda column: order.of[column])
    assert set(by_time[:2]) == {"device", "price"}
    assert by_time[2:] == ["user_clicks", "banner", "page_visit", "recommended", "position", "click", "purchase"]
    assert [order.names[order.of[c]] for c in ("banner", "page_visit")] == ["after history", "before treatment"]
    # Where nobody asks about them the order is as it was.
    assert tier_order((), roles).names == TIERS
