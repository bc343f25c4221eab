import numpy as np
import polars as pl
import pytest

from causalrec.answers import InputError
from causalrec.model.effects.propensities import aligned, treatment_propensities
from tests.model.worlds import SETTINGS, toy


def test_an_empty_adjustment_set_gives_every_unit_the_share_of_the_treated():
    world = toy(7, users=30)
    fitted = treatment_propensities(world.units, "recommended", [], world.clusters, SETTINGS, seed=1)
    assert len(np.unique(fitted.propensity)) <= 3
    assert fitted.propensity.mean() == pytest.approx(world.units["recommended"].mean(), abs=0.02)


def test_propensities_are_matched_by_unit_and_not_by_order():
    units = pl.DataFrame({"unit_id": ["a", "b"]})
    table = pl.DataFrame(
        {
            "unit_id": ["b", "a", "a"],
            "question": ["q", "q", "other"],
            "propensity": [0.2, 0.1, 0.9],
            "fold": [1, 0, 0],
        }
    )
    assert aligned(table, "q", units)["propensity"].to_list() == [0.1, 0.2]


@pytest.mark.parametrize("ids", [["a", "c"], ["a"], ["a", "b", "c"]])
def test_propensities_of_other_units_are_refused(ids):
    table = pl.DataFrame({"unit_id": ["a", "b"], "question": "q", "propensity": 0.5, "fold": 0})
    with pytest.raises(InputError, match="Materialise `treatment_propensities` again"):
        aligned(table, "q", pl.DataFrame({"unit_id": ids}))
