"""Whatever stands in the place of a setting is taken or named: no reader of settings falls over a value's kind."""

from collections.abc import Iterator
from typing import Any

import pytest

from causalrec_assets.answers import InputError
from causalrec_assets.evaluation.rule import parse_release
from causalrec_assets.gate.contracts import parse_contract
from causalrec_assets.gate.settings import parse_lake
from causalrec_assets.gate.windows import parse_learning
from causalrec_assets.graph.knowledge import parse_knowledge
from causalrec_assets.graph.questions import parse_questions
from causalrec_assets.graph.search import parse_search
from causalrec_assets.home import TEMPLATE
from causalrec_assets.logs.calendar import parse_calendar
from causalrec_assets.logs.cleaning_rules import parse_cleaning
from causalrec_assets.logs.covariate_settings import parse_leave_out
from causalrec_assets.logs.forgotten import parse_forgotten
from causalrec_assets.logs.sources import parse_source
from causalrec_assets.model.settings import parse_model_settings
from causalrec_assets.operations import parse_operations
from causalrec_assets.policy.objective import parse_objective
from causalrec_assets.policy.policy_config import parse_policy
from causalrec_assets.serving.recommend import parse_serving
from causalrec_assets.settings_file import read_yaml
from resources.alerts import parse_alerts
from resources.tracking_settings import parse_tracking

PARSERS = {
    "sources.yaml": [parse_source, lambda raw: parse_learning(read_yaml(TEMPLATE / "learning.yaml"), raw)],
    "cleaning.yaml": [parse_cleaning],
    "calendar.yaml": [parse_calendar],
    "covariates.yaml": [parse_leave_out],
    "questions.yaml": [parse_questions],
    "discovery.yaml": [parse_search],
    "demos/obd/expert_graph.yaml": [parse_knowledge],
    "model.yaml": [parse_model_settings],
    "policy.yaml": [parse_policy],
    "demos/simulated/objective.yaml": [parse_objective],
    "release.yaml": [parse_release],
    "serving.yaml": [parse_serving],
    "operations.yaml": [parse_operations, lambda raw: parse_alerts(raw, {})],
    "lake.yaml": [parse_lake],
    "tracking.yaml": [parse_tracking],
    "forgotten.yaml": [parse_forgotten],
    "learning.yaml": [lambda raw: parse_learning(raw, read_yaml(TEMPLATE / "sources.yaml"))],
    "contracts/clean_events.yaml": [lambda raw: parse_contract("clean_events", raw)],
}
OTHERS = (None, "hunter2", "", 3, -1, 2.5, True, [], [3], ["hunter2"], [None], {}, {"x": "hunter2"}, {1: "x"}, [[1]])


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a value stands below a section; of a list the first entries."""
    if here:
        yield here
    inner = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    for key, under in inner:
        yield from places(under, (*here, key))


def with_value(settings: Any, place: tuple[Any, ...], value: object) -> Any:
    if not place:
        return value
    changed = type(settings)(settings)
    changed[place[0]] = with_value(settings[place[0]], place[1:], value)
    return changed


@pytest.mark.parametrize("file", PARSERS)
def test_a_value_of_another_kind_is_taken_or_named(file):
    path = TEMPLATE / file
    settings = read_yaml(path if path.exists() else TEMPLATE / file.rpartition("/")[2])
    for parse in PARSERS[file]:
        parse(settings)
        for place in places(settings):
            for other in OTHERS:
                try:
                    parse(with_value(settings, place, other))
                except InputError as error:
                    assert len(str(error)) < 1000
