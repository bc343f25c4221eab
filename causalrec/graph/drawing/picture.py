"""The causal graph as a picture: time from top to bottom, colours by where an edge comes from, width by how sure it is.

Picture(table, tiers, roles)              # the last line of a notebook's cell shows it
Path("graph.png").write_bytes(draw(table, tiers, roles))
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from causalrec.escaping import plot
from causalrec.graph.drawing.layout import Edge, Layout, lay_out
from causalrec.graph.roles import TIERS

COLOURS = {"data": "#64748b", "both": "#047857", "expert": "#7c3aed", "conflict": "#dc2626"}
LABELS = {
    "data": "found in the data",
    "both": "found and known",
    "expert": "known to experts",
    "conflict": "known, the data disagree",
}
FILL = {"treatment": "#fde68a", "mediator": "#e9d5ff", "outcome": "#bbf7d0", "pre_treatment": "#f1f5f9"}
HIDDEN = "#ffffff"
FONT, ROW, BOX = 9.0, 0.74, 0.29
"""Points, and inches from row to row and of a box's height."""
MARGIN = 1.35
UNSURE = 1.2
"""Line width where nobody asked how sure an edge is."""


@dataclass(frozen=True)
class Picture:
    """A drawn graph that notebooks show by themselves."""

    table: pl.DataFrame
    tiers: Mapping[str, int]
    roles: Mapping[str, str]
    names: Sequence[str] = field(default=TIERS)

    @cached_property
    def png(self) -> bytes:
        return draw(self.table, self.tiers, self.roles, self.names)

    def _repr_png_(self) -> bytes:
        return self.png


