"""The evaluation assets: `off_policy_report`, `effect_report`, `evaluation_report`."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date

import dagster as dg
import polars as pl

from causalrec_assets.answers import Answer, Status, not_available
from causalrec_assets.evaluation import effect_report as effect
from causalrec_assets.evaluation import off_policy
from causalrec_assets.evaluation.attributes import attribute_uses
from causalrec_assets.evaluation.findings import Gap, find_gaps, trust_lines
from causalrec_assets.evaluation.html import Story, render
from causalrec_assets.evaluation.plots import effects_plot, policy_plot
from causalrec_assets.evaluation.rule import parse_release
from causalrec_assets.evaluation.stated import FILES, Stated, settings_stated
from causalrec_assets.evaluation.unjudged import unjudged_lines
from causalrec_assets.evaluation.verdict import judge
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.gated import gated_asset
from causalrec_assets.gate.inputs import Inputs, Table, read_setting, setting_hash
from causalrec_assets.gate.metadata import picture, table
from causalrec_assets.home import CHECKOUT, Home
from causalrec_assets.logs.clusters import count_clusters
from causalrec_assets.logs.covariate_settings import covariate_settings
from causalrec_assets.logs.gaps import why_no_revenue
from causalrec_assets.logs.sources import parse_source
from causalrec_assets.partitions import due_every_day, learning_window_mapping
from causalrec_assets.policy.objective import parse_objective
from causalrec_assets.policy.policy_config import parse_policy
from resources.lake import Lake

# The tables whose answers the report says in words, beside its own two.
SPOKEN_FOR = (
    "users",
    "history",
    "item_embeddings",
    "causal_graph",
    "treatment_propensities",
    "action_propensities",
    "outcome_model",
)


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
    left_out = {key: targets.notes.get(key) for key in ("judged_slots", "not_judged", "no_challenger")}
    if unanswered is not None:
        return Draft(inputs, None, answer=unanswered, notes=left_out)
    window = inputs.window("units", inputs.learning.days)
    notes = targets.notes
    evidence = off_policy.Evidence(
        window.frame,
        targets.frame,
        propensities.frame,
        notes["objective"]["satisfying"],
        notes["objective"]["margin"],
        window.notes["cluster"],
        window.notes["held_out_policies"],
        notes["report_by"],
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
        notes={
            **left_out,
            "clusters": asdict(counted),
            "objective": notes["objective"],
            "no_revenue": why_no_revenue(priced, notes["objective"]["margin"], notes.get("no_price")),
        },
        metadata={"values": table(shown), "clustered": counted.words, **pictures},
    )


@gated_asset("effect_report", stage="evaluation", deps=["effects", "adjustment_sets"])
def effect_report(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What each treatment changes: trust, causal beside naive, sensitivity and assumptions, in words."""
    inputs = lake.inputs(context)
    found, sets = inputs.table("effects"), inputs.table("adjustment_sets")
    frame = effect.report(found.frame, found.notes["diagnostics"], sets.frame, sets.notes["split"])
    plot = effects_plot(frame)
    return Draft(
        inputs,
        frame,
        notes={key: found.notes.get(key) for key in ("clusters", "far_values")},
        params={"questions": sets.frame.height},
        metadata={
            "verdicts": table(frame.select("question", "verdict")),
            **({"effects": picture(plot)} if plot else {}),
        },
    )


