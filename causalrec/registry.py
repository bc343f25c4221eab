"""Registries: one dict for each kind of part."""

from __future__ import annotations

from typing import Protocol, TypeVar


class Named(Protocol):
    """What a registry can hold."""

    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


def by_name(*parts: T) -> dict[str, T]:
    """Parts of a kind by their names, in the order given.

    Raises:
        ValueError: Two have the same name.
    """
    registry = {part.name: part for part in parts}
    if len(registry) < len(parts):
        raise ValueError(f"a name stands twice: {[part.name for part in parts]}")
    return registry
