"""The off-policy report: each policy's value per segment and metric, by every estimator, trust first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from causalrec.answers import (
    ANSWERED,
    Answer,
    InputError,
    insufficient_evidence,
    not_available,
    not_identifiable,
)
from causalrec.arrays import Codes, Floats
from causalrec.estimators.intervals import Estimate, TooFewClusters, clustered_mean, contrast
from causalrec.estimators.policy_value.rounds import ESTIMATORS, Rounds, estimate, logged_mean
from causalrec.estimators.weights import WeightSummary, effective_sample_size, summarise_weights
from causalrec.evaluation.needed import mean_weight_answer, rounds_for_effective, rounds_for_share
from causalrec.logs.clusters import cluster_codes
from causalrec.settings.release import OUTCOMES, ReleaseRule

METRICS = ("satisfaction", "revenue")
MODEL_BASED = ("dm", "dr")
LOGGING, CHAMPION = "logging policy", "champion"
SCHEMA: dict[str, pl.DataType] = {
    "segment": pl.String(),
    "policy": pl.String(),
    "metric": pl.String(),
    "estimator": pl.String(),
    "estimate": pl.Float64(),
    "std_error": pl.Float64(),
    "lower": pl.Float64(),
    "upper": pl.Float64(),
    "baseline": pl.String(),
    "difference": pl.Float64(),
    "difference_lower": pl.Float64(),
    "difference_upper": pl.Float64(),
    "rounds": pl.Int64(),
    "effective_rounds": pl.Float64(),
    "effective_outcomes": pl.Float64(),
    "mean_weight": pl.Float64(),
    "max_weight": pl.Float64(),
    "first_day": pl.Date(),
    "last_day": pl.Date(),
    "status": pl.String(),
    "reason": pl.String(),
}
Cell = str | float | int | date | None
Row = dict[str, Cell]


@dataclass(frozen=True)
class Evidence:
    """What the report is made from.

    Attributes:
        units: The window's units (training and judgement days).
        targets: The table `target_policy`.
        propensities: The table `action_propensities`.
        satisfying: The outcome S.
        margin: Of the price; what a purchase brings. None: nobody has stated it, and there is no revenue.
        cluster: What intervals are clustered by.
        held_out: Logging policies that are the answer sheet; their rounds are never judged from.
        report_by: Context columns by whose values the report is also given.
        unseen_days: The judgement days, the only ones on which the outcome model is read: to the outcomes
            of others it may have been fitted. A policy that is not fitted is judged on those as well; there
            DR only weighs (it is DR with q = 0, unbiased still), and DM, which needs a model, leaves them
            out.
    """

    units: pl.DataFrame
    targets: pl.DataFrame
    propensities: pl.DataFrame
    satisfying: str
    margin: float | None
    cluster: str
    held_out: Sequence[str]
    report_by: Sequence[str]
    unseen_days: Sequence[date]


def report(evidence: Evidence, rule: ReleaseRule) -> pl.DataFrame:
    """All rows: segments x policies x metrics x estimators, the logged mean, and the answer sheet where there
    is one.

    A metric that no round has (revenue without purchases) has no rows. The challenger is compared with the
    champion's policy where one is released, every other policy with the logging policy's plain mean.

    Raises:
        InputError: Challenger and champion were not judged on the same rounds.
    """
    units = with_rewards(evidence)
    rounds = judged_rounds(evidence, units)
    held_out = pl.col("policy").is_in(list(evidence.held_out)).fill_null(False)
    rows: list[Row] = []
    for segment, keep in _segments(units, evidence.report_by):
        part, sheet = rounds.filter(keep), units.filter(keep & held_out)
        champion = part.filter(pl.col("policy") == CHAMPION)
        for (policy,), mine in part.group_by("policy", maintain_order=True):
            against = _same_rounds(mine, champion) if policy == "challenger" and champion.height else None
            for metric in METRICS:
                if mine[f"{metric}_reward"].null_count() < mine.height:
                    question = _Question(segment, str(policy), metric, mine, against, sheet)
                    rows.extend(_answers(question, evidence, rule))
    return pl.DataFrame(rows, schema=SCHEMA)


def with_rewards(evidence: Evidence) -> pl.DataFrame:
    """Units with `satisfaction_reward` (S, 0 or 1) and `revenue_reward` (margin x price if bought, else 0).

    A reward is null where it is not known: no such outcome, a purchase without a price, or no stated margin.
    """
    bought = pl.col("purchase")
    revenue = pl.lit(None, pl.Float64)
    if evidence.margin is not None:
        revenue = pl.when(bought == 0).then(0.0).otherwise(bought * pl.col("price") * evidence.margin)
    return evidence.units.with_columns(
        pl.col(evidence.satisfying).cast(pl.Float64).alias("satisfaction_reward"),
        revenue.cast(pl.Float64).alias("revenue_reward"),
    )


def judged_rounds(evidence: Evidence, units: pl.DataFrame) -> pl.DataFrame:
    """The logged rounds of every target policy, with the importance weight of what was shown.

    weight = action_probability of the target / action_propensity of the logging policy. Rounds of held-out
    policies are left out.
    """
    held_out = pl.col("policy").is_in(list(evidence.held_out)).fill_null(False)
    logged = units.filter(~held_out).drop("action_propensity", "policy")
    rounds = evidence.targets.join(evidence.propensities, on="unit_id", maintain_order="left")
    return rounds.join(logged, on="unit_id", maintain_order="left").with_columns(
        weight=pl.col("action_probability") / pl.col("action_propensity")
    )


def trust(weights: WeightSummary, rule: ReleaseRule) -> Answer:
    """Whether a set of importance weights carries an estimate; when not, how many more rounds it takes, or what to log.

    No number of rounds helps where the logging policy never shows what the policy would: `not_identifiable`.
    """
    if weights.effective_rows == 0:
        return not_identifiable(
            f"of {weights.rows:,} rounds none shows what this policy would show, and more rounds like these would not "
            "either; let the logging policy explore"
        )
    if weights.effective_rows < rule.min_effective_rounds:
        count, more = int(weights.effective_rows), rounds_for_effective(weights, rule.min_effective_rounds)
        return insufficient_evidence(
            f"{count:,} effective round{'' if count == 1 else 's'} of {weights.rows:,} (at least "
            f"{rule.min_effective_rounds:,.0f} are needed): the logging policy hardly ever showed what this "
            f"policy would show; let it explore more, or judge on about {more:,} more rounds like these"
        )
    if abs(weights.mean - 1) > rule.max_mean_weight_gap:
        return mean_weight_answer(weights, rule.max_mean_weight_gap)
    if weights.largest_share > rule.max_weight_share:
        or_more = ""
        if rule.max_weight_share > 0:
            or_more = f", or judge on about {rounds_for_share(weights, rule.max_weight_share):,} more rounds like these"
        return insufficient_evidence(
            f"one round carries {weights.largest_share:.0%} of all weight (at most "
            f"{rule.max_weight_share:.0%} is trusted); let the logging policy explore more{or_more}"
        )
    return ANSWERED


def outcomes_enough(rounds: Rounds, metric: str, rule: ReleaseRule) -> Answer:
    """Whether each outcome is frequent enough, after weighting, for an interval to cover what it says.

    Of 0/1 outcomes both count: where nearly every round satisfies, the few that do not carry all that is not known.
    """
    kinds = {"that brought money": rounds.reward}
    if metric == "satisfaction":
        kinds = {"satisfied": rounds.reward, "unsatisfied": 1.0 - rounds.reward}
    for kind, happened in kinds.items():
        effective = effective_sample_size(rounds.weight * happened)
        if effective < rule.min_effective_outcomes:
            rounds_of = f"{kind} rounds" if metric == "satisfaction" else f"rounds {kind}"
            more = (
                math.ceil(round(len(rounds.reward) * (rule.min_effective_outcomes / effective - 1), 6))
                if effective
                else None
            )
            settled = f"; judge on about {more:,} more rounds like these" if more else ""
            return insufficient_evidence(
                f"{effective:,.0f} effective {rounds_of} of {len(rounds.reward):,} (at least "
                f"{rule.min_effective_outcomes:,.0f} are needed, release.yaml: {OUTCOMES}): with so few an interval is "
                f"too short{settled}"
            )
    return ANSWERED


@dataclass(frozen=True)
class _Question:
    """One policy's value in one metric, in one segment.

    Attributes:
        mine: The policy's rounds.
        champion: The champion's, row by row the same rounds; None: compared with the logging policy.
        sheet: The segment's rounds of held-out logging policies.
    """

    segment: str
    policy: str
    metric: str
    mine: pl.DataFrame
    champion: pl.DataFrame | None
    sheet: pl.DataFrame

    def on(self, days: Sequence[date]) -> _Question:
        """The same question on some days only."""
        keep = self.mine["day"].is_in(list(days))
        champion = None if self.champion is None else self.champion.filter(keep)
        return _Question(self.segment, self.policy, self.metric, self.mine.filter(keep), champion, self.sheet)

    def row(self, estimator: str, answer: Answer, weights: WeightSummary | None) -> Row:
        return {
            "segment": self.segment,
            "policy": self.policy,
            "metric": self.metric,
            "estimator": estimator,
            "baseline": LOGGING if self.champion is None else CHAMPION,
            "rounds": self.mine.height,
            "effective_rounds": weights.effective_rows if weights else None,
            "mean_weight": weights.mean if weights else None,
            "max_weight": weights.largest if weights else None,
            "first_day": _day(self.mine["day"].min()),
            "last_day": _day(self.mine["day"].max()),
            "status": answer.status.value,
            "reason": answer.reason,
        }


def _segments(units: pl.DataFrame, columns: Sequence[str]) -> Iterator[tuple[str, pl.Expr]]:
    yield "everyone", pl.lit(True)
    for column in columns:
        for value in sorted(units[column].drop_nulls().unique().to_list()):
            yield f"{column}={value}", pl.col(column) == value


def _same_rounds(mine: pl.DataFrame, champion: pl.DataFrame) -> pl.DataFrame:
    if mine.height != champion.height or not mine["unit_id"].is_in(champion["unit_id"].to_list()).all():
        raise InputError(
            f"target_policy: the challenger has {mine.height:,} judged rounds and the champion "
            f"{champion.height:,} others; they can be compared on the same rounds only, materialise "
            "target_policy again"
        )
    return mine.select("unit_id").join(champion, on="unit_id", maintain_order="left")


def _answers(question: _Question, evidence: Evidence, rule: ReleaseRule) -> Iterator[Row]:
    """The rows of one question: every estimator, what happened, and the answer sheet."""
    unknown = question.mine[f"{question.metric}_reward"].null_count()
    if unknown:
        answer = not_available(
            f"{unknown:,} of {question.mine.height:,} rounds have no known {question.metric} (an outcome or "
            "a price is missing); leaving them out would judge the policy on a selection"
        )
        yield from (question.row(name, answer, None) for name in (*ESTIMATORS, "logged_mean"))
        return
    for name in ESTIMATORS:
        mine = question.on(evidence.unseen_days) if name == "dm" else question
        yield _estimate(name, mine, evidence, rule)
    rounds = _rounds(question.mine, question.metric, evidence)
    mean = _mean(rounds.reward, rounds.clusters)
    yield question.row("logged_mean", ANSWERED, summarise_weights(rounds.weight)) | mean
    if question.policy in rule.answer_sheet:
        yield from _answer_sheet(question, evidence, rule.answer_sheet[question.policy])


def _answer_sheet(question: _Question, evidence: Evidence, logs: str) -> Iterator[Row]:
    """The plain mean of the policy's own logs over the days on which it is judged; nothing without them."""
    first, last = question.mine["day"].min(), question.mine["day"].max()
    theirs = question.sheet.filter((pl.col("policy") == logs) & pl.col("day").is_between(first, last))
    reward = theirs[f"{question.metric}_reward"]
    if theirs.height and not reward.null_count():
        sheet = _Question(question.segment, question.policy, question.metric, theirs, None, question.sheet)
        mean = _mean(reward.to_numpy(), cluster_codes(theirs, evidence.cluster))
        yield sheet.row("answer_sheet_mean", ANSWERED, None) | mean


