"""`data/policy.yaml`: how the target policy turns the objective into slates."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from causalrec.answers import InputError

FILE, KEY = "policy.yaml", "allow_sensitive"
MOST_LEFT_OUT = 0.02


@dataclass(frozen=True)
class PolicyConfig:
    """The target policy's dials.

    Attributes:
        temperature: Of the softmax over L + lambda R; near 0 the best item only, large values explore.
        exploration: Share of the probability that is uniform over all candidates; keeps overlap for the next day.
        slate_size: Items recommended at a time.
        named: Policies that are not fitted and are judged beside the challenger.
        match: Columns in which a candidate must equal its context, e.g. the section of the shop.
        report_by: Context columns by whose values the off-policy report is given as well.
        most_left_out: Of the slots that could be judged, the share whose item may be no candidate of its context (not
            in the catalogue, or not in its section): they are left out and counted. With more nothing is judged.
        allow_sensitive: Sensitive attributes that the policy may read, each with who allows it and why.
    """

    temperature: float
    exploration: float
    slate_size: int
    named: tuple[str, ...]
    match: tuple[str, ...]
    report_by: tuple[str, ...]
    most_left_out: float = MOST_LEFT_OUT
    allow_sensitive: tuple[Allowed, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def parse_policy(settings: Mapping[str, Any]) -> PolicyConfig:
    """Read `data/policy.yaml` (or a bundle's copy of it).

    Raises:
        InputError: A missing or unknown key, or a value out of its range.
    """
    known = {"temperature", "exploration", "slate_size", "named", "match", "report_by"}
    if set(settings) - {"most_left_out", KEY} != known:
        raise InputError(
            f"policy.yaml: needs exactly {sorted(known)}, and may have `most_left_out` and `{KEY}`; got "
            f"{sorted(settings)}"
        )
    for key in ("named", "match", "report_by"):
        if not isinstance(settings[key], list | tuple | None):
            raise InputError(f"policy.yaml: `{key}` must be a list of names, got {settings[key]!r}")
    lists = {key: tuple(str(v) for v in settings[key] or ()) for key in ("named", "match", "report_by")}
    left_out = settings.get("most_left_out", MOST_LEFT_OUT)
    numbers = {key: settings[key] for key in ("temperature", "exploration", "slate_size")} | {"most_left_out": left_out}
    for key, value in numbers.items():
        kinds = (int,) if key == "slate_size" else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
            kind = "whole number" if kinds == (int,) else "number"
            raise InputError(f"policy.yaml: `{key}` must be a {kind}, got {value!r}")
    config = PolicyConfig(
        float(settings["temperature"]),
        float(settings["exploration"]),
        int(settings["slate_size"]),
        **lists,
        most_left_out=float(left_out),
        allow_sensitive=parse_allowed(settings.get(KEY)),
    )
    if config.temperature <= 0 or not 0 < config.exploration <= 1 or config.slate_size < 1:
        raise InputError(
            "policy.yaml: temperature must be above 0, exploration in (0, 1] (without it nothing could be learned "
            f"from the policy's own logs), slate_size at least 1; got {config.temperature}, {config.exploration}, "
            f"{config.slate_size}"
        )
    if not 0 <= config.most_left_out < 1:
        raise InputError(f"policy.yaml: `most_left_out` is a share in [0, 1), got {config.most_left_out}")
    return config


def require_columns(
    config: PolicyConfig, contexts: Collection[str], items: Collection[str], units: Collection[str]
) -> None:
    """Refuse columns that are not there.

    Args:
        contexts: The source's context columns.
        items: What the source's items have.
        units: What its units have.

    Raises:
        InputError: `match` names what is not of both contexts and items, `report_by` what units do not have.
    """
    if wrong := [c for c in config.match if c not in contexts or c not in items]:
        raise InputError(
            f"policy.yaml: `match`: {wrong} must be columns of the context and of the items; contexts have "
            f"{sorted(contexts)} (sources.yaml: context), items {sorted(items)} (sources.yaml: items.columns)"
        )
    if wrong := [c for c in config.report_by if c not in units]:
        raise InputError(
            f"policy.yaml: `report_by`: units have no {wrong}; contexts have {sorted(contexts)} (sources.yaml: context)"
        )


@dataclass(frozen=True)
class Allowed:
    """Somebody's word that a policy may read a sensitive attribute."""

    column: str
    who: str
    why: str


def parse_allowed(value: object) -> tuple[Allowed, ...]:
    """Read `allow_sensitive` of `data/policy.yaml`.

    Raises:
        InputError: It is no list of entries with column, who and why, each a text.
    """
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise InputError(f"{FILE}: `{KEY}` must be a list of entries with column, who and why, got {value!r}")
    return tuple(_allowed(entry) for entry in value)


def _allowed(entry: Any) -> Allowed:
    keys = ("column", "who", "why")
    if not isinstance(entry, Mapping) or set(entry) != set(keys):
        raise InputError(f"{FILE}: an entry of `{KEY}` needs exactly column, who and why, got {entry!r}")
    words = [entry[key] for key in keys]
    if not all(isinstance(word, str) and word.strip() for word in words):
        raise InputError(f"{FILE}: column, who and why of an entry of `{KEY}` must be texts, got {dict(entry)!r}")
    return Allowed(*words)
