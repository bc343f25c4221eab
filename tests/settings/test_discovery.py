"""`data/discovery.yaml`."""

from pathlib import Path

import pytest
import yaml

from causalrec.answers import InputError
from causalrec.settings.discovery import parse_search

SHIPPED = yaml.safe_load((Path(__file__).resolve().parents[2] / "data" / "discovery.yaml").read_text())


def test_the_shipped_file_parses():
    assert parse_search(SHIPPED).floor == 0.01


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alpha": 2.0}, "out of range: alpha: 2.0"),
        ({"alpha": "small"}, "`alpha` must be float, got 'small'"),
        ({"fci": 1}, "`fci` must be bool"),
        ({"max_rows": True}, "`max_rows` must be int"),
        ({"max_row": 5}, "needs exactly"),
    ],
)
def test_a_faulty_file_is_refused_in_words(change, message):
    with pytest.raises(InputError, match=message):
        parse_search(SHIPPED | change)
