"""Rates of pairs are found as a join finds them."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from causalrec.logs.units.user_category_rates import Tastes

USERS, CATEGORIES = ["ann", "bob", "eve", "Ä", ""], ["feet", "head", "hands"]
pairs = st.sets(st.tuples(st.sampled_from(USERS), st.sampled_from(CATEGORIES)), max_size=12)
asked = st.lists(
    st.tuples(st.sampled_from([*USERS, "new", None]), st.sampled_from([*CATEGORIES, "new", None])), max_size=20
)


@given(known=pairs.map(list), rows=asked, in_order=st.booleans())
def test_a_rate_is_found_as_a_join_finds_it(known, rows, in_order):
    known = sorted(known) if in_order else known
    text = {"user_id": pl.String, "category": pl.String}
    table = pl.DataFrame(known, schema=text, orient="row").with_columns(rate=pl.int_range(pl.len()) / 16)
    rows = pl.DataFrame(rows, schema=text, orient="row")
    expected = rows.join(table, on=["user_id", "category"], how="left", maintain_order="left")["rate"]
    assert Tastes.of(table).rate(rows).equals(expected, null_equal=True)
