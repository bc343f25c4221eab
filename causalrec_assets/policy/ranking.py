"""What each candidate is worth in a context: its potential outcomes, L, R, and L + lambda R."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec_assets.answers import Answer
from causalrec_assets.embeddings.item_vectors import ItemVectors
from causalrec_assets.model.outcome_model import PotentialOutcomes
from causalrec_assets.policy.candidates import Day, OutcomePredictor, predict_pairs
from causalrec_assets.policy.objective import Objective
from causalrec_assets.policy.plackett_luce import mixed_distribution
from causalrec_assets.policy.policy_config import PolicyConfig

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Values:
    """Of contexts with their candidates; every array has the shape (contexts, items).

    Attributes:
        outcomes: The model's potential outcomes.
        satisfaction: L, in nats.
        revenue: R, in currency units; None where it is not available.
        worth: L + lambda R, what items rank by.
    """

    outcomes: PotentialOutcomes
    satisfaction: Floats
    revenue: Floats | None
    worth: Floats


@dataclass(frozen=True)
class Ranker:
    """A fitted policy: a model, the vectors that it reads, what it ranks by and how it explores.

    Attributes:
        revenue: Whether there is an R to rank by, and if not, why; see `with_answer`.
    """

    model: OutcomePredictor
    vectors: ItemVectors | None
    objective: Objective
    config: PolicyConfig
    revenue: Answer

    @classmethod
    def with_answer(
        cls, model: OutcomePredictor, vectors: ItemVectors | None, objective: Objective, config: PolicyConfig,
        catalogue: pl.DataFrame,
    ) -> Ranker:
        """A ranker that knows whether the catalogue (rows of `items`) lets it rank by revenue."""
        unpriced = catalogue["price"].null_count() if "price" in catalogue.columns else catalogue.height
        answer = objective.revenue_answer(model.purchases, unpriced, catalogue.height)
        return cls(model, vectors, objective, config, answer)

    def values(self, contexts: pl.DataFrame, items: pl.DataFrame, day: Day) -> Values:
        """The worth of every item in every context.

        Raises:
            ValueError: The satisfying outcome is a purchase and the model predicts none.
        """
        outcomes = predict_pairs(self.model, self.vectors, contexts, items, day)
        click, purchase = outcomes.click_if_recommended, outcomes.purchase_if_recommended
        satisfying = click if self.objective.satisfying == "click" else purchase
        if satisfying is None:
            raise ValueError("objective.yaml: `satisfying_outcome` is purchase, which the outcome model does not predict")
        satisfaction = self.objective.satisfaction(satisfying)
        revenue = None
        if self.revenue.answered and purchase is not None:
            revenue = self.objective.revenue(purchase, items["price"].to_numpy()[None, :], click)
        return Values(outcomes, satisfaction, revenue, self.objective.combine(satisfaction, revenue))

    def distribution(self, worth: Floats) -> Floats:
        """p of the first slot, (contexts, items)."""
        return mixed_distribution(worth, self.config.temperature, self.config.exploration)
