"""Numbers as the page writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def fixed(x: float, digits: int, sign: str = "") -> str:
    """A number with so many digits; what rounds to 0 has no minus sign."""
    return f"{round(x, digits) + 0.0:{sign},.{digits}f}"


def number(x: float | None, metric: str, rate: bool = True) -> str:
    """A policy's value: a rate in percent (else outcomes per 100 slots), or money; empty where there is none."""
    if x is None:
        return ""
    return f"{fixed(100 * x, 2)}{' %' if rate else ''}" if metric == "satisfaction" else fixed(x, 4)


def span(low: float, high: float, metric: str, sign: str = "") -> str:
    """The limits of an interval, in the units of `number`."""
    scale, digits = (100, 2) if metric == "satisfaction" else (1, 4)
    return f"{fixed(scale * low, digits, sign)} to {fixed(scale * high, digits, sign)}"


def interval(row: Mapping[str, Any]) -> str:
    """The interval of a row of `off_policy_report`; empty where there is none."""
    return "" if row["lower"] is None else span(row["lower"], row["upper"], row["metric"])


def change(row: Mapping[str, Any], rate: bool = True) -> str:
    """The difference of a row of `off_policy_report` from its baseline."""
    if row["metric"] == "satisfaction":
        return f"{fixed(100 * row['difference'], 2, '+')}{' points' if rate else ''}"
    return fixed(row["difference"], 4, "+")


def share(x: float) -> str:
    """A share in percent: whole, and with a digit where it is small or almost all."""
    return f"{100 * x:.0f} %" if 0.1 <= x <= 0.99 or x in (0, 1) else f"{100 * x:.1f} %"


def count(x: float, sign: str = "") -> str:
    """How many a week, to three digits: more would be read as known."""
    size = abs(x)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2
    step = 10 ** max(len(str(int(size))) - 3, 0)
    return fixed(round(x / step) * step if size >= 100 else x, digits, sign)
