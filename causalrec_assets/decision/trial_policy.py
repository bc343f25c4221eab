"""The asset `trial_policy`: what the trial's challenger and the champion would have done on the days of a look."""

import dagster as dg
import polars as pl

from causalrec.policy.left_out import LeftOut
from causalrec.policy.notes import PolicyNotes
from causalrec.policy.policies import CHALLENGER, CHAMPION
from causalrec.policy.policies.judged import SCHEMA
from causalrec.settings.file import read_setting
from causalrec.settings.learning import parse_learning
from causalrec.settings.logs.sources import parse_source
from causalrec.settings.objective import Objective
from causalrec.settings.policy import PolicyConfig
from causalrec_assets.common.bundles import load_bundle, load_champion
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.partitions import learning_window_mapping
from causalrec_assets.decision.judged import judge_policies
from causalrec_assets.decision.trial_days import trial_day
from causalrec_assets.gate.draft import Draft
from causalrec_assets.lake.windows import learning_window
from resources.lake import Lake


@gated_asset(
    "trial_policy",
    group_name="policy",
    deps=[
        # Of the trial's own days, each read and recorded; a mapping can name the window only.
        dg.AssetDep(asset, partition_mapping=learning_window_mapping)
        for asset in ("units", "items", "users", "history")
    ],
)
def trial_policy(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What the trial's challenger and the champion would have done on the days of the looks that are due."""
    inputs = lake.inputs(context)
    source = parse_source(inputs.setting("sources.yaml"))
    found = trial_day(inputs, source)
    if found.recorded is None or not found.due:
        return Draft(inputs, None, answer=found.answer, notes=found.notes(), metadata={"trial": found.words})
    trial, bundle = found.recorded.trial, found.recorded.bundle
    champion = inputs.champion()
    bundles = {CHALLENGER: load_bundle(inputs, bundle)}
    if champion is not None:
        bundles[CHAMPION] = load_champion(inputs, champion)
    config = PolicyConfig.parse(bundle["policy"])
    frame, left_out = pl.DataFrame(schema=SCHEMA), LeftOut()
    if source.items:
        settings = parse_learning(read_setting(inputs.home, "learning.yaml"), read_setting(inputs.home, "sources.yaml"))
        published = set(inputs.store.days("units"))
        days = [day for day in trial.days_of(max(found.due)) if day in published]
        # How often items are met is counted before the enrolment, on the days that the challenger's own run knew.
        before = [day for day in learning_window(trial.opened, settings, published).days if day in published]
        judged = judge_policies(inputs, source, days, before, bundles)
        frame, left_out = judged.frame, judged.left_out
    left_out.require_few(config.most_left_out)
    answer = left_out.answer()
    return Draft(
        inputs,
        frame,
        answer=answer,
        notes=PolicyNotes(
            champion=champion.bundle_hash if champion else None,
            policies=tuple(sorted(frame["policy"].unique())),
            report_by=tuple(config.report_by),
            no_challenger=None if answer.answered else answer,
            judged_slots=left_out.judged,
            not_judged=left_out.reasons,
            objective=Objective.parse(bundle["objective"]).to_json(),
        ),
        metadata={"trial": found.words, "judged_slots": left_out.judged},
    )
