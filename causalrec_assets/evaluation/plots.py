"""The report's plots, as PNG bytes."""

from __future__ import annotations

import io
from typing import Any

import polars as pl

NAMES = {"naive": "naive", "snips": "SNIPS", "causal": "causal (AIPW)"}
COLOURS = {"naive": "#94a3b8", "snips": "#b45309", "causal": "#047857"}


def effects_plot(report: pl.DataFrame) -> bytes | None:
    """Naive, SNIPS and causal estimates with their intervals; None when no question is answered."""
    rows = [row for row in report.iter_rows(named=True) if row["causal"] is not None]
    if not rows:
        return None
    figure, axes = _figure(7.0, 0.75 + 1.05 * len(rows))
    ticks, labels = [], []
    for k, row in enumerate(rows):
        for j, name in enumerate(NAMES):
            y = -(4 * k + j)
            low, mid, high = (100 * row[f"{name}{part}"] for part in ("_lower", "", "_upper"))
            axes.errorbar(mid, y, xerr=[[mid - low], [high - mid]], fmt="o", color=COLOURS[name], capsize=3, ms=5)
            ticks.append(y)
            labels.append(f"{row['outcome']}: {NAMES[name]}")
    axes.axvline(0, color="#cbd5e1", lw=1)
    axes.set_yticks(ticks, labels)
    axes.set_xlabel("change by recommending, in percentage points, with 95 % interval")
    return _png(figure)


def policy_plot(report: pl.DataFrame, policy: str = "challenger", metric: str = "satisfaction") -> bytes | None:
    """The policy's value by each estimator beside the logging policy's mean; None when it cannot be told."""
    rows = report.filter((pl.col("policy") == policy) & (pl.col("metric") == metric) & (pl.col("segment") == "everyone"))
    known: list[dict[str, Any]] = [row for row in rows.iter_rows(named=True) if row["lower"] is not None]
    if not any(row["estimator"] == "dr" for row in known):
        return None
    names = {"logged_mean": "now (logged mean)", "ips": "IPS", "snips": "SNIPS", "dm": "model only (DM)",
             "dr": "doubly robust (DR)", "answer_sheet_mean": "answer sheet"}
    figure, axes = _figure(7.0, 0.8 + 0.42 * len(known))
    order = sorted(known, key=lambda row: list(names).index(row["estimator"]))
    scale = 100 if metric == "satisfaction" else 1
    for k, row in enumerate(order):
        low, mid, high = (scale * row[c] for c in ("lower", "estimate", "upper"))
        colour = "#047857" if row["estimator"] == "dr" else "#475569" if row["estimator"] == "logged_mean" else "#94a3b8"
        axes.errorbar(mid, -k, xerr=[[mid - low], [high - mid]], fmt="o", color=colour, capsize=3, ms=5)
    axes.set_yticks([-k for k in range(len(order))], [names[row["estimator"]] for row in order])
    axes.set_xlabel("satisfaction rate of a recommendation, %" if metric == "satisfaction" else "revenue per recommendation")
    return _png(figure)


def _figure(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure, axes


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
