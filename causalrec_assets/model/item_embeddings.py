"""The embedding asset: `item_embeddings`."""

import dagster as dg
import numpy as np

from causalrec.answers import not_available
from causalrec.embeddings.item_text import EmbeddingNotes, encode_items
from causalrec.logs.gaps import NO_ITEM_TEXT
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.gate.draft import Draft
from resources.compute import GPU_OP_TAGS, GPU_POOL
from resources.lake import Lake
from resources.text_encoder import TextEncoder


@gated_asset("item_embeddings", group_name="embeddings", deps=["items"], pool=GPU_POOL, op_tags=GPU_OP_TAGS)
def item_embeddings(context: dg.AssetExecutionContext, lake: Lake, text_encoder: TextEncoder) -> Draft:
    """A vector per item text from a pre-trained transformer; only new or changed texts are encoded again."""
    inputs = lake.inputs(context)
    inputs.note("encoder", text_encoder.fingerprint)
    catalogue = inputs.table("items")
    if not catalogue.answer.answered:
        return Draft(inputs, None, answer=catalogue.answer, params={"unit_length": True})
    frame = catalogue.frame
    if frame.select("title", "description").null_count().sum_horizontal().item() == 2 * frame.height:
        return Draft(inputs, None, answer=not_available(NO_ITEM_TEXT), params={"unit_length": True})
    before = inputs.latest("item_embeddings", inputs.day)
    encoder = text_encoder.load()
    encoded = encode_items(frame, before.frame if before and before.answer.answered else None, encoder)
    lengths = np.linalg.norm(encoded.frame["vector"].to_numpy(), axis=1)
    return Draft(
        inputs,
        encoded.frame,
        notes=EmbeddingNotes(encoder.fingerprint, encoder.dimensions),
        params={"unit_length": bool(np.allclose(lengths, 1, atol=1e-3))},
        metadata={
            "encoder": encoder.fingerprint,
            "encoded_now": encoded.encoded_now,
            "reused": encoded.reused,
            "items_without_text": encoded.without_text,
        },
    )
