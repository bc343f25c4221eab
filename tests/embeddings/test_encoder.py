"""The encoder, with the packaged weights; and the behaviour of transformers that it leans on."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from causalrec_assets.answers import InputError
from causalrec_assets.embeddings.encoder import TransformerEncoder
from resources.text_encoder import PACKAGED_SHA256, EncoderFolder, TextEncoder

TEXTS = ["Linen shirt. A light shirt for warm days.", "Drill", "Wool coat. A long, heavy winter coat with deep pockets."]


@pytest.fixture(scope="module")
def folder() -> EncoderFolder:
    return TextEncoder().locate()


@pytest.fixture(scope="module")
def encoder(folder: EncoderFolder) -> TransformerEncoder:
    return TransformerEncoder(folder.load, folder.fingerprint, folder.max_tokens, folder.batch_size)


def test_the_packaged_weights_are_the_published_ones(folder: EncoderFolder) -> None:
    assert folder.weights_sha256 == PACKAGED_SHA256


def test_vectors_have_length_one_and_come_in_the_order_given(encoder: TransformerEncoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (3, 384)
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
    # Of the published model; a change of pooling, tokenizer or precision moves it.
    expected = json.loads((Path(__file__).parent / "known_vector.json").read_text())
    vector = encoder.encode([expected["text"]])[0]
    np.testing.assert_allclose(vector[: len(expected["first_values"])], expected["first_values"], atol=1e-4)


def test_nothing_to_encode_is_an_error(encoder: TransformerEncoder) -> None:
    with pytest.raises(ValueError, match="no text"):
        encoder.encode([])


def test_the_network_is_loaded_only_when_there_is_something_to_encode() -> None:
    def load() -> None:
        raise AssertionError("loaded")

    lazy = TransformerEncoder(load, "abc")  # type: ignore[arg-type]
    assert lazy.fingerprint == "abc:256:mean:unit"


def test_the_length_limit_is_part_of_the_fingerprint(folder: EncoderFolder) -> None:
    assert TextEncoder(max_tokens=32).locate().fingerprint != folder.fingerprint


def test_weights_with_another_hash_are_refused() -> None:
    with pytest.raises(InputError, match="sha256 53aa5117.*expected 0000"):
        TextEncoder(sha256="0" * 64).locate()


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(InputError, match="no \\*.safetensors"):
        TextEncoder(model=str(tmp_path)).locate()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere does not exist"):
        TextEncoder(model=str(tmp_path / "nowhere")).locate()


def test_a_local_folder_works_like_the_package(folder: EncoderFolder, tmp_path: Path) -> None:
    for file in folder.folder.iterdir():
        if file.is_file():
            (tmp_path / file.name).symlink_to(file)
    local = TextEncoder(model=str(tmp_path)).locate()
    assert local.weights_sha256 == PACKAGED_SHA256
    assert local.fingerprint == folder.fingerprint


def test_a_changed_tokenizer_is_another_encoder(folder: EncoderFolder, tmp_path: Path) -> None:
    for file in folder.folder.iterdir():
        if file.is_file() and file.name != "vocab.txt":
            (tmp_path / file.name).symlink_to(file)
    shutil.copy(folder.folder / "vocab.txt", tmp_path / "vocab.txt")
    (tmp_path / "vocab.txt").write_text((tmp_path / "vocab.txt").read_text() + "extra\n")
    assert TextEncoder(model=str(tmp_path)).locate().fingerprint != folder.fingerprint


def test_a_hub_id_is_not_downloaded_unless_allowed(tmp_path: Path) -> None:
    # In a process of its own: any attempt at a connection ends it.
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise SystemExit('connected')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "from resources.text_encoder import TextEncoder\n"
        "from causalrec_assets.answers import InputError\n"
        "try: TextEncoder(model='nobody/no-such-encoder').locate()\n"
        "except InputError as error: print(error)\n"
    )
    environment = {**os.environ, "HF_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert "not on this machine" in done.stdout
    assert "allow_network" in done.stdout


# -- what we lean on in transformers -------------------------------------------------------------------------------------


def test_transformers_loads_in_evaluation_mode(folder: EncoderFolder) -> None:
    """Dropout off without a call of ours; `load` calls eval() all the same."""
    from transformers import AutoModel

    assert not AutoModel.from_pretrained(str(folder.folder), local_files_only=True).training


def test_transformers_follows_the_type_that_it_is_told(folder: EncoderFolder) -> None:
    import torch
    from transformers import AutoModel

    half = AutoModel.from_pretrained(str(folder.folder), local_files_only=True, dtype=torch.float16)
    assert half.dtype is torch.float16
    assert folder.load()[1].dtype is torch.float32


def test_transformers_truncates_only_when_told(folder: EncoderFolder) -> None:
    tokenizer, _ = folder.load()
    long = "word " * 600
    assert len(tokenizer([long])["input_ids"][0]) > 512
    assert len(tokenizer([long], truncation=True, max_length=256)["input_ids"][0]) == 256
