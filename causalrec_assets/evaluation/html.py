"""The report as one self-contained HTML file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from causalrec_assets.answers import Answer, Status
from causalrec_assets.evaluation.plots import effects_plot, policy_plot
from causalrec_assets.evaluation.verdict import Decision, Verdict

TITLES = {
    Decision.BETTER: "Release: the new policy is better.",
    Decision.NOT_BETTER: "Keep what serves: the new policy is not better.",
    Decision.INSUFFICIENT_EVIDENCE: "Keep what serves: too little evidence to judge the new policy.",
}
ESTIMATORS = {"logged_mean": "logged mean", "answer_sheet_mean": "answer sheet", "ips": "IPS", "snips": "SNIPS", "dm": "DM",
              "dr": "DR"}


@dataclass(frozen=True)
class Story:
    """What the report tells.

    Attributes:
        gaps: (subject, answer) of everything that has no answer.
        model: Notes of the table `outcome_model`; empty when there is none.
        graph: PNG; None with a reason when there is none.
    """

    source: str
    about: str
    day: str
    train: str
    judge: str
    cluster: str
    satisfying: str
    verdict: Verdict
    off_policy: pl.DataFrame
    effects: pl.DataFrame
    gaps: Sequence[tuple[str, Answer]]
    model: Mapping[str, Any]
    graph: bytes | None
    graph_reason: str
    dropped: Sequence[Mapping[str, Any]]
    conflicts: Sequence[Mapping[str, Any]]


def render(story: Story) -> str:
    """The HTML. Nothing is fetched by it: styles and pictures are inside."""
    import jinja2

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    template = environment.from_string(Path(__file__).with_name("report.html.j2").read_text(encoding="utf-8"))
    effects = [{**row, "status_words": row["status"].replace("_", " ")} for row in story.effects.iter_rows(named=True)]
    return template.render(
        source=story.source, about=story.about, day=story.day, window={"train": story.train, "judge": story.judge},
        cluster=story.cluster.replace("_id", ""), satisfying=story.satisfying,
        verdict={"decision": story.verdict.decision.value, "title": TITLES[story.verdict.decision], "reason": story.verdict.reason},
        policies=[_policy_row(row) for row in story.off_policy.iter_rows(named=True)], effects=effects,
        effects_plot=_base64(effects_plot(story.effects)), policy_plot=_base64(policy_plot(story.off_policy)),
        gaps=[{"subject": s, "status": a.status.value.replace("_", " "), "reason": a.reason} for s, a in story.gaps],
        trust=trust_lines(story), graph=_base64(story.graph), graph_reason=story.graph_reason, dropped=story.dropped,
        conflicts=story.conflicts, assumptions=sorted({row["assumptions"] for row in effects if row["assumptions"]}),
    )


def trust_lines(story: Story) -> list[dict[str, str]]:
    """Overlap, effective sizes, calibration, and whether the model beats the constant rate."""
    lines: list[dict[str, str]] = []
    for row in story.effects.iter_rows(named=True):
        if row["status"] == Status.ANSWERED:
            lines.append(_line(f"overlap, {row['question']}", f"{row['overlap_share']:.1%}", "of the units could have had either arm"))
            lines.append(_line(f"effective units, {row['question']}", f"{row['effective_treated']:,.0f} / {row['effective_control']:,.0f}",
                               "treated / not, after weighting"))
            lines.append(_line(f"propensity calibration, {row['question']}", f"{row['calibration_error']:.4f}",
                               "mean gap between predicted and observed shares"))
    for outcome, scores in story.model.get("log_loss", {}).items():
        beats = scores["model"] < scores["constant"]
        words = "the outcome model beats the constant rate" if beats else "the outcome model does NOT beat the constant rate"
        lines.append(_line(f"log loss of {outcome}, judgement days", f"{scores['model']:.4f} against {scores['constant']:.4f}", words))
    if not lines:
        lines.append(_line("nothing", "", "no model and no effect could be estimated"))
    return lines


def _line(what: str, number: str, words: str) -> dict[str, str]:
    return {"what": what, "number": number, "words": words}


def _policy_row(row: Mapping[str, Any]) -> dict[str, Any]:
    percent = row["metric"] == "satisfaction"

    def number(x: float | None, sign: str = "") -> str:
        if x is None:
            return ""
        return f"{100 * x:{sign}.2f} %" if percent else f"{x:{sign}.4f}"

    interval = "" if row["lower"] is None else f"{number(row['lower'])} to {number(row['upper'])}"
    change = "" if row["difference"] is None else (
        f"{number(row['difference'], '+')} ({number(row['difference_lower'], '+')} to {number(row['difference_upper'], '+')})"
    )
    return {
        "segment": row["segment"], "policy": row["policy"], "metric": row["metric"], "estimator": ESTIMATORS[row["estimator"]],
        "main": row["estimator"] == "dr", "value": number(row["estimate"]), "interval": interval, "change": change,
        "status": row["status"].replace("_", " "), "reason": row["reason"],
        "effective": "" if row["effective_rounds"] is None else f"{row['effective_rounds']:,.0f} of {row['rounds']:,}",
    }


def _base64(png: bytes | None) -> str | None:
    return None if png is None else base64.b64encode(png).decode()