def _estimate(name: str, question: _Question, evidence: Evidence, rule: ReleaseRule) -> Row:
    """One estimator's row: its value, and the difference from the baseline on the same rounds."""
    if name in MODEL_BASED and not question.mine["day"].is_in(list(evidence.unseen_days)).any():
        return question.row(name, insufficient_evidence("no round lies on the judgement days"), None)
    rounds = _rounds(question.mine, question.metric, evidence)
    against = None if question.champion is None else _rounds(question.champion, question.metric, evidence)
    weights = summarise_weights(rounds.weight)
    answer = trust(weights, rule)
    if answer.answered and against is not None:
        theirs = trust(summarise_weights(against.weight), rule)
        answer = theirs if theirs.answered else Answer(theirs.status, f"of the champion: {theirs.reason}")
    if answer.answered and name in MODEL_BASED:
        answer = _modelled(question, rounds, against)
    if answer.answered:
        answer = outcomes_enough(rounds, question.metric, rule)
    if answer.answered and against is not None:
        of_champion = outcomes_enough(against, question.metric, rule)
        answer = (
            of_champion
            if of_champion.answered
            else Answer(of_champion.status, f"of the champion: {of_champion.reason}")
        )
    # Rare outcomes: with few of them behind a value, its interval is too short, however many rounds there
    # are.
    outcomes: Row = {"effective_outcomes": effective_sample_size(rounds.weight * rounds.reward)}
    if not answer.answered:
        return question.row(name, answer, weights) | outcomes
    try:
        value = estimate(name, rounds)
        base = logged_mean(rounds) if against is None else estimate(name, against)
        difference = contrast(value, base, rounds.clusters)
    except TooFewClusters as error:
        return question.row(name, insufficient_evidence(f"{error} ({evidence.cluster}); log more days"), weights)
    return (
        question.row(name, ANSWERED, weights)
        | outcomes
        | _numbers(value)
        | {
            "difference": difference.value,
            "difference_lower": difference.lower,
            "difference_upper": difference.upper,
        }
    )


