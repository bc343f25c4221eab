"""The asset `off_policy_report`: each policy's value on days it never saw."""

import dagster as dg

from causalrec.evaluation import policy_values as off_policy
from causalrec.evaluation.notes import OffPolicyNotes
from causalrec.evaluation.plots import policy_plot
from causalrec.logs.clusters import count_clusters
from causalrec.logs.gaps import why_no_revenue
from causalrec.logs.units.notes import UnitsNotes
from causalrec.policy.notes import LeftOutNotes, PolicyNotes
from causalrec.settings.logs.sources import parse_source
from causalrec.settings.objective import parse_objective
from causalrec.settings.release import parse_release
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.partitions import learning_window_mapping
from causalrec_assets.common.ui import picture, table
from causalrec_assets.gate.draft import Draft
from resources.lake import Lake


@gated_asset(
    "off_policy_report",
    stage="evaluation",
    deps=["target_policy", "action_propensities", dg.AssetDep("units", partition_mapping=learning_window_mapping)],
)
def off_policy_report(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """Each policy's value on days it never saw: IPS, SNIPS, DM and DR beside the logged mean, trust first."""
    inputs = lake.inputs(context)
    source, rule = parse_source(inputs.setting("sources.yaml")), parse_release(inputs.setting("release.yaml"))
    targets, propensities = inputs.table("target_policy"), inputs.table("action_propensities")
    unanswered = next((t.answer for t in (propensities, targets) if not t.answer.answered), None)
    if unanswered is not None:
        return Draft(inputs, None, answer=unanswered, notes=targets.notes_as(LeftOutNotes))
    window, notes = inputs.window("units", inputs.learning.days), targets.notes_as(PolicyNotes)
    objective, of_units = parse_objective(notes.objective), window.notes_as(UnitsNotes)
    evidence = off_policy.Evidence(
        window.frame,
        targets.frame,
        propensities.frame,
        objective.satisfying,
        objective.margin,
        of_units.cluster,
        of_units.held_out_policies,
        notes.report_by,
        inputs.learning.judge_days,
    )
    frame = off_policy.report(evidence, rule)
    shown = frame.select(
        "segment",
        "policy",
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
    plots = {f"challenger_{m}": policy_plot(frame, metric=m) for m in off_policy.METRICS}
    pictures = {name: picture(plot) for name, plot in plots.items() if plot is not None}
    counted = count_clusters(off_policy.judged_rounds(evidence, window.frame).unique("unit_id"), evidence.cluster)
    return Draft(
        inputs,
        frame,
        notes=OffPolicyNotes(
            judged_slots=notes.judged_slots,
            not_judged=notes.not_judged,
            no_challenger=notes.no_challenger,
            clusters=counted,
            objective=notes.objective,
            no_revenue=why_no_revenue(priced, objective.margin, notes.no_price),
        ),
        metadata={"values": table(shown), "clustered": counted.words, **pictures},
    )
