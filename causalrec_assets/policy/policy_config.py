"""`data/policy.yaml`: how the target policy turns the objective into slates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from causalrec_assets.answers import InputError

NAMED = ("uniform",)


@dataclass(frozen=True)
class PolicyConfig:
    """The target policy's dials.

    Attributes:
        temperature: Of the softmax over L + lambda R; near 0 the best item only, large values explore.
        exploration: Share of the probability that is uniform over all candidates; keeps overlap for the next day.
        slate_size: Items recommended at a time.
        named: Policies that are not fitted and are judged beside the challenger.
        match: Columns in which a candidate must equal its context, e.g. the section of the shop.
        report_by: Context columns by whose values the off-policy report is given as well.
    """

    temperature: float
    exploration: float
    slate_size: int
    named: tuple[str, ...]
    match: tuple[str, ...]
    report_by: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def parse_policy(settings: Mapping[str, Any]) -> PolicyConfig:
    """Read `data/policy.yaml` (or a bundle's copy of it).

    Raises:
        InputError: A missing or unknown key, or a value out of its range.
    """
    known = {"temperature", "exploration", "slate_size", "named", "match", "report_by"}
    if set(settings) != known:
        raise InputError(f"policy.yaml: needs exactly {sorted(known)}, got {sorted(settings)}")
    for key in ("named", "match", "report_by"):
        if not isinstance(settings[key], list | tuple | None):
            raise InputError(f"policy.yaml: `{key}` must be a list of names, got {settings[key]!r}")
    lists = {key: tuple(str(v) for v in settings[key] or ()) for key in ("named", "match", "report_by")}
    if unknown := set(lists["named"]) - set(NAMED):
        raise InputError(f"policy.yaml: unknown named policies {sorted(unknown)}; known are {NAMED}")
    for key, kinds in {"temperature": (int, float), "exploration": (int, float), "slate_size": (int,)}.items():
        value = settings[key]
        if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
            kind = "whole number" if kinds == (int,) else "number"
            raise InputError(f"policy.yaml: `{key}` must be a {kind}, got {value!r}")
    config = PolicyConfig(
        float(settings["temperature"]), float(settings["exploration"]), int(settings["slate_size"]), **lists
    )
    if config.temperature <= 0 or not 0 < config.exploration <= 1 or config.slate_size < 1:
        raise InputError(
            "policy.yaml: temperature must be above 0, exploration in (0, 1] (without it nothing could be learned "
            f"from the policy's own logs), slate_size at least 1; got {config.temperature}, {config.exploration}, "
            f"{config.slate_size}"
        )
    return config
