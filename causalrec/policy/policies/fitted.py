"""A policy that ranks by what a model expects: the challenger's, or the champion's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from causalrec.arrays import Floats
from causalrec.policy.grid import Scored
from causalrec.policy.plackett_luce import first_slot
from causalrec.settings.objective import Objective
from causalrec.settings.policy import PolicyConfig

CHALLENGER, CHAMPION = "challenger", "champion"
LABELS = {CHALLENGER: "the new policy", CHAMPION: "the current policy"}


@dataclass(frozen=True)
class FittedPolicy:
    """Softmax over L + lambda R, with exploration.

    Attributes:
        name: `CHALLENGER` or `CHAMPION`.
        config: Its temperature and exploration.
        objective: What it ranks by.
    """

    name: str
    config: PolicyConfig
    objective: Objective
    fitted: ClassVar[bool] = True

    @property
    def label(self) -> str:
        """For people."""
        return LABELS[self.name]

    def probabilities(self, part: Scored) -> Floats:
        """(1 - exploration) softmax((L + lambda R) / temperature) + exploration / n, (contexts, items)."""
        satisfaction = self.objective.satisfaction(part.click, part.purchase)
        value = self.objective.value(satisfaction, self.objective.revenue(part.purchase, part.price))
        return first_slot(value, part.eligible, self.config.temperature, self.config.exploration)
