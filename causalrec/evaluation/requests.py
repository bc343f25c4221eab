"""What came of the request of each judged slot, and what a policy would have shown of what people met beside it."""

from __future__ import annotations

import polars as pl

from causalrec.evaluation.estimands.protocol import LOGGING, POLICY
from causalrec.evaluation.rounds import METRICS, OBJECTIVE, EvaluationData
from causalrec.policy.policies.judged import OF_LOGGING

ORGANIC = "organic"
SAID = ("not_shown_from", "not_shown_unknown")
COUNTED = (*METRICS, OBJECTIVE)


def with_requests(slots: pl.DataFrame, data: EvaluationData, units: pl.DataFrame) -> pl.DataFrame:
    """Judged slots with the sums of their requests.

    Args:
        slots: Of `judged_rounds`: rows of every policy.
        units: Of `with_rewards`.

    Returns:
        `slots` with, for each metric M,

        - `M_own_and_organic`, `M_total`: the slot's outcome with the organic ones of its request, and all outcomes of
          the request; null where one of them is not known;
        - `M_met`, `M_met_residual`, `M_not_shown`: sums over the organic rows of the request of `met_weight` Y, of
          `met_weight` (Y - q0) and of `not_shown_weight` Y, whole for each slot of the request;
        - `M_model_if_not`: E[q0] under the policy; 0 on days that a model may have seen;
        - the same four with `logging_` before them: by the weights of the logging policy, and q0 of the item shown,
          whose mean is that of E[q0] under it;
        - `M_rest_organic`, `M_rest_request`: what is expected of the rest;

        and of the request: `judged_slots` of the same policy, `organic_rows`, `whole_slate`, `met_known`, `met_sum`
        and `met_squares` of `met_weight`, and those three of `logging_met_weight`; `not_shown_known`,
        `not_shown_least`, and where they are from, `not_shown_from`, or why nobody knows them, `not_shown_unknown`.
    """
    # Null of slots: what is known of it is of the organic rows of their requests.
    slots = slots.drop("not_shown_least", *SAID, strict=False)
    slots = slots.join(_outcomes(units), on="request_id", how="left", maintain_order="left")
    slots = slots.join(_organic(data, units), on=["request_id", "policy"], how="left", maintain_order="left")
    counts = slots.group_by("request_id", "policy").agg(judged_slots=pl.len())
    slots = slots.join(counts, on=["request_id", "policy"], how="left", maintain_order="left", nulls_equal=True)
    alone = pl.col("request_id").is_null()
    of_met = [pl.col(f"{whose}met_known").fill_null(True) for whose in (POLICY, LOGGING)]
    of_met += [pl.col(f"{whose}met_{of}").fill_null(0.0) for whose in (POLICY, LOGGING) for of in ("sum", "squares")]
    slots = slots.with_columns(
        *of_met,
        judged_slots=pl.when(alone).then(1).otherwise("judged_slots"),
        organic_rows=pl.col("organic_rows").fill_null(0),
        whole_slate=pl.col("whole_slate").fill_null(alone),
        not_shown_known=pl.col("not_shown_known").fill_null(True),
    )
    slots = _with_mean_rest(slots, units, data)
    return slots.with_columns(column for metric in COUNTED for column in _of_metric(metric, data))


def _outcomes(units: pl.DataFrame) -> pl.DataFrame:
    """Sums of each request's outcomes, null where one is not known, and whether its slate is wholly logged."""
    recommended = pl.col("recommended") == 1
    place = pl.col("position").filter(recommended)

    def total(metric: str, which: pl.Expr) -> pl.Expr:
        rewards = pl.col(f"{metric}_reward").filter(which)
        return pl.when(rewards.is_null().any()).then(None).otherwise(rewards.sum())

    return (
        units.drop_nulls("request_id")
        .group_by("request_id")
        .agg(
            *(total(metric, recommended).alias(f"{metric}_of_slots") for metric in COUNTED),
            *(total(metric, ~recommended).alias(f"{metric}_of_organic") for metric in COUNTED),
            # Without positions the rows that are logged are taken for all that was shown.
            whole_slate=(place.is_null().all() | (place.max() == place.n_unique())).fill_null(True),
        )
    )


