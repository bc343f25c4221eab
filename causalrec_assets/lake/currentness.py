"""Is a published version what a run would make now? Its recorded inputs are looked up again and compared."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from datetime import date

from causalrec.home import Home
from causalrec_assets.lake.inputs import champion_hash, release_hash, setting_hash, setting_key_hash
from causalrec_assets.lake.releases import ReleaseLog
from causalrec_assets.lake.snapshot import Snapshot
from causalrec_assets.lake.trials import TrialLog

Resolver = Callable[[str, date], str]
"""(what follows the prefix of a key, the partition's day) -> the input's hash now."""


def stale_because(
    home: Home,
    lake: Snapshot,
    table: str,
    day: date,
    others: Mapping[str, Resolver],
    only: Container[str] | None = None,
) -> str | None:
    """Why a partition would be rebuilt; None when it is current.

    Args:
        lake: As it is now.
        others: Resolvers of the prefixes that only the assets or a resource know, e.g. `code`, `landing`.
        only: Prefixes of the inputs that are asked about; None asks about all.
    """
    if (lost := lake.lost(table, day)) is not None:
        return f"it is not whole in the lake: {lost}"
    pointer = lake.pointer(table, day)
    if pointer is None:
        return "it was never published"
    if (refused := lake.standing_refusal(table, day)) is not None:
        return f"its newest attempt was refused: {'; '.join(refused.reasons)}"
    resolvers: dict[str, Resolver] = {
        "table": lambda rest, _: _table_hash(lake, rest),
        "latest": lambda rest, _: _latest_hash(lake, rest),
        "version": lambda rest, _: _version_hash(lake, rest),
        "setting": lambda rest, _: setting_hash(home, rest),
        "key": lambda rest, _: setting_key_hash(home, rest),
        "contract": lambda rest, _: setting_hash(home, f"contracts/{rest}.yaml"),
        "champion": lambda _, d: champion_hash(ReleaseLog(lake.store).champion_before(d)),
        "release": lambda rest, _: release_hash(lake.store, int(rest)),
        "trials": lambda _, d: TrialLog(lake.store).hash_before(d),
        **others,
    }
    for key, recorded in sorted(pointer.inputs.items()):
        prefix, _, rest = key.partition(":")
        if only is not None and prefix not in only:
            continue
        if prefix not in resolvers:
            return f"its input `{key}` cannot be looked up again"
        if resolvers[prefix](rest, day) != recorded:
            return f"its input `{key}` has changed"
    return None


def _table_hash(lake: Snapshot, rest: str) -> str:
    name, _, day = rest.partition(":")
    pointer = lake.pointer(name, date.fromisoformat(day))
    return pointer.hash if pointer else "none"


def _latest_hash(lake: Snapshot, rest: str) -> str:
    name, _, day = rest.partition(":")
    days = [published for published in lake.days(name) if published < date.fromisoformat(day)]
    return _table_hash(lake, f"{name}:{days[-1]}") if days else "none"


def _version_hash(lake: Snapshot, rest: str) -> str:
    name, day, number = rest.split(":")
    pointer = lake.pointer(name, date.fromisoformat(day), int(number))
    return pointer.hash if pointer else "none"
