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
    """Softmax over the objective's value, with exploration.

    Attributes:
        name: `CHALLENGER` or `CHAMPION`.
        config: Its temperature, as a number, and exploration.
        objective: What it ranks by, with its form.
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
        """(1 - exploration) softmax(value / temperature) + exploration / n, (contexts, items).

        Where the candidates are few, each item that is none of them has exploration / n.
        """
        value = self.objective.value(*self.objective.terms(part))
        return first_slot(value, part.eligible, self.config.solved, self.config.exploration, part.columns)
