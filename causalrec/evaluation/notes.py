"""What the reports say beside their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from causalrec.answers import Answer
from causalrec.logs.clusters import ClusterCounts
from causalrec.policy.notes import LeftOutNotes


@dataclass(frozen=True)
class EffectReportNotes:
    """Of the table `effect_report`.

    Attributes:
        clusters: How many units name no cluster; None where nothing was estimated.
        far_values: Values of covariates that are far from all others, in words.
    """

    clusters: ClusterCounts | None = None
    far_values: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class OffPolicyNotes(LeftOutNotes):
    """Of the table `off_policy_report`; one without an answer has those of `LeftOutNotes` alone.

    Attributes:
        clusters: How many judged rounds name no cluster.
        objective: What the policies maximise, as `Objective.parse` reads it.
        no_revenue: Why no policy has a revenue, in words, if none has.
        adds: What the whole recommender adds, in words where it is answered; None where another release has not asked.
    """

    no_revenue: str
    adds: Answer | None = None
    clusters: ClusterCounts | None = None
    objective: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class VerdictNotes:
    """Of the table `evaluation_report`.

    Attributes:
        verdict: A `Decision`.
        reason: In words.
        next_step: What happens now, or what somebody should do; None where another release has not said it.
    """

    verdict: str
    reason: str
    next_step: str | None = None
