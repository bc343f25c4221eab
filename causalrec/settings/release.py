"""The release rule and the thresholds of trust: `data/release.yaml`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from causalrec.answers import InputError

OUTCOMES, ENOUGH_OUTCOMES = "min_effective_outcomes", 32.0
"""Of fewer 95 % intervals cover 63 to 94 %, from here on 93 %, and from 160 on 95 % (docs/decisions/0035)."""
NUMBERS = ("min_effective_rounds", "max_mean_weight_gap", "max_weight_share", "revenue_margin")


@dataclass(frozen=True)
class ReleaseRule:
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

    min_effective_rounds: float
    max_mean_weight_gap: float
    max_weight_share: float
    revenue_margin: float
    answer_sheet: Mapping[str, str]
    min_effective_outcomes: float = 0.0

    def words(self) -> str:
        """The rule in one sentence for the report."""
        return (
            "A policy is released when, on days that it never saw, the 95 % interval of its gain in "
            "satisfaction lies above 0 and, where there is revenue, a loss of more than "
            f"{self.revenue_margin:.0%} of it is ruled out."
        )


def parse_release(settings: Mapping[str, object]) -> ReleaseRule:
    """Read `data/release.yaml`.

    Raises:
        InputError: A missing or unknown key, or a value out of its range.
    """
    known = {*NUMBERS, "answer_sheet"}
    if set(settings) - {OUTCOMES} != known:
        raise InputError(
            f"release.yaml: needs exactly {sorted(known)}, and may have {OUTCOMES}; got {sorted(settings)}"
        )
    sheet = settings["answer_sheet"] or {}
    if not isinstance(sheet, Mapping):
        raise InputError(f"release.yaml: `answer_sheet` maps a policy to a held-out logging policy, got {sheet!r}")
    numbers = {}
    for key in (*NUMBERS, OUTCOMES):
        value = settings.get(key, ENOUGH_OUTCOMES)
        if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value >= 0):
            raise InputError(f"release.yaml: `{key}` must be a number of at least 0, got {value!r}")
        numbers[key] = float(value)
    return ReleaseRule(**numbers, answer_sheet={str(policy): str(logs) for policy, logs in sheet.items()})
