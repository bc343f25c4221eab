"""Forget a user: their rows leave the lake, and what was built from them is built again without them.

    python -m causalrec_assets.forget USER_ID

Run it when nothing else runs. Their id is put into `data/forgotten.yaml` as a fingerprint. The days are built
again: from now on, rows of theirs in landed files are passed over. Slates of older days that name them are
published again without those rows; old versions and quarantine that hold their rows are removed. Then the whole
lake is searched, so that the last lines are a finding and not a promise. Landed files are their owner's: those that
still hold the user are listed.
"""

from __future__ import annotations

import io
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import polars as pl
import yaml

from causalrec_assets.answers import InputError
from causalrec_assets.backfill import bring_up_to_date, say
from causalrec_assets.gate.inputs import read_setting
from causalrec_assets.gate.retention import sweep
from causalrec_assets.gate.settings import Retention
from causalrec_assets.gate.store import Store, open_store
from causalrec_assets.home import Home
from causalrec_assets.logs.forgotten import FILE, fingerprint, parse_forgotten
from causalrec_assets.logs.landed_files import landed_files
from causalrec_assets.logs.landing_zone import LandingZone
from causalrec_assets.logs.reading import open_landed

ONLY_CURRENT = Retention(versions=1, staging_days=0, quarantine_days=36_500)


def forget(home: Home, user_id: str) -> dict[str, tuple[int, int]]:
    """Forget a user.

    Returns:
        Table -> the user's rows in all its versions before and after; the second is 0 when all went well.

    Raises:
        InputError: The user is nowhere in the lake and in no landed file; or the rebuild failed, with its words.
    """
    zone, store = LandingZone.of(home), open_store(home)
    before = rows_of(store, user_id)
    if not before and not any(_landed_with(zone, user_id)):
        raise InputError(f"no table and no landed file has the user id {user_id!r}; ids are told apart by case")
    _put_on_the_list(home, user_id)
    say("Building again what held their rows:")
    newest = [zone.newest_day] if zone.newest_day else []
    built = bring_up_to_date(home, zone.span, newest, say)
    if built.failed or built.waits:
        raise InputError("the rebuild did not end: " + "; ".join([*built.failed, *built.waits]))
    publish_without(store, user_id)
    sweep(store, ONLY_CURRENT, datetime.now(UTC))
    _remove_from_quarantine(store, user_id)
    after = rows_of(store, user_id)
    return {table: (before[table], after[table]) for table in sorted(before | after)}


def rows_of(store: Store, user_id: str) -> Counter[str]:
    """Table (or `quarantine`) -> how many rows of a user all objects of the lake hold."""
    found: Counter[str] = Counter()
    for name in _tables_with_users(store):
        rows = _rows(store, name, user_id)
        if rows:
            found[name.partition("/")[0]] += rows
    return found


def _tables_with_users(store: Store) -> Iterator[str]:
    for found in store.objects.find():
        if found.name.endswith(".parquet"):
            yield found.name


def _rows(store: Store, name: str, user_id: str) -> int:
    content = io.BytesIO(store.objects.read(name))
    if "user_id" not in pl.read_parquet_schema(content):
        return 0
    content.seek(0)
    return int((pl.read_parquet(content, columns=["user_id"])["user_id"].cast(pl.String) == user_id).sum())


def _put_on_the_list(home: Home, user_id: str) -> None:
    listed = sorted(parse_forgotten(read_setting(home, FILE)) | {fingerprint(user_id)})
    path = home.data / FILE
    comment = "".join(line for line in home.setting(FILE).open() if line.startswith("#"))
    path.write_text(comment + yaml.safe_dump({"users": listed}))


def publish_without(store: Store, user_id: str) -> None:
    """Current versions that still hold the user are of partitions that nothing builds again: slates of older days."""
    for table in {name.partition("/")[0] for name in _tables_with_users(store)} - {"quarantine"}:
        for day, number in store.current(table).items():
            pointer = store.pointer(table, day, number)
            assert pointer is not None
            frame = store.read_frame(pointer)
            if "user_id" not in frame.columns or not (frame["user_id"] == user_id).any():
                continue
            kept = frame.filter(pl.col("user_id").ne_missing(user_id))
            staged = store.staging(table, day, "forget")
            kept.write_parquet(staged, compression="zstd", statistics=True)
            store.publish(
                staged,
                table=table,
                day=day,
                after=number,
                rows=kept.height,
                answer=pointer.answer,
                notes=pointer.notes,
                files={name: store.read_file(pointer, name) for name in pointer.files},
                inputs=pointer.inputs,
                run_id=pointer.run_id,
                set_aside=pointer.set_aside,
            )


def _remove_from_quarantine(store: Store, user_id: str) -> None:
    """The files of refused attempts and of unusable rows that hold the user go; why an attempt was refused stays."""
    gone = [
        name for name in _tables_with_users(store) if name.startswith("quarantine/") and _rows(store, name, user_id)
    ]
    store.objects.delete(gone)


def _landed_with(zone: LandingZone, user_id: str) -> Iterator[str]:
    """Landed files that hold a row of the user."""
    sources = (
        zone.source.events,
        zone.source.users,
        *(stream.feed for stream in zone.source.streams),
    )
    for feed in sources:
        column = feed.columns.get("user_id") if feed else None
        if feed is None or column is None:
            continue
        for path in landed_files(zone.root / feed.folder):
            with open_landed(path, zone.rules, feed.csv) as landed:
                pieces = landed.pieces([column])
                if any(column in p.columns and (p[column].cast(pl.String) == user_id).any() for p in pieces):
                    yield str(path)


def main(arguments: Sequence[str]) -> int:
    # By the environment where it can: everybody on a machine sees the arguments of its processes.
    named = [*arguments, os.environ.get("CAUSALREC_USER_ID", "")]
    if len(arguments) > 1 or not named[0]:
        sys.exit("usage: python -m causalrec_assets.forget USER_ID, or CAUSALREC_USER_ID in the environment")
    home, user_id = Home.current(), named[0]
    try:
        found = forget(home, user_id)
    except InputError as error:
        sys.exit(str(error))
    say(f"\n{'rows of the user in':<22}{'before':>9}{'now':>7}")
    for table, (before, after) in found.items():
        say(f"{table:<22}{before:>9,}{after:>7,}")
    if landed := list(_landed_with(LandingZone.of(home), user_id)):
        say("\nThese landed files still hold rows of theirs, which nothing reads any more. Remove the rows there:")
        for path in landed:
            say(f"  {path}")
    say("Backups, and copies of reports and of the Dagster and MLflow stores, are not reached from here.")
    return 1 if any(after for _, after in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
