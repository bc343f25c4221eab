"""What the report finds, in words: what has no answer, and how far the rest can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import polars as pl

from causalrec.answers import Answer, Status
from causalrec.estimators.policy_value import POLICY_VALUE_ESTIMATORS, weighting
from causalrec.evaluation.deciding_rows import RAW, of_estimand
from causalrec.evaluation.policy_values import HELD_OUT_MEAN
from causalrec.logs.clusters import ClusterCounts
from causalrec.model.outcome.calibration import OutcomeScores
from causalrec.policy.policies import labels


@dataclass(frozen=True)
class Gap:
    """Something that was asked and has no answer."""

    subject: str
    answer: Answer


@dataclass(frozen=True)
class Diagnostic:
    """One number that says how far to trust an answer, and what it means."""

    group: str
    what: str
    number: str
    words: str
    worry: bool = False


def find_gaps(answers: Mapping[str, Answer], effects: pl.DataFrame, judged: pl.DataFrame) -> list[Gap]:
    """Everything without an answer: whole tables, questions, and policies of segments.

    Args:
        answers: Of the tables that the report stands on, by name.
        effects: The table `effect_report`.
        judged: The table `off_policy_report`.
    """
    gaps = [Gap(f"table {name}", answer) for name, answer in answers.items() if not answer.answered]
    for row in effects.filter(pl.col("status") != Status.ANSWERED).iter_rows(named=True):
        gaps.append(Gap(f"effect of {row['treatment']} on {row['outcome']}", _answer(row)))
    # One line per value: the estimators of one policy mostly lack the same evidence.
    unanswered = judged.filter(pl.col("status") != Status.ANSWERED)
    keys, words = ["segment", "policy", *(["estimand"] if "estimand" in judged.columns else []), "metric"], labels()
    for row in unanswered.unique(keys, keep="first", maintain_order=True).iter_rows(named=True):
        name = words.get(row["policy"], row["policy"])
        of = (
            row["metric"]
            if row.get("estimand", RAW) == RAW
            else f"{row['estimand'].replace('_', ' ')}: {row['metric']}"
        )
        gaps.append(Gap(f"{of} of {name} ({row['policy']}), {row['segment']}", _answer(row)))
    return gaps


def diagnostics(
    effects: pl.DataFrame,
    judged: pl.DataFrame,
    model: Mapping[str, OutcomeScores],
    clusters: Mapping[str, ClusterCounts | None] = MappingProxyType({}),
    far: Sequence[str] = (),
) -> list[Diagnostic]:
    """Overlap, effective sizes, weights, calibration, and whether the model beats the constant rate.

    Args:
        model: Outcome -> how well the outcome model predicts it; empty when there is no model.
        clusters: Group ("Effects", "Policies") -> how its rows name their clusters, None where it has no number.
        far: Values of covariates that are far from all others, in words.
    """
    return [
        *_of_effects(effects),
        *_of_clusters("Effects", clusters.get("Effects")),
        *(
            Diagnostic("Effects", "a value far from all others", "", f"{words}; a model takes it for a number", True)
            for words in far
        ),
        *_of_policies(judged),
        *_of_clusters("Policies", clusters.get("Policies")),
        *_of_model(model),
    ]


def _of_clusters(group: str, counts: ClusterCounts | None) -> Iterator[Diagnostic]:
    """How many rows name nobody that intervals could be clustered by."""
    if counts is None or not counts.unnamed:
        return
    name, rows = counts.cluster.removesuffix("_id"), "units" if group == "Effects" else "rounds"
    words = f"{rows} name no {name}; {counts.how}. Who came more than once without a name counts as several"
    yield Diagnostic(group, f"{rows} without a {name}", f"{counts.unnamed:,} of {counts.rows:,}", words)


def _of_effects(effects: pl.DataFrame) -> Iterator[Diagnostic]:
    answered = effects.filter(pl.col("overlap_share").is_not_null())
    # Questions of one treatment and one adjustment set share their propensities.
    keys = ["treatment", "overlap_share", "effective_treated", "effective_control", "calibration_error"]
    for row in answered.group_by(keys, maintain_order=True).agg("outcome").iter_rows(named=True):
        question = f"{row['treatment']} → {', '.join(row['outcome'])}"
        yield Diagnostic(
            "Effects",
            f"overlap, {question}",
            f"{row['overlap_share']:.1%}",
            "of the units could have had either arm",
        )
        yield Diagnostic(
            "Effects",
            f"effective units, {question}",
            f"{row['effective_treated']:,.0f} / {row['effective_control']:,.0f}",
            "with the treatment / without it, after weighting",
        )
        yield Diagnostic(
            "Effects",
            f"calibration, {question}",
            f"{row['calibration_error']:.4f}",
            "mean gap between the predicted and the observed share of the treatment",
        )


def _of_policies(judged: pl.DataFrame) -> Iterator[Diagnostic]:
    """The weights of each policy in each segment, on all its rounds and on the judgement days alone."""
    estimators = POLICY_VALUE_ESTIMATORS.values()
    judged = of_estimand(judged, RAW)
    weighted = judged.filter(pl.col("effective_rounds").is_not_null() & (pl.col("metric") == "satisfaction"))
    for (segment, policy), rows in weighted.group_by(["segment", "policy"], maintain_order=True):
        by = {row["estimator"]: row for row in rows.iter_rows(named=True)}
        row = by[weighting().name]
        words = f"effective rounds; mean weight {row['mean_weight']:.2f}, largest {row['max_weight']:,.1f}"
        unseen = next((by[each.name] for each in estimators if each.on == "unseen" and each.name in by), row)
        if unseen["rounds"] != row["rounds"]:
            alone = int(unseen["effective_rounds"] or 0)
            words += f"; on the judgement days alone {alone:,} of {unseen['rounds']:,}"
        if row["effective_outcomes"] is not None:
            words += f"; {row['effective_outcomes']:,.0f} effective satisfied rounds"
        number = f"{int(row['effective_rounds']):,} of {row['rounds']:,}"
        yield Diagnostic("Policies", f"weights, {policy}, {segment}", number, words, row["status"] != Status.ANSWERED)
    yield from _against_held_out_logs(judged)


def _against_held_out_logs(judged: pl.DataFrame) -> Iterator[Diagnostic]:
    """Estimates of a policy from other logs, beside the plain mean of its own logs, which no fit has read."""
    checked = [each.name for each in POLICY_VALUE_ESTIMATORS.values() if each.checked]
    for own in judged.filter(pl.col("estimator") == HELD_OUT_MEAN).iter_rows(named=True):
        same = [pl.col(column) == own[column] for column in ("segment", "policy", "metric")]
        answered = pl.col("estimator").is_in(checked) & pl.col("lower").is_not_null()
        for row in judged.filter(*same, answered).iter_rows(named=True):
            apart = own["lower"] is not None and (row["lower"] > own["upper"] or own["lower"] > row["upper"])
            name = row["estimator"].upper()
            how = "do not meet" if apart else "meet"
            words = f"{name} from other logs, against the plain mean of its own; the intervals {how}"
            what = f"answer sheet, {row['policy']}, {row['segment']}"
            yield Diagnostic("Policies", what, f"{_value(row)} against {_value(own)}", words, apart)


def _of_model(model: Mapping[str, OutcomeScores]) -> Iterator[Diagnostic]:
    for outcome, scores in model.items():
        beats = scores.model < scores.constant
        verb = "beats" if beats else "does NOT beat"
        words = f"the outcome model {verb} the constant rate on days that it never saw"
        yield Diagnostic(
            "Outcome model",
            f"log loss of {outcome}",
            f"{scores.model:.4f} against {scores.constant:.4f}",
            words,
            not beats,
        )
        if scores.calibration_error is not None:
            yield Diagnostic(
                "Outcome model",
                f"calibration of {outcome}",
                f"{scores.calibration_error:.4f}",
                "mean gap between predicted and observed rates",
            )


def _answer(row: Mapping[str, Any]) -> Answer:
    return Answer(Status(row["status"]), row["reason"])


def _value(row: Mapping[str, Any]) -> str:
    return f"{row['estimate']:.2%}" if row["metric"] == "satisfaction" else f"{row['estimate']:.4f}"
