from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from causalrec_assets.embeddings.item_text import encode_items, item_texts, text_hash
from causalrec_assets.embeddings.item_vectors import ItemVectors


@dataclass
class Letters:
    """An encoder of two letters' shares, that remembers what it was asked."""

    fingerprint: str = "letters"
    asked: list[str] = field(default_factory=list)

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.asked.extend(texts)
        counts = np.array([[1 + t.count("a"), 1 + t.count("b")] for t in texts], dtype=np.float32)
        return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True), dtype=np.float32)


ITEMS = pl.DataFrame({
    "item_id": ["i1", "i2", "i3", "i4"],
    "title": ["Bag.", "Lamp", None, " "],
    "description": ["A bag", None, "Nameless", ""],
})


def test_a_text_is_title_and_description() -> None:
    texts = item_texts(ITEMS)
    assert texts is not None
    assert texts.to_list() == ["Bag. A bag", "Lamp", "Nameless", None]


def test_one_of_the_two_columns_is_enough() -> None:
    texts = item_texts(ITEMS.select("item_id", "title"))
    assert texts is not None
    assert texts.to_list() == ["Bag.", "Lamp", None, None]


def test_no_text_anywhere_is_none() -> None:
    assert item_texts(pl.DataFrame({"item_id": ["i1"]})) is None
    assert item_texts(pl.DataFrame({"item_id": ["i1"], "title": [None]}, schema={"item_id": pl.String, "title": pl.String})) is None


def test_an_item_without_a_text_gets_no_vector() -> None:
    encoded = encode_items(ITEMS, None, Letters())
    assert encoded.frame["item_id"].to_list() == ["i1", "i2", "i3"]
    assert encoded.frame.schema == {"item_id": pl.String, "text_hash": pl.String, "vector": pl.Array(pl.Float32, 2)}
    assert (encoded.encoded, encoded.reused, encoded.without_text) == (3, 0, 1)


def test_only_a_changed_text_is_encoded_again() -> None:
    before = encode_items(ITEMS, None, Letters()).frame
    encoder = Letters()
    changed = ITEMS.with_columns(pl.col("title").replace("Lamp", "Abba lamp"))
    after = encode_items(changed, before, encoder)
    assert encoder.asked == ["Abba lamp"]
    assert (after.encoded, after.reused) == (1, 2)
    assert after.frame["vector"][0].to_list() == before["vector"][0].to_list()
    assert after.frame["vector"][1].to_list() != before["vector"][1].to_list()


def test_carrying_over_gives_the_rows_of_encoding_from_nothing() -> None:
    before = encode_items(ITEMS.head(2), None, Letters()).frame
    assert encode_items(ITEMS, before, Letters()).frame.equals(encode_items(ITEMS, None, Letters()).frame)


def test_another_encoder_encodes_all_again() -> None:
    before = encode_items(ITEMS, None, Letters()).frame
    encoder = Letters("other")
    encode_items(ITEMS, before, encoder)
    assert len(encoder.asked) == 3


def test_items_with_one_text_share_a_vector() -> None:
    encoder = Letters()
    twins = pl.DataFrame({"item_id": ["i1", "i2"], "title": ["Bag", "Bag"]})
    encoded = encode_items(twins, None, encoder)
    assert encoder.asked == ["Bag"]
    assert encoded.frame["text_hash"].n_unique() == 1


def test_an_encoder_that_makes_nan_is_refused() -> None:
    class Broken(Letters):
        def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
            return np.full((len(texts), 2), np.nan, dtype=np.float32)

    with pytest.raises(ValueError, match="finite"):
        encode_items(ITEMS, None, Broken())


def test_a_hash_is_of_text_and_encoder() -> None:
    assert text_hash("a", "e") == text_hash("a", "e")
    assert len({text_hash("a", "e"), text_hash("b", "e"), text_hash("a", "f")}) == 3


def test_vectors_are_looked_up_by_item() -> None:
    vectors = ItemVectors.from_frame(encode_items(ITEMS, None, Letters()).frame)
    assert vectors.dim == 2
    assert vectors.rows(["i3", "i1", "i1"]).tolist() == [2, 0, 0]
    np.testing.assert_allclose(np.linalg.norm(vectors.matrix, axis=1), 1, atol=1e-6)


def test_an_item_without_a_vector_reads_zeros() -> None:
    vectors = ItemVectors.from_frame(encode_items(ITEMS, None, Letters()).frame)
    rows = vectors.rows(pl.Series(["i4", "i2", "unheard"]))
    assert rows.tolist() == [3, 1, 3]
    assert vectors.padded()[3].tolist() == [0, 0]
    assert vectors.has(["i4", "i2", "unheard"]).tolist() == [False, True, False]


def test_vectors_refuse_a_matrix_of_another_height_and_repeated_items() -> None:
    with pytest.raises(ValueError, match="shape"):
        ItemVectors(["i1"], np.zeros((2, 3), dtype=np.float32))
    with pytest.raises(ValueError, match="unique"):
        ItemVectors(["i1", "i1"], np.zeros((2, 3), dtype=np.float32))
