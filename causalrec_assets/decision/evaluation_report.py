"""The asset `evaluation_report`: the verdict, and the page for people."""

from collections.abc import Sequence
from datetime import date

import dagster as dg
import polars as pl

from causalrec.answers import not_available
from causalrec.evaluation.attributes import attribute_uses
from causalrec.evaluation.findings import Gap, diagnostics, find_gaps
from causalrec.evaluation.notes import EffectReportNotes, OffPolicyNotes, VerdictNotes
from causalrec.evaluation.report.html import Story, render
from causalrec.evaluation.stated import FILES, Stated, settings_stated
from causalrec.evaluation.unjudged import unjudged_lines
from causalrec.evaluation.verdict import decide
from causalrec.graph.knowledge.notes import GraphNotes
from causalrec.home import CHECKOUT, Home
from causalrec.model.outcome.notes import OutcomeModelNotes
from causalrec.policy.notes import LeftOutNotes
from causalrec.settings.file import read_setting
from causalrec.settings.logs.sources import parse_source
from causalrec.settings.objective import Objective
from causalrec.settings.policy import PolicyConfig
from causalrec.settings.release import ReleaseRule
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.partitions import due_every_day
from causalrec_assets.common.reads import covariate_settings
from causalrec_assets.common.ui import table
from causalrec_assets.gate.draft import Draft
from causalrec_assets.lake.inputs import Inputs, Table, setting_hash
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
    "evaluation_report",
    freshness_policy=due_every_day,
    group_name="evaluation",
    deps=["off_policy_report", "effect_report", "adjustment_sets", *SPOKEN_FOR],
)
def evaluation_report(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """The verdict on the challenger and the report for people, as one HTML file."""
    inputs = lake.inputs(context)
    source = parse_source(inputs.setting("sources.yaml"))
    rule = ReleaseRule.parse(inputs.setting("release.yaml"))
    objective = Objective.parse(inputs.setting("objective.yaml"))
    judged, effects_told = inputs.table("off_policy_report"), inputs.table("effect_report")
    effects_ = effects_told.frame
    read = {name: inputs.table(name) for name in SPOKEN_FOR}
    models, graph = read["outcome_model"], read["causal_graph"]

    unanswered = next((t.answer for t in (judged, models) if not t.answer.answered), None)
    left_out, of_effects = judged.notes_as(LeftOutNotes), effects_told.notes_as(EffectReportNotes)
    values = judged.notes_as(OffPolicyNotes) if judged.answer.answered else None
    fitted = models.notes_as(OutcomeModelNotes) if models.answer.answered else None
    found_graph = graph.notes_as(GraphNotes) if graph.answer.answered else None
    if unanswered is None:
        unanswered = left_out.no_challenger
    verdict = decide(judged.frame, rule, unanswered)
    answers = {name: read_table.answer for name, read_table in {**read, "off_policy_report": judged}.items()}
    gaps = find_gaps(answers, effects_, judged.frame)
    if values is not None and "revenue" not in judged.frame["metric"]:
        gaps.append(Gap("revenue of any policy", not_available(values.no_revenue)))
    trust = diagnostics(
        effects_,
        judged.frame,
        fitted.log_loss if fitted else {},
        {"Effects": of_effects.clusters, "Policies": values.clusters if values else None},
        of_effects.far_values or (),
    )
    trust += unjudged_lines(left_out)
    groups = list(dict.fromkeys(["Effects", "Policies", *(line.group for line in trust)]))
    trust.sort(key=lambda line: groups.index(line.group))
    stated = _stated(inputs, [judged, effects_told, *read.values()])
    attributes = attribute_uses(
        source,
        covariate_settings(inputs).leave_out,
        found_graph,
        inputs.table("adjustment_sets").frame,
        fitted,
        PolicyConfig.parse(inputs.setting("policy.yaml")).allow_sensitive,
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
            diagnostics=trust,
            graph=graph.file("graph.png") if graph.answer.answered else None,
            graph_reason=graph.answer.reason,
            dropped=found_graph.dropped if found_graph else (),
            conflicts=found_graph.conflicts if found_graph else (),
            edges=graph.frame,
            draws=found_graph.draws if found_graph else "",
            disagreements=found_graph.disagreements if found_graph else (),
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
        *(("setting", setting.name, setting.how, setting.value) for setting in stated),
    ]
    columns = ("section", "subject", "status", "headline")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return Draft(
        inputs,
        frame,
        notes=VerdictNotes(verdict.decision.value, verdict.reason),
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
    defaults = {file: read_setting(template, file) for file in FILES if template.setting(file).exists()}
    changed: dict[str, list[str]] = {}
    for file in FILES:
        now = setting_hash(inputs.home, file)
        made_from = {made.name: made.pointer.inputs.get(f"setting:{file}", now) for made in tables}
        changed[file] = [name for name, then in made_from.items() if then != now]
    return settings_stated(own, defaults, changed)


def _span(days: Sequence[date]) -> str:
    return f"{days[0]} to {days[-1]}" if days else "no day"
