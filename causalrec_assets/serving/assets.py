"""The serving assets: `release` and `recommendations`."""

import json
from datetime import timedelta

import dagster as dg
import polars as pl

from causalrec_assets.answers import InputError, not_available
from causalrec_assets.embeddings.assets import item_embeddings
from causalrec_assets.evaluation.assets import evaluation_report
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.gated import gated_asset
from causalrec_assets.gate.metadata import table
from causalrec_assets.gate.releases import ChampionConflict, ReleaseLog
from causalrec_assets.gate.store import canonical, sha256
from causalrec_assets.graph.assets import adjustment_sets, causal_graph
from causalrec_assets.logs.assets import history, items, landing_index, units, users
from causalrec_assets.logs.covariates import as_of
from causalrec_assets.logs.sources import parse_source
from causalrec_assets.model.assets import outcome_model
from causalrec_assets.partitions import learning_window_mapping
from causalrec_assets.policy.assets import load_champion, target_policy
from causalrec_assets.policy.grid import score_grid
from causalrec_assets.serving.bundle import TABLES, make_bundle
from causalrec_assets.serving.recommend import latest_contexts, recommend
from causalrec_assets.serving.release import decide
from resources.lake import Lake
from resources.tracking import Tracking

CONTEXTS_WITHOUT_USERS = 200


@gated_asset("release", stage="serving",
             deps=[evaluation_report, target_policy, causal_graph, adjustment_sets, item_embeddings, outcome_model])
def release(context: dg.AssetExecutionContext, lake: Lake, tracking: Tracking) -> Draft:
    """Whether the challenger becomes the champion. The release log decides; the model registry mirrors it."""
    inputs = lake.inputs(context)
    report = inputs.table("evaluation_report")
    before = inputs.champion()
    judged_against = inputs.table("target_policy").notes.get("champion")
    if judged_against != (before.bundle_hash if before else None):
        raise InputError(f"the challenger of {inputs.day} was judged against another champion than the one before it now; "
                         "materialise target_policy and what follows again")
    tables = {name: inputs.table(name) for name in TABLES}
    bundle = make_bundle(inputs.day, tables, inputs.setting("policy.yaml"), inputs.setting("objective.yaml"))
    log = ReleaseLog(inputs.store)
    newest = landing_index(inputs.home, parse_source(inputs.setting("sources.yaml"))).newest_day
    inputs.note("newest", str(newest == inputs.day))
    verdict, reason = report.notes["verdict"], report.notes["reason"]
    try:
        decided = decide(verdict, reason, inputs.day, newest == inputs.day, bundle, before, log)
    except ChampionConflict as error:
        raise InputError(str(error)) from error
    models = tables["outcome_model"]
    run = tracking.mirror(
        home=inputs.home, run_id=inputs.run_id, partition=inputs.day.isoformat(), bundle=bundle, log=context.log,
        files={name: models.file(name) for name in models.files}, scores=models.notes.get("log_loss", {}), verdict=verdict,
        champion=log.current(), logged=log.entries(),
    )
    frame = pl.DataFrame(
        [(inputs.day, sha256(canonical(bundle)), before.bundle_hash if before else None, verdict, decided.reason,
          decided.outcome.value, decided.champion_after, decided.entry)],
        schema={"partition": pl.Date, "challenger": pl.String, "champion_before": pl.String, "verdict": pl.String,
                "reason": pl.String, "decision": pl.String, "champion_after": pl.String, "entry": pl.Int64},
        orient="row",
    )
    return Draft(inputs, frame, notes={"bundle": bundle, "decision": decided.outcome.value},
                 metadata={"decision": decided.outcome.value, "verdict": verdict, "reason": decided.reason, **run,
                           "bundle": dg.MetadataValue.json(bundle)})


@gated_asset("recommendations", stage="serving",
             deps=[release, items, users, history, dg.AssetDep(units, partition_mapping=learning_window_mapping)])
def recommendations(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """A slate for every user seen in the window, by the champion, with propensity, potential outcomes and reason."""
    inputs = lake.inputs(context)
    inputs.table("release")
    champion = ReleaseLog(inputs.store).champion_as_of(inputs.day)
    inputs.note("serves", champion.bundle_hash if champion else "none")
    if champion is None:
        reason = "no_released_bundle: nothing has been released yet, the logging policy serves"
        return Draft(inputs, None, answer=not_available(reason), params={"per_context": True})
    source = parse_source(inputs.setting("sources.yaml"))
    bundle = load_champion(inputs, champion)
    reads_position = "position" in bundle.model.design.names
    columns = [*source.context, *(["position"] if reads_position else [])]
    seen = inputs.window("units", inputs.learning.days).frame
    whom = latest_contexts(seen, columns, None if source.has("user_id") else CONTEXTS_WITHOUT_USERS)
    catalogue, known = inputs.table("items").frame, inputs.table("users")
    past = inputs.table("history")
    state = as_of(past.frame if past.answer.answered else None, inputs.day + timedelta(days=1), source)
    scored = score_grid(whom, catalogue, state, source, bundle.model, bundle.vectors, bundle.config.match)
    frame = recommend(whom, catalogue["item_id"].to_list(), scored, bundle.config, bundle.objective, columns, inputs.seed)
    per_context = frame.group_by("user_id", "context").len()["len"]
    examples = frame.head(8).select("user_id", "item_id", "rank", "action_propensity", "reason")
    return Draft(
        inputs, frame, notes={"champion": champion.bundle_hash, "entry": champion.entry},
        params={"per_context": bool((per_context % min(bundle.config.slate_size, catalogue.height) == 0).all())},
        metadata={"contexts": whom.height, "users_without_context": max(0, known.frame.height - whom.height) if known.answer.answered else 0,
                  "champion": champion.bundle_hash[:12], "examples": table(examples), "most_recommended": table(
                      frame["item_id"].value_counts(sort=True).head(10)), "policy": json.dumps(bundle.config.to_json())},
    )


ASSETS = [release, recommendations]
