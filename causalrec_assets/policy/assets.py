"""The policy asset: `target_policy`."""

import json
from datetime import date

import dagster as dg
import polars as pl

from causalrec_assets.answers import ANSWERED, not_available
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.gated import gated_asset
from causalrec_assets.gate.inputs import Inputs
from causalrec_assets.gate.metadata import picture, table
from causalrec_assets.logs.covariate_settings import covariate_settings
from causalrec_assets.logs.covariates import as_of, context_columns
from causalrec_assets.logs.history import history_before
from causalrec_assets.logs.sources import Source, parse_source
from causalrec_assets.partitions import learning_window_mapping
from causalrec_assets.policy.bundled import Bundled, load_champion, load_model
from causalrec_assets.policy.grid import eligible_candidates, score_grid
from causalrec_assets.policy.objective import Objective, parse_objective
from causalrec_assets.policy.plots import weights_plot
from causalrec_assets.policy.policy_config import PolicyConfig, parse_policy
from causalrec_assets.policy.slots import judged_slots
from causalrec_assets.policy.target import SCHEMA, judge, uniform_without_model
from resources.lake import Lake


@gated_asset(
    "target_policy",
    stage="policy",
    deps=[
        "outcome_model",
        "item_embeddings",
        "action_propensities",
        *(dg.AssetDep(asset, partition_mapping=learning_window_mapping) for asset in ("units", "items", "history")),
    ],
)
def target_policy(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What challenger, champion and named policies would have done in the judged slots, and what to expect of it."""
    inputs = lake.inputs(context)
    source = parse_source(inputs.setting("sources.yaml"))
    config, objective = parse_policy(inputs.setting("policy.yaml")), parse_objective(inputs.setting("objective.yaml"))
    models, embeddings = inputs.table("outcome_model"), inputs.table("item_embeddings")
    challenger = Bundled(*load_model(models, embeddings), config, objective) if models.answer.answered else None
    released = inputs.champion()
    champion = load_champion(inputs, released) if released else None

    parts = []
    for day in inputs.learning.days:
        judged = day in inputs.learning.judge_days
        named = dict.fromkeys(config.named)
        if challenger is not None:
            mine = {"challenger": config, **named} if judged else named
            parts.append(_judge_day(inputs, source, day, challenger, mine, objective))
        elif named:
            parts.append(_uniform_day(inputs, source, day, config))
        if champion is not None and judged:
            parts.append(_judge_day(inputs, source, day, champion, {"champion": champion.config}, objective))
    frame = pl.concat([pl.DataFrame(schema=SCHEMA), *parts])
    answer = ANSWERED
    if frame.is_empty():
        answer = (
            models.answer
            if not models.answer.answered
            else not_available(
                "no recommended unit of the window has a logged action propensity, so no policy can be judged on it"
            )
        )
    logged = inputs.table("action_propensities").frame
    weights = frame.join(logged, on="unit_id").with_columns(
        weight=pl.col("action_probability") / pl.col("action_propensity")
    )
    summary = weights.group_by("policy").agg(
        pl.len().alias("slots"),
        pl.col("weight").mean().round(3).alias("mean weight"),
        pl.col("weight").max().round(1).alias("largest"),
        pl.col("model_click").mean().round(5),
        pl.col("model_revenue").mean().round(4),
        pl.col("model_satisfaction").mean().round(4),
    )
    plots = {
        f"weights_{name}": picture(weights_plot(rows["weight"].to_numpy(), str(name)))
        for (name,), rows in weights.group_by("policy")
    }
    judge_days = inputs.learning.judge_days
    return Draft(
        inputs,
        frame,
        answer=answer,
        notes={
            "champion": released.bundle_hash if released else None,
            "policies": sorted(frame["policy"].unique()),
            "report_by": list(config.report_by),
            "objective": objective.to_json(),
        },
        files={"policy.json": json.dumps(config.to_json(), sort_keys=True).encode()},
        metadata={
            "policies": table(summary),
            "judged": f"{judge_days[0]} to {judge_days[-1]}" if judge_days else "no day",
            **plots,
        },
    )


def _judge_day(
    inputs: Inputs,
    source: Source,
    day: date,
    bundle: Bundled,
    policies: dict[str, PolicyConfig | None],
    objective: Objective,
) -> pl.DataFrame:
    if not policies:
        return pl.DataFrame(schema=SCHEMA)
    day_units, catalogue = inputs.table("units", day), inputs.table("items", day).frame
    reads = [*context_columns(source), *(c for c in bundle.model.design.names if c == "position")]
    slots = judged_slots(day_units.frame, catalogue, reads, day_units.notes["held_out_policies"])
    before = history_before(inputs, day) if source.has("user_id") else None
    state = as_of(before, day, source, covariate_settings(inputs))
    scored = score_grid(slots.contexts, catalogue, state, source, bundle.model, bundle.vectors, bundle.config.match)
    return judge(slots, scored, policies, bundle.objective, objective)


def _uniform_day(inputs: Inputs, source: Source, day: date, config: PolicyConfig) -> pl.DataFrame:
    day_units, catalogue = inputs.table("units", day), inputs.table("items", day).frame
    slots = judged_slots(day_units.frame, catalogue, context_columns(source), day_units.notes["held_out_policies"])
    return uniform_without_model(slots, eligible_candidates(slots.contexts, catalogue, config.match))


ASSETS = [target_policy]
