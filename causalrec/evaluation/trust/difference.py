"""Whether the difference of two policies carries a decision: a look's error is only what it says where it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from causalrec.answers import ANSWERED, Answer, insufficient_evidence, not_identifiable
from causalrec.estimators.clusters import cluster_sizes
from causalrec.estimators.foretold import foretold_skewness, outcomes_apart
from causalrec.estimators.intervals import Estimate, TooFewClusters, clustered_mean
from causalrec.estimators.pareto import pareto_k
from causalrec.estimators.policy_value import Rounds
from causalrec.estimators.weights import effective_sample_size
from causalrec.evaluation.trust.needed import more_rounds, rounds_for_share_of, rounds_for_width
from causalrec.logs.clusters import cluster_codes
from causalrec.settings.release import ReleaseRule

UNCALIBRATED, ERRORS = 0.05, 4.0
"""The logged propensities are off where the mean weight of choosing at random is further from 1 than this, and by more
than so many of its standard errors."""
OTHER_SIDE = 3.0
"""A difference may lean away from a release by so many times what it may lean towards one: that only keeps releases
back, and 95 % intervals cover what they say until then (docs/decisions/0058)."""


@dataclass(frozen=True)
class DifferenceDiagnostics:
    """What the difference of two policies rests on.

    Attributes:
        outcomes: Effective outcomes that tell the two policies apart; of 0/1 outcomes the rarer side's.
        clusters: How many there are.
        effective_clusters: Kish's count of them, each weighed by its rounds.
        pareto_k: Of the tail of how far the two policies differ.
        skewness: To which side the difference's error leans, as its weights foretell; below 0 towards the challenger.
    """

    outcomes: float
    clusters: int
    effective_clusters: float
    pareto_k: float
    skewness: float

    @classmethod
    def of(cls, rounds: Rounds, base: Rounds | None) -> DifferenceDiagnostics:
        """Of a policy's rounds and those of what it is held against; None: the logging policy, whose weights are 1."""
        apart = rounds.weight - (1.0 if base is None else base.weight)
        sizes = cluster_sizes(rounds.clusters)
        return cls(
            outcomes_apart(apart, rounds.reward),
            len(sizes),
            effective_sample_size(sizes),
            pareto_k(np.abs(apart)),
            foretold_skewness(apart, rounds.reward),
        )


def carries_a_decision(
    found: DifferenceDiagnostics, rounds: int, rule: ReleaseRule, pace: float | None = None
) -> Answer:
    """Whether the error of a look is what it says; if not, how many more rounds it would take, or what to change.

    Args:
        pace: Rounds a week; None: nobody knows.
    """
    if found.outcomes < rule.min_difference_outcomes:
        settled = "; so far none does: judge on more days, or let the two policies differ more"
        if found.outcomes:
            more = rounds_for_share_of(rounds, found.outcomes, rule.min_difference_outcomes)
            settled = f"; {more_rounds(more, pace)} would do"
        return insufficient_evidence(
            f"{found.outcomes:,.0f} effective outcomes tell the two policies apart (at least "
            f"{rule.min_difference_outcomes:,.0f} are needed, release.yaml: min_difference_outcomes){settled}"
        )
    if found.effective_clusters < rule.min_clusters:
        return insufficient_evidence(
            f"{found.effective_clusters:,.0f} effective clusters of {found.clusters:,} (at least "
            f"{rule.min_clusters:,.0f} are needed, release.yaml: min_clusters): with so few an error is too short. "
            "More rounds of the same ones would not help: it takes days that bring others, or a cluster of which there "
            "are more (sources.yaml: cluster)"
        )
    if found.pareto_k > rule.max_pareto_k:
        return insufficient_evidence(
            f"the tail of the weights is too heavy (Pareto k {found.pareto_k:.2f}, at most {rule.max_pareto_k:g} is "
            "trusted, release.yaml: max_pareto_k): a few rounds carry the difference, and more "
            "rounds like these would not change that; let the logging policy explore more, or judge a policy that "
            "differs less from it"
        )
    towards, away = rule.max_skewness, OTHER_SIDE * rule.max_skewness
    for leans, most, where in ((-found.skewness, towards, "above"), (found.skewness, away, "below")):
        if leans > most:
            # It falls with the root of the rounds, as an interval does.
            missing = more_rounds(rounds_for_width(rounds, leans, most), pace)
            return insufficient_evidence(
                f"the error of the difference leans to one side (skewness {found.skewness:+.2f}, trusted from "
                f"{-towards:g} to {away:g}, release.yaml: max_skewness), for one of the two policies has the large "
                f"weights: it is {where} the truth more often than it says; {missing} would do"
            )
    return ANSWERED


