"""The report's plots, as PNG bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from causalrec.escaping import plot
from causalrec.estimators.effects import EFFECT_ESTIMATORS, Role
from causalrec.estimators.policy_value import PolicyValueEstimator, in_reading_order
from causalrec.evaluation.effects import CAUSAL, estimate_columns
from causalrec.evaluation.policy_values import HELD_OUT_MEAN, LOGGED_MEAN
from causalrec.evaluation.rounds import EVERYONE
from causalrec.evaluation.trials.trial import Look
from causalrec.policy.policies import CHALLENGER
from causalrec.settings.release import DAYS_A_LOOK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


GREEN, AMBER, SLATE, PALE = "#047857", "#b45309", "#475569", "#94a3b8"
OF_ROLE = {Role.NAIVE: PALE, Role.WEIGHTED: AMBER, Role.ROBUST: GREEN}


def effects_plot(report: pl.DataFrame) -> bytes | None:
    """The estimate of each registered estimator with its interval; None when no question is answered."""
    groups = []
    for row in report.filter(pl.col(CAUSAL).is_not_null()).iter_rows(named=True):
        marks = []
        for column, name in estimate_columns().items():
            if row[column] is None:
                continue
            estimator = EFFECT_ESTIMATORS[name]
            label = f"{CAUSAL} ({estimator.label})" if column == CAUSAL else estimator.label
            low, mid, high = (100 * row[f"{column}{part}"] for part in ("_lower", "", "_upper"))
            marks.append((label, OF_ROLE[estimator.role], low, mid, high))
        groups.append((f"{row['treatment']} → {row['outcome']}", marks))
    return _forest(groups, "change by the treatment, in percentage points, with 95 % interval", zero=True)


def policy_plot(
    report: pl.DataFrame,
    policy: str = CHALLENGER,
    metric: str = "satisfaction",
    segments: Sequence[str] = (EVERYONE,),
) -> bytes | None:
    """A policy's value by each estimator beside what was logged; None when no segment's value can be told."""
    scale = 100 if metric == "satisfaction" else 1
    groups, estimators = [], in_reading_order()
    for segment in segments:
        own = report.filter(policy=policy, metric=metric, segment=segment)
        rows: Mapping[str, Mapping[str, Any]] = {
            row["estimator"]: row for row in own.iter_rows(named=True) if row["lower"] is not None
        }
        # The model's own promise alone is no value that was told from logs.
        if not any(each.name in rows for each in estimators if each.on == "all"):
            continue
        marks = [
            (label, colour, *(scale * rows[name][c] for c in ("lower", "estimate", "upper")))
            for name, label, colour in (
                (LOGGED_MEAN, "now (logged mean)", SLATE),
                *((each.name, each.label, _colour(each)) for each in estimators),
                (HELD_OUT_MEAN, "answer sheet", AMBER),
            )
            if name in rows
        ]
        groups.append((segment if len(segments) > 1 else "", marks))
    of = "satisfaction rate of a recommendation, %" if metric == "satisfaction" else "revenue per recommendation"
    return _forest(groups, f"{of}, with 95 % interval", zero=False)


def trial_plot(looks: Sequence[Look], weeks: int) -> bytes | None:
    """The gain at each look of a trial with its repeated interval, beside the bound that releases.

    A look that is not trusted has no bound and no repeated interval: two standard errors are drawn.

    Args:
        weeks: The length of the trial.

    Returns:
        PNG; None where no look could tell a gain.
    """
    told = [(look, look.decided) for look in looks if look.decided is not None and look.decided.std_error > 0]
    if not told:
        return None
    figure, axes = _figure(7.4, 2.9)
    bounds = []
    for look, seen in told:
        reach = (look.upper - look.lower) / 2 if look.lower is not None and look.upper is not None else None
        colour = AMBER if reach is None else GREEN if seen.value >= reach else SLATE
        half = 2 * seen.std_error if reach is None else reach
        days = DAYS_A_LOOK * look.number
        axes.errorbar(days, 100 * seen.value, yerr=100 * half, fmt="o", color=colour, capsize=4, ms=6, lw=1.8, zorder=3)
        if reach is not None:
            bounds.append((days, 100 * reach))
    if bounds:
        days_of, limits = zip(*bounds, strict=True)
        axes.plot(days_of, limits, ls="--", marker="_", ms=16, color=GREEN, lw=1.2, label="released from here")
        axes.legend(frameon=False, fontsize=8, loc="best")
    axes.axhline(0, color="#64748b", lw=1)
    axes.set_xlim(0, DAYS_A_LOOK * weeks + 2)
    axes.set_xticks(range(DAYS_A_LOOK, DAYS_A_LOOK * weeks + 1, DAYS_A_LOOK))
    axes.grid(axis="y", color="#e2e8f0", lw=0.8)
    axes.set_axisbelow(True)
    axes.set_xlabel("judged days of the trial", fontsize=9)
    axes.set_ylabel("gain, per 100 slots", fontsize=9)
    return _png(figure)


def _colour(estimator: PolicyValueEstimator) -> str:
    """What decides, what is held against a policy's own logs, and the rest."""
    return GREEN if estimator.decides else AMBER if estimator.checked else PALE


def _forest(
    groups: Sequence[tuple[str, Sequence[tuple[str, str, float, float, float]]]], label: str, zero: bool
) -> bytes | None:
    """Points with intervals, one line each, in titled groups; None without any."""
    lines = sum(len(marks) + bool(title) for title, marks in groups)
    if not lines:
        return None
    figure, axes = _figure(7.4, 0.75 + 0.29 * lines)
    at, ticks, names = 0.0, [], []
    for title, marks in groups:
        if title:
            axes.text(
                0.0,
                at,
                plot(title),
                transform=axes.get_yaxis_transform(),
                fontsize=9,
                fontweight="bold",
                va="center",
            )
            at -= 1
        for name, colour, low, mid, high in marks:
            axes.errorbar(mid, at, xerr=[[mid - low], [high - mid]], fmt="o", color=colour, capsize=3, ms=5, lw=1.6)
            ticks.append(at)
            names.append(plot(name))
            at -= 1
    axes.set_yticks(ticks, names, fontsize=9)
    axes.set_ylim(at + 0.3, 0.7)
    axes.grid(axis="x", color="#e2e8f0", lw=0.8)
    axes.set_axisbelow(True)
    if zero:
        axes.axvline(0, color="#64748b", lw=1)
    axes.set_xlabel(label, fontsize=9)
    return _png(figure)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure, axes


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
