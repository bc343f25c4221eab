"""The asset `evaluation_report`: the verdict, and the page for people."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import dagster as dg

from causalrec.answers import Answer, not_available
from causalrec.evaluation.attributes import attribute_uses
from causalrec.evaluation.deciding_rows import RAW, never_told
from causalrec.evaluation.estimands import ESTIMANDS
from causalrec.evaluation.findings import Diagnostic, Gap, diagnostics, find_gaps
from causalrec.evaluation.notes import EffectReportNotes, OffPolicyNotes, VerdictNotes
from causalrec.evaluation.report.first_lines import A_WEEK, SURE, Judged, first_lines
from causalrec.evaluation.report.html import EstimandWords, Story, render
from causalrec.evaluation.report.sample_slates import FILE, read_slates
from causalrec.evaluation.report.summary import findings_table
from causalrec.evaluation.stated import FILES, Stated, settings_stated
from causalrec.evaluation.trials.notes import TrialNotes
from causalrec.evaluation.unjudged import unjudged_lines
from causalrec.evaluation.verdict import at_look, between_looks, look_back
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
    deps=["target_policy", "off_policy_report", "trial_report", "effect_report", "adjustment_sets", *SPOKEN_FOR],
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
    models, graph, policies = read["outcome_model"], read["causal_graph"], inputs.table("target_policy")
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
    # A report that was made before values had names is of raw ones.
    estimand = rule.deciding_estimand(source) if "estimand" in judged.frame.columns else RAW
    told = _told(inputs, judged, rule, estimand, _unanswered(judged, models, estimand))
    return Story(
        source=source.name,
        about=source.about,
        day=inputs.day.isoformat(),
        train=_span(inputs.learning.train_days),
        judge=_span(inputs.learning.judge_days),
        cluster=source.cluster,
        satisfying=told.satisfying,
        rule=rule.words(),
        verdict=told.verdict,
        first=first_lines(replace(told, adds=_adds(judged), cluster=source.cluster)),
        estimand=told.estimand,
        estimands=[EstimandWords.of(each) for each in ESTIMANDS.values()],
        trial=told.trial,
        slates=read_slates(policies.file(FILE)) if FILE in policies.files else (),
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


def _told(inputs: Inputs, judged: Table, rule: ReleaseRule, estimand: str, unanswered: Answer | None) -> Judged:
    """The verdict, and what the first lines are made from: the trial's look, or one look back."""
    satisfying = Objective.parse(inputs.setting("objective.yaml")).satisfying
    no_revenue = judged.notes_as(OffPolicyNotes).no_revenue if judged.answer.answered else judged.answer.reason
    trials = inputs.table("trial_report")
    if rule.retrospective is not None:
        verdict = look_back(judged.frame, rule, estimand, unanswered)
        slots = _recommended(judged.notes_as(LeftOutNotes))
        return Judged(verdict, judged.frame, rule, satisfying, estimand, slots=slots, no_revenue=no_revenue)
    notes = trials.notes_as(TrialNotes)
    trial, report = notes.trial, judged.frame
    if trial is None:
        verdict = between_looks(None, notes.words, unanswered)
        return Judged(verdict, report, rule, satisfying, estimand, no_revenue=no_revenue)
    verdict = between_looks(trial, notes.words)
    for look in notes.looks:
        report = trials.frame.filter(look=look.number)
        verdict = at_look(trial, look, report)
        trial = trial.after(look)
    return Judged(verdict, report, rule, satisfying, trial.estimand, trial, notes.days, no_revenue=no_revenue)


def _adds(judged: Table) -> Answer | str:
    """What the whole recommender adds, in words; or why it is not told."""
    if not judged.answer.answered:
        return judged.answer
    adds = judged.notes_as(OffPolicyNotes).adds
    if adds is None:
        return not_available("this report was made without it; materialise off_policy_report again")
    return adds.reason if adds.answered else adds


def _recommended(notes: LeftOutNotes) -> int | None:
    """How many slots there were to judge."""
    return None if notes.judged_slots is None else notes.judged_slots + sum((notes.not_judged or {}).values())


def _unanswered(judged: Table, models: Table, estimand: str) -> Answer | None:
    """Why there is nothing to give a verdict of; None where there is."""
    missing = next((table.answer for table in (judged, models) if not table.answer.answered), None)
    return missing or judged.notes_as(LeftOutNotes).no_challenger or never_told(judged.frame, estimand)


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
