import uuid
from datetime import date
from pathlib import Path

import pytest
import yaml

from causalrec.home import Home
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.lake.store import Store, open_store
from tests.gate import s3

CONTRACT = {
    "table": "sales",
    "about": "what was sold",
    "columns": {"id": "String", "click": "Int8", "purchase": "Int8", "share": "Float64"},
    "rules": [
        {"expect": "expect_column_values_to_be_unique", "column": "id", "why": "one row a sale"},
        {"expect": "expect_column_values_to_not_be_null", "column": "share"},
        {
            "expect": "expect_column_values_to_be_between",
            "column": "share",
            "min_value": 0,
            "strict_min": True,
            "max_value": 1,
        },
        {"name": "nested", "holds": "purchase <= click", "only_if": "nested_outcomes", "why": "a purchase has a click"},
        {"expect": "expect_table_row_count_to_equal", "value": "$expected_rows"},
    ],
    "answerable": [
        {"name": "any_click", "expect": "expect_column_max_to_be_between", "column": "click", "min_value": 1}
    ],
}
DAY = date(2026, 3, 2)


@pytest.fixture
def new_bucket(s3_server, monkeypatch):
    """A function that makes a fresh bucket; the environment says where and who."""
    for name, value in (s3.ENVIRONMENT | {"AWS_ENDPOINT_URL": s3_server.url}).items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)

    def make(kind: str = "lake") -> str:
        return s3.make_bucket(s3_server, f"{kind}-{uuid.uuid4().hex}")

    return make


@pytest.fixture(params=["local", "s3"])
def lake_settings(request):
    """What `lake.yaml` says: a folder, or a fresh bucket."""
    if request.param == "local":
        return {}
    return {"root": request.getfixturevalue("new_bucket")() + "/lake"}


@pytest.fixture
def home(tmp_path: Path, lake_settings) -> Home:
    home = Home(tmp_path / "home")
    (home.data / "contracts").mkdir(parents=True)
    (home.data / "contracts" / "sales.yaml").write_text(yaml.safe_dump(CONTRACT))
    (home.data / "lake.yaml").write_text(yaml.safe_dump(lake_settings))
    return home


@pytest.fixture
def store(home: Home) -> Store:
    return open_store(home)


@pytest.fixture
def attempt(home: Home):
    """A function that begins an attempt at `sales` of a day."""

    def begin(run_id: str = "run-1", day: date = DAY, asset: str = "sales") -> Inputs:
        return Inputs(home, open_store(home), asset=asset, code="code", day=day, run_id=run_id)

    return begin
