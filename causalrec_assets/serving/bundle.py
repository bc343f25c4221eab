"""A bundle: graph version, adjustment sets, encoders, models and policy configuration together, by their versions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from causalrec_assets.gate.inputs import Table

TABLES = ("causal_graph", "adjustment_sets", "item_embeddings", "outcome_model")


def make_bundle(partition: date, tables: Mapping[str, Table], policy: Mapping[str, Any], objective: Mapping[str, Any]) -> dict[str, Any]:
    """The bundle of a partition's challenger, as JSON.

    Args:
        tables: The published versions of `TABLES`.
        policy, objective: Copies of the settings that it was judged with.
    """
    return {
        "partition": partition.isoformat(),
        "tables": {
            name: {"day": tables[name].day.isoformat(), "pointer": tables[name].number, "hash": tables[name].hash} for name in TABLES
        },
        "policy": dict(policy),
        "objective": dict(objective),
    }