@gated_asset(
    "evaluation_report",
    freshness_policy=due_every_day,
    stage="evaluation",
    deps=["off_policy_report", "effect_report", "adjustment_sets", *SPOKEN_FOR],
)
def evaluation_report(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """The verdict on the challenger and the report for people, as one HTML file."""
    inputs = lake.inputs(context)
    source = parse_source(inputs.setting("sources.yaml"))
    rule = parse_release(inputs.setting("release.yaml"))
    objective = parse_objective(inputs.setting("objective.yaml"))
    judged, effects_told = inputs.table("off_policy_report"), inputs.table("effect_report")
    effects_ = effects_told.frame
    read = {name: inputs.table(name) for name in SPOKEN_FOR}
    models, graph = read["outcome_model"], read["causal_graph"]

    unanswered = next((t.answer for t in (judged, models) if not t.answer.answered), None)
    if unanswered is None and (lacking := judged.notes.get("no_challenger")):
        unanswered = Answer(Status(lacking["status"]), lacking["reason"])
    verdict = judge(judged.frame, rule, unanswered)
    answers = {name: found.answer for name, found in {**read, "off_policy_report": judged}.items()}
    gaps = find_gaps(answers, effects_, judged.frame)
    if judged.answer.answered and "revenue" not in judged.frame["metric"]:
        gaps.append(Gap("revenue of any policy", not_available(judged.notes["no_revenue"])))
    trust = trust_lines(
        effects_,
        judged.frame,
        models.notes if models.answer.answered else {},
        {"Effects": effects_told.notes.get("clusters"), "Policies": judged.notes.get("clusters")},
        effects_told.notes.get("far_values") or (),
    )
    trust += unjudged_lines(judged.notes)
    groups = list(dict.fromkeys(["Effects", "Policies", *(line.group for line in trust)]))
    trust.sort(key=lambda line: groups.index(line.group))
    stated = _stated(inputs, [judged, effects_told, *read.values()])
    attributes = attribute_uses(
        source,
        covariate_settings(inputs).leave_out,
        graph.notes if graph.answer.answered else None,
        inputs.table("adjustment_sets").frame,
        models.notes if models.answer.answered else None,
        parse_policy(inputs.setting("policy.yaml")).allow_sensitive,
    )
    html = render(
        Story(
            source=source.name,
            about=source.about,
            day=inputs.day.isoformat(),
            train=_span(inputs.learning.train_days),
            judge=_span(inputs.learning.judge_days),
            cluster=source.cluster,
            satisfying=objective.satisfying,
            rule=rule.words(),
            verdict=verdict,
            off_policy=judged.frame,
            effects=effects_,
            gaps=gaps,
            trust=trust,
            graph=graph.file("graph.png") if graph.answer.answered else None,
            graph_reason=graph.answer.reason,
            dropped=graph.notes.get("dropped", []),
            conflicts=graph.notes.get("conflicts", []),
            edges=graph.frame,
            draws=graph.notes.get("draws", ""),
            disagreements=graph.notes.get("disagreements", []),
            settings=stated,
            attributes=attributes,
        )
    )
    # The published file is named by a hash; people open this copy.
    path = inputs.home.reports / f"{inputs.day}.html"
    rows = [
        ("verdict", "challenger", verdict.decision.value, verdict.reason),
        *(("effect", r["question"], r["status"], r["verdict"]) for r in effects_.iter_rows(named=True)),
        *(("gap", gap.subject, gap.answer.status.value, gap.answer.reason) for gap in gaps),
        *(("trust", line.what, "answered", f"{line.number}: {line.words}") for line in trust),
        *(("attribute", use.name, use.kind, f"{use.effects}; by the policy: {use.policy}") for use in attributes),
        *(("setting", said.name, said.how, said.value) for said in stated),
    ]
    columns = ("section", "subject", "status", "headline")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return Draft(
        inputs,
        frame,
        notes={"verdict": verdict.decision.value, "reason": verdict.reason},
        files={"report.html": html.encode()},
        exports={"report.html": path},
        metadata={
            "verdict": verdict.decision.value,
            "reason": verdict.reason,
            "report": dg.MetadataValue.path(str(path)),
            "findings": table(frame),
        },
    )


def _stated(inputs: Inputs, tables: Sequence[Table]) -> list[Stated]:
    """Every setting that shaped the report, and which tables were made from another version of its file."""
    template = Home(CHECKOUT)
    own = {file: inputs.setting(file) for file in FILES if (inputs.home.data / file).exists()}
    theirs = {file: read_setting(template, file) for file in FILES if template.setting(file).exists()}
    changed: dict[str, list[str]] = {}
    for file in FILES:
        now = setting_hash(inputs.home, file)
        made_from = {made.name: made.pointer.inputs.get(f"setting:{file}", now) for made in tables}
        changed[file] = [name for name, then in made_from.items() if then != now]
    return settings_stated(own, theirs, changed)


def _span(days: Sequence[date]) -> str:
    return f"{days[0]} to {days[-1]}" if days else "no day"


ASSETS = [off_policy_report, effect_report, evaluation_report]
