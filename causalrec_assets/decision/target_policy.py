"""The policy asset: `target_policy`."""

import json
from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg
import polars as pl

from causalrec.answers import ANSWERED, not_available
from causalrec.logs.gaps import NO_ITEMS, NO_PRICE
from causalrec.logs.units.covariates import context_columns
from causalrec.logs.units.units import unit_columns
from causalrec.policy.bundle import Bundled
from causalrec.policy.left_out import LeftOut, nothing_happened
from causalrec.policy.notes import PolicyNotes
from causalrec.policy.plots import weights_plot
from causalrec.policy.policies import CHALLENGER, CHAMPION, named_policies
from causalrec.policy.policies.judged import SCHEMA, SLOT
from causalrec.settings.logs.sources import Source, parse_source
from causalrec.settings.objective import Objective, with_form
from causalrec.settings.policy import PolicyConfig, require_columns
from causalrec_assets.common.bundles import load_champion, load_model
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.partitions import learning_window_mapping
from causalrec_assets.common.ui import picture, table
from causalrec_assets.decision.judged import judge_policies
from causalrec_assets.decision.sample_slates import FILE, sample_slates_json
from causalrec_assets.decision.temperature import challenger_of
from causalrec_assets.gate.draft import Draft
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.serving.released import POLICY_JSON
from resources.lake import Lake


@gated_asset(
    "target_policy",
    group_name="policy",
    deps=[
        "outcome_model",
        "item_embeddings",
        "action_propensities",
        *(
            dg.AssetDep(asset, partition_mapping=learning_window_mapping)
            for asset in ("units", "items", "users", "history")
        ),
    ],
)
def target_policy(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What challenger, champion and named policies would have done in the judged slots, and what to expect of it."""
    inputs = lake.inputs(context)
    source = parse_source(inputs.setting("sources.yaml"))
    config = PolicyConfig.parse(inputs.setting("policy.yaml"))
    objective = with_form(Objective.parse(inputs.setting("objective.yaml")), source, config.temperature)
    named = named_policies(config.named)
    require_columns(config, context_columns(source), source.item_columns, unit_columns(source))
    models, embeddings = inputs.table("outcome_model"), inputs.table("item_embeddings")
    challenger, no_bundle = None, None
    if models.answer.answered:
        model, vectors = load_model(models, embeddings)
        challenger, no_bundle = challenger_of(inputs, source, Bundled(model, vectors, config, objective))
    released = inputs.champion()
    champion = load_champion(inputs, released) if released else None

    bundles = {CHALLENGER: challenger, CHAMPION: champion}
    bundles_there = {name: bundle for name, bundle in bundles.items() if bundle is not None}
    judge_days = inputs.learning.judge_days
    frame, left_out = pl.DataFrame(schema=SCHEMA), LeftOut()
    if source.items:
        # What is not fitted is judged on the days of training too, which say nothing of what a model expects.
        unfitted = [policy for policy in named if not policy.fitted]
        train_days = inputs.learning.train_days
        seen = judge_policies(inputs, source, train_days, None, {}, unfitted)
        unseen = judge_policies(inputs, source, judge_days, train_days, bundles_there, named)
        frame, left_out = pl.concat([seen.frame, unseen.frame]), seen.left_out.plus(unseen.left_out)
    left_out.require_few(config.most_left_out)
    nothing = None if source.items else not_available(f"{NO_ITEMS}, so there is nothing to choose from")
    challenged = ANSWERED
    if not (frame["policy"] == CHALLENGER).any():
        challenged = nothing or no_bundle or models.answer
        if challenged.answered:
            quiet = nothing_happened(inputs.window("units", judge_days).frame, judge_days)
            challenged = quiet or left_out.answer()
        if challenged.answered:
            # Slots of other days were judged, by policies that need no model.
            challenged = not_available("no recommended unit of the judgement days can be judged")
    answer = challenged if frame.is_empty() else ANSWERED
    files = {}
    if challenger is not None:
        files[POLICY_JSON] = json.dumps(challenger.config.to_json(), sort_keys=True).encode()
        if challenged.answered:
            files[FILE] = sample_slates_json(inputs, source, judge_days, challenger)
    logged = inputs.table("action_propensities").frame
    weights = (
        frame.filter(pl.col("kind") == SLOT)
        .join(logged, on="unit_id")
        .with_columns(weight=pl.col("action_probability") / pl.col("action_propensity"))
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
    return Draft(
        inputs,
        frame,
        answer=answer,
        notes=PolicyNotes(
            champion=released.bundle_hash if released else None,
            policies=tuple(sorted(frame["policy"].unique())),
            report_by=tuple(config.report_by),
            no_challenger=None if challenged.answered else challenged,
            judged_slots=left_out.judged,
            not_judged=left_out.reasons,
            objective=objective.to_json(),
            no_price=_no_price(inputs, source, judge_days),
        ),
        files=files,
        metadata={
            "policies": table(summary),
            "judged_slots": left_out.judged,
            "not_judged": table(_counted(left_out.reasons)),
            "form": objective.maximises,
            "temperature": challenger.config.solved if challenger else "none",
            "judged": f"{judge_days[0]} to {judge_days[-1]}" if judge_days else "no day",
            **plots,
        },
    )


def _no_price(inputs: Inputs, source: Source, days: Sequence[date]) -> str | None:
    """Why money decides nothing on some days: items that could be shown have no price. None where all have one."""
    if "price" not in source.item_columns:
        return None
    for day in days:
        prices = inputs.table("items", day).frame["price"]
        if prices.null_count():
            return NO_PRICE.format(without=f"{prices.null_count():,}", of=f"{len(prices):,}", day=day)
    return None


def _counted(reasons: Mapping[str, int]) -> pl.DataFrame:
    ordered = sorted(reasons.items(), key=lambda pair: -pair[1])
    return pl.DataFrame(ordered, schema={"not judged because": pl.String, "slots": pl.Int64}, orient="row")
