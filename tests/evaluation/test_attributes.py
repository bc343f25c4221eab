"""What the report says of each attribute of the users."""

from dataclasses import replace

import polars as pl

from causalrec.evaluation.attributes import LEFT_OUT, NO_GRAPH, NOT_JOINED, attribute_uses
from causalrec.graph.discovery.result import Dropped
from causalrec.graph.knowledge.notes import GraphNotes
from causalrec.model.outcome.notes import OutcomeModelNotes
from causalrec.settings.policy import Allowed
from tests.logs.worlds import SETTINGS, source

USERS = {
    "columns": {"user_id": "id", "plan": "plan", "age": "age", "city": "city", "shoe": "shoe"},
    "kinds": {"age": "number"},
    "sensitive": ["age"],
}
SHOP = source(users=USERS)
SETS = pl.DataFrame({"question": ["q1", "q2"], "columns": [["plan", "age"], ["age"]]})
GRAPH = GraphNotes(
    nodes=("plan", "age", "shoe"),
    tiers={},
    roles={},
    dropped=(Dropped("city", "constant"),),
    disagreements=(),
    draws="",
    organic_rows="every_impression",
    rows=100,
    rates={},
    split=False,
    conflicts=(),
)
MODEL = OutcomeModelNotes(columns=("plan",), log_loss={})


def uses(**changes):
    given = {"left_out": (), "graph": GRAPH, "sets": SETS, "model": MODEL, "allowed": (), "source": SHOP} | changes
    return {use.name: use for use in attribute_uses(**given)}


def test_each_attribute_says_where_it_was_used_or_why_not():
    attributes = uses()
    assert (attributes["plan"].effects, attributes["plan"].policy) == ("adjusted for in q1", "read")
    assert (attributes["age"].kind, attributes["age"].effects) == ("sensitive number", "adjusted for in q1, q2")
    assert attributes["age"].policy == "not read: it is sensitive"
    assert attributes["city"].effects == "not in the graph: constant"
    assert attributes["shoe"].effects == "in the graph, and in no adjustment set: no question needs it"


def test_who_let_a_policy_read_what_is_sensitive_is_said():
    attributes = uses(
        model=replace(MODEL, columns=("age",)),
        allowed=[Allowed(column="age", who="the board", why="it helps the young")],
    )
    assert attributes["age"].policy == "read, though sensitive: allowed by the board (it helps the young)"


def test_without_a_graph_or_a_model_or_a_user_id_that_is_why():
    attributes = uses(graph=None, model=None, left_out=["plan"])
    assert (attributes["plan"].effects, attributes["plan"].policy) == (LEFT_OUT, "not read")
    assert (attributes["city"].effects, attributes["city"].policy) == (NO_GRAPH, "not read: there is no outcome model")
    events = {"folder": "events", "columns": {k: v for k, v in SETTINGS["events"]["columns"].items() if k != "user_id"}}
    assert {use.effects for use in uses(source=source(events=events, users=USERS)).values()} == {NOT_JOINED}
