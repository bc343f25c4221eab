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
    ("trial_report", "trial_policy"),
    ("target_policy", "outcome_model"),
    ("target_policy", "item_embeddings"),
    ("outcome_model", "adjustment_sets"),
    ("adjustment_sets", "causal_graph"),
)


POLICY_JSON = "policy.json"
"""Of `target_policy`: the challenger's dials, its temperature a number; not there where no policy of it can act."""
MADE_BY = ("code", "setting", "key", "encoder")
"""Inputs of a bundle's tables that are of how they were made, and not of which days."""
POLICY_SETTINGS = ("setting:policy.yaml", "setting:objective.yaml")
"""Inputs of `target_policy` that are of the policy itself; its other inputs are of how it was judged."""


def make_bundle(
    partition: date, tables: Mapping[str, Table], policy: Mapping[str, Any], objective: Mapping[str, Any]
) -> dict[str, Any]:
    """The bundle of a partition's challenger, as JSON.

    Args:
        tables: The published versions of `TABLES` (of others only how the policy was set is read).
        policy, objective: What the challenger was judged with.
    """
    versions = {name: tables[name] for name in TABLES}
    return {
        "recipe": recipe_of(tables),
        "partition": partition.isoformat(),
        "tables": {
            name: {"day": table.day.isoformat(), "pointer": table.number, "hash": table.hash}
            for name, table in versions.items()
        },
        "policy": dict(policy),
        "objective": dict(objective),
    }


def recipe_of(tables: Mapping[str, Table]) -> str:
    """The hash of how a bundle was made: code, settings and the graph's edges, whatever days it learned from.

    A bundle of the same recipe is the same policy on newer data; one of another has to win a trial.

    Args:
        tables: Of `TABLES` and, for how the policy was set, `target_policy`.
    """
    made_by = {
        f"{name}: {key}": value
        for name in TABLES
        for key, value in tables[name].pointer.inputs.items()
        if key.partition(":")[0] in MADE_BY
    }
    if (judged := tables.get("target_policy")) is not None:
        made_by |= {key: judged.pointer.inputs.get(key, "none") for key in POLICY_SETTINGS}
    graph = tables["causal_graph"].frame
    edges = sorted(graph.select("source", "target", "mark").rows())
    return sha256(canonical([made_by, edges]))


def same_recipe(bundle: Mapping[str, Any], other: Mapping[str, Any] | None) -> bool:
    """Whether two bundles were made alike; of a bundle of earlier releases, which names no recipe, nobody knows, and it
    counts as another."""
    recipe = bundle.get("recipe")
    return other is not None and recipe is not None and recipe == other.get("recipe")


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
