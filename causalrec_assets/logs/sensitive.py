"""Sensitive attributes of users: nuisances may read them, a policy only where somebody allows it and says why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from causalrec_assets.answers import InputError
from causalrec_assets.gate.inputs import Inputs
from causalrec_assets.logs.sources import Source

FILE, KEY = "policy.yaml", "allow_sensitive"


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


def withheld_from_policies(inputs: Inputs, source: Source) -> frozenset[str]:
    """The attributes that no policy may read today.

    Raises:
        InputError: `policy.yaml` allows an attribute that `sources.yaml` does not declare sensitive.
    """
    allowed = {entry.column for entry in parse_allowed(inputs.setting_of(FILE, KEY))}
    if unknown := sorted(allowed - set(source.sensitive)):
        raise InputError(
            f"{FILE}: `{KEY}` names {unknown}, and the sensitive attributes are {sorted(source.sensitive)} "
            "(sources.yaml: users.sensitive); correct the name, or remove the entry"
        )
    return frozenset(source.sensitive) - allowed


def refuse_withheld(reader: str, reads: Collection[str], withheld: Collection[str]) -> None:
    """A policy that reads what no policy may is not judged and does not serve.

    Args:
        reader: The policy, in words.

    Raises:
        InputError: It reads such an attribute; the message says what to do.
    """
    if found := sorted(set(reads) & set(withheld)):
        raise InputError(
            f"{reader} reads {found}, declared sensitive (sources.yaml: users.sensitive) and not allowed ({FILE}: "
            f"{KEY}); train it again, roll back to a release that does not read it, or allow it with who and why"
        )
