"""Whether the difference of two policies carries a decision: a look's error is only what it says where it does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from causalrec.answers import ANSWERED, Answer, insufficient_evidence, not_identifiable
from causalrec.arrays import Codes, Floats
from causalrec.estimators.intervals import TooFewClusters, clustered_mean
from causalrec.estimators.pareto import pareto_k
from causalrec.estimators.policy_value import Rounds
from causalrec.estimators.weights import effective_sample_size
from causalrec.evaluation.trust.needed import rounds_for_share_of
from causalrec.logs.clusters import cluster_codes
from causalrec.settings.release import ReleaseRule

UNCALIBRATED, ERRORS = 0.05, 4.0
"""The logged propensities are off where the mean weight of choosing at random is further from 1 than this, and by more
than so many of its standard errors."""


@dataclass(frozen=True)
class DifferenceDiagnostics:
    """What the difference of two policies rests on.

    Attributes:
        outcomes: Effective outcomes: Kish's count of the rounds that have one, each weighed by how far the two policies
            differ in it; of 0/1 outcomes the rarer side's.
        clusters: How many there are.
        effective_clusters: Kish's count of them, each weighed by its rounds.
        pareto_k: Of the tail of how far the two policies differ.
    """

    outcomes: float
    clusters: int
    effective_clusters: float
    pareto_k: float

    @classmethod
    def of(cls, rounds: Rounds, base: Rounds | None) -> DifferenceDiagnostics:
        """Of a policy's rounds and those of what it is held against; None: the logging policy, whose weights are 1."""
        apart = np.abs(rounds.weight - (1.0 if base is None else base.weight))
        outcomes = effective_sample_size(apart * np.abs(rounds.reward))
        if np.isin(rounds.reward, (0.0, 1.0)).all():
            outcomes = min(outcomes, effective_sample_size(apart * (1.0 - rounds.reward)))
        sizes = _sizes(rounds.clusters)
        return cls(outcomes, len(sizes), effective_sample_size(sizes), pareto_k(apart))


def _sizes(clusters: Codes) -> Floats:
    _, sizes = np.unique(clusters, return_counts=True)
    return sizes.astype(np.float64)


def carries_a_decision(found: DifferenceDiagnostics, rounds: int, rule: ReleaseRule) -> Answer:
    """Whether the error of a look is what it says; if not, how many more rounds it would take."""
    if found.outcomes < rule.min_difference_outcomes:
        settled = ""
        if found.outcomes:
            more = rounds_for_share_of(rounds, found.outcomes, rule.min_difference_outcomes)
            settled = f"; about {more:,} more rounds like these would do"
        return insufficient_evidence(
            f"{found.outcomes:,.0f} effective outcomes tell the two policies apart (at least "
            f"{rule.min_difference_outcomes:,.0f} are needed, release.yaml: min_difference_outcomes){settled}"
        )
    if found.effective_clusters < rule.min_clusters:
        return insufficient_evidence(
            f"{found.effective_clusters:,.0f} effective clusters of {found.clusters:,} (at least "
            f"{rule.min_clusters:,.0f} are needed, release.yaml: min_clusters): with so few an error is too short"
        )
    if found.pareto_k > rule.max_pareto_k:
        return insufficient_evidence(
            f"the tail of the weights is too heavy (Pareto k {found.pareto_k:.2f}, at most {rule.max_pareto_k:g} is "
            "trusted, release.yaml: max_pareto_k): a few rounds carry the difference; explore more"
        )
    return ANSWERED


def calibrated(slots: pl.DataFrame, cluster: str) -> Answer:
    """Whether the logged action propensities are those with which items were chosen, as far as it can be seen.

    The mean of 1 / (candidates x action propensity), the weight of choosing at random, is 1 if they are, and if every
    candidate can be shown; over all slots, and over those of each position.

    Args:
        slots: Judged slots of one policy.
    """
    known = slots.filter(pl.col("candidates") > 0)
    if known.is_empty():
        return ANSWERED
    known = known.with_columns(uniform=1.0 / (pl.col("candidates") * pl.col("action_propensity")))
    groups = {"": known}
    if known["position"].null_count() == 0:
        groups |= {f" in position {place}": rows for (place,), rows in known.group_by("position", maintain_order=True)}
    for where, rows in groups.items():
        try:
            mean = clustered_mean(rows["uniform"].to_numpy(), cluster_codes(rows, cluster))
        except TooFewClusters:
            continue
        off = abs(mean.value - 1.0)
        if off > UNCALIBRATED and off > ERRORS * mean.std_error:
            return not_identifiable(
                f"the logged action propensities are not those with which items were chosen{where}: the mean weight of "
                f"choosing at random is {mean.value:.2f} (standard error {mean.std_error:.2f}); it is 1 if they are "
                "and every candidate can be shown; log the real ones, or correct the candidates (policy.yaml: match)"
            )
    return ANSWERED
