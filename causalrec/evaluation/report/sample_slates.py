"""Some slates that the challenger would show, beside what was shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

FILE = "sample_slates.json"
"""Of the table `target_policy`."""


@dataclass(frozen=True)
class Item:
    """What stands in a slot.

    Attributes:
        item_id: Of the catalogue.
        title: Empty where the catalogue has none.
    """

    item_id: str
    title: str = ""


@dataclass(frozen=True)
class SampleSlate:
    """One request of the last judged day.

    Attributes:
        context: Who asked, when and where, in words.
        shown, new: Items in the order of their slots: as logged, and as the challenger draws them.
    """

    context: str
    shown: Sequence[Item]
    new: Sequence[Item]


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
    return ", ".join([*user, *context, *([_when(request["time"])] if request.get("time") else [])])


def _when(time: str) -> str:
    """To the minute, as people write it."""
    return datetime.fromisoformat(time).strftime("%Y-%m-%d %H:%M")


def _items(items: Sequence[Mapping[str, Any]]) -> list[Item]:
    return [Item(str(item["item_id"]), item.get("title") or "") for item in items]
