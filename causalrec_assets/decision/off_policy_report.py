"""The asset `off_policy_report`: each policy's value on days it never saw."""

import dagster as dg
import polars as pl

from causalrec.evaluation.deciding_rows import RAW, of_estimand
from causalrec.evaluation.estimands import ESTIMANDS, Logs
from causalrec.evaluation.estimands.holdout import adds_words, recommender_adds
from causalrec.evaluation.notes import OffPolicyNotes
from causalrec.evaluation.plots import policy_plot
from causalrec.evaluation.policy_values import bounded_row_names, report, row_names
from causalrec.evaluation.rounds import METRICS, EvaluationData, judged_rounds
from causalrec.logs.clusters import count_clusters
from causalrec.logs.gaps import why_no_revenue
from causalrec.logs.units.held_out import without_held_out
from causalrec.logs.units.notes import UnitsNotes
from causalrec.policy.notes import LeftOutNotes, PolicyNotes
from causalrec.settings.logs.sources import parse_source
from causalrec.settings.objective import Objective
from causalrec.settings.release import ReleaseRule
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.partitions import learning_window_mapping
from causalrec_assets.common.ui import picture, table
from causalrec_assets.gate.draft import Draft
from resources.lake import Lake


@gated_asset(
    "off_policy_report",
    group_name="evaluation",
    deps=["target_policy", "action_propensities", dg.AssetDep("units", partition_mapping=learning_window_mapping)],
)
def off_policy_report(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """Each policy's value on days it never saw, by every estimator beside the logged mean, weights checked first."""
    inputs = lake.inputs(context)
    source, rule = parse_source(inputs.setting("sources.yaml")), ReleaseRule.parse(inputs.setting("release.yaml"))
    targets, propensities = inputs.table("target_policy"), inputs.table("action_propensities")
    unanswered = next((t.answer for t in (propensities, targets) if not t.answer.answered), None)
    names = {
        "estimators": row_names(),
        "bounded_estimators": bounded_row_names(),
        "estimands": list(ESTIMANDS),
    }
    if unanswered is not None:
        return Draft(inputs, None, answer=unanswered, notes=targets.notes_as(LeftOutNotes), params=names)
    window, notes = inputs.window("units", inputs.learning.days), targets.notes_as(PolicyNotes)
    objective, of_units = Objective.parse(notes.objective), window.notes_as(UnitsNotes)
    data = EvaluationData(
        window.frame,
        targets.frame,
        propensities.frame,
        objective.satisfying,
        objective.margin,
        of_units.cluster,
        of_units.held_out_policies,
        notes.report_by,
        inputs.learning.judge_days,
        Logs(source.organic_rows, source.has("request_id")),
        objective,
    )
    frame = report(data, rule)
    shown = frame.select(
        "segment",
        "policy",
        "estimand",
        "metric",
        "estimator",
        "estimate",
        "lower",
        "upper",
        "difference",
        "effective_rounds",
        "status",
    )
    priced = source.has("purchase") and (source.has("price") or "price" in source.item_columns)
    plots = {f"challenger_{m}": policy_plot(of_estimand(frame, RAW), metric=m) for m in METRICS}
    pictures = {name: picture(plot) for name, plot in plots.items() if plot is not None}
    judged = window.frame.filter(pl.col("day").is_in(list(data.unseen_days)))
    whole = source.organic_rows == "every_impression" and source.has("request_id")
    adds = recommender_adds(
        without_held_out(judged, data.held_out), source.holdout, data.satisfying, data.cluster, whole
    )
    clusters = count_clusters(judged_rounds(data, window.frame).unique("unit_id"), data.cluster)
    return Draft(
        inputs,
        frame,
        notes=OffPolicyNotes(
            judged_slots=notes.judged_slots,
            not_judged=notes.not_judged,
            no_challenger=notes.no_challenger,
            clusters=clusters,
            objective=notes.objective,
            adds=adds_words(adds, data.satisfying),
            no_revenue=why_no_revenue(priced, objective.margin, notes.no_price),
        ),
        params=names,
        metadata={"values": table(shown), "clustered": clusters.words, **pictures},
    )
