"""The asset `evaluation_report`: the verdict, and the page for people."""

from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg

from causalrec.answers import Answer, not_available
from causalrec.evaluation.attributes import attribute_uses
from causalrec.evaluation.findings import Diagnostic, Gap, diagnostics, find_gaps
from causalrec.evaluation.notes import EffectReportNotes, OffPolicyNotes, VerdictNotes
from causalrec.evaluation.report.first_lines import A_WEEK, SURE, Judged, first_lines
from causalrec.evaluation.report.html import Story, render
from causalrec.evaluation.report.summary import findings_table
from causalrec.evaluation.stated import FILES, Stated, settings_stated
from causalrec.evaluation.unjudged import unjudged_lines
from causalrec.evaluation.verdict import Verdict, decide
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
    story = _story(inputs)
    frame = findings_table(story)
    # The published file is named by a hash; people open this copy.
    path = inputs.home.reports / f"{inputs.day}.html"
    verdict, reason, next_step = story.verdict.decision.value, story.verdict.reason, story.verdict.next_step
    return Draft(
        inputs,
        frame,
        notes=VerdictNotes(verdict, reason, next_step),
        files={"report.html": render(story).encode()},
        exports={"report.html": path},
        metadata={
            "verdict": verdict,
            "reason": reason,
            "next_step": next_step,
            **{line.name: line.words for line in story.first if line.name in (A_WEEK, SURE)},
            "report": dg.MetadataValue.path(str(path)),
            "findings": table(frame),
        },
    )


def _story(inputs: Inputs) -> Story:
    """All that the page says."""
    source = parse_source(inputs.setting("sources.yaml"))
    rule = ReleaseRule.parse(inputs.setting("release.yaml"))
    judged, effects = inputs.table("off_policy_report"), inputs.table("effect_report")
    read = {name: inputs.table(name) for name in SPOKEN_FOR}
    models, graph = read["outcome_model"], read["causal_graph"]
    fitted = models.notes_as(OutcomeModelNotes) if models.answer.answered else None
    graph_notes = graph.notes_as(GraphNotes) if graph.answer.answered else None
    attributes = attribute_uses(
        source,
        covariate_settings(inputs).leave_out,
        graph_notes,
        inputs.table("adjustment_sets").frame,
        fitted,
        PolicyConfig.parse(inputs.setting("policy.yaml")).allow_sensitive,
    )
    verdict = decide(judged.frame, rule, _unanswered(judged, models))
    satisfying = Objective.parse(inputs.setting("objective.yaml")).satisfying
    return Story(
        source=source.name,
        about=source.about,
        day=inputs.day.isoformat(),
        train=_span(inputs.learning.train_days),
        judge=_span(inputs.learning.judge_days),
        cluster=source.cluster,
        satisfying=satisfying,
        rule=rule.words(),
        verdict=verdict,
        first=first_lines(_judged(judged, verdict, rule, satisfying)),
        off_policy=judged.frame,
        effects=effects.frame,
        gaps=_gaps(judged, effects, read),
        diagnostics=_diagnostics(judged, effects, fitted),
        graph=graph.file("graph.png") if graph_notes else None,
        graph_reason=graph.answer.reason,
        dropped=graph_notes.dropped if graph_notes else (),
        conflicts=graph_notes.conflicts if graph_notes else (),
        edges=graph.frame,
        draws=graph_notes.draws if graph_notes else "",
        disagreements=graph_notes.disagreements if graph_notes else (),
        settings=_stated(inputs, [judged, effects, *read.values()]),
        attributes=attributes,
    )


def _judged(judged: Table, verdict: Verdict, rule: ReleaseRule, satisfying: str) -> Judged:
    """What the first lines are made from."""
    left_out = judged.notes_as(LeftOutNotes)
    slots = left_out.judged_slots
    no_revenue = judged.notes_as(OffPolicyNotes).no_revenue if judged.answer.answered else judged.answer.reason
    return Judged(
        verdict,
        judged.frame,
        rule,
        satisfying,
        None if slots is None else slots + sum((left_out.not_judged or {}).values()),
        no_revenue,
    )


def _unanswered(judged: Table, models: Table) -> Answer | None:
    """Why there is nothing to give a verdict of; None where there is."""
    missing = next((table.answer for table in (judged, models) if not table.answer.answered), None)
    return missing or judged.notes_as(LeftOutNotes).no_challenger


def _gaps(judged: Table, effects: Table, read: Mapping[str, Table]) -> list[Gap]:
    """What the data could not say."""
    answers = {name: table.answer for name, table in {**read, "off_policy_report": judged}.items()}
    gaps = find_gaps(answers, effects.frame, judged.frame)
    if judged.answer.answered and "revenue" not in judged.frame["metric"]:
        gaps.append(Gap("revenue of any policy", not_available(judged.notes_as(OffPolicyNotes).no_revenue)))
    return gaps


def _diagnostics(judged: Table, effects: Table, fitted: OutcomeModelNotes | None) -> list[Diagnostic]:
    """What the numbers rest on: of effects first, then of policies, then of the rest."""
    of_effects = effects.notes_as(EffectReportNotes)
    values = judged.notes_as(OffPolicyNotes) if judged.answer.answered else None
    lines = diagnostics(
        effects.frame,
        judged.frame,
        fitted.log_loss if fitted else {},
        {"Effects": of_effects.clusters, "Policies": values.clusters if values else None},
        of_effects.far_values or (),
    )
    lines += unjudged_lines(judged.notes_as(LeftOutNotes))
    groups = list(dict.fromkeys(["Effects", "Policies", *(line.group for line in lines)]))
    return sorted(lines, key=lambda line: groups.index(line.group))


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
