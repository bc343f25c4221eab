"""How the columns of a question are said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NOTHING = "nothing (in the graph nothing that could be adjusted for causes both)"


def given(question: Mapping[str, Any]) -> str:
    """The adjustment set of a row of `adjustment_sets`, in words."""
    return ", ".join(question["columns"]) or NOTHING


def quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
