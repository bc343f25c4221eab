import json

import pytest
import yaml

from causalrec_assets.answers import InputError
from causalrec_assets.home import TEMPLATE
from causalrec_assets.policy.objective import parse_objective
from causalrec_assets.policy.policy_config import (
    bundle_policy,
    parse_bundle_policy,
    parse_policy,
    refuse_user_attributes,
)

SETTINGS = {"temperature": 0.5, "exploration": 0.1, "slate_size": 5}
ALLOWED = {"attribute": "region", "who": "legal team", "why": "delivery differs by region"}


def test_what_is_left_out_is_not_asked_for() -> None:
    config = parse_policy(SETTINGS)
    assert (config.named, config.match, config.segments, config.user_attributes) == ((), (), (), ())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"temprature": 1}, "temprature"), ({"temperature": 0}, "temperature"), ({"temperature": "hot"}, "temperature"),
        ({"exploration": 0}, "exploration"), ({"exploration": 1.5}, "exploration"), ({"slate_size": 0}, "slate_size"),
        ({"slate_size": 2.5}, "slate_size"), ({"named": ["greedy"]}, "greedy"), ({"named": "uniform"}, "named"),
        ({"candidates": {"only": []}}, "candidates"), ({"segments": "section"}, "segments"),
        ({"user_attributes": ["region"]}, "user_attributes"), ({"user_attributes": [{**ALLOWED, "who": ""}]}, "who"),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=f"policy.yaml.*{named}"):
        parse_policy({**SETTINGS, **change})


def test_a_user_attribute_is_refused_unless_someone_answers_for_it() -> None:
    with pytest.raises(InputError, match="age_group"):
        refuse_user_attributes(["price", "age_group"], ["age_group", "region"], parse_policy(SETTINGS))
    allowed = parse_policy({**SETTINGS, "user_attributes": [ALLOWED]})
    refuse_user_attributes(["price", "region"], ["age_group", "region"], allowed)
    refuse_user_attributes(["price"], ["age_group", "region"], parse_policy(SETTINGS))


def test_a_policy_survives_the_bundle() -> None:
    config = parse_policy({**SETTINGS, "named": ["uniform"], "candidates": {"match": ["section"]},
                           "segments": ["section"], "user_attributes": [ALLOWED]})
    objective = parse_objective({"satisfying_outcome": "click", "lambda": 0, "currency": "EUR"})
    raw = bundle_policy(config, objective)
    assert parse_bundle_policy(raw) == (config, objective)
    assert parse_bundle_policy(json.dumps(raw).encode()) == (config, objective)
    with pytest.raises(InputError, match="`policy` and `objective`"):
        parse_bundle_policy({"temperature": 1})


@pytest.mark.parametrize("file", ["policy.yaml", "demos/obd/policy.yaml"])
def test_the_templates_parse(file: str) -> None:
    parse_policy(yaml.safe_load((TEMPLATE / file).read_text()))