def _organic(data: EvaluationData, units: pl.DataFrame) -> pl.DataFrame:
    """Sums over each request's organic rows, by policy."""
    known = units.select("unit_id", "day", *(f"{metric}_reward" for metric in COUNTED))
    rows = data.targets.filter(pl.col("kind") == ORGANIC).join(known, on="unit_id", how="left", maintain_order="left")
    unknown = (pl.lit(None, pl.Float64).alias(name) for name in OF_LOGGING if name not in rows.columns)
    unsaid = (pl.lit(None, pl.String).alias(name) for name in SAID if name not in rows.columns)
    rows = rows.with_columns(*unknown, *unsaid)
    unseen = pl.col("day").is_in(list(data.unseen_days))

    def weighed(weight: str, value: pl.Expr) -> pl.Expr:
        product = pl.col(weight) * value
        return pl.when(product.is_null().any()).then(None).otherwise(product.sum())

    sums = []
    for metric in COUNTED:
        y = pl.col(f"{metric}_reward")
        q0 = pl.when(unseen).then(data.expectation("shown", metric, "_if_not")).otherwise(0.0)
        for whose in (POLICY, LOGGING):
            sums += [
                weighed(f"{whose}met_weight", y).alias(f"{whose}{metric}_met"),
                weighed(f"{whose}met_weight", y - q0).alias(f"{whose}{metric}_met_residual"),
                weighed(f"{whose}not_shown_weight", y).alias(f"{whose}{metric}_not_shown"),
            ]
    for whose in (POLICY, LOGGING):
        weight = pl.col(f"{whose}met_weight")
        sums += [
            weight.is_not_null().all().alias(f"{whose}met_known"),
            weight.sum().alias(f"{whose}met_sum"),
            (weight**2).sum().alias(f"{whose}met_squares"),
        ]
    return rows.group_by("request_id", "policy").agg(
        *sums,
        organic_rows=pl.len(),
        not_shown_known=pl.col("not_shown_weight").is_not_null().all(),
        not_shown_least=pl.col("not_shown_least").min(),
        not_shown_from=pl.col("not_shown_from").drop_nulls().unique().sort().str.join(" and "),
        not_shown_unknown=pl.col("not_shown_unknown").drop_nulls().first(),
    )


def _with_mean_rest(slots: pl.DataFrame, units: pl.DataFrame, data: EvaluationData) -> pl.DataFrame:
    """With the mean organic outcome of a request on the training days, and that of all but the slot's own, by metric.

    Of slots in the same position; of all positions where none was there in training. Any number that is the same
    whatever is shown leaves a value as it is; this one takes what can be expected out of its variance.
    """
    train = units.filter(~pl.col("day").is_in(list(data.unseen_days)))
    requests, recommended = _outcomes(train), train.filter(pl.col("recommended") == 1)
    with_sums = recommended.join(requests, on="request_id", how="inner", maintain_order="left")
    means = []
    for metric in COUNTED:
        organic = pl.col(f"{metric}_of_organic")
        means += [
            organic.mean().alias(f"{metric}_mean_organic"),
            (pl.col(f"{metric}_of_slots") + organic - pl.col(f"{metric}_reward"))
            .mean()
            .alias(f"{metric}_mean_request"),
        ]
    overall = with_sums.select(means)
    # Each position by itself: means of groups are made by several threads, and differ with them in the last digits.
    by_position = pl.DataFrame(
        [(place, *of.select(means).row(0)) for (place,), of in with_sums.group_by("position", maintain_order=True)],
        schema={"position": units.schema["position"]} | overall.schema,
        orient="row",
    )
    slots = slots.join(by_position, on="position", how="left", nulls_equal=True, maintain_order="left")
    # Without training days there is no expectation, and nothing is taken out.
    return slots.with_columns(
        pl.col(name).cast(pl.Float64).fill_null(pl.lit(mean, pl.Float64)).fill_null(0.0)
        for name, mean in overall.row(0, named=True).items()
    )


def _of_metric(metric: str, data: EvaluationData) -> list[pl.Expr]:
    own, organic = pl.col(f"{metric}_reward"), pl.col(f"{metric}_of_organic")
    unseen = pl.col("day").is_in(list(data.unseen_days))
    # A slot without organic rows beside it has none: what its sums are of is known, and 0.
    none = pl.col("organic_rows") == 0
    sums = [
        pl.when(none).then(0.0).otherwise(f"{whose}{metric}_{kind}").alias(f"{whose}{metric}_{kind}")
        for whose in (POLICY, LOGGING)
        for kind in ("met", "met_residual", "not_shown")
    ]
    zero, expected = pl.lit(0.0), {}
    for who in ("shown", "model"):
        outcomes, money = pl.col(f"{who}_rest_click"), pl.col(f"{who}_rest_revenue")
        linear = outcomes + pl.lit(data.money, pl.Float64) * money
        rest = {"satisfaction": outcomes, "revenue": money, OBJECTIVE: linear}[metric]
        expected[who] = pl.when(unseen).then(rest.fill_null(pl.col(f"{metric}_mean_request"))).otherwise(zero)
    organic_rest = pl.when(unseen).then(f"{metric}_mean_organic").otherwise(zero)
    return [
        *sums,
        (own + organic).alias(f"{metric}_own_and_organic"),
        (pl.col(f"{metric}_of_slots") + organic).alias(f"{metric}_total"),
        *(
            pl.when(unseen)
            .then(data.expectation(who, metric, "_if_not"))
            .otherwise(0.0)
            .alias(f"{whose}{metric}_model_if_not")
            for whose, who in ((POLICY, "model"), (LOGGING, "shown"))
        ),
        *(organic_rest.alias(f"{who}_{metric}_rest_organic") for who in expected),
        *(rest.alias(f"{who}_{metric}_rest_request") for who, rest in expected.items()),
    ]
