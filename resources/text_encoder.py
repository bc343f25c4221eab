"""A pre-trained transformer as a text encoder: packaged with the installation, in a local folder, or from a model
hub."""

import dagster as dg

from causalrec.embeddings.encoder import PACKAGED, TransformerEncoder, load_encoder


class TextEncoder(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Which encoder.

    Attributes:
        model: `packaged` (all-MiniLM-L6-v2, 384 dimensions, installed with the project), a folder with a model in the
            Hugging Face layout, or a hub id.
        sha256: Of the folder's or hub model's `model.safetensors`; checked when given.
        allow_network: A hub id is fetched only when this is true; otherwise it must be in the local cache.
        batch_size: Texts at a time.
    """

    model: str = PACKAGED
    sha256: str = ""
    allow_network: bool = False
    batch_size: int = 64

    def load(self) -> TransformerEncoder:
        """The encoder; loaded once per process.

        Raises:
            EncoderError: No weights, or weights of another hash.
        """
        return load_encoder(self.model, self.sha256, self.allow_network, self.batch_size)

    @property
    def fingerprint(self) -> str:
        """Names the encoder without loading it."""
        return f"{self.model}:{self.sha256}"
