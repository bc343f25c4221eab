"""The outcome model: potential outcomes of showing an item, as probabilities."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from causalrec.arrays import Floats, Ints, Singles
from causalrec.embeddings.item_vectors import ItemVectors
from causalrec.engine.threads import one_thread, side_by_side
from causalrec.model.design_matrix import DesignMatrix
from causalrec.model.outcome.lift import Lift
from causalrec.model.outcome.rest import RestModel, rest_features

if TYPE_CHECKING:
    from causalrec.model.outcome.network import OutcomeNetwork

CHUNK = 32_768
"""Rows that a core predicts at a time."""
EDGE = 1e-7
"""Predictions stay this far from 0 and 1, whatever a logit says."""


@dataclass(frozen=True)
class PotentialOutcomes:
    """Probabilities in (0, 1), each (rows,); joint, so that a purchase is never likelier than its click.

    What the data cannot tell is None: the arm that was never seen, a purchase where none is logged.
    """

    click_if_recommended: Floats
    click_if_not: Floats | None
    purchase_if_recommended: Floats | None
    purchase_if_not: Floats | None

    @property
    def known(self) -> list[Floats]:
        """Those that the data can tell, in their order."""
        heads = (self.click_if_recommended, self.click_if_not, self.purchase_if_recommended, self.purchase_if_not)
        return [head for head in heads if head is not None]


@dataclass(frozen=True)
class OutcomeModel:
    """A trained network with the way to its inputs.

    Attributes:
        design: How covariates become numbers.
        arms: "both", or "shown": only the recommended arm was ever seen.
        purchases: Whether buying was learned.
        rest: What is expected of the rest of a request; None where no whole requests are logged.
        lift: What recommending adds, shrunk; None with one arm, and in a bundle of an earlier release.
    """

    network: OutcomeNetwork
    design: DesignMatrix
    arms: str
    purchases: bool
    rest: RestModel | None = None
    lift: Lift | None = None

    @property
    def heads(self) -> list[str]:
        """The potential outcomes that the model can tell, by name."""
        arms = ["if_recommended", "if_not"] if self.arms == "both" else ["if_recommended"]
        return [f"{outcome}_{arm}" for outcome in self.outcomes for arm in arms]

    @property
    def outcomes(self) -> tuple[str, ...]:
        return ("click", "purchase") if self.purchases else ("click",)

    @property
    def reads_content(self) -> bool:
        return self.network.project is not None

    def predict(self, covariates: pl.DataFrame, vectors: ItemVectors | None) -> PotentialOutcomes:
        """Potential outcomes of rows.

        Args:
            covariates: The design's columns and, where the model reads content, `item_id`.
            vectors: The item vectors; an item without one is predicted from its covariates alone.

        Raises:
            KeyError: A column of the design is missing.
            ValueError: The model reads item content and none is given.
        """
        items = vectors.rows(covariates["item_id"]) if vectors and self.reads_content else None
        return self.predict_matrix(self.design.transform(covariates), items, vectors)

    def predict_matrix(self, x: Singles, items: Ints | None, vectors: ItemVectors | None) -> PotentialOutcomes:
        """The same from a transformed matrix; an item vector is projected once, not once a row.

        Args:
            x: (rows, width) float32, from the design.
            items: (rows,), each row's item in `vectors`.
            vectors: The item vectors.

        Raises:
            ValueError: The model reads item content and none is given.
        """
        import torch

        if self.reads_content and (vectors is None or items is None):
            raise ValueError("this model reads item content: give the item vectors it was trained with")
        out = np.empty((len(x), 4), dtype=np.float32)
        with one_thread(), torch.inference_mode():
            table = self.network.content(torch.from_numpy(vectors.padded())) if vectors is not None else None

        def fill(start: int) -> None:
            part = slice(start, start + CHUNK)
            # Of this thread: inference is a mode of each.
            with torch.inference_mode():
                projected = None
                if table is not None and items is not None:
                    projected = table[torch.tensor(items[part])]
                out[part] = torch.sigmoid(self.network(torch.from_numpy(x[part]), projected)).numpy()

        side_by_side(fill, range(0, len(x), CHUNK))
        p = np.clip(out.astype(np.float64), EDGE, 1 - EDGE)
        both = self.arms == "both"
        return PotentialOutcomes(
            click_if_recommended=p[:, 1],
            click_if_not=p[:, 0] if both else None,
            purchase_if_recommended=p[:, 1] * p[:, 3] if self.purchases else None,
            purchase_if_not=p[:, 0] * p[:, 2] if self.purchases and both else None,
        )

    def rest_of_request(
        self, x: Singles, predicted: PotentialOutcomes, price: Floats | None = None
    ) -> dict[str, Floats]:
        """Of the rest of the request if the item is shown, at the mean over positions: outcome -> E, (rows,).

        Args:
            x: (rows, width), from the design.
            predicted: Of `predict_matrix`, for the same rows.
            price: Of each row's item, (rows,); None where not all are known.
        """
        return self.rest.predict(rest_features(x, predicted.known), price) if self.rest is not None else {}

    def unprompted(self, x: Singles, predicted: PotentialOutcomes) -> dict[str, Floats]:
        """What an effect is told by: outcome -> P(Y = 1) of the same item without the recommendation, (rows,).

        The recommended arm less the shrunk lift; nothing where there is none.

        Args:
            x, predicted: As of `rest_of_request`.
        """
        shown = {"click": predicted.click_if_recommended, "purchase": predicted.purchase_if_recommended}
        lifts = self.lift.outcomes if self.lift is not None else {}
        return {name: one.unprompted(p, x) for name, one in lifts.items() if (p := shown[name]) is not None}

    def save(self) -> dict[str, bytes]:
        """`model.safetensors` and `card.json`; no pickles."""
        from safetensors.torch import save

        project = self.network.project
        both = self.arms == "both"
        card = {
            "arms": self.arms,
            "purchases": self.purchases,
            "heads": self.heads,
            "columns": self.design.names,
            "design": json.loads(self.design.to_json()),
            "network": {
                "covariates": self.design.width,
                "content": project.in_features if project is not None else 0,
                "content_width": project.out_features if project is not None else 1,
                "hidden": self.network.heads.in_features,
            },
            **({} if self.rest is None else {"rest_of_request": self.rest.to_json()}),
            **({} if self.lift is None else {"lift": self.lift.to_json()}),
            "loss": "log loss" + (" divided by the treatment propensity of the arm taken" if both else ""),
        }
        weights = {name: tensor.contiguous() for name, tensor in self.network.state_dict().items()}
        return {"model.safetensors": save(weights), "card.json": json.dumps(card, indent=1).encode()}

    @classmethod
    def load(cls, card: Mapping[str, Any], weights: bytes) -> OutcomeModel:
        """Read back what `save` wrote: the parsed card and the bytes of the weights.

        Raises:
            RuntimeError: The weights do not fit the card's network.
        """
        from safetensors.torch import load

        from causalrec.model.outcome.network import OutcomeNetwork

        network = OutcomeNetwork(**card["network"])
        network.load_state_dict(load(weights))
        design = DesignMatrix.from_json(json.dumps(card["design"]))
        rest = RestModel.from_json(card["rest_of_request"]) if "rest_of_request" in card else None
        lift = Lift.from_json(card["lift"]) if "lift" in card else None
        return cls(network.eval(), design, card["arms"], card["purchases"], rest, lift)
