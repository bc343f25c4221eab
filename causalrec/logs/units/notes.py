"""What the tables `units` and `users` say beside their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class UnitsNotes:
    """Of the table `units`.

    Attributes:
        roles: Column -> role, of every column.
        covariates: The columns that are known before the item was shown.
        action_context: The context of the action question "which item in this slot".
        cluster: What units are not independent within: `user_id`, `request_id` or `hour`.
        organic_rows: Which impressions nobody recommended were logged (sources.yaml).
        held_out_policies: The logging policies whose units no fit reads.
        sensitive: Of the covariates, those that no policy may read unless it is allowed.
        unlisted: How many units are of an unknown item, and of an unknown user.
    """

    roles: Mapping[str, str]
    covariates: tuple[str, ...]
    action_context: tuple[str, ...]
    cluster: str
    organic_rows: str
    held_out_policies: tuple[str, ...]
    sensitive: tuple[str, ...] = ()
    unlisted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class UsersNotes:
    """Of the table `users`.

    Attributes:
        sensitive: The attributes that no policy may read unless it is allowed.
    """

    sensitive: tuple[str, ...]
