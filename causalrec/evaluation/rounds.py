"""The rounds on which policies are judged: what was shown, what came of it, and what it weighs for each policy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from causalrec.answers import InputError
from causalrec.estimators.policy_value import Rounds
from causalrec.evaluation.estimands.protocol import Columns, Logs
from causalrec.logs.clusters import cluster_codes
from causalrec.logs.units.held_out import without_held_out
from causalrec.settings.objective import DO, Objective

METRICS = ("satisfaction", "revenue")
OBJECTIVE = "objective"
"""The form's own value, where it is linear in outcomes."""
EVERYONE = "everyone"
NO_ORGANIC_ROWS = Logs()


@dataclass(frozen=True)
class EvaluationData:
    """What policies are judged by.

    Attributes:
        units: The window's units (training and judgement days).
        targets: The table `target_policy`.
        propensities: The table `action_propensities`.
        satisfying: The outcome S.
        margin: Of the price; what a purchase brings. None: nobody has stated it, and there is no revenue.
        cluster: What intervals are clustered by.
        held_out: Logging policies whose logs are set aside; their rounds are never judged from.
        report_by: Context columns by whose values the report is also given.
        unseen_days: The judgement days, the only ones on which the outcome model is read: to the outcomes
            of others it may have been fitted. A policy that is not fitted is judged on those as well; there
            DR only weighs (it is DR with q = 0, unbiased still), and DM, which needs a model, leaves them
            out.
        logs: What is logged beside the slots.
        objective: What the policies maximise, which is judged as well; None: nobody has said it.
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
    logs: Logs = NO_ORGANIC_ROWS
    objective: Objective | None = None

    def expectation(self, who: str, metric: str, ending: str = "") -> pl.Expr:
        """What the model expects of a metric: of the item shown, or under the policy.

        Args:
            who: `shown` or `model`.
            ending: `_if_not`: of the same item, not recommended.
        """
        satisfaction, revenue = (pl.col(f"{who}_{quantity}{ending}") for quantity in (self.satisfying, "revenue"))
        linear = satisfaction + pl.lit(self.money, pl.Float64) * revenue
        return {"satisfaction": satisfaction, "revenue": revenue, OBJECTIVE: linear}[metric]

    @property
    def promised(self) -> bool:
        """Whether the objective is no outcome, so that only a model can promise it."""
        return self.objective is not None and self.objective.maximises == DO

    @property
    def money(self) -> float | None:
        """lambda, where the objective weighs money."""
        return self.objective.weight if self.objective is not None and self.objective.weight else None


def logged_propensities(units: pl.DataFrame) -> pl.DataFrame:
    """P(item | slot) under the logging policy, as logged, of the recommended units that have it.

    Returns:
        The table `action_propensities` of some units: unit_id, action_propensity and where it is from.
    """
    rounds = units.filter((pl.col("recommended") == 1) & pl.col("action_propensity").is_not_null())
    return rounds.select("unit_id", "action_propensity", pl.lit("logged").alias("origin"))


def with_rewards(data: EvaluationData) -> pl.DataFrame:
    """Units with `satisfaction_reward` (S, 0 or 1) and `revenue_reward` (margin x price if bought, else 0).

    A reward is null where it is not known: no such outcome, a purchase without a price, or no stated margin.
    """
    bought = pl.col("purchase")
    revenue = pl.lit(None, pl.Float64)
    if data.margin is not None:
        revenue = pl.when(bought == 0).then(0.0).otherwise(bought * pl.col("price") * data.margin)
    return data.units.with_columns(
        pl.col(data.satisfying).cast(pl.Float64).alias("satisfaction_reward"),
        revenue.cast(pl.Float64).alias("revenue_reward"),
    ).with_columns(
        (pl.col("satisfaction_reward") + pl.lit(data.money, pl.Float64) * pl.col("revenue_reward")).alias(
            "objective_reward"
        )
    )


def judged_rounds(data: EvaluationData, units: pl.DataFrame) -> pl.DataFrame:
    """The logged rounds of every target policy, with the importance weight of what was shown.

    weight = action_probability of the target / action_propensity of the logging policy. Rounds of held-out
    policies are left out.

    Args:
        units: Of the window, with what else is wanted of each round.

    Returns:
        A row per unit and policy: the columns of `targets`, of `propensities` and of the units, and `weight`.
    """
    logged = without_held_out(units, data.held_out).drop("action_propensity", "policy")
    slots = data.targets.filter(pl.col("kind") == "slot") if "kind" in data.targets.columns else data.targets
    rounds = slots.drop("request_id", strict=False).join(data.propensities, on="unit_id", maintain_order="left")
    return rounds.join(logged, on="unit_id", maintain_order="left").with_columns(
        weight=pl.col("action_probability") / pl.col("action_propensity")
    )


def segments(units: pl.DataFrame, columns: Sequence[str]) -> Iterator[tuple[str, pl.Expr]]:
    """Everyone, and each value of each column.

    Returns:
        Pairs of the segment's name and which rows are of it.
    """
    yield EVERYONE, pl.lit(True)
    for column in columns:
        for value in sorted(units[column].drop_nulls().unique().to_list()):
            yield f"{column}={value}", pl.col(column) == value


def same_rounds(challenger: pl.DataFrame, champion: pl.DataFrame) -> pl.DataFrame:
    """The champion's rounds in the order of the challenger's.

    Args:
        challenger, champion: Rows of `judged_rounds`, one a unit.

    Returns:
        The champion's rows, row by row of the challenger's units.

    Raises:
        InputError: They are others.
    """
    if challenger.height != champion.height or not challenger["unit_id"].is_in(champion["unit_id"].to_list()).all():
        raise InputError(
            f"target_policy: the challenger has {challenger.height:,} judged rounds and the champion "
            f"{champion.height:,} others; they can be compared on the same rounds only, materialise "
            "target_policy again"
        )
    return challenger.select("unit_id").join(champion, on="unit_id", maintain_order="left")


def rounds_for_estimators(
    rounds: pl.DataFrame, metric: str, data: EvaluationData, columns: Columns | None = None
) -> Rounds:
    """One policy's rounds as the estimators take them; the model's values are 0 on days that the model has seen.

    Args:
        rounds: Of `judged_rounds`, with every reward of the metric known.
        columns: What is counted of a slot; None: its own outcome.
    """
    columns = columns or Columns(f"{metric}_reward")
    unseen = pl.col("day").is_in(list(data.unseen_days))
    predictions = []
    for kind in ("shown", "model"):
        own = pl.when(unseen).then(data.expectation(kind, metric)).otherwise(0.0)
        predictions.append(own + pl.col(f"{kind}_{metric}_rest_{columns.rest}") if columns.rest else own)
    logged, target = rounds.select(logged=predictions[0], target=predictions[1])
    has_model = not (logged.null_count() or target.null_count())
    return Rounds(
        rounds[columns.reward].to_numpy(),
        rounds["weight"].to_numpy(),
        logged.to_numpy() if has_model else None,
        target.to_numpy() if has_model else None,
        cluster_codes(rounds, data.cluster),
    )
