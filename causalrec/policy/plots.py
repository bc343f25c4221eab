"""How far a policy is from the logging policy."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt


def weights_plot(weights: npt.NDArray[np.float64], name: str) -> bytes:
    """A histogram of log10 importance weights."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 2.9), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.hist(np.log10(np.maximum(weights, 1e-6)), bins=40, color="#475569")
    axes.axvline(0, color="#c2410c", lw=1)
    axes.set(xlabel=f"log10 of {name} / logging policy", ylabel="rounds")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