def calibrated(slots: pl.DataFrame, champion: pl.DataFrame | None, cluster: str) -> Answer:
    """Whether the logged action propensities are those with which items were chosen, as far as a decision uses them.

    The mean weight of each policy that is judged is 1 if they are and cover it, over all slots and over those of each
    position. The mean of 1 / (candidates x action propensity), the weight of choosing at random, is 1 if every
    candidate can be shown too, and less if some never are: that keeps nobody from judging policies that do not show
    these, and is said. Above 1 it has no such excuse.

    Args:
        slots: Judged slots of the policy, with `weight`.
        champion: The same slots of what it is held against; None: the logging policy.

    Returns:
        Answered, with what is not covered, if anything; or why the propensities are not trusted.
    """
    policies = {"this policy": slots} | ({} if champion is None else {"the champion": champion})
    for who, frame in policies.items():
        for where, mean in _means(frame, pl.col("weight"), cluster):
            if _off(mean) > 0:
                return not_identifiable(
                    f"the logged action propensities do not carry {who}{where}: its mean weight is {mean.value:.2f} "
                    f"(standard error {mean.std_error:.2f}), and 1 if they are those with which items were chosen and "
                    "all that it shows can be shown; log the real ones, or let the logging policy explore more"
                )
    known, uncovered = slots.filter(pl.col("candidates") > 0), []
    for where, mean in _means(known, 1.0 / (pl.col("candidates") * pl.col("action_propensity")), cluster):
        if _off(mean) > 0 and mean.value > 1:
            return not_identifiable(
                f"the logged action propensities are not those with which items were chosen{where}: the mean weight of "
                f"choosing at random is {mean.value:.2f} (standard error {mean.std_error:.2f}), and at most 1 if they "
                "are; log the real ones, or correct the candidates (policy.yaml: match)"
            )
        if _off(mean) > 0:
            uncovered.append(f"{1 - mean.value:.0%}{where}")
    if uncovered:
        # Of all slots, if it is so of all.
        return Answer(
            ANSWERED.status,
            f"of choosing at random, {uncovered[0]} is of candidates that the logging policy hardly ever shows; the "
            "policies that are judged show little of them",
        )
    return ANSWERED


def _means(slots: pl.DataFrame, weight: pl.Expr, cluster: str) -> Iterator[tuple[str, Estimate]]:
    """The mean weight of all slots, then of those in each position, where there are clusters enough."""
    if slots.is_empty():
        return
    slots = slots.with_columns(weight.alias("of_policy"))
    groups = {"": slots}
    if slots["position"].null_count() == 0:
        groups |= {f" in position {place}": rows for (place,), rows in slots.group_by("position", maintain_order=True)}
    for where, rows in groups.items():
        try:
            yield where, clustered_mean(rows["of_policy"].to_numpy(), cluster_codes(rows, cluster))
        except TooFewClusters:
            continue


def _off(mean: Estimate) -> float:
    """By how much a mean weight is off 1; 0 where that may be chance, or is little."""
    off = abs(mean.value - 1.0)
    return off if off > UNCALIBRATED and off > ERRORS * mean.std_error else 0.0
