"""The report as one self-contained HTML file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from itertools import groupby
from typing import Any, Self

import polars as pl

from causalrec.estimators.policy_value import deciding, in_reading_order
from causalrec.evaluation.attributes import AttributeUse
from causalrec.evaluation.deciding_rows import RAW, of_estimand
from causalrec.evaluation.effects import heading, lead
from causalrec.evaluation.estimands import Estimand
from causalrec.evaluation.findings import Diagnostic, Gap
from causalrec.evaluation.plots import effects_plot, policy_plot, trial_plot
from causalrec.evaluation.policy_values import HELD_OUT_MEAN
from causalrec.evaluation.report.first_lines import Line
from causalrec.evaluation.report.named_values import Cell, ValueRow, named_values
from causalrec.evaluation.report.policy_rows import cards, policy_rows
from causalrec.evaluation.report.sample_slates import SampleSlate
from causalrec.evaluation.rounds import METRICS
from causalrec.evaluation.stated import DEFAULT, FIXED, STATED, Stated
from causalrec.evaluation.trials.trial import Trial
from causalrec.evaluation.verdict import METRIC_WORDS, Decision, Verdict
from causalrec.graph.discovery.notes import EdgeDisagreement
from causalrec.graph.discovery.result import Dropped
from causalrec.graph.knowledge.conflicts import Conflict
from causalrec.settings.release import ESTIMANDS as MAY_DECIDE

TEMPLATE = "report.html.j2"
TITLES = {
    Decision.BETTER: "Release the new policy: it is better than what serves now.",
    Decision.NOT_BETTER: "Keep what serves now: the new policy is not better.",
    Decision.INSUFFICIENT_EVIDENCE: "Keep what serves now: too little evidence to judge the new policy.",
    Decision.NOT_AVAILABLE: "Keep what serves now: the logs lack what it takes to judge a new policy.",
    Decision.WAIT: "Keep what serves now: no look is due.",
    Decision.NOT_IDENTIFIABLE: "Keep what serves now: logs made in this way cannot tell the new policy's value.",
}


@dataclass(frozen=True)
class EstimandWords:
    """What people call a value of a policy, what it is of, and what it assumes."""

    name: str
    label: str
    assumes: str

    @classmethod
    def of(cls, estimand: Estimand) -> Self:
        """In the words of its own."""
        assumed = f" It assumes: {estimand.assumes}." if estimand.assumes else ""
        return cls(estimand.name, estimand.label, f"{estimand.meaning[:1].upper()}{estimand.meaning[1:]}.{assumed}")


@dataclass(frozen=True)
class Story:
    """What the report tells.

    Attributes:
        source, about: Of the logs.
        day: The partition.
        train, judge: The days learned from and judged on, in words.
        cluster: What intervals are clustered by.
        satisfying: The outcome S.
        rule: The release rule in words.
        first: What a person reads first, below the decision.
        estimand: Which value of a policy decides.
        estimands: Each value that a policy has, with what it assumes, in the order of the columns.
        trial: The trial that is told; None where the report is one look back.
        slates: Some that the challenger would show.
        off_policy, effects: The tables `off_policy_report` and `effect_report`.
        graph: PNG; None with a reason when there is none.
        dropped: Columns that are no nodes of the graph, each with its reason.
        conflicts: Of expert knowledge and data.
        edges: The table `causal_graph`.
        draws: How sure of the edges one is, in words.
        disagreements: Where FCI reads an edge in another way.
        settings: All that shaped the report.
        attributes: What is known of users, and what it was used for.
    """

    source: str
    about: str
    day: str
    train: str
    judge: str
    cluster: str
    satisfying: str
    rule: str
    verdict: Verdict
    off_policy: pl.DataFrame
    effects: pl.DataFrame
    gaps: Sequence[Gap]
    diagnostics: Sequence[Diagnostic]
    graph: bytes | None
    graph_reason: str
    dropped: Sequence[Dropped]
    conflicts: Sequence[Conflict]
    edges: pl.DataFrame
    draws: str
    disagreements: Sequence[EdgeDisagreement]
    settings: Sequence[Stated] = ()
    attributes: Sequence[AttributeUse] = ()
    first: Sequence[Line] = ()
    estimand: str = "raw"
    estimands: Sequence[EstimandWords] = ()
    trial: Trial | None = None
    slates: Sequence[SampleSlate] = ()


def render(story: Story) -> str:
    """The HTML. Nothing is fetched by it: styles and pictures are inside."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    estimators = in_reading_order()
    template = environment.from_string((files(__package__) / TEMPLATE).read_text(encoding="utf-8"))
    policies, named = policy_rows(story.off_policy), named_values(story.off_policy)
    treatments = list(dict.fromkeys(story.effects["treatment"]))
    return template.render(
        story=story,
        title=title(story.verdict, story.trial),
        metric_words=METRIC_WORDS,
        first=[(name, list(lines)) for name, lines in groupby(story.first, lambda line: line.name)],
        named=named,
        columns=[each for each in story.estimands if each.name in MAY_DECIDE],
        value_gaps=_value_gaps(named, story.estimands),
        policies=policies,
        cards=_cards(story, policies),
        effects_heading=heading(treatments),
        leads=[lead(treatment) for treatment in treatments],
        effects=[_effect(row) for row in story.effects.iter_rows(named=True)],
        gaps=merged(story.gaps),
        estimators=[(each.name, each.label.split(" (")) for each in estimators],
        decides=deciding().name,
        deciding_label=deciding().label,
        on_unseen_days=[each.name.upper() for each in estimators if each.on == "unseen"],
        weigh_elsewhere=[each.name.upper() for each in estimators if each.on == "all" and each.needs_model],
        has_held_out_logs=any(row["held_out_mean"] for row in policies),
        has_revenue=any(row["metric"] == "revenue" for row in policies),
        diagnostics=[
            (group, [asdict(line) for line in lines])
            for group, lines in groupby(story.diagnostics, lambda line: line.group)
        ],
        settings=_by_how(story.settings),
        dropped=[(reason, [d.column for d in columns]) for reason, columns in _by_reason(story.dropped)],
        plots={name: base64.b64encode(png).decode() for name, png in _plots(story).items()},
    )