def _modelled(question: _Question, mine: Rounds, champion: Rounds | None) -> Answer:
    """Whether the outcome model expects something of every round; more of them would not change it."""
    lacking = [
        who for who, rounds in (("", mine), ("of the champion: ", champion)) if rounds and rounds.model_target is None
    ]
    if not lacking:
        return ANSWERED
    if question.metric == "revenue":
        return not_available(
            f"{lacking[0]}the outcome model expects no revenue of these rounds (an item of the catalogue has no price, "
            "or it has no purchase to learn from), and only weighting can tell it; log purchases and all prices"
        )
    return not_available(f"{lacking[0]}there is no outcome model for these rounds; only weighting can tell their value")


def _rounds(mine: pl.DataFrame, metric: str, evidence: Evidence) -> Rounds:
    """The rounds as the estimators take them; the model's values are 0 on days that the model has seen."""
    quantity = evidence.satisfying if metric == "satisfaction" else "revenue"
    unseen = pl.col("day").is_in(list(evidence.unseen_days))
    read = [pl.when(unseen).then(f"{kind}_{quantity}").otherwise(0.0) for kind in ("shown", "model")]
    logged, target = mine.select(logged=read[0], target=read[1])
    known = not (logged.null_count() or target.null_count())
    return Rounds(
        mine[f"{metric}_reward"].to_numpy(),
        mine["weight"].to_numpy(),
        logged.to_numpy() if known else None,
        target.to_numpy() if known else None,
        cluster_codes(mine, evidence.cluster),
    )


def _mean(values: Floats, clusters: Codes) -> Row:
    try:
        return _numbers(clustered_mean(values, clusters))
    except TooFewClusters:
        # One cluster has a mean and no interval.
        return {"estimate": float(values.mean())}


def _numbers(found: Estimate) -> Row:
    return {"estimate": found.value, "std_error": found.std_error, "lower": found.lower, "upper": found.upper}


def _day(value: object) -> date | None:
    return value if isinstance(value, date) else None
