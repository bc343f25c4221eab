"""Choosing at random: the policy that knows nothing, beside which what a model adds can be seen."""

from __future__ import annotations

from causalrec.arrays import Floats
from causalrec.policy.grid import Scored
from causalrec.policy.plackett_luce import uniform


class Uniform:
    """Every eligible candidate alike."""

    name = "uniform"
    label = "choosing at random"
    fitted = False

    def probabilities(self, part: Scored) -> Floats:
        """1 / n over the eligible candidates, (contexts, items); 0 where there is none."""
        return uniform(part.eligible, part.columns)
