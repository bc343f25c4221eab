"""Forget a user: their rows leave the lake, and what was built from them is built again without them.

    python -m causalrec_assets.commands.forget USER_ID    the id as it stands in tables, letter by letter
    CAUSALREC_USER_ID=... python -m causalrec_assets.commands.forget    the same, in no list of processes

Run it when nothing else runs. Their id is put into `data/forgotten.yaml` as a keyed fingerprint. The days are built
again: from now on, rows of theirs in landed files are passed over. Slates of older days that name them, and days that
cannot be built, are published again without those rows; old versions go, and quarantine is freed of them. Then the
whole home is searched, so that the last lines are a finding and not a promise. Landed files are their owner's: those
that still hold the user are listed.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from causalrec.answers import InputError
from causalrec.cells.ids import id_of
from causalrec.durable import one_at_a_time
from causalrec.home import Home
from causalrec.logs.landing.zone import LandingZone
from causalrec.settings.deployment.lake import Retention
from causalrec_assets.commands.backfill import INTERRUPTED, bring_up_to_date, say
from causalrec_assets.forgetting.databases import clear_databases
from causalrec_assets.forgetting.landed_users import landed_with
from causalrec_assets.forgetting.list_file import given_user_id, put_on_the_list, read_forgotten
from causalrec_assets.forgetting.traces import (
    TO_DO,
    can_be_searched_for,
    parquet_files,
    read,
    rows_in_lake,
    rows_of,
    texts_in_home,
    without_id,
)
from causalrec_assets.gate.quotations import without_quotations
from causalrec_assets.lake.retention import sweep
from causalrec_assets.lake.storage.pointer import REFUSAL, Version
from causalrec_assets.lake.store import Store, open_store

# A file may not ask for what a person types here.
ONLY_CURRENT = Retention.model_construct(versions=1, staging_days=0, quarantine_days=36_500)
LANDED_TABLES = ("clean_events", "users")
"""Tables of users that are made from landed files."""


@dataclass(frozen=True)
class Finding:
    """What forgetting came to.

    Attributes:
        rows: Table -> the user's rows in all its versions before and after; the second is 0 when all went well.
        databases: Database of the home -> what was done about the id in it.
        texts: Place -> the files that hold the id as text, afterwards.
        landed: Landed files that hold rows of theirs.
        unread: Landed files that could not be searched, with why.
        failed: What could not be built again.
        stopped: Somebody stopped it.
    """

    rows: dict[str, tuple[int, int]]
    databases: dict[str, str] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    landed: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    stopped: bool = False

    @property
    def whole(self) -> bool:
        return not self.failed and not self.stopped and not any(after for _, after in self.rows.values())


def forget(home: Home, typed: str) -> Finding:
    """Forget a user.

    Args:
        typed: Their id as a person typed it.

    Raises:
        InputError: It is no id; the user is nowhere in the lake, in no landed file and not on the list; another change
            of the list is at work; or the list or its key is broken.
    """
    zone, store = LandingZone.of(home), open_store(home)
    user_id = id_of(typed, zone.source.events.float_ids, zone.source.events.missing)
    with one_at_a_time(home.root / ".forget.lock", "another change of the list of forgotten users"):
        before = rows_in_lake(store, user_id)
        landed, unread = landed_with(zone, user_id)
        if not before and not landed and not read_forgotten(home, store)[0].holds(user_id):
            raise InputError(_nowhere(user_id, unread))
        put_on_the_list(home, store, user_id)
        # Also of days that cannot be built again: what follows them is then built without the user's counts.
        publish_without(store, user_id, LANDED_TABLES)
        say("Building again what held their rows:")
        newest = [zone.newest_day] if zone.newest_day else []
        built = bring_up_to_date(home, zone.span, newest, say, command="forget")
        publish_without(store, user_id, {name.partition("/")[0] for name in parquet_files(store)} - {"quarantine"})
        sweep(store, ONLY_CURRENT, datetime.now(UTC))
        clear_quarantine(store, user_id)
        shutil.rmtree(store.staging_folder, ignore_errors=True)
        databases = clear_databases(home, user_id)
        after = rows_in_lake(store, user_id)
        return Finding(
            {table: (before[table], after[table]) for table in sorted(before | after)},
            databases,
            texts_in_home(home, store, user_id),
            landed,
            unread,
            [*built.failed, *built.waits],
            built.stopped is not None,
        )


def _nowhere(user_id: str, unread: Sequence[str]) -> str:
    sentence = f"no table and no landed file has the user id {user_id!r}; ids are told apart letter by letter"
    return sentence + (f". These landed files could not be searched: {'; '.join(unread)}" if unread else "")


def publish_without(store: Store, user_id: str, tables: Iterable[str]) -> None:
    """Publish current versions without the user: those of partitions that nothing builds again, as slates of older
    days are, and of those that cannot be built, because a landed file cannot be read."""
    for table in sorted(tables):
        for day, number in store.current(table).items():
            pointer = store.pointer(table, day, number)
            assert pointer is not None
            frame = store.read_frame(pointer)
            of_the_user = rows_of(frame, user_id)
            if not of_the_user.any():
                continue
            kept = frame.filter(~of_the_user)
            staged = store.staging(table, day, "forget")
            kept.write_parquet(staged, compression="zstd", statistics=True)
            version = Version(
                table,
                day,
                kept.height,
                pointer.answer,
                pointer.notes,
                {name: store.read_file(pointer, name) for name in pointer.files},
                pointer.inputs,
                pointer.run_id,
                pointer.set_aside,
            )
            store.publish(staged, version, after=number)


def clear_quarantine(store: Store, user_id: str) -> None:
    """Of refused drafts and unusable rows those that hold the user go; why an attempt was refused stays, unquoted."""
    for name in [name for name in parquet_files(store) if name.startswith("quarantine/")]:
        frame = read(store, name)
        rows_of_user = rows_of(frame, user_id, everywhere=True)
        if rows_of_user.any():
            staged = store.staging_folder / "forget.parquet"
            staged.parent.mkdir(parents=True, exist_ok=True)
            frame.filter(~rows_of_user).write_parquet(staged, compression="zstd")
            store.objects.upload(staged, name)
    for object_ in store.objects.find("quarantine"):
        if REFUSAL.fullmatch(object_.name):
            record = store.load_json(object_)
            reasons = [_without(reason, user_id) for reason in record["reasons"]]
            if reasons != record["reasons"]:
                at = record.get("time_ns") or int(object_.modified.timestamp() * 1e9)
                changed = {**record, "reasons": reasons, "time_ns": at}
                store.objects.write(object_.name, json.dumps(changed, indent=1).encode())


def _without(reason: str, user_id: str) -> str:
    # Refusals of earlier releases quote landed rows.
    reason = without_quotations(reason)
    return without_id(reason, user_id) if can_be_searched_for(user_id) else reason


# -- what is said ------------------------------------------------------------------------------------------------------


def report(home: Home, finding: Finding) -> None:
    """Say what was found, and what is left to a person."""
    say(f"\n{'rows of the user in':<22}{'before':>9}{'now':>7}")
    for table, (before, after) in finding.rows.items():
        say(f"{table:<22}{before:>9,}{after:>7,}")
    if finding.failed:
        say("\nNot built again; the rows of theirs were taken out of what was published before:")
        for line in finding.failed:
            say(f"  {line.splitlines()[0]}")
    for database, done in finding.databases.items():
        say(f"\nTheir id stood in {home.root / database}: {done}")
    for place, files in finding.texts.items():
        say(f"\nTheir id stands as text in {len(files)} file(s) of {home.root / place}.")
        say(f"{TO_DO.get(place, 'Nothing here writes there')}:")
        for file in files[:20]:
            say(f"  {file}")
        if len(files) > 20:
            say(f"  and {len(files) - 20} more")
    if finding.landed:
        say("\nThese landed files still hold rows of theirs, which nothing reads any more. Remove the rows there:")
        for path in finding.landed:
            say(f"  {path}")
    if finding.unread:
        say("\nThese landed files could not be searched:")
        for line in finding.unread:
            say(f"  {line}")
    say(
        "\nNot reached from here: backups and copies (of the home, reports, landed files), old versions in a bucket "
        "that keeps them, a Dagster or MLflow store or Weights & Biases elsewhere, and weights that were trained while "
        "the rows were there (the next release replaces them). docs/operations.md says what to do about each."
    )


def main(arguments: Sequence[str]) -> int:
    if list(arguments) in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    home = Home.current()
    try:
        finding = forget(home, given_user_id(arguments, os.environ))
    except InputError as error:
        sys.exit(str(error))
    report(home, finding)
    if finding.stopped:
        say("\nStopped: they are on the list, but not all was built again. The same command goes on from there.")
        return INTERRUPTED
    return 0 if finding.whole else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
