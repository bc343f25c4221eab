"""The asset `recommendations`: what the champion shows to whom."""

from datetime import timedelta

import dagster as dg
import polars as pl

from causalrec.answers import not_available
from causalrec.logs.units.covariates import as_of, context_columns
from causalrec.logs.units.held_out import without_held_out
from causalrec.logs.units.notes import UnitsNotes
from causalrec.policy.retrieval import Asked, score
from causalrec.settings.logs.sources import parse_source
from causalrec.settings.serving import ServingSettings
from causalrec_assets.common.bundles import attributes_read, load_champion
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.partitions import due_every_day, learning_window_mapping
from causalrec_assets.common.reads import covariate_settings
from causalrec_assets.common.ui import table
from causalrec_assets.gate.draft import Draft
from causalrec_assets.lake.releases import DrawnBy, ReleaseLog
from causalrec_assets.serving.recommend import RecommendationsNotes, latest_contexts, recommend, slate_sizes
from resources.lake import Lake

NO_RELEASE = "no_released_bundle: nothing has been released yet, so the logging policy serves"


@gated_asset(
    "recommendations",
    freshness_policy=due_every_day,
    group_name="serving",
    deps=["release", "items", "users", "history", dg.AssetDep("units", partition_mapping=learning_window_mapping)],
)
def recommendations(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """The champion's slate for every user of the window, with propensity, potential outcomes and reason."""
    inputs = lake.inputs(context)
    inputs.table("release")
    champion = ReleaseLog(inputs.store).champion_as_of(inputs.day)
    inputs.note("serves", champion.bundle_hash if champion else "none")
    if champion is None:
        return Draft(inputs, None, answer=not_available(NO_RELEASE), params={"per_context": True})
    source, serving = (
        parse_source(inputs.setting("sources.yaml")),
        ServingSettings.parse(inputs.setting("serving.yaml")),
    )
    bundle = load_champion(inputs, champion)
    columns = [*context_columns(source), *(["position"] if "position" in bundle.model.design.names else [])]
    window = inputs.window("units", inputs.learning.days)
    logged = without_held_out(window.frame, window.notes_as(UnitsNotes).held_out_policies)
    limit = None if source.has("user_id") else serving.contexts_without_users
    whom = latest_contexts(logged, columns, limit)
    catalogue, past = inputs.table("items").frame, inputs.table("history")
    # What is known at the end of this day is what the next day's recommendations may read.
    before = past.frame if past.answer.answered else None
    users = inputs.table("users")
    attributes = attributes_read(inputs, source, bundle, lambda: users, "the champion")
    state = as_of(before, inputs.day + timedelta(days=1), source, covariate_settings(inputs), attributes)
    seed = [inputs.seed, inputs.day.toordinal()]
    scored = score(whom, catalogue, state, source, bundle, Asked.nothing(seed))
    frame = recommend(
        whom,
        catalogue["item_id"].to_list(),
        scored,
        bundle.config,
        bundle.objective,
        columns,
        seed,
    )
    policy = str(DrawnBy(champion.entry, inputs.day))
    sizes = slate_sizes(whom, catalogue, bundle.config)
    short = int(((sizes > 0) & (sizes < bundle.config.slate_size)).sum())
    unseen = users.frame.join(whom, on="user_id", how="anti").height if users.answer.answered else 0
    examples = frame.head(8).select("item_id", "rank", "action_propensity", "reason")
    return Draft(
        inputs,
        frame.with_columns(pl.lit(policy).alias("policy")),
        notes=RecommendationsNotes(champion.bundle_hash, champion.entry, int((sizes == 0).sum()), short),
        params={"per_context": frame.height == sizes.sum()},
        metadata={
            "contexts": whom.height,
            "contexts_without_a_candidate": int((sizes == 0).sum()),
            "contexts_with_fewer_candidates_than_a_slate": short,
            "users_without_a_context": unseen,
            "champion": champion.bundle_hash[:12],
            "log_as_policy": policy,
            "examples": table(examples),
            "most_recommended": table(frame["item_id"].value_counts(sort=True).head(10)),
        },
    )