def _value_gaps(rows: Sequence[ValueRow], estimands: Sequence[EstimandWords]) -> list[tuple[str, str, Cell]]:
    """Policy and metric, estimand, and why there is no value; each reason once."""
    labels = {each.name: each.label for each in estimands}
    gaps: dict[tuple[str, str], tuple[str, str, Cell]] = {}
    for row in rows:
        for name, cell in row.cells.items():
            if cell.status:
                gaps.setdefault((name, cell.reason), (f"{row.words}, {row.metric}", labels.get(name, name), cell))
    return list(gaps.values())


def _cards(story: Story, raw: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The challenger at a glance: by what decides, and its raw rate."""
    if story.estimand == RAW:
        return cards(raw)
    decides = cards(policy_rows(story.off_policy, story.estimand))
    return [*decides, *(row for row in cards(raw) if row["metric"] == "satisfaction")]


def title(verdict: Verdict, trial: Trial | None = None) -> str:
    """The decision in one sentence."""
    if verdict.decision is Decision.WAIT and verdict.look is None and trial is not None:
        return "Keep what serves now: a trial is running, and no look at it is due."
    if trial is not None and verdict.look is not None and not verdict.look.trusted and trial.closed is None:
        return "Keep what serves now: too little evidence at this look, and the trial goes on."
    if verdict.decision is Decision.WAIT and verdict.look is not None:
        return "Keep what serves now: this look does not decide, and the trial goes on."
    return TITLES[verdict.decision]


def merged(gaps: Sequence[Gap]) -> list[dict[str, str]]:
    """Gaps with one and the same reason on one line.

    Returns:
        A line each, with `subject`, `status` and `reason`.
    """
    subjects_of: dict[tuple[str, str], list[str]] = {}
    for gap in gaps:
        subjects_of.setdefault((gap.answer.status.value, gap.answer.reason), []).append(gap.subject)
    return [
        {"subject": "; ".join(subjects), "status": status.replace("_", " "), "reason": reason}
        for (status, reason), subjects in subjects_of.items()
    ]


def _plots(story: Story) -> dict[str, bytes]:
    report = of_estimand(story.off_policy, RAW)
    plots = {"effects": effects_plot(story.effects), "graph": story.graph}
    if story.trial is not None:
        plots["trial"] = trial_plot(story.trial.looks, story.trial.weeks)
    for metric in METRICS:
        plots[metric] = policy_plot(report, metric=metric)
    checked = report.filter(pl.col("estimator") == HELD_OUT_MEAN)
    if checked.height:
        policy = str(checked["policy"][0])
        segments = checked.filter(pl.col("policy") == policy)["segment"].unique(maintain_order=True).to_list()
        plots["answer_sheet"] = policy_plot(report, policy, "satisfaction", segments)
    return {name: png for name, png in plots.items() if png is not None}


def _effect(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "status_words": row["status"].replace("_", " ")}


def _by_how(settings: Sequence[Stated]) -> list[tuple[str, list[Stated]]]:
    """What the home states first, then the defaults, then what is fixed."""
    titles = {STATED: "Stated by this home", DEFAULT: "Defaults, not stated by this home", FIXED: "Fixed in the code"}
    groups = [(title, [each for each in settings if each.how == how]) for how, title in titles.items()]
    return [(title, group) for title, group in groups if group]


def _by_reason(dropped: Sequence[Dropped]) -> list[tuple[str, list[Dropped]]]:
    ordered = sorted(dropped, key=lambda d: d.reason)
    return [(reason, list(columns)) for reason, columns in groupby(ordered, lambda d: d.reason)]
