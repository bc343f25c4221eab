"""Whatever stands in the place of a setting is taken or named: no reader of settings falls over a value's kind."""

from collections.abc import Iterator
from typing import Any

import pytest

from causalrec.answers import InputError
from causalrec.graph.knowledge.entries import parse_knowledge
from causalrec.home import TEMPLATE
from causalrec.logs.cleaning.forgotten import parse_forgotten
from causalrec.settings.deployment.alerts import parse_alerts
from causalrec.settings.deployment.lake import LakeSettings
from causalrec.settings.deployment.operations import Operations
from causalrec.settings.deployment.tracking import TrackingSettings
from causalrec.settings.discovery import Search
from causalrec.settings.file import read_yaml
from causalrec.settings.learning import parse_learning
from causalrec.settings.logs.calendar import parse_calendar
from causalrec.settings.logs.cleaning import parse_cleaning
from causalrec.settings.logs.covariates import parse_leave_out
from causalrec.settings.logs.sources import parse_source
from causalrec.settings.model import ModelSettings
from causalrec.settings.objective import Objective
from causalrec.settings.policy import PolicyConfig
from causalrec.settings.questions import Questions
from causalrec.settings.release import ReleaseRule
from causalrec.settings.serving import ServingSettings
from causalrec_assets.gate.contracts import parse_contract

PARSERS = {
    "sources.yaml": [parse_source, lambda raw: parse_learning(read_yaml(TEMPLATE / "learning.yaml"), raw)],
    "cleaning.yaml": [parse_cleaning],
    "calendar.yaml": [parse_calendar],
    "covariates.yaml": [parse_leave_out],
    "questions.yaml": [Questions.parse],
    "discovery.yaml": [Search.parse],
    "demos/obd/expert_graph.yaml": [parse_knowledge],
    "model.yaml": [ModelSettings.parse],
    "policy.yaml": [PolicyConfig.parse],
    "demos/simulated/objective.yaml": [Objective.parse],
    "release.yaml": [ReleaseRule.parse],
    "serving.yaml": [ServingSettings.parse],
    "operations.yaml": [Operations.parse, lambda raw: parse_alerts(raw, {})],
    "lake.yaml": [LakeSettings.parse],
    "tracking.yaml": [TrackingSettings.parse],
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
