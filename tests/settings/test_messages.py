"""The messages of all settings: a person is told the file, the key, what is accepted and what was given."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from causalrec.answers import InputError
from causalrec.home import TEMPLATE
from causalrec.settings.deployment.alerts import parse_alerts
from causalrec.settings.deployment.lake import LakeSettings
from causalrec.settings.deployment.operations import Operations
from causalrec.settings.deployment.tracking import TrackingSettings
from causalrec.settings.discovery import Search
from causalrec.settings.file import Section, parse_yaml, read_yaml
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

READERS: dict[str, Callable[[Section], object]] = {
    "model.yaml": ModelSettings.parse,
    "release.yaml": ReleaseRule.parse,
    "questions.yaml": Questions.parse,
    "discovery.yaml": Search.parse,
    "objective.yaml": Objective.parse,
    "policy.yaml": PolicyConfig.parse,
    "learning.yaml": lambda raw: parse_learning(raw, read_yaml(TEMPLATE / "sources.yaml")),
    "serving.yaml": ServingSettings.parse,
    "lake.yaml": LakeSettings.parse,
    "operations.yaml": Operations.parse,
    "tracking.yaml": TrackingSettings.parse,
    "operations.yaml: alerts": lambda raw: parse_alerts(raw, {}),
    "sources.yaml": parse_source,
    "cleaning.yaml": lambda raw: parse_cleaning(raw, ["weight"]),
    "calendar.yaml": parse_calendar,
    "covariates.yaml": lambda raw: parse_leave_out(raw, ["plan"]),
}
GOOD = {
    "objective.yaml": "demos/simulated/objective.yaml",
    "sources.yaml": Path(__file__).with_name("logs") / "sources.yaml",
}
"""Where another file than the template's is wanted: one that states all keys."""
FILES = sorted(Path(__file__).parent.glob("**/messages.yaml"))
CASES = [(reader, case) for file in FILES for reader, cases in read_yaml(file).items() for case in cases]
PLAIN = {"float": "number", "int": "whole number", "bool": "true or false", "None": "missing"}
"""What programs call a value -> what a person does."""


def merged(file: str, given: str) -> Section:
    """A good file with what is given in place of its own keys, and its lines."""
    settings, change = read_yaml(TEMPLATE / GOOD.get(file, file)), parse_yaml(given, file)
    without = change.pop("without", None)
    lines = {**settings.lines, **change.lines}
    return Section({key: value for key, value in {**settings, **change}.items() if key != without}, lines)


def facts(message: str) -> set[str]:
    """What a message tells: keys, what is accepted, and what was given. Of all keys that a file has: those at fault."""
    if whole := re.search(
        r"needs exactly (\[.*?\]|`.*?`)(?:, and may have (.*?))?(?:; missing|[,;] got (.*))", message
    ):
        needed, more, given = (set(re.findall(r"\w+", part or "")) for part in whole.groups())
        return (
            (needed - given) | (given - needed - more) if given else set(re.findall(r"'(\w+)'", message[whole.end() :]))
        )
    accepted, _, given = message.partition(" must be ")[2].partition(", got ")
    listed = re.findall(r"'([^']+)'", accepted)
    keys = [key for part in re.findall(r"`([^`]+)`", message) for key in re.split(r": |\.", part)]
    value = [given] if re.fullmatch(r"'[^']*'|[-\w.]+", given) else []
    return {
        PLAIN.get(fact, fact)
        for fact in (*keys, *(listed or [accepted]), *re.findall(r"'(\w+)'", message), *value)
        if fact
    }


def test_the_facts_of_a_message_are_its_keys_what_is_accepted_and_what_was_given():
    message = "model.yaml: `folds` must be a whole number of at least 3, got 2"
    assert facts(message) == {"folds", "a whole number of at least 3", "2"}
    assert facts("lake.yaml: `gate: kind` must be one of ['a', 'b'], got 'c'") == {"gate", "kind", "a", "b", "c", "'c'"}
    assert facts("x.yaml: needs exactly ['a', 'b'], got ['a', 'c']") == {"b", "c"}


@pytest.mark.parametrize(("reader", "case"), CASES, ids=[f"{reader}: {case['given']}" for reader, case in CASES])
def test_a_wrong_setting_is_told(reader: str, case: dict[str, Any]) -> None:
    file = reader.partition(":")[0]
    with pytest.raises(InputError) as refused:
        READERS[reader](merged(file, case["given"]))
    message = str(refused.value)
    for name, plain in PLAIN.items():
        message = re.sub(rf"(?<![\w']){name}(?![\w'])", plain, message)
    lost = [fact for fact in case.get("keeps", facts(case["message"])) if fact not in message]
    assert file in message and not lost, message
