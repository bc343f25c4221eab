"""A bundle: graph version, adjustment sets, encoders, model and policy, by their published versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from causalrec.answers import InputError
from causalrec.hashing import canonical, sha256
from causalrec_assets.lake.inputs import Table

TABLES = ("causal_graph", "adjustment_sets", "item_embeddings", "outcome_model")
# Who read what, from the verdict back to the graph: what is released must be what was judged.
JUDGED_BY = (
    ("evaluation_report", "off_policy_report"),
    ("off_policy_report", "target_policy"),
    ("target_policy", "outcome_model"),
    ("target_policy", "item_embeddings"),
    ("outcome_model", "adjustment_sets"),
    ("adjustment_sets", "causal_graph"),
)


def make_bundle(
    partition: date, tables: Mapping[str, Table], policy: Mapping[str, Any], objective: Mapping[str, Any]
) -> dict[str, Any]:
    """The bundle of a partition's challenger, as JSON.

    Args:
        tables: The published versions of `TABLES` (others are left out).
        policy, objective: What the challenger was judged with.
    """
    versions = {name: tables[name] for name in TABLES}
    return {
        "partition": partition.isoformat(),
        "tables": {
            name: {"day": table.day.isoformat(), "pointer": table.number, "hash": table.hash}
            for name, table in versions.items()
        },
        "policy": dict(policy),
        "objective": dict(objective),
    }


def bundle_hash(bundle: Mapping[str, Any]) -> str:
    """The name of a bundle: the SHA-256 of its canonical JSON; the order of keys does not matter."""
    return sha256(canonical(dict(bundle)))


def check_lineage(tables: Mapping[str, Table], chain: Sequence[tuple[str, str]] = JUDGED_BY) -> None:
    """Whether each table was made from the versions that are now current.

    Without this, a model that was trained again after the verdict would be released on the evidence of
    another. A reader without an answer may have stopped before it read, and nothing of it is released: it is
    not asked.

    Args:
        tables: Current versions, by name.
        chain: (reader, what it read) pairs.

    Raises:
        InputError: A reader was made from another version, or never read the table; says what to materialise.
    """
    for reader, name in chain:
        maker, table = tables[reader], tables[name]
        read = maker.pointer.inputs.get(f"table:{name}:{table.day}")
        if maker.answer.answered and read != table.hash:
            raise InputError(
                f"`{reader}` of {maker.day} was made from another version of `{name}` than the current one "
                f"({table.number}); materialise `{reader}` and what follows it again, so that what is "
                "released is what was judged"
            )
