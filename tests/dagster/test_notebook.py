"""What a notebook fits on the units that were published is what the assets published."""

from datetime import timedelta

import polars as pl
import pytest
import yaml

import causalrec as cr
from causalrec.estimators.effects import aipw, naive, snips
from tests.worlds import FIRST, table

LAST = FIRST + timedelta(days=5)


@pytest.mark.parametrize(
    ("kind", "registered"),
    [(cr.AIPW, aipw.AIPW()), (cr.SNIPS, snips.SNIPS()), (cr.NaiveDifference, naive.NaiveDifference())],
)
def test_an_effect_is_the_published_one(built, kind, registered):
    settings = yaml.safe_load((built.data / "model.yaml").read_text())
    learning = yaml.safe_load((built.data / "learning.yaml").read_text())
    units = pl.concat([table(built, "units", FIRST + timedelta(days=k)) for k in range(4)])
    published = table(built, "effects", LAST).filter(pl.col("estimator") == registered.name)
    answered = published.filter(pl.col("status") == "answered")
    assert answered.height > 0
    for row in answered.iter_rows(named=True):
        sets = table(built, "adjustment_sets", LAST)
        (columns,) = sets.filter(pl.col("question") == row["question"])["columns"].to_list()
        effect = kind(
            folds=settings["folds"],
            positivity=settings["propensity_bound"],
            min_outcomes_per_arm=settings["min_outcomes_per_arm"],
            min_overlap_share=settings["min_overlap_share"],
            random_state=learning["seed"],
        )
        effect.fit(
            units.select(columns),
            units[row["treatment"]],
            units[row["outcome"]],
            clusters=units.select("user_id", "request_id"),
        )
        assert (effect.effect_, *effect.interval_) == (row["estimate"], row["lower"], row["upper"])
