"""What a target policy has to offer."""

from __future__ import annotations

from typing import Protocol

from causalrec.arrays import Floats
from causalrec.policy.grid import Scored


class Policy(Protocol):
    """What could be shown in place of what was.

    Attributes:
        name: In the column `policy` of `target_policy` and of `off_policy_report`, and in `data/policy.yaml`.
        label: For people, e.g. "choosing at random".
        fitted: Whether it reads what a model expects. One that does is judged on days that no fit saw; one that does
            not is judged on the training days too, and where there is no model.
    """

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def fitted(self) -> bool: ...

    def probabilities(self, part: Scored) -> Floats:
        """The distribution of the first slot of each context.

        Args:
            part: A run of contexts against all items, or against `part.columns` of them. What a model expects is NaN
                where there is none.

        Returns:
            (contexts, items), rows sum to 1; the row of a context without an eligible candidate is 0. A column that
            stands for several items of the lump has the probability of them together, and all items of the lump the
            same: which of them were sampled must not matter.
        """
        ...
