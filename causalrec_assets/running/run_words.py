"""What a run's warning checks say, in words for the console."""

from __future__ import annotations

from typing import Any

from causalrec_assets.common.gated import ANSWERABLE, NOT_ANSWERED, WARNED


def what_warned(result: Any) -> str:
    """Each table's answer that is missing (`not answered: REASON`) and each rule that warned (`warned: RULE`).

    Args:
        result: Of a run in this process. Where it built several tables, each is named.

    Returns:
        One line; empty where every check passed.
    """
    failed = [found for found in result.get_asset_check_evaluations() if not found.passed]
    several = len({e.asset_key for e in result.get_asset_materialization_events()} | {f.asset_key for f in failed}) > 1
    said = set()
    for found in failed:
        table = f"{found.asset_key.path[-1]}: " if several else ""
        said |= {f"{table}{words}" for words in _words(found)}
    return "; ".join(sorted(said))


def _words(found: Any) -> list[str]:
    """Of one check that did not pass."""
    if found.check_name != ANSWERABLE:
        return [f"warned: {found.check_name}" + (f" ({found.description})" if found.description else "")]
    # Of a table without an answer the rules have nothing to say.
    if NOT_ANSWERED in found.metadata:
        return [f"not answered: {found.metadata[NOT_ANSWERED].value}"]
    return [f"warned: {found.metadata[WARNED].value}"]
