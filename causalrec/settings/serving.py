"""`serving.yaml`: for whom recommendations are published, and how many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from causalrec.answers import InputError


@dataclass(frozen=True)
class ServingSettings:
    """`data/serving.yaml`.

    Attributes:
        contexts_without_users: Where the source has no user id, slates are drawn for at most so many
            contexts, the commonest first.
    """

    contexts_without_users: int


def parse_serving(settings: Mapping[str, object]) -> ServingSettings:
    """Read `data/serving.yaml`.

    Raises:
        InputError: A missing or unknown key, or a value that is not a whole number of at least 1.
    """
    if set(settings) != {"contexts_without_users"}:
        raise InputError(f"serving.yaml: needs exactly `contexts_without_users`, got {sorted(settings)}")
    limit = settings["contexts_without_users"]
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        raise InputError(f"serving.yaml: `contexts_without_users` must be a whole number of at least 1, got {limit!r}")
    return ServingSettings(limit)
