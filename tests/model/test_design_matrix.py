import numpy as np
import polars as pl
import pytest

from causalrec.answers import InputError
from causalrec.model.design_matrix import DesignMatrix

FRAME = pl.DataFrame(
    {
        "exposures": [0, 1, 2, 3, 400],
        "hour": [9, 10, 11, 12, 13],
        "price": [1.0, 2.0, 3.0, 4.0, 5.0],
        "device": ["tv", "phone", "phone", None, "tv"],
        "age": [1, None, 3, 4, 5],
    }
)


def test_numbers_are_standardised_on_the_training_window():
    design = DesignMatrix.fit(FRAME, ["price"])
    expected = [-1.4142, -0.7071, 0, 0.7071, 1.4142]
    assert design.transform(FRAME)[:, 0].tolist() == pytest.approx(expected, abs=1e-4)
    later = FRAME.with_columns(price=pl.lit(3.0) + 2 * np.sqrt(2))
    assert design.transform(later)[:, 0].tolist() == pytest.approx([2.0] * 5)


def test_counts_with_a_long_tail_go_through_a_logarithm_and_others_do_not():
    design = DesignMatrix.fit(FRAME, ["exposures", "hour", "price"])
    assert [column.log for column in design.columns] == [True, False, False]


def test_text_gets_an_indicator_a_level_and_zeros_for_what_training_did_not_see():
    design = DesignMatrix.fit(FRAME, ["device"])
    assert design.columns[0].levels == ("phone", "tv")
    later = pl.DataFrame({"device": ["tv", "watch", None]})
    assert design.transform(later).tolist() == [[0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]


def test_missing_numbers_are_the_mean_and_say_so():
    x = DesignMatrix.fit(FRAME, ["age"]).transform(FRAME)
    assert x.shape == (5, 2)
    assert x[:, 1].tolist() == [0, 1, 0, 0, 0]
    assert x[1, 0] == 0.0
    assert np.isfinite(x).all()


def test_a_number_that_is_missing_for_the_first_time_later_is_the_mean():
    design = DesignMatrix.fit(FRAME, ["price"])
    assert design.transform(pl.DataFrame({"price": [None]}, schema={"price": pl.Float64})).tolist() == [[0.0]]


def test_nan_is_missing_and_not_a_number():
    frame = pl.DataFrame({"x": [1.0, float("nan"), 3.0]})
    assert DesignMatrix.fit(frame, ["x"]).transform(frame).tolist() == [[-1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]


def test_a_constant_column_is_zero():
    frame = pl.DataFrame({"x": [7, 7]})
    assert DesignMatrix.fit(frame, ["x"]).transform(frame).tolist() == [[0.0], [0.0]]


@pytest.mark.parametrize("absurd", [999_999.0, 1e12, -1e18, 1.7976931348623157e308])
def test_one_absurd_value_leaves_all_others_told_apart(absurd):
    x = np.random.default_rng(0).normal(size=20_000)
    tidy, bent = pl.DataFrame({"x": x}), pl.DataFrame({"x": np.where(np.arange(20_000) == 17, absurd, x)})
    plain = DesignMatrix.fit(tidy, ["x"]).transform(tidy)[:, 0]
    found = DesignMatrix.fit(bent, ["x"]).transform(bent)[:, 0]
    others = np.arange(20_000) != 17
    assert np.abs(found - plain)[others].max() < 0.03
    assert 8 < abs(found[17]) <= 20


def test_trees_get_numbers_unscaled_in_double_precision():
    x = DesignMatrix.fit(FRAME, ["exposures", "age", "device"]).plain(FRAME)
    assert x.dtype == np.float64
    assert x[:, 0].tolist() == np.log1p([0, 1, 2, 3, 400]).tolist()
    assert x[:, 1].tolist() == [1, 3.25, 3, 4, 5] and x[:, 2].tolist() == [0, 1, 0, 0, 0]
    assert x[:, 3:].tolist() == [[0, 1], [1, 0], [1, 0], [0, 0], [0, 1]]
    assert DesignMatrix.fit(FRAME, []).plain(FRAME).shape == (5, 0)


def test_the_order_of_far_numbers_is_kept_and_what_an_older_model_wrote_down_is_not_bent():
    frame = pl.DataFrame({"x": [*np.linspace(-1, 1, 1000), 30.0, 300.0, 3000.0]})
    design = DesignMatrix.fit(frame, ["x"])
    assert (np.diff(design.transform(frame)[:, 0]) > 0).all()
    older = DesignMatrix.from_json('[{"name": "x", "levels": null, "log": false, "mean": 1.0, "scale": 2.0}]')
    assert older.transform(pl.DataFrame({"x": [2001.0]})).tolist() == [[1000.0]]


def test_what_is_written_down_as_json_transforms_the_same():
    design = DesignMatrix.fit(FRAME, FRAME.columns)
    back = DesignMatrix.from_json(design.to_json())
    assert back == design
    assert (back.transform(FRAME) == design.transform(FRAME)).all()
    assert back.transform(FRAME).shape == (5, design.width)
    assert back.transform(FRAME).dtype == np.float32


def test_no_column_is_no_width():
    assert DesignMatrix.fit(FRAME, []).transform(FRAME).shape == (5, 0)


def test_what_cannot_be_a_covariate_says_why():
    with pytest.raises(KeyError, match="colour"):
        DesignMatrix.fit(FRAME, ["colour"])
    with pytest.raises(KeyError, match="price"):
        DesignMatrix.fit(FRAME, ["price"]).transform(FRAME.drop("price"))
    with pytest.raises(InputError, match="`when` is Date; a model reads text and numbers"):
        DesignMatrix.fit(pl.DataFrame({"when": [pl.Series([0]).cast(pl.Date)[0]]}), ["when"])
    with pytest.raises(InputError, match="`x` is infinite in row 2"):
        DesignMatrix.fit(pl.DataFrame({"x": [1.0, float("inf")]}), ["x"])
