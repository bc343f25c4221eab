import pytest

from causalrec.answers import InputError
from causalrec_assets.gate.contracts import parse_contract
from tests.gate.conftest import CONTRACT


def test_a_contract_reads_its_columns_and_rules():
    contract = parse_contract("sales", CONTRACT)
    assert contract.empty().schema.names() == ["id", "click", "purchase", "share"]
    assert [rule.name for rule in contract.rules][3] == "nested"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rule": []}, "unknown key"),
        ({"table": "other"}, "`table` must be `sales`"),
        ({"columns": {"id": "Text"}}, "unknown type 'Text'"),
        ({"rules": []}, "gates nothing"),
        ({"rules": [{"why": "because"}]}, "needs one of `expect:`"),
        ({"rules": [{"expect": "column_is_nice"}]}, "no Great Expectations expectation"),
        ({"rules": [{"holds": "a > 1"}, {"holds": "a > 1"}]}, "occur twice"),
    ],
)
def test_a_wrong_contract_says_what_is_wrong(change, says):
    with pytest.raises(InputError, match=says):
        parse_contract("sales", CONTRACT | change)
