"""Parts that other packages bring: entry points of a group, each loaded and held to the protocol of its kind."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from causalrec.answers import InputError

Part = TypeVar("Part")


def plugins(group: str, protocol: type[Part], taken: dict[str, Part]) -> dict[str, Part]:
    """The parts that installed packages declare under a group of entry points, by their names.

    Args:
        group: Such as `causalrec.formats`.
        protocol: What each must be; `runtime_checkable`.
        taken: The project's own parts of this kind: no package may take the place of one.

    Returns:
        By name, in the order of the names.

    Raises:
        InputError: One cannot be loaded, is not what the protocol says, or has a name that is taken.
    """
    parts: dict[str, Part] = {}
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        if point.name in taken or point.name in parts:
            raise InputError(f"{_origin(point)}: another part of this group is named {point.name!r}")
        parts[point.name] = _load(point, protocol)
    return parts


def _load(point: EntryPoint, protocol: type[Part]) -> Part:
    try:
        part = point.load()
    except Exception as error:  # whatever a foreign module raises while it is imported
        raise InputError(
            f"{_origin(point)} cannot be loaded: {type(error).__name__}: {error}. Mend or uninstall it."
        ) from error
    if not isinstance(part, protocol):
        members = sorted(name for name in vars(protocol) | protocol.__annotations__ if not name.startswith("_"))
        missing = [name for name in members if not hasattr(part, name)]
        raise InputError(f"{_origin(point)} is no {protocol.__name__}: it lacks {missing or 'a method'}")
    if (name := getattr(part, "name", None)) != point.name:
        raise InputError(f"{_origin(point)} names itself {name!r}: the two names must be the same")
    return part


def _origin(point: EntryPoint) -> str:
    package = f" of the package {point.dist.name}" if point.dist else ""
    return f"the entry point {point.group}: {point.name} = {point.value}{package}"
