"""What the tables `treatment_propensities` and `effects` say beside their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from causalrec.answers import Answer
from causalrec.logs.clusters import ClusterCounts


@dataclass(frozen=True)
class PropensitiesNotes:
    """Of the table `treatment_propensities`.

    Attributes:
        answers: Question -> why it has no propensities; the others have some.
    """

    answers: Mapping[str, Answer] = field(default_factory=dict)


@dataclass(frozen=True)
class EffectsNotes:
    """Of the table `effects`.

    Attributes:
        diagnostics: Question -> what tells how far to trust its estimates; by the question's strategy.
        clusters: How many units name no cluster; None where nothing was estimated.
        far_values: Values of covariates that are far from all others, in words.
    """

    diagnostics: Mapping[str, Mapping[str, Any]]
    clusters: ClusterCounts | None = None
    far_values: tuple[str, ...] | None = None
