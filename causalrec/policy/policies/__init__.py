"""Target policies: the challenger, the champion, and those that `data/policy.yaml` names beside them."""

from __future__ import annotations

from collections.abc import Collection

from causalrec.answers import InputError
from causalrec.policy.policies.fitted import CHALLENGER, CHAMPION, LABELS, FittedPolicy
from causalrec.policy.policies.protocol import Policy
from causalrec.policy.policies.uniform import Uniform
from causalrec.registry import by_name
from causalrec.settings.policy import FILE

__all__ = ["CHALLENGER", "CHAMPION", "POLICIES", "FittedPolicy", "Policy", "labels", "named_policies"]


POLICIES: dict[str, Policy] = by_name(Uniform())
"""What `named` of `data/policy.yaml` may list."""


def named_policies(names: Collection[str]) -> list[Policy]:
    """The policies that `data/policy.yaml` names.

    Raises:
        InputError: There is no such policy.
    """
    if unknown := set(names) - set(POLICIES):
        raise InputError(f"{FILE}: unknown named policies {sorted(unknown)}; known are {tuple(POLICIES)}")
    return [POLICIES[name] for name in dict.fromkeys(names)]


def labels() -> dict[str, str]:
    """What people call each policy.

    Returns:
        Name -> label, in the order in which a report lists them.
    """
    return LABELS | {policy.name: policy.label for policy in POLICIES.values()}