def draw(
    table: pl.DataFrame, tiers: Mapping[str, int], roles: Mapping[str, str], names: Sequence[str] = TIERS
) -> bytes:
    """A PNG of the graph.

    Args:
        table: source, target, mark and, where known, provenance and confidence.
        tiers: Of each node; a node of the table that has none is a hidden cause and stands above what it causes.
        roles: Of each column; decides its colour.
        names: Of the tiers, by their numbers.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = table.to_dicts()
    hidden = sorted({end for r in rows for end in (r["source"], r["target"])} - set(tiers))
    # Before everything it causes, wherever that is: a hidden cause belongs to no tier.
    place = {**tiers, **{h: min(tiers.values(), default=0) - 1 for h in hidden}}
    ports = {n: max(sum(r["source"] == n for r in rows), sum(r["target"] == n for r in rows)) for n in place}
    widths = {n: max(_text_width(n) + 0.24, 0.11 * ports[n]) for n in place}
    layout = lay_out(widths, place, [(r["source"], r["target"], r["mark"] == "directed") for r in rows])
    tops = _tops(layout, rows)
    # The legend takes two lines of text below.
    size = (MARGIN + max(layout.width, 4.6) + 0.3, tops[-1] + 0.75)
    figure = Figure(figsize=size, dpi=130)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    axes.set_xlim(-MARGIN, size[0] - MARGIN)
    axes.set_ylim(size[1], 0)
    _bands(axes, layout, names, size[0], tops)
    middles = [bottom - ROW / 2 for bottom in tops[1:]]
    _edges(axes, rows, layout, widths, middles)
    for node, row in layout.row.items():
        _node(
            axes,
            node,
            (layout.x[node], middles[row]),
            widths[node],
            roles.get(node, ""),
            node in hidden,
            not ports[node],
        )
    _legend(axes, rows, size, bool(hidden))
    return _small_png(canvas)


def _small_png(canvas: Any) -> bytes:
    """With a palette: a quarter of the bytes, in the metadata of every run."""
    from PIL import Image

    canvas.draw()
    buffer = io.BytesIO()
    whole = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    whole.quantize(128, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def line_width(confidence: float | None) -> float:
    """Of an edge: the surer, the wider."""
    return UNSURE if confidence is None else 0.5 + 1.9 * confidence


def _tops(layout: Layout, rows: Sequence[Mapping[str, Any]]) -> list[float]:
    """Where each row begins, and where the last one ends: the more edges meet a box, the more room above it."""
    met = Counter(max(r["source"], r["target"], key=lambda n: layout.row[n]) for r in rows)
    tops = [0.0]
    for row in layout.rows:
        most = max((met[spot] for spot in row if isinstance(spot, str)), default=0)
        tops.append(tops[-1] + ROW + 0.05 * max(most - 4, 0))
    return tops


def _text_width(text: str, size: float = FONT) -> float:
    from matplotlib.textpath import TextPath

    return float(TextPath((0, 0), plot(text) or " ", size=size).get_extents().width) / 72


def _bands(axes: Any, layout: Layout, names: Sequence[str], width: float, tops: Sequence[float]) -> None:
    from matplotlib.patches import Rectangle

    for k, (tier, (first, last)) in enumerate(sorted(layout.bands.items())):
        top, bottom = tops[first], tops[last + 1]
        shade = "#f8fafc" if k % 2 == 0 else "#ffffff"
        axes.add_patch(Rectangle((-MARGIN, top), width, bottom - top, fc=shade, ec="none", zorder=0))
        name = names[tier] if 0 <= tier < len(names) else "not logged"
        text = plot(name).replace(" and ", "\nand ").replace("later ", "later\n").replace("after ", "after\n")
        axes.text(-MARGIN + 0.1, (top + bottom) / 2, text, fontsize=8, color="#94a3b8", va="center", zorder=1)


def _edges(
    axes: Any,
    rows: Sequence[Mapping[str, Any]],
    layout: Layout,
    widths: Mapping[str, float],
    middles: Sequence[float],
) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    ports = _ports(rows, layout, widths)
    # What is least sure is drawn first and lies below.
    for r in sorted(rows, key=lambda r: (r.get("provenance") == "conflict", r.get("confidence") or 0)):
        edge = (r["source"], r["target"])
        points = layout.bends(edge)
        start, end = ports[edge]
        points = [(start, points[0][1]), *points[1:-1], (end, points[-1][1])]
        line = [(points[0][0], middles[points[0][1]] + BOX / 2)]
        codes = [Path.MOVETO]
        for (x, row), is_last in zip(points[1:], [*[False] * (len(points) - 2), True], strict=True):
            # Straight down beside the boxes of a row, curved between the rows.
            x0, y0 = line[-1]
            y1 = middles[row] - BOX / 2 - (0.025 if is_last and r["mark"] == "directed" else 0)
            bow = (y1 - y0) * 0.5
            line += [(x0, y0 + bow), (x, y1 - bow), (x, y1)]
            codes += [Path.CURVE4] * 3
            if not is_last:
                line.append((x, middles[row] + BOX / 2))
                codes.append(Path.LINETO)
        colour = COLOURS[r.get("provenance") or "data"]
        confidence = r.get("confidence")
        upwards = layout.row[edge[0]] > layout.row[edge[1]]
        style = "-" if r["mark"] != "directed" else "<|-" if upwards else "-|>"
        axes.add_patch(
            FancyArrowPatch(
                path=Path(line, codes),
                arrowstyle=style if style == "-" else f"{style},head_length=4.5,head_width=2.2",
                mutation_scale=1,
                lw=line_width(confidence),
                linestyle=(0, (4, 2)) if r.get("provenance") == "conflict" else "-",
                color=colour,
                alpha=0.85 if confidence is None else 0.35 + 0.6 * confidence,
                shrinkA=0,
                shrinkB=0,
                joinstyle="miter",
                capstyle="butt",
                zorder=2,
            )
        )


def _ports(
    rows: Sequence[Mapping[str, Any]], layout: Layout, widths: Mapping[str, float]
) -> dict[Edge, tuple[float, float]]:
    """Where each edge leaves the box of its upper end and meets that of its lower one: side by side, not crossing."""
    ports: dict[Edge, list[float]] = {(r["source"], r["target"]): [0.0, 0.0] for r in rows}
    for end in (0, 1):
        beside: dict[str, list[tuple[float, Edge]]] = {}
        for edge in ports:
            bends = layout.bends(edge)
            near = bends[1] if end == 0 else bends[-2]
            node = sorted(edge, key=lambda n: layout.row[n])[end]
            beside.setdefault(node, []).append((near[0], edge))
        for node, edges in beside.items():
            room = min(widths[node] - 0.16, 0.16 * (len(edges) - 1))
            for k, (_, edge) in enumerate(sorted(edges)):
                ports[edge][end] = layout.x[node] + room * (k / max(len(edges) - 1, 1) - 0.5) * (len(edges) > 1)
    return {edge: (at[0], at[1]) for edge, at in ports.items()}


def _node(
    axes: Any, node: str, at: tuple[float, float], width: float, role: str, is_hidden: bool, is_alone: bool
) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = at
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2 + 0.06, y - BOX / 2 + 0.06),
            width - 0.12,
            BOX - 0.12,
            boxstyle="round,pad=0.06,rounding_size=0.07",
            fc=HIDDEN if is_hidden else FILL.get(role, "#f1f5f9"),
            ec="#cbd5e1" if is_alone else "#64748b",
            lw=0.8,
            linestyle="--" if is_hidden else "-",
            zorder=3,
        )
    )
    colour = "#94a3b8" if is_alone else "#0f172a"
    axes.text(x, y, plot(node), fontsize=FONT, color=colour, ha="center", va="center_baseline", zorder=4)


def _legend(axes: Any, rows: Sequence[Mapping[str, Any]], size: tuple[float, float], hidden: bool) -> None:
    from matplotlib.lines import Line2D

    used = [p for p in COLOURS if any((r.get("provenance") or "data") == p for r in rows)]
    handles = [
        Line2D([], [], color=COLOURS[p], label=LABELS[p], lw=1.8, ls=(0, (4, 2)) if p == "conflict" else "-")
        for p in used
    ]
    says = ["no arrow head: the direction is open"] if any(r["mark"] != "directed" for r in rows) else []
    if any(r.get("confidence") is not None for r in rows):
        says.append("the wider and darker, the surer the edge")
    if hidden:
        says.append("dashed box: not logged")
    axes.legend(
        handles=handles,
        loc="center left",
        bbox_to_anchor=(0.1, size[1] - 0.52, size[0] - MARGIN - 0.2, 0.2),
        bbox_transform=axes.transData,
        ncol=4,
        frameon=False,
        fontsize=8,
        borderpad=0,
        handlelength=2.4,
        columnspacing=1.5,
    )
    axes.text(0.1, size[1] - 0.2, "; ".join(says), fontsize=8, color="#64748b", va="center")
