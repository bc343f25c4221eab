"""The evaluation assets: `off_policy_report`, `effect_report`, `evaluation_report`."""

import dagster as dg
import polars as pl

from causalrec_assets.answers import Answer, Status, not_available
from causalrec_assets.embeddings.assets import item_embeddings
from causalrec_assets.evaluation import effect_report as effect
from causalrec_assets.evaluation import off_policy
from causalrec_assets.evaluation.html import Story, render, trust_lines
from causalrec_assets.evaluation.plots import effects_plot, policy_plot
from causalrec_assets.evaluation.rule import parse_release
from causalrec_assets.evaluation.verdict import judge
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.gated import gated_asset
from causalrec_assets.gate.metadata import picture, table
from causalrec_assets.graph.assets import adjustment_sets, causal_graph
from causalrec_assets.logs.assets import history, units, users
from causalrec_assets.logs.sources import parse_source
from causalrec_assets.model.assets import action_propensities, effects, outcome_model, treatment_propensities
from causalrec_assets.partitions import learning_window_mapping
from causalrec_assets.policy.assets import target_policy
from resources.lake import Lake


@gated_asset(
    "off_policy_report", stage="evaluation",
    deps=[target_policy, action_propensities, dg.AssetDep(units, partition_mapping=learning_window_mapping)],
)
def off_policy_report(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """The value of each policy on days it never saw: IPS, SNIPS, DM and DR beside the logged mean, trust first."""
    inputs = lake.inputs(context)
    rule = parse_release(inputs.setting("release.yaml"))
    targets, propensities = inputs.table("target_policy"), inputs.table("action_propensities")
    unanswered = next((t.answer for t in (propensities, targets) if not t.answer.answered), None)
    if unanswered is not None:
        return Draft(inputs, None, answer=unanswered)
    window = inputs.window("units", inputs.learning.days)
    notes = targets.notes
    evidence = off_policy.Evidence(
        window.frame, targets.frame, propensities.frame, notes["objective"]["satisfying"], notes["objective"]["margin"],
        window.notes["cluster"], window.notes["held_out_policies"], notes["report_by"],
    )
    frame = off_policy.report(evidence, rule)
    shown = frame.select("segment", "policy", "metric", "estimator", "estimate", "lower", "upper", "difference", "effective_rounds",
                         "status")
    plot = policy_plot(frame)
    return Draft(inputs, frame, metadata={"values": table(shown), **({"challenger": picture(plot)} if plot else {})})


@gated_asset("effect_report", stage="evaluation", deps=[effects, adjustment_sets, treatment_propensities])
def effect_report(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What recommending changes, in words: overlap and calibration first, causal beside naive, sensitivity, assumptions."""
    inputs = lake.inputs(context)
    found, sets = inputs.table("effects"), inputs.table("adjustment_sets").frame
    frame = effect.report(found.frame, found.notes["diagnostics"], sets)
    plot = effects_plot(frame)
    return Draft(inputs, frame, params={"questions": sets.height},
                 metadata={"verdicts": table(frame.select("question", "verdict")), **({"effects": picture(plot)} if plot else {})})


@gated_asset(
    "evaluation_report", stage="evaluation",
    deps=[off_policy_report, effect_report, causal_graph, outcome_model, item_embeddings, users, history],
)
def evaluation_report(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """The verdict on the challenger and the report for people, as one HTML file."""
    inputs = lake.inputs(context)
    source = parse_source(inputs.setting("sources.yaml"))
    rule = parse_release(inputs.setting("release.yaml"))
    read = {name: inputs.table(name) for name in (
        "off_policy_report", "effect_report", "causal_graph", "outcome_model", "item_embeddings", "users", "history",
    )}
    models, graph, judged = read["outcome_model"], read["causal_graph"], read["off_policy_report"]
    unanswered = next((t.answer for t in (judged, models) if not t.answer.answered), None)
    verdict = judge(judged.frame, rule, unanswered)
    objective = inputs.setting("objective.yaml")
    train, judge_days = inputs.learning.train_days, inputs.learning.judge_days
    gaps = _gaps({name: found.answer for name, found in read.items()}, read["effect_report"].frame, judged.frame)
    if not source.has("purchase"):
        gaps.append(("revenue", not_available("the source logs no purchases and no prices, so policies are ranked by satisfaction alone")))
    story = Story(
        source=source.name, about=source.about, day=inputs.day.isoformat(), train=_span(train), judge=_span(judge_days),
        cluster=source.cluster, satisfying=objective["satisfying"], verdict=verdict, off_policy=judged.frame,
        effects=read["effect_report"].frame, gaps=gaps, model=models.notes if models.answer.answered else {},
        graph=graph.file("graph.png") if graph.answer.answered else None, graph_reason=graph.answer.reason,
        dropped=graph.notes.get("dropped", []), conflicts=graph.notes.get("conflicts", []),
    )
    html = render(story)
    path = inputs.home.reports / f"{inputs.day}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [("verdict", "challenger", verdict.decision.value, verdict.reason)]
    rows += [("effect", r["question"], r["status"], r["verdict"]) for r in story.effects.iter_rows(named=True)]
    rows += [("gap", subject, answer.status.value, answer.reason) for subject, answer in gaps]
    rows += [("trust", line["what"], "answered", f"{line['number']}: {line['words']}") for line in trust_lines(story)]
    frame = pl.DataFrame(rows, schema={"section": pl.String, "subject": pl.String, "status": pl.String, "headline": pl.String},
                         orient="row")
    path.write_text(html, encoding="utf-8")
    return Draft(
        inputs, frame, notes={"verdict": verdict.decision.value, "reason": verdict.reason},
        files={"report.html": html.encode()}, params={"verdicts": 1},
        metadata={"verdict": verdict.decision.value, "reason": verdict.reason, "report": dg.MetadataValue.path(str(path)),
                  "findings": table(frame)},
    )


def _gaps(answers: dict[str, Answer], effects_: pl.DataFrame, judged: pl.DataFrame) -> list[tuple[str, Answer]]:
    """Everything without an answer: whole tables, questions, and policies of segments."""
    found = [(name.replace("_", " "), answer) for name, answer in answers.items() if not answer.answered]
    for row in effects_.iter_rows(named=True):
        if row["status"] != Status.ANSWERED:
            found.append((f"effect of {row['treatment']} on {row['outcome']}", Answer(Status(row["status"]), row["reason"])))
    open_rows = judged.filter(pl.col("status") != Status.ANSWERED).unique(["segment", "policy"], maintain_order=True)
    for row in open_rows.iter_rows(named=True):
        found.append((f"value of {row['policy']}, {row['segment']}", Answer(Status(row["status"]), row["reason"])))
    return found


def _span(days: tuple) -> str:  # type: ignore[type-arg]
    return f"{days[0]} to {days[-1]}" if days else "no day"


ASSETS = [off_policy_report, effect_report, evaluation_report]
