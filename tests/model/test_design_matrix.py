import numpy as np
import polars as pl
import pytest

from causalrec_assets.answers import InputError
from causalrec_assets.model.design_matrix import DesignMatrix

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
