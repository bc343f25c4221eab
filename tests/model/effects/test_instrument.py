from dataclasses import replace

import polars as pl
import pytest

from causalrec.answers import Status
from tests.model.effects.worlds import INSTRUMENT, estimated, world


def test_its_strength_and_the_share_of_compliers_are_diagnostics():
    diagnostics = estimated(world(1, users=200, rows=12), INSTRUMENT).diagnostics
    assert diagnostics["instrument_strength"] > 50
    assert diagnostics["compliers"] == pytest.approx(0.3, abs=0.08)


def test_an_instrument_that_moves_nothing_is_no_evidence():
    result = estimated(world(3, users=200, push=0.0), INSTRUMENT)
    assert result.answer.status is Status.INSUFFICIENT_EVIDENCE and result.estimates == {}
    assert "the instrument `z` moves `t` by" in result.answer.reason
    assert result.diagnostics["instrument_strength"] < 10


@pytest.mark.parametrize("values", [pl.col("w"), pl.lit(1), pl.lit("a")])
def test_an_instrument_that_is_not_two_arms_is_not_available(values):
    drawn = world(4, users=60)
    result = estimated(replace(drawn, units=drawn.units.with_columns(z=values)), INSTRUMENT)
    assert result.answer.status is Status.NOT_AVAILABLE and result.estimates == {}
    assert "the instrument `z` must be 0 or 1" in result.answer.reason
