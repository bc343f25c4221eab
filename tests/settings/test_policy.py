import json

import pytest
import yaml

from causalrec.answers import InputError
from causalrec.home import TEMPLATE
from causalrec.settings.policy import PolicyConfig, require_columns

SETTINGS = {
    "temperature": 0.5,
    "exploration": 0.1,
    "slate_size": 5,
    "named": ["uniform"],
    "match": ["section"],
    "report_by": [],
}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"temprature": 1}, "temprature"),
        ({"temperature": -0.5}, "temperature"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": "hot"}, "hot"),
        ({"temperature": "nan"}, "nan"),
        ({"temperature": float("nan")}, "nan"),
        ({"slate_size": 3.7}, "slate_size"),
        ({"slate_size": True}, "slate_size"),
        ({"match": "section"}, "match"),
        ({"exploration": 0}, "exploration"),
        ({"exploration": 1.5}, "exploration"),
        ({"slate_size": 0}, "slate_size"),
        ({"match": "section"}, "`match` must be a list"),
        ({"most_left_out": 1}, "most_left_out"),
        ({"most_left_out": "few"}, "few"),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=f"policy.yaml.*{named}"):
        PolicyConfig.parse({**SETTINGS, **change})


def test_a_temperature_that_is_left_out_is_no_number_until_it_is_solved() -> None:
    without = PolicyConfig.parse({key: value for key, value in SETTINGS.items() if key != "temperature"})
    assert without.temperature is None and PolicyConfig.parse(SETTINGS).solved == 0.5
    with pytest.raises(ValueError, match="solve it"):
        _ = without.solved


def test_a_policy_survives_the_bundle() -> None:
    config = PolicyConfig.parse(SETTINGS)
    assert PolicyConfig.parse(json.loads(json.dumps(config.to_json()))) == config


@pytest.mark.parametrize("file", ["policy.yaml", "demos/obd/policy.yaml"])
def test_the_templates_parse(file: str) -> None:
    PolicyConfig.parse(yaml.safe_load((TEMPLATE / file).read_text()))


@pytest.mark.parametrize(
    ("change", "named"),
    [({"match": ["sektion"]}, "match.*sektion.*section"), ({"report_by": ["colour"]}, "report_by.*colour")],
)
def test_a_column_that_is_not_there_is_named_with_those_that_are(change: dict[str, object], named: str) -> None:
    config = PolicyConfig.parse({**SETTINGS, **change})
    with pytest.raises(InputError, match=f"policy.yaml.*{named}"):
        require_columns(config, ["section"], ["item_id", "section"], ["section", "hour"])
    require_columns(PolicyConfig.parse(SETTINGS), ["section"], ["item_id", "section"], ["section", "hour"])
