"""The release rule and the thresholds of trust: `data/release.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from causalrec_assets.answers import InputError


@dataclass(frozen=True)
class ReleaseRule:
    """When evidence counts, and when a challenger is released.

    Attributes:
        min_effective_rounds: With fewer, an off-policy value is `insufficient_evidence`.
        max_mean_weight_gap: So it is when the mean importance weight is further from 1 (it is 1 when the logged action
            propensities are right and cover the policy).
        max_weight_share: So it is when one round carries a larger share of all weight.
        revenue_margin: A challenger may lose at most this share of the baseline's revenue with its interval's lower limit.
        answer_sheet: Target policy -> held-out logging policy whose own mean is shown beside its estimates.
    """

    min_effective_rounds: float
    max_mean_weight_gap: float
    max_weight_share: float
    revenue_margin: float
    answer_sheet: Mapping[str, str]


def parse_release(settings: Mapping[str, Any]) -> ReleaseRule:
    """Read `data/release.yaml`.

    Raises:
        InputError: A missing or unknown key, or a value out of its range.
    """
    known = {"min_effective_rounds", "max_mean_weight_gap", "max_weight_share", "revenue_margin", "answer_sheet"}
    if set(settings) != known:
        raise InputError(f"release.yaml: needs exactly {sorted(known)}, got {sorted(settings)}")
    sheet = settings["answer_sheet"] or {}
    if not isinstance(sheet, Mapping):
        raise InputError(f"release.yaml: `answer_sheet` maps a policy to a held-out logging policy, got {sheet!r}")
    try:
        numbers = {key: float(settings[key]) for key in known - {"answer_sheet"}}
    except (TypeError, ValueError) as error:
        raise InputError(f"release.yaml: {error}") from error
    if wrong := {key: value for key, value in numbers.items() if value < 0}:
        raise InputError(f"release.yaml: must not be negative: {wrong}")
    return ReleaseRule(**numbers, answer_sheet={str(k): str(v) for k, v in sheet.items()})
