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
    failed = [check for check in result.get_asset_check_evaluations() if not check.passed]
    several = len({e.asset_key for e in result.get_asset_materialization_events()} | {f.asset_key for f in failed}) > 1
    sentences = set()
    for check in failed:
        table = f"{check.asset_key.path[-1]}: " if several else ""
        sentences |= {f"{table}{words}" for words in _words(check)}
    return "; ".join(sorted(sentences))


def _words(check: Any) -> list[str]:
    """Of one check that did not pass."""
    if check.check_name != ANSWERABLE:
        return [f"warned: {check.check_name}" + (f" ({check.description})" if check.description else "")]
    # Of a table without an answer the rules have nothing to say.
    if NOT_ANSWERED in check.metadata:
        return [f"not answered: {check.metadata[NOT_ANSWERED].value}"]
    return [f"warned: {check.metadata[WARNED].value}"]
