"""The release rule and the thresholds of trust: `data/release.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator

from causalrec.settings.base import Settings
from causalrec.settings.kinds import Must, number

OUTCOMES, ENOUGH_OUTCOMES = "min_effective_outcomes", 32.0
"""Of fewer 95 % intervals cover 63 to 94 %, from here on 93 %, and from 160 on 95 % (docs/decisions/0035)."""


def _names(sheet: object) -> object:
    if isinstance(sheet, Mapping):
        return {str(policy): str(logs) for policy, logs in sheet.items()}
    return sheet or {}


class ReleaseRule(Settings):
    """When evidence counts, and when a challenger is released.

    Attributes:
        min_effective_rounds: With fewer, an off-policy value is `insufficient_evidence`.
        max_mean_weight_gap: So it is when the mean importance weight is further from 1 by what may be chance; by more
            it is `not_identifiable` (it is 1 when the logged action propensities are right and cover the policy).
        max_weight_share: So it is when one round carries a larger share of all weight.
        revenue_margin: The share of the baseline's revenue that a better challenger's interval may reach
            below it.
        answer_sheet: Target policy -> held-out logging policy whose own mean is shown beside its estimates.
        min_effective_outcomes: With fewer effective satisfied rounds, or unsatisfied ones, or rounds that brought
            money, an off-policy value is `insufficient_evidence`, however many rounds there are: its interval would be
            too short. 0: this is not asked.
    """

    FILE = "release.yaml"

    min_effective_rounds: Annotated[float, number(0)]
    max_mean_weight_gap: Annotated[float, number(0)]
    max_weight_share: Annotated[float, number(0)]
    revenue_margin: Annotated[float, number(0)]
    answer_sheet: Annotated[
        dict[str, str], BeforeValidator(_names), Must("a mapping of a policy to a held-out logging policy")
    ]
    min_effective_outcomes: Annotated[float, number(0)] = ENOUGH_OUTCOMES

    def words(self) -> str:
        """The rule in one sentence for the report."""
        return (
            "A policy is released when, on days that it never saw, the 95 % interval of its gain in "
            "satisfaction lies above 0 and, where there is revenue, a loss of more than "
            f"{self.revenue_margin:.0%} of it is ruled out."
        )
