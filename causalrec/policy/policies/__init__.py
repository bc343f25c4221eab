"""Target policies: the challenger, the champion, and those that `data/policy.yaml` names beside them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from causalrec.answers import InputError
from causalrec.arrays import Floats
from causalrec.policy.grid import Scored
from causalrec.policy.policies.fitted import CHALLENGER, CHAMPION, LABELS, FittedPolicy
from causalrec.policy.policies.uniform import Uniform
from causalrec.settings.policy import FILE

__all__ = ["CHALLENGER", "CHAMPION", "POLICIES", "FittedPolicy", "Policy", "labels", "named_policies"]


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
            part: A run of contexts against all candidates. What a model expects is NaN where there is none.

        Returns:
            (contexts, items), rows sum to 1; the row of a context without an eligible candidate is 0.
        """
        ...


def named(*policies: Policy) -> dict[str, Policy]:
    """Policies by their names."""
    return {policy.name: policy for policy in policies}


POLICIES = named(Uniform())
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
