"""An attempt beside the version that it would replace: what was good is not replaced by less unnoticed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl

from causalrec.answers import InputError
from causalrec.engine.one_file import scan_parquet
from causalrec.logs.cleaning.clean import Cleaned, too_many_wrong
from causalrec.logs.landing.fewer import ROWS, fallen, too_few
from causalrec.logs.landing.index import EMPTY_DAY, FEWER
from causalrec.logs.landing.zone import LandingZone, SnapshotFiles
from causalrec.settings.logs.cleaning import CleaningRules
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.lake.lost import LostObject
from causalrec_assets.lake.storage.pointer import Pointer


def require_no_fall(inputs: Inputs, zone: LandingZone, cleaned: Cleaned) -> None:
    """A day's clean events are not much fewer than in the version that they replace, nor are its known outcomes.

    Rows of people who asked to be forgotten count as there. Where the landed files are what they were, settings have
    changed: a person has done that.

    Raises:
        InputError: They are, and nobody has said that it is right; what was cleaned is removed.
    """
    before = _replaced(inputs)
    if before is None or before.inputs.get("landing:events") == inputs.recorded["landing:events"]:
        return
    if too_many_wrong(cleaned, zone.rules):
        return  # The contract refuses the day, and says which rows are wrong.
    day, rules, allowed = inputs.day, zone.rules, dict(zone.events.fewer.get(inputs.day, {}))
    if day in zone.events.empty_days and not cleaned.landed_rows:
        allowed[ROWS] = 0
    now, was = {ROWS: cleaned.rows + cleaned.forgotten_rows}, {ROWS: before.rows}
    if not too_few(now[ROWS], was[ROWS], rules.fewer.share, rules.fewer.rows):
        # Otherwise the outcomes fall with the rows, and that is said once.
        known = _known_before(inputs, before, zone) if not cleaned.forgotten_rows else {}
        now, was = {**now, **_known(cleaned.path, known)}, {**was, **known}
    if falls := fallen(f"`clean_events` of {day}", now, was, allowed, rules.fewer.share, rules.fewer.rows):
        cleaned.path.unlink(missing_ok=True)
        cleaned.set_aside_path.unlink(missing_ok=True)
        marker = zone.events.root / f"day={day}" / FEWER
        lines = " and ".join(f"`{name}: {n}`" for name, n in now.items() if n < was.get(name, 0))
        raise InputError(
            f"{'; '.join(falls)}: more than `fewer` of cleaning.yaml lets go unnoticed. Version {before.number} stays. "
            f"If files are missing, cut off or empty, land them again. If it is right, say so in a file {marker} that "
            f"holds {lines}"
            + (f" (or, for a day on which nothing happened, land `{EMPTY_DAY}` there)." if not now[ROWS] else ".")
        )


def _replaced(inputs: Inputs) -> Pointer | None:
    """The version that was current when the attempt began, if it says anything."""
    return _version(inputs, inputs.day, inputs.after)


def _version(inputs: Inputs, day: date, number: int) -> Pointer | None:
    try:
        before = inputs.store.pointer(inputs.asset, day, number) if number else None
    except LostObject:
        return None  # What is cut off says nothing, and is replaced.
    return before if before is not None and before.answer.answered else None


def _known_before(inputs: Inputs, before: Pointer, zone: LandingZone) -> dict[str, int]:
    """Outcome -> how many events had it, of the outcomes that are gone when other files are.

    Forgotten people take theirs with them; how many that were is kept nowhere, so nobody asks when there are any.
    """
    outcomes = [name for name in zone.source.outcomes if _guarded(name, zone)]
    try:
        return _known(inputs.store.local_data(before, inputs.fetched), outcomes) if outcomes else {}
    except LostObject:
        return {}


def _known(path: Path, outcomes: Iterable[str]) -> dict[str, int]:
    rows = scan_parquet(path)
    has = [(pl.col(name).is_not_null() & (pl.col(name) != 0)).sum() for name in outcomes]
    return {name: int(number) for name, number in rows.select(has).collect().row(0, named=True).items()} if has else {}


def _guarded(outcome: str, zone: LandingZone) -> bool:
    """Outcomes of files of their own, and those that are final some days later: both are gone when other files are."""
    by_stream = {name for stream in zone.source.streams for name in stream.gives}
    return outcome in by_stream or bool(zone.source.maturity_days.get(outcome))


def require_no_smaller_snapshot(
    inputs: Inputs, landing: str, rows: int, files: SnapshotFiles, rules: CleaningRules
) -> None:
    """A catalogue, or a list of users, is not much shorter than it was: files add to it, and none takes away.

    Raises:
        InputError: It is, or has no row at all, and nobody has said that it is right.
    """
    marker, allowed = files.root / FEWER, files.fewer
    if not rows and allowed.get(ROWS) != 0:
        raise InputError(
            f"{files.root}: no landed file has a row. Land the {inputs.asset} whole, or remove the mapping from "
            "sources.yaml (the report then says what that costs)"
        )
    before = _replaced(inputs) or _day_before(inputs)
    if before is None or before.inputs.get(landing) == inputs.recorded[landing]:
        return
    falls = fallen(
        f"`{inputs.asset}` of {inputs.day}",
        {ROWS: rows},
        {ROWS: before.rows},
        allowed,
        rules.fewer.share,
        rules.fewer.rows,
    )
    if falls:
        raise InputError(
            f"{'; '.join(falls)}: more than `fewer` of cleaning.yaml lets go unnoticed. What was published of "
            f"{before.day} stays. If a file is missing, cut off or empty, land it again. If it is right, say so in a "
            f"file {marker} that holds `{rows}`."
        )


def _day_before(inputs: Inputs) -> Pointer | None:
    earlier = [(day, number) for day, number in inputs.store.current(inputs.asset).items() if day < inputs.day]
    return _version(inputs, *earlier[-1]) if earlier else None
