"""The report as one self-contained HTML file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from itertools import groupby
from typing import Any

import polars as pl

from causalrec.answers import Status
from causalrec.estimators.policy_value import deciding, in_reading_order, weighting
from causalrec.evaluation.attributes import AttributeUse
from causalrec.evaluation.effects import heading, lead
from causalrec.evaluation.findings import Diagnostic, Gap
from causalrec.evaluation.plots import effects_plot, policy_plot
from causalrec.evaluation.policy_values import HELD_OUT_MEAN, LOGGED_MEAN
from causalrec.evaluation.rounds import EVERYONE, METRICS
from causalrec.evaluation.stated import DEFAULT, FIXED, STATED, Stated
from causalrec.evaluation.verdict import Decision, Verdict
from causalrec.graph.discovery.notes import EdgeDisagreement
from causalrec.graph.discovery.result import Dropped
from causalrec.graph.knowledge.conflicts import Conflict
from causalrec.policy.policies import CHALLENGER, labels

TEMPLATE = "report.html.j2"
TITLES = {
    Decision.BETTER: "Release the new policy: it is better than what serves now.",
    Decision.NOT_BETTER: "Keep what serves now: the new policy is not better.",
    Decision.INSUFFICIENT_EVIDENCE: "Keep what serves now: too little evidence to judge the new policy.",
    Decision.NOT_AVAILABLE: "Keep what serves now: the logs lack what it takes to judge a new policy.",
    Decision.NOT_IDENTIFIABLE: "Keep what serves now: logs made in this way cannot tell the new policy's value.",
}


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


def render(story: Story) -> str:
    """The HTML. Nothing is fetched by it: styles and pictures are inside."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    estimators = in_reading_order()
    template = environment.from_string((files(__package__) / TEMPLATE).read_text(encoding="utf-8"))
    policies = policy_rows(story.off_policy)
    treatments = list(dict.fromkeys(story.effects["treatment"]))
    return template.render(
        story=story,
        title=TITLES[story.verdict.decision],
        policies=policies,
        cards=cards(policies),
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


def policy_rows(report: pl.DataFrame) -> list[dict[str, Any]]:
    """What the page says of each segment, policy and metric.

    Args:
        report: The table `off_policy_report`.

    Returns:
        A row each, challenger first: the values of all estimators as text, empty where there is none, and those of the
        logged mean, of what decides, of the model's own promise and of held-out logs once more by what they are.
    """
    rows: list[dict[str, Any]] = []
    decides, weighs, words = deciding().name, weighting().name, labels()
    promise = next((each.name for each in in_reading_order() if each.on == "unseen"), None)
    for (segment, policy, metric), group in report.group_by(["segment", "policy", "metric"], maintain_order=True):
        by = {row["estimator"]: row for row in group.iter_rows(named=True)}
        values = {
            name: {"value": _number(row["estimate"], row["metric"]), "interval": _interval(row)}
            for name, row in by.items()
        }
        change = by[decides] if by[decides]["status"] == Status.ANSWERED else by[weighs]
        answered = [row for row in by.values() if row["difference"] is not None]
        rows.append(
            {
                "segment": str(segment),
                "policy": str(policy),
                "metric": str(metric),
                "words": words.get(str(policy), str(policy)),
                "values": values,
                "logged_mean": values[LOGGED_MEAN],
                "decides": values[decides],
                "promise": values[promise] if promise else None,
                "held_out_mean": values.get(HELD_OUT_MEAN),
                "change": _change(change) if answered else "",
                "change_interval": _span(change["difference_lower"], change["difference_upper"], str(metric), "+")
                if answered
                else "",
                "baseline": change["baseline"],
                "by": change["estimator"].upper(),
                "status": "" if answered else change["status"].replace("_", " "),
                "reason": "" if answered else change["reason"],
                "days": f"{by[weighs]['first_day']} to {by[weighs]['last_day']}",
            }
        )
    first = list(words)
    return sorted(rows, key=lambda row: first.index(row["policy"]) if row["policy"] in first else len(first))


def cards(policies: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The challenger's rows for everyone: what the reader looks at first."""
    return [row for row in policies if row["policy"] == CHALLENGER and row["segment"] == EVERYONE and row["change"]]


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
    report = story.off_policy
    plots = {"effects": effects_plot(story.effects), "graph": story.graph}
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


def _fixed(x: float, digits: int, sign: str = "") -> str:
    """A number with so many digits; what rounds to 0 has no minus sign."""
    return f"{round(x, digits) + 0.0:{sign}.{digits}f}"


def _number(x: float | None, metric: str) -> str:
    if x is None:
        return ""
    return f"{_fixed(100 * x, 2)} %" if metric == "satisfaction" else _fixed(x, 4)


def _span(low: float, high: float, metric: str, sign: str = "") -> str:
    scale, digits = (100, 2) if metric == "satisfaction" else (1, 4)
    return f"{_fixed(scale * low, digits, sign)} to {_fixed(scale * high, digits, sign)}"


def _interval(row: Mapping[str, Any]) -> str:
    return "" if row["lower"] is None else _span(row["lower"], row["upper"], row["metric"])


def _change(row: Mapping[str, Any]) -> str:
    if row["metric"] == "satisfaction":
        return f"{_fixed(100 * row['difference'], 2, '+')} points"
    return _fixed(row["difference"], 4, "+")
