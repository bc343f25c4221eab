"""Some slates that the challenger would show, beside what was shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FILE = "sample_slates.json"
"""Of the table `target_policy`."""


@dataclass(frozen=True)
class SampleSlate:
    """One request of the judged days.

    Attributes:
        context: Who asked, and where, in words.
        shown, new: Items in the order of their slots: as logged, and as the challenger draws them.
    """

    context: str
    shown: Sequence[str]
    new: Sequence[str]


def read_slates(raw: bytes) -> list[SampleSlate]:
    """Read what `target_policy` keeps of them.

    Args:
        raw: JSON, a list of requests with user_id, time, context (column -> value), and shown and slate: items with
            item_id and title.
    """
    return [
        SampleSlate(_who(request), _items(request["shown"]), _items(request["slate"])) for request in json.loads(raw)
    ]


def _who(request: Mapping[str, Any]) -> str:
    context = [f"{name} {value}" for name, value in request["context"].items() if value is not None]
    user = [f"user {request['user_id']}"] if request.get("user_id") is not None else []
    return ", ".join([*user, *context, *([str(request["time"])] if request.get("time") else [])])


def _items(items: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"{item['title']} ({item['item_id']})" if item.get("title") else str(item["item_id"]) for item in items]
