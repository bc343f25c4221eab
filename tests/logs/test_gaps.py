"""What a gap costs is said by its own cause."""

import pytest

from causalrec.logs.gaps import NO_MARGIN, NO_PRICE, NO_PRICED_PURCHASES, why_no_revenue

NO_PRICES = NO_PRICE.format(without="1", of="40", day="2026-03-07")


@pytest.mark.parametrize(
    ("priced", "margin", "no_price", "why"),
    [
        (False, 0.3, None, NO_PRICED_PURCHASES),
        (True, None, None, NO_MARGIN),
        (True, None, NO_PRICES, NO_MARGIN),
        (True, 0.3, NO_PRICES, NO_PRICES),
    ],
)
def test_why_there_is_no_revenue(priced, margin, no_price, why):
    assert why_no_revenue(priced, margin, no_price) == why


def test_a_missing_price_is_said_with_how_many_and_what_to_do():
    assert "1 of 40 items of 2026-03-07 have no price" in NO_PRICES
    assert "land their prices" in NO_PRICES
