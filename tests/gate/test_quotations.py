"""A message that is kept for good says where a landed value stands and what it looks like, never what it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec_assets.gate.quotations import shape_of, without_quotations


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        (
            "/x/a.jsonl, row 1: `timestamp` is 'ann-7', which is not a time such as 2026-03-02T10:15:00Z (3 rows).",
            "/x/a.jsonl, row 1: `timestamp` is 'aaa-9', which is not a time such as 2026-03-02T10:15:00Z (3 rows).",
        ),
        (
            "the first is /x/a.csv, row 7: `position` is '2.3.2026 Zo\u00eb\u2019s', which is not a whole number.",
            "the first is /x/a.csv, row 7: `position` is '9.9.9999 Aaa\u2019a', which is not a whole number.",
        ),
        ("/x, row 3: `click` is 'N/A', which is", "/x, row 3: `click` is 'N/A', which is"),
        ("/x, row 3: `x` is 49301234567, which is", "/x, row 3: `x` is 99999999999, which is"),
        ('/x, row 3: `x` is {"mail": "ann, which is', '/x, row 3: `x` is {"aaaa": "aaa, which is'),
        ('/x, row 3: `x` is "a\\", b ann", which is', '/x, row 3: `x` is "a\\", a aaa", which is'),
        ("/x, row 3: `x` is 0x616e6e37, which is", "/x, row 3: `x` is 9a999a9a99, which is"),
        (
            "/x.csv cannot be read: line 1,203 has 3 cell(s) and the header has 9: 'a\\', \"b,ann'. If the header",
            "/x.csv cannot be read: line 1,203 has 3 cell(s) and the header has 9: 'a\\', \"a,aaa'. If the header",
        ),
        ("/x, row 3: `x` is 'C:\\', which is ann", "/x, row 3: `x` is 'A:\\', which is ann"),
        ("/x, row 3: `x` is 1.5, which is", "/x, row 3: `x` is 1.5, which is"),
        ("/x, row 3: `x` is {'mail': 'ann@x.org'}, which", "/x, row 3: `x` is {'aaaa': 'aaa@a.aaa'}, which"),
        (
            "/x.csv cannot be read as csv: CSV parse error: Row #3: Expected 4 columns, got 3: ann,o'x. y,3. Land the",
            "/x.csv cannot be read as csv: CSV parse error: Row #3: Expected 4 columns, got 3. Land the",
        ),
        (
            '/x.jsonl cannot be read as jsonl: line 1 is no JSON (Expecting value): {"user": "ann"}. Land the whole',
            "/x.jsonl cannot be read as jsonl: line 1 is no JSON (Expecting value). Land the whole",
        ),
        (
            "sources.yaml: `cluster` must be one of ['auto'], got 'ann'",
            "sources.yaml: `cluster` must be one of ['auto'], got 'ann'",
        ),
    ],
)
def test_what_a_landed_row_says_is_shown_as_its_shape(message, kept):
    assert without_quotations(message) == kept
    assert without_quotations(kept) == kept


@given(st.text(alphabet=st.characters(exclude_characters="'", categories=("L", "N", "P", "S", "Z")), max_size=40))
def test_no_quoted_value_survives(value):
    said = without_quotations(f"/x, row 1: `a` is '{value}', which is not a whole number")
    assert said == f"/x, row 1: `a` is '{shape_of(value)}', which is not a whole number"
    assert len(shape_of(value)) == len(value)
