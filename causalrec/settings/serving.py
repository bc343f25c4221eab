"""`serving.yaml`: for whom recommendations are published, and how many."""

from __future__ import annotations

from typing import Annotated

from causalrec.settings.base import Settings
from causalrec.settings.kinds import whole


class ServingSettings(Settings):
    """For whom recommendations are published.

    Attributes:
        contexts_without_users: Where the source has no user id, slates are drawn for at most so many contexts, the
            commonest first.
    """

    FILE = "serving.yaml"

    contexts_without_users: Annotated[int, whole(1)]
