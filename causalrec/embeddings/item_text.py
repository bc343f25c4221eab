"""The text of an item, and encoding only the texts that are new or changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl


class Encoder(Protocol):
    """Texts to vectors, (texts, dimensions) float32, rows of length 1. `fingerprint` names weights and pooling."""

    @property
    def fingerprint(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]: ...


@dataclass(frozen=True)
class Encoded:
    """The table `item_embeddings` and how many texts were encoded for it."""

    frame: pl.DataFrame
    encoded_now: int
    reused: int
    without_text: int


@dataclass(frozen=True)
class EmbeddingNotes:
    """What the table `item_embeddings` says beside its vectors.

    Attributes:
        encoder: The fingerprint of the weights and the pooling.
        dimensions: The length of a vector.
    """

    encoder: str
    dimensions: int


def item_texts(items: pl.DataFrame, fingerprint: str) -> pl.DataFrame:
    """item_id, text, text_hash of the items that have a title or a description; the hash covers the encoder too."""
    joined = pl.concat_str(["title", "description"], separator=". ", ignore_nulls=True).str.strip_chars(". ")
    texts = items.select("item_id", joined.alias("text")).filter(pl.col("text").str.len_chars() > 0)
    hashes = [hashlib.sha256(f"{fingerprint}\n{text}".encode()).hexdigest() for text in texts["text"]]
    return texts.with_columns(pl.Series("text_hash", hashes, dtype=pl.String))


def encode_items(items: pl.DataFrame, previous: pl.DataFrame | None, encoder: Encoder) -> Encoded:
    """Vectors of all items with a text.

    Args:
        items: The catalogue.
        previous: An earlier `item_embeddings`, whose vectors of unchanged texts are taken over; or None.
    """
    texts = item_texts(items, encoder.fingerprint)
    known: dict[str, npt.NDArray[np.float32]] = {}
    if previous is not None and previous.height:
        known = dict(zip(previous["text_hash"], np.asarray(previous["vector"].to_numpy()), strict=True))
    new = texts.filter(~pl.col("text_hash").is_in(list(known))).unique("text_hash", maintain_order=True)
    if new.height:
        known |= dict(zip(new["text_hash"], encoder.encode(new["text"].to_list()), strict=True))
    matrix = (
        np.stack([known[h] for h in texts["text_hash"]])
        if texts.height
        else np.zeros((0, encoder.dimensions), np.float32)
    )
    vectors = pl.Series("vector", matrix, dtype=pl.Array(pl.Float32, matrix.shape[1]))
    frame = texts.select("item_id", "text_hash").with_columns(vectors)
    return Encoded(frame, new.height, texts.height - new.height, items.height - texts.height)
