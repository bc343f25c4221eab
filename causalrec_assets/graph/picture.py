"""The causal graph as a picture: tiers from left to right, colours by where an edge comes from."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Mapping

import polars as pl

COLOURS = {"data": "#64748b", "expert": "#c2410c", "both": "#047857"}
LABELS = {"data": "found in the data", "expert": "known to experts", "both": "found and known"}
FILL = {"treatment": "#fde68a", "mediator": "#e9d5ff", "outcome": "#bbf7d0", "pre_treatment": "#e2e8f0"}


def draw(table: pl.DataFrame, tiers: Mapping[str, int], roles: Mapping[str, str]) -> bytes:
    """A PNG of the graph.

    Args:
        table: source, target, mark and, where known, provenance.
        tiers: Of each node; decides its column.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    columns: dict[int, list[str]] = defaultdict(list)
    for node, tier in sorted(tiers.items()):
        columns[tier].append(node)
    order = sorted(columns)
    at = {
        node: (2.6 * x, (len(columns[tier]) - 1) / 2 - y)
        for x, tier in enumerate(order)
        for y, node in enumerate(columns[tier])
    }
    tallest = max((len(nodes) for nodes in columns.values()), default=1)
    figure = Figure(figsize=(1.75 * max(len(order), 2) + 1.2, 0.55 * tallest + 1.2), dpi=130)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.axis("off")
    for row in table.iter_rows(named=True):
        a, b = row["source"], row["target"]
        if a not in at or b not in at:
            continue
        same = tiers[a] == tiers[b]
        axes.annotate(
            "",
            xy=at[b],
            xytext=at[a],
            arrowprops={
                "arrowstyle": "-|>" if row["mark"] == "directed" else "-",
                "color": COLOURS[row.get("provenance") or "data"],
                "lw": 1.1,
                "alpha": 0.75,
                "shrinkA": 8 if same else 26,
                "shrinkB": 12 if same else 30,
                "connectionstyle": "arc3,rad=0.7" if same else "arc3,rad=0.06",
            },
        )
    for node, (x, y) in at.items():
        axes.text(
            x,
            y,
            node,
            ha="center",
            va="center",
            fontsize=9,
            bbox={"boxstyle": "round,pad=0.35", "fc": FILL.get(roles.get(node, ""), "#e2e8f0"), "ec": "#94a3b8"},
        )
    used = [p for p in COLOURS if "provenance" not in table.columns or (table["provenance"] == p).any()]
    axes.legend(
        handles=[Line2D([], [], color=COLOURS[p], label=LABELS[p]) for p in used],
        loc="upper center",
        bbox_to_anchor=(0.5, 0.03),
        ncol=3,
        frameon=False,
        fontsize=8,
    )
    axes.set_xlim(-1.3, 2.6 * (len(order) - 1) + 1.3)
    axes.set_ylim(-(tallest - 1) / 2 - 0.9, (tallest - 1) / 2 + 0.6)
    figure.tight_layout()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
