"""A measured figure, and measuring one: each contender in a process of its own, so that peaks are its own."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from typing import Any, Literal

import polars as pl


@dataclass(frozen=True)
class Figure:
    """What was measured, beside what is to be reached.

    Attributes:
        what: In words, with its unit: "cleaning / bare scan-and-sink".
        value: The measured ratio, GB or events a second.
        to_reach: The bound; None where the figure is only reported.
        bound: Whether the value has to be at most or at least that.
        how: What it was measured on, and the parts of a ratio.
    """

    what: str
    value: float
    to_reach: float | None = None
    bound: Literal["at most", "at least"] = "at most"
    how: str = ""

    @property
    def reached(self) -> bool | None:
        if self.to_reach is None:
            return None
        return self.value <= self.to_reach if self.bound == "at most" else self.value >= self.to_reach

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "reached": self.reached}


@dataclass(frozen=True)
class Measured:
    """One run in a fresh process: wall-clock seconds, peak memory in GB with imports, what it returned."""

    seconds: float
    peak_gb: float
    result: Any


def measured(function: Callable[..., Any], *arguments: object) -> Measured:
    """Run a module-level function in a fresh process.

    Raises:
        RuntimeError: The process failed; the message has its error.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_in_child, args=(there, function, arguments))
    process.start()
    there.close()
    try:
        outcome = here.recv()
    except EOFError:
        process.join()
        raise RuntimeError(f"{function.__name__} ended with {process.exitcode} and said nothing") from None
    process.join()
    if isinstance(outcome, str):
        raise RuntimeError(f"{function.__name__}: {outcome}")
    return Measured(*outcome)


def _in_child(pipe: Connection, function: Callable[..., Any], arguments: tuple[object, ...]) -> None:
    try:
        started = time.perf_counter()
        result = function(*arguments)
        seconds = time.perf_counter() - started
        # Linux gives kilobytes.
        pipe.send((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, result))
    except BaseException as error:
        pipe.send(f"{type(error).__name__}: {error}")
        raise


def table(figures: list[Figure]) -> str:
    """For people."""
    rows = [
        {
            "what": f.what,
            "measured": f"{f.value:,.2f}" if abs(f.value) < 100 else f"{f.value:,.0f}",
            "to reach": "reported" if f.to_reach is None else f"{f.bound} {f.to_reach:,g}",
            "reached": {True: "yes", False: "NO", None: ""}[f.reached],
            "how": f.how,
        }
        for f in figures
    ]
    with pl.Config(
        tbl_formatting="MARKDOWN",
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        tbl_rows=-1,
        fmt_str_lengths=300,
        tbl_width_chars=400,
    ):
        return str(pl.DataFrame(rows))


def say(text: str) -> None:
    """Progress, beside the table."""
    print(text, file=sys.stderr, flush=True)
