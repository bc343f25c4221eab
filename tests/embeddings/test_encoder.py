"""The packaged encoder; and the behaviour of transformers that it leans on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from causalrec.embeddings.encoder import PACKAGED_SHA256, EncoderError, TransformerEncoder, _packaged_folder
from resources.text_encoder import TextEncoder

TEXTS = [
    "Linen shirt. A light shirt for warm days.",
    "Drill",
    "Wool coat. A long, heavy winter coat with deep pockets.",
]


@pytest.fixture(scope="module")
def encoder() -> TransformerEncoder:
    return TextEncoder().load()


def test_the_weights_are_verified_and_part_of_the_fingerprint(encoder: TransformerEncoder) -> None:
    assert PACKAGED_SHA256 in encoder.fingerprint


def test_vectors_have_length_one_and_come_in_the_order_given(encoder: TransformerEncoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (3, encoder.dimensions) == (3, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(TEXTS[::-1])[::-1], vectors, atol=1e-5)


def test_padding_does_not_move_a_vector(encoder: TransformerEncoder) -> None:
    np.testing.assert_allclose(encoder.encode(["Drill"])[0], encoder.encode(TEXTS)[1], atol=1e-5)


def test_near_in_meaning_is_near_in_space(encoder: TransformerEncoder) -> None:
    shirt, drill, coat = encoder.encode(TEXTS)
    assert shirt @ coat > shirt @ drill + 0.1


def test_the_same_texts_give_the_same_bytes(encoder: TransformerEncoder) -> None:
    assert encoder.encode(TEXTS).tobytes() == encoder.encode(TEXTS).tobytes()


def test_a_known_vector_is_what_it_was(encoder: TransformerEncoder) -> None:
    # The same as sentence-transformers 6.2 gives; a change of pooling, tokenizer or precision moves it.
    expected = json.loads((Path(__file__).parent / "known_vector.json").read_text())
    vector = encoder.encode([expected["text"]])[0]
    np.testing.assert_allclose(vector[: len(expected["first_values"])], expected["first_values"], atol=1e-4)


def test_a_local_folder_works_like_the_package(encoder: TransformerEncoder, tmp_path: Path) -> None:
    for file in _packaged_folder().iterdir():
        if file.is_file():
            (tmp_path / file.name).symlink_to(file)
    local = TextEncoder(model=str(tmp_path), sha256=PACKAGED_SHA256).load()
    assert local.encode(TEXTS).tobytes() == encoder.encode(TEXTS).tobytes()


def test_weights_with_another_hash_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"other")
    with pytest.raises(EncoderError, match="expected 0000"):
        TextEncoder(model=str(tmp_path), sha256="0" * 64).load()


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(EncoderError, match=r"no model\.safetensors"):
        TextEncoder(model=str(tmp_path)).load()


def test_a_hub_id_is_not_downloaded_unless_allowed(tmp_path: Path) -> None:
    # In a process of its own: any attempt at a connection ends it.
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise SystemExit('connected')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "from causalrec.embeddings.encoder import EncoderError\n"
        "from resources.text_encoder import TextEncoder\n"
        "try: TextEncoder(model='nobody/no-such-encoder').load()\n"
        "except EncoderError as error: print(error)\n"
    )
    environment = {**os.environ, "HF_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert "allow_network" in done.stdout


# -- what we lean on in transformers -----------------------------------------------------------------------------------


def test_transformers_keeps_the_type_of_the_checkpoint(encoder: TransformerEncoder, tmp_path: Path) -> None:
    """Without `dtype` a checkpoint in half precision runs in it: vectors follow how a folder was saved."""
    import torch
    from transformers import AutoModel

    assert encoder.model.dtype is torch.float32
    AutoModel.from_pretrained(str(_packaged_folder()), local_files_only=True, dtype=torch.float16).save_pretrained(
        tmp_path
    )
    assert AutoModel.from_pretrained(str(tmp_path), local_files_only=True).dtype is torch.float16


def test_transformers_truncates_only_when_told(encoder: TransformerEncoder) -> None:
    long = "word " * 600
    assert len(encoder.tokenizer([long])["input_ids"][0]) > 512
    assert len(encoder.tokenizer([long], truncation=True, max_length=256)["input_ids"][0]) == 256
