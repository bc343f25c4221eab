"""The off-policy report: each policy's value per segment and metric, by every estimator, trust first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from causalrec_assets.answers import ANSWERED, Answer, insufficient_evidence
from causalrec_assets.estimators.intervals import Estimate, TooFewClusters, clustered_mean, contrast
from causalrec_assets.estimators.off_policy import ESTIMATORS, Rounds, estimate, logged_mean
from causalrec_assets.estimators.weights import WeightSummary, summarise_weights
from causalrec_assets.evaluation.rule import ReleaseRule
from causalrec_assets.logs.units import cluster_codes

SCHEMA: dict[str, pl.DataType] = {
    "segment": pl.String(), "policy": pl.String(), "metric": pl.String(), "estimator": pl.String(), "estimate": pl.Float64(),
    "std_error": pl.Float64(), "lower": pl.Float64(), "upper": pl.Float64(), "baseline": pl.String(),
    "difference": pl.Float64(), "difference_lower": pl.Float64(), "difference_upper": pl.Float64(), "rounds": pl.Int64(),
    "effective_rounds": pl.Float64(), "mean_weight": pl.Float64(), "max_weight": pl.Float64(), "first_day": pl.Date(),
    "last_day": pl.Date(), "status": pl.String(), "reason": pl.String(),
}


@dataclass(frozen=True)
class Evidence:
    """What the report is made from.

    Attributes:
        units: The window's units (training and judgement days).
        targets: The table `target_policy`.
        propensities: The table `action_propensities`.
        satisfying: The outcome S.
        margin: Of the price; what a purchase brings.
        cluster: What intervals are clustered by.
        held_out: Logging policies that are the answer sheet.
        report_by: Context columns by whose values the report is also given.
    """

    units: pl.DataFrame
    targets: pl.DataFrame
    propensities: pl.DataFrame
    satisfying: str
    margin: float
    cluster: str
    held_out: Sequence[str]
    report_by: Sequence[str]


def report(evidence: Evidence, rule: ReleaseRule) -> pl.DataFrame:
    """All rows: segments x policies x metrics x estimators, with the logged mean and, where there is one, the answer sheet.

    A policy is compared with the champion's policy where one is released and judged on the same rounds, else with the
    logging policy's plain mean.
    """
    money = (pl.col("purchase") * pl.col("price") * evidence.margin).alias("revenue_reward")
    units = evidence.units.with_columns(pl.col(evidence.satisfying).cast(pl.Float64).alias("satisfaction_reward"), money)
    rounds = evidence.targets.join(evidence.propensities, on="unit_id").join(
        units.drop("action_propensity", "policy"), on="unit_id", how="inner", maintain_order="left"
    ).with_columns(weight=pl.col("action_probability") / pl.col("action_propensity"))
    rows: list[dict[str, Any]] = []
    for segment, keep in _segments(units, evidence.report_by):
        part, sheet = rounds.filter(keep), units.filter(keep & pl.col("policy").is_in(list(evidence.held_out)))
        champion = part.filter(pl.col("policy") == "champion")
        for (policy,), mine in part.group_by("policy", maintain_order=True):
            other = champion if policy == "challenger" and champion.height == mine.height else None
            for metric in ("satisfaction", "revenue"):
                if mine[f"{metric}_reward"].null_count() == 0:
                    rows.extend(_rows(segment, str(policy), metric, mine, other, sheet, evidence, rule))
    return pl.DataFrame(rows, schema=SCHEMA)


def trust(weights: WeightSummary, rule: ReleaseRule) -> Answer:
    """Whether a set of importance weights carries an estimate, in words when it does not."""
    if weights.effective_rows < rule.min_effective_rounds:
        return insufficient_evidence(
            f"{weights.effective_rows:,.0f} effective rounds of {weights.rows:,} (at least {rule.min_effective_rounds:,.0f} are "
            "needed): the logging policy hardly ever showed what this policy would show"
        )
    if abs(weights.mean - 1) > rule.max_mean_weight_gap:
        return insufficient_evidence(f"the mean importance weight is {weights.mean:.2f}, it should be about 1: the logged action "
                                     "propensities do not cover this policy")
    if weights.largest_share > rule.max_weight_share:
        return insufficient_evidence(f"one round carries {weights.largest_share:.0%} of all weight")
    return ANSWERED


def _segments(units: pl.DataFrame, columns: Sequence[str]) -> Iterator[tuple[str, pl.Expr]]:
    yield "everyone", pl.lit(True)
    for column in columns:
        for value in sorted(units[column].drop_nulls().unique().to_list()):
            yield f"{column}={value}", pl.col(column) == value


def _rows(
    segment: str, policy: str, metric: str, mine: pl.DataFrame, champion: pl.DataFrame | None, sheet: pl.DataFrame,
    evidence: Evidence, rule: ReleaseRule,
) -> Iterator[dict[str, Any]]:
    rounds = _rounds(mine, metric, evidence)
    weights = summarise_weights(rounds.weight)
    answer = trust(weights, rule)
    against = None
    if champion is not None:
        against = _rounds(mine.select("unit_id").join(champion, on="unit_id", maintain_order="left"), metric, evidence)
        if answer.answered and not (other := trust(summarise_weights(against.weight), rule)).answered:
            answer = insufficient_evidence(f"of the champion: {other.reason}")
    common = {
        "segment": segment, "policy": policy, "metric": metric, "baseline": "logging policy" if against is None else "champion",
        "rounds": weights.rows, "effective_rounds": weights.effective_rows, "mean_weight": weights.mean,
        "max_weight": weights.largest, "first_day": mine["day"].min(), "last_day": mine["day"].max(),
    }
    for name in ESTIMATORS:
        row = {**common, "estimator": name, "status": answer.status.value, "reason": answer.reason}
        if answer.answered and (rounds.model_target is not None or name in ("ips", "snips")):
            try:
                value = estimate(name, rounds)
                base = logged_mean(rounds) if against is None else estimate(name, against)
                row |= _numbers(value) | _difference(contrast(value, base, rounds.clusters))
            except TooFewClusters as error:
                few = insufficient_evidence(str(error))
                row |= {"status": few.status.value, "reason": few.reason}
        elif answer.answered:
            none = insufficient_evidence("no outcome model for these rounds")
            row |= {"status": none.status.value, "reason": none.reason}
        yield row
    yield {**common, "estimator": "logged_mean", "status": ANSWERED.status.value, "reason": "", **_mean(rounds.reward, rounds.clusters)}
    name = rule.answer_sheet.get(policy)
    rewards = sheet.filter((pl.col("policy") == name) & pl.col("day").is_between(common["first_day"], common["last_day"]))
    if name is not None and rewards.height:
        values = rewards[f"{metric}_reward"].to_numpy()
        yield {**common, "estimator": "answer_sheet_mean", "status": ANSWERED.status.value, "reason": "", "rounds": rewards.height,
               "effective_rounds": None, "mean_weight": None, "max_weight": None,
               **_mean(values, cluster_codes(rewards, evidence.cluster))}


def _rounds(mine: pl.DataFrame, metric: str, evidence: Evidence) -> Rounds:
    quantity = evidence.satisfying if metric == "satisfaction" else "revenue"
    logged, target = mine[f"shown_{quantity}"], mine[f"model_{quantity}"]
    known = not (logged.null_count() or target.null_count())
    return Rounds(
        mine[f"{metric}_reward"].to_numpy(), mine["weight"].to_numpy(), logged.to_numpy() if known else None,
        target.to_numpy() if known else None, cluster_codes(mine, evidence.cluster),
    )


def _mean(rewards: npt.NDArray[np.float64], clusters: npt.NDArray[np.int64]) -> dict[str, Any]:
    try:
        return _numbers(clustered_mean(rewards, clusters))
    except TooFewClusters:
        # One cluster has a mean and no interval.
        return {"estimate": float(np.mean(rewards))}


def _numbers(found: Estimate) -> dict[str, Any]:
    return {"estimate": found.value, "std_error": found.std_error, "lower": found.lower, "upper": found.upper}


def _difference(found: Estimate) -> dict[str, Any]:
    return {"difference": found.value, "difference_lower": found.lower, "difference_upper": found.upper}
