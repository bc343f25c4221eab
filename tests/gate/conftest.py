from datetime import date
from pathlib import Path

import pytest
import yaml

from causalrec_assets.gate.inputs import Inputs
from causalrec_assets.gate.store import Store
from causalrec_assets.home import Home

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
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    (home.data / "contracts").mkdir(parents=True)
    (home.data / "contracts" / "sales.yaml").write_text(yaml.safe_dump(CONTRACT))
    return home


@pytest.fixture
def attempt(home: Home):
    """A function that begins an attempt at `sales` of a day."""

    def begin(run_id: str = "run-1", day: date = DAY, asset: str = "sales") -> Inputs:
        return Inputs(home, Store(home.lake), asset=asset, stage="gate", day=day, run_id=run_id)

    return begin
