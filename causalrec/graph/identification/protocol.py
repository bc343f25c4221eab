"""What a strategy of identification is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from causalrec.graph.identification.adjustment import Adjustment, IdentificationProblem


class IdentificationStrategy(Protocol):
    """A way to get an effect from what is logged.

    Attributes:
        name: In the column `strategy` of `adjustment_sets`.
        effects: The kinds of effect that it can identify: `total`, `direct`.
        vouched: Whether people have to vouch for it: it rests on an edge that is missing, which data cannot show.
    """

    @property
    def name(self) -> str: ...
    @property
    def effects(self) -> frozenset[str]: ...
    @property
    def vouched(self) -> bool: ...

    def identify(self, problem: IdentificationProblem) -> Adjustment | None:
        """The answer that it gives, or None where it gives none."""
        ...

    def why_not(self, problem: IdentificationProblem, roles: Mapping[str, str]) -> str:
        """Why it gives none, in words; empty where nobody asked for it.

        Args:
            roles: Of the observed columns.
        """
        ...

    def how_to_vouch(self, adjustment: Adjustment) -> str:
        """What people could declare for it to give the answer that it gives undeclared, in words."""
        ...
