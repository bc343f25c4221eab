from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec.embeddings.item_text import encode_items, item_texts
from causalrec.embeddings.item_vectors import ItemVectors


@dataclass
class Letters:
    """An encoder of two letters' shares, that remembers what it was asked."""

    fingerprint: str = "letters"
    dimensions: int = 2
    asked: list[str] = field(default_factory=list)

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.asked.extend(texts)
        counts = np.array([[1 + t.count("a"), 1 + t.count("b")] for t in texts], dtype=np.float32)
        return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True), dtype=np.float32)


ITEMS = pl.DataFrame(
    {
        "item_id": ["i1", "i2", "i3", "i4"],
        "title": ["Bag", "Lamp", None, " "],
        "description": ["A bag", None, "Nameless", ""],
    }
)


def test_a_text_is_title_and_description() -> None:
    assert item_texts(ITEMS, "e")["text"].to_list() == ["Bag. A bag", "Lamp", "Nameless"]


def test_a_hash_is_of_text_and_encoder() -> None:
    one, again, other = (item_texts(ITEMS, name)["text_hash"] for name in ("e", "e", "f"))
    assert one.to_list() == again.to_list()
    assert set(one) & set(other) == set()


def test_an_item_without_a_text_gets_no_vector() -> None:
    encoded = encode_items(ITEMS, None, Letters())
    assert encoded.frame["item_id"].to_list() == ["i1", "i2", "i3"]
    assert encoded.frame.schema == {
        "item_id": pl.String,
        "text_hash": pl.String,
        "vector": pl.Array(pl.Float32, 2),
    }
    assert (encoded.encoded_now, encoded.reused, encoded.without_text) == (3, 0, 1)


def test_only_a_changed_text_is_encoded_again() -> None:
    before = encode_items(ITEMS, None, Letters()).frame
    encoder = Letters()
    after = encode_items(ITEMS.with_columns(pl.col("title").replace("Lamp", "Abba lamp")), before, encoder)
    assert encoder.asked == ["Abba lamp"]
    assert (after.encoded_now, after.reused) == (1, 2)
    assert after.frame["vector"][0].to_list() == before["vector"][0].to_list()
    assert after.frame["vector"][1].to_list() != before["vector"][1].to_list()


def test_carrying_over_gives_the_rows_of_encoding_from_nothing() -> None:
    before = encode_items(ITEMS.head(2), None, Letters()).frame
    assert encode_items(ITEMS, before, Letters()).frame.equals(encode_items(ITEMS, None, Letters()).frame)


def test_another_encoder_of_another_width_encodes_all_again() -> None:
    before = pl.DataFrame(
        {"text_hash": ["x"], "vector": [[1.0, 0.0, 0.0]]},
        schema_overrides={"vector": pl.Array(pl.Float32, 3)},
    )
    encoder = Letters()
    assert encode_items(ITEMS, before, encoder).frame.schema["vector"] == pl.Array(pl.Float32, 2)
    assert len(encoder.asked) == 3


def test_items_with_one_text_share_a_vector() -> None:
    encoder = Letters()
    twins = pl.DataFrame({"item_id": ["i1", "i2"], "title": ["Bag", "Bag"], "description": ["x", "x"]})
    encoded = encode_items(twins, None, encoder)
    assert encoder.asked == ["Bag. x"]
    assert encoded.frame["text_hash"].n_unique() == 1


def test_vectors_are_looked_up_by_item_and_an_unknown_item_reads_zeros() -> None:
    vectors = ItemVectors.from_frame(encode_items(ITEMS, None, Letters()).frame)
    assert vectors.rows(pl.Series(["i3", "i1", "i4", "unheard"])).tolist() == [2, 0, 3, 3]
    assert vectors.padded()[3].tolist() == [0, 0]
    np.testing.assert_allclose(np.linalg.norm(vectors.matrix, axis=1), 1, atol=1e-6)
