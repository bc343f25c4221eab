"""Texts to vectors: a pre-trained transformer, mean pooling over the tokens, unit length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Floats = npt.NDArray[np.float32]


class Encoder(Protocol):
    """What turns texts into vectors."""

    @property
    def fingerprint(self) -> str:
        """Changes exactly when the vector of the same text may change."""
        ...

    def encode(self, texts: Sequence[str]) -> Floats:
        """(texts, dim), each row of length 1."""
        ...


@dataclass(frozen=True)
class TransformerEncoder:
    """A pre-trained encoder, loaded when the first text is encoded (a day without new texts loads none).

    The vector of a text with tokens t = 1..T and last hidden states h_t is sum_t h_t / T, divided by its length.

    Attributes:
        load: Returns the tokenizer and the network.
        weights_fingerprint: Of the files that `load` reads.
        max_tokens: Longer texts are cut.
        device: Where the network runs.

    Source:
        Reimers and Gurevych (2019), "Sentence-BERT", EMNLP, section 3 (mean pooling).
    """

    load: Callable[[], tuple[PreTrainedTokenizerBase, PreTrainedModel]]
    weights_fingerprint: str
    max_tokens: int = 256
    batch_size: int = 64
    device: str = "cpu"

    @property
    def fingerprint(self) -> str:
        return f"{self.weights_fingerprint}:{self.max_tokens}:mean:unit"

    @cached_property
    def _loaded(self) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
        return self.load()

    def encode(self, texts: Sequence[str]) -> Floats:
        """Encode texts, in batches of similar length so that little is spent on padding.

        Args:
            texts: At least one.

        Returns:
            (texts, dim) float32, in the order given; each row has length 1.

        Raises:
            ValueError: There is no text.
        """
        import torch

        if not texts:
            raise ValueError("there is no text to encode")
        tokenizer, model = self._loaded
        order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), texts[i]))
        vectors: Floats | None = None
        with torch.inference_mode():
            for start in range(0, len(order), self.batch_size):
                rows = order[start : start + self.batch_size]
                tokens = tokenizer(
                    [texts[i] for i in rows], padding=True, truncation=True, max_length=self.max_tokens,
                    return_tensors="pt",
                ).to(self.device)
                hidden = model(**tokens).last_hidden_state
                mask = tokens["attention_mask"].unsqueeze(-1).to(hidden.dtype)
                pooled = (hidden * mask).sum(dim=1) / mask.sum(dim=1)
                unit = torch.nn.functional.normalize(pooled, dim=1).cpu().numpy()
                if vectors is None:
                    vectors = np.empty((len(texts), unit.shape[1]), dtype=np.float32)
                vectors[rows] = unit
        assert vectors is not None
        return vectors
