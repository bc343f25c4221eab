"""Small plots of overlap, calibration and training."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from causalrec.arrays import Floats
from causalrec.escaping import plot


def _figure(width: float = 4.6, height: float = 2.9):  # type: ignore[no-untyped-def]
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure) -> bytes:  # type: ignore[no-untyped-def]
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def overlap_plot(propensity: Floats, treatment: Floats) -> bytes:
    """Treatment propensities of the two arms: where they do not overlap, nothing can be compared."""
    figure, axes = _figure()
    bins = np.linspace(0, 1, 41)
    axes.hist(propensity[treatment == 1], bins=bins, alpha=0.6, color="#c2410c", label="recommended")
    axes.hist(propensity[treatment == 0], bins=bins, alpha=0.6, color="#475569", label="not")
    axes.set(xlabel="treatment propensity", ylabel="units")
    axes.legend(frameon=False)
    return _png(figure)


def calibration_plot(curve: Sequence[tuple[float, float, float]], what: str) -> bytes:
    """Predicted against observed shares."""
    figure, axes = _figure()
    predicted, observed = [c[0] for c in curve], [c[1] for c in curve]
    top = max([*predicted, *observed]) * 1.1
    axes.plot([0, top], [0, top], color="#cbd5e1", lw=1)
    axes.plot(predicted, observed, "o-", color="#047857", ms=4)
    axes.set(xlabel=plot(f"predicted {what}"), ylabel="observed")
    return _png(figure)


def training_plot(curve: Sequence[tuple[int, float, float]]) -> bytes:
    """Loss by epoch, on the rows trained on and on the last training day."""
    figure, axes = _figure()
    epochs = [c[0] + 1 for c in curve]
    axes.plot(epochs, [c[1] for c in curve], "o-", color="#475569", ms=3, label="training")
    axes.plot(epochs, [c[2] for c in curve], "o-", color="#c2410c", ms=3, label="last training day")
    axes.set(xlabel="epoch", ylabel="weighted log loss")
    axes.legend(frameon=False)
    return _png(figure)
