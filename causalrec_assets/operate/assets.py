"""The registry of assets: one line per asset, in the order of the data."""

import dagster as dg

from causalrec_assets.decision.effect_report import effect_report
from causalrec_assets.decision.evaluation_report import evaluation_report
from causalrec_assets.decision.off_policy_report import off_policy_report
from causalrec_assets.decision.recommendations import recommendations
from causalrec_assets.decision.release import release
from causalrec_assets.decision.target_policy import target_policy
from causalrec_assets.decision.trial_policy import trial_policy
from causalrec_assets.decision.trial_report import trial_report
from causalrec_assets.graph.adjustment_sets import adjustment_sets
from causalrec_assets.graph.causal_graph import causal_graph
from causalrec_assets.graph.discovered_graph import discovered_graph
from causalrec_assets.logs.clean_events import clean_events
from causalrec_assets.logs.history import history
from causalrec_assets.logs.items import items
from causalrec_assets.logs.shared import LANDED
from causalrec_assets.logs.units import units
from causalrec_assets.logs.users import users
from causalrec_assets.model.action_propensities import action_propensities
from causalrec_assets.model.effects import effects
from causalrec_assets.model.item_embeddings import item_embeddings
from causalrec_assets.model.outcome_model import outcome_model
from causalrec_assets.model.treatment_propensities import treatment_propensities

ASSETS: list[dg.AssetsDefinition | dg.AssetSpec] = [
    *LANDED,
    items,
    users,
    clean_events,
    history,
    units,
    discovered_graph,
    causal_graph,
    adjustment_sets,
    item_embeddings,
    treatment_propensities,
    action_propensities,
    effects,
    outcome_model,
    target_policy,
    off_policy_report,
    trial_policy,
    trial_report,
    effect_report,
    evaluation_report,
    release,
    recommendations,
]

CODE_VERSIONS = {
    key.path[-1]: version
    for asset in ASSETS
    if isinstance(asset, dg.AssetsDefinition)
    for key, version in asset.code_versions_by_key.items()
}
"""Each asset -> the version of its code, as its runs record it."""
