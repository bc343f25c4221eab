"""Retention: what nobody reads any more goes, what is read, named or still stands refused stays."""

import os
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from causalrec.settings.deployment.lake import Retention
from causalrec_assets.commands.sweep import main
from causalrec_assets.lake import retention
from causalrec_assets.lake.releases import ReleaseLog
from causalrec_assets.lake.retention import sweep
from causalrec_assets.lake.store import Store
from causalrec_assets.lake.trials import Kind, TrialLog
from tests.lake.test_store import DAY, publish

NOW = datetime.now(UTC) + timedelta(minutes=1)
LATER = NOW + timedelta(days=10)


def rows(number):
    return pl.DataFrame({"id": [f"version {number}"]})


def publish_versions(store, count, day=DAY):
    return [publish(store, day=day, after=k, rows=rows(k), files={"a.txt": str(k).encode()}) for k in range(count)]


def names(store):
    return sorted(found.name for found in store.objects.find() if not found.name.startswith("."))


def test_versions_beyond_the_number_go_with_their_content_and_the_rest_stays_readable(store):
    versions = publish_versions(store, 5)
    publish_versions(store, 1, DAY + timedelta(days=1))
    swept = sweep(store, Retention(versions=2), NOW)
    assert store.numbers("sales", DAY) == [4, 5]
    assert store.current("sales") == {DAY: 5, DAY + timedelta(days=1): 1}
    assert [store.read_frame(pointer).item() for pointer in versions[3:]] == ["version 3", "version 4"]
    assert store.read_file(versions[4], "a.txt") == b"4"
    assert (swept.pointers.count, swept.content.count, swept.orphans.count) == (3, 6, 0)
    assert swept.content.bytes > 0
    assert sweep(store, Retention(versions=2), NOW).pointers.count == 0


def test_one_version_leaves_nothing_that_was_replaced(store):
    publish_versions(store, 3)
    sweep(store, Retention(versions=1), NOW)
    assert names(store) == sorted([*store.pointer("sales", DAY).content, f"sales/day={DAY}/pointers/000003.json"])


def test_a_dry_run_counts_the_same_and_removes_nothing(store):
    publish_versions(store, 4)
    before = names(store)
    said = sweep(store, Retention(versions=1), NOW, dry_run=True)
    assert names(store) == before
    assert said == sweep(store, Retention(versions=1), NOW)


def test_content_that_a_kept_version_shares_stays(store):
    publish(store, rows=rows(0))
    publish(store, rows=rows(1), after=1)
    publish(store, rows=rows(0), after=2)
    sweep(store, Retention(versions=1), NOW)
    assert store.read_frame(store.pointer("sales", DAY)).item() == "version 0"


def test_what_a_released_bundle_names_stays_and_what_the_caller_keeps(store):
    versions = publish_versions(store, 5)
    named = {"sales": {"day": DAY.isoformat(), "pointer": 2, "hash": versions[1].hash}}
    ReleaseLog(store).move(DAY, {"tables": named}, None)
    sweep(store, Retention(versions=1), NOW, keep=[("sales", DAY, 3)])
    assert store.numbers("sales", DAY) == [2, 3, 5]
    assert store.read_frame(store.pointer("sales", DAY, 2)).item() == "version 1"
    assert ReleaseLog(store).current().bundle == {"tables": named}


def test_what_the_challenger_of_an_open_trial_is_made_of_stays_until_the_trial_ends(store):
    publish_versions(store, 5)
    bundle = {"tables": {"sales": {"day": DAY.isoformat(), "pointer": 2, "hash": "h"}}}
    TrialLog(store).add(Kind.OPENED, DAY, {"bundle": bundle}, 0)
    sweep(store, Retention(versions=1), NOW)
    assert store.numbers("sales", DAY) == [2, 5]
    TrialLog(store).add(Kind.CLOSED, DAY, {"trial": 1}, 1)
    sweep(store, Retention(versions=1), NOW)
    assert store.numbers("sales", DAY) == [5]
    assert len(TrialLog(store).entries()) == 2


def test_what_a_killed_publish_left_goes_once_it_is_old(store):
    publish(store)
    orphan = f"sales/day={DAY}/{'0' * 64}.parquet"
    store.objects.write(orphan, b"rows")
    store.objects.write(f"sales/day={DAY}/notes-of-a-person.txt", b"stays")
    assert sweep(store, Retention(), NOW).orphans.count == 0
    assert sweep(store, Retention(), LATER).orphans.count == 1
    assert orphan not in names(store)
    assert f"sales/day={DAY}/notes-of-a-person.txt" in names(store)
    assert store.read_frame(store.pointer("sales", DAY)).height == 2


def test_content_that_is_written_again_during_the_sweep_stays(store, monkeypatch):
    """A run publishes the rows of an old version again while that version is removed."""
    publish(store, rows=rows(0))
    publish(store, rows=rows(1), after=1)
    content = retention._Sweep._content

    def meanwhile(sweep, pointers):
        names = content(sweep, pointers)
        if not meanwhile.done:
            meanwhile.done = True
            publish(store, rows=rows(0), after=2)
        return names

    meanwhile.done = False
    monkeypatch.setattr(retention._Sweep, "_content", meanwhile)
    sweep(store, Retention(versions=1), NOW)
    assert store.read_frame(store.pointer("sales", DAY)).item() == "version 0"


@pytest.mark.parametrize("steps", [0, 1])
def test_a_sweep_that_is_killed_leaves_no_pointer_to_nothing(store, monkeypatch, steps):
    publish_versions(store, 3)
    remove, done = retention._Sweep._remove, []

    def killed(*arguments):
        if len(done) == steps:
            raise KeyboardInterrupt
        done.append(remove(*arguments))

    monkeypatch.setattr(retention._Sweep, "_remove", killed)
    with pytest.raises(KeyboardInterrupt):
        sweep(store, Retention(versions=1), NOW)
    for number in store.numbers("sales", DAY):
        assert store.read_frame(store.pointer("sales", DAY, number)).height == 1
    monkeypatch.setattr(retention._Sweep, "_remove", remove)
    sweep(store, Retention(versions=1), LATER)
    assert len(names(store)) == 3


def test_old_quarantine_goes_but_a_refusal_that_stands_stays(store):
    publish(store)
    for run_id, after, day in (("healed", 0, DAY), ("stands", 1, DAY), ("other", 0, date(2026, 3, 3))):
        store.quarantine.keep("sales", day, run_id, "table.parquet", rows(0))
        store.quarantine.refuse("sales", day, run_id, after, ["broken"])
    store.quarantine.keep("sales", DAY, "published", "set_aside.parquet", rows(0))
    assert sweep(store, Retention(), LATER).quarantine.count == 0
    assert sweep(store, Retention(quarantine_days=5), LATER).quarantine.count == 3
    assert {name.split("/")[3] for name in names(store) if name.startswith("quarantine")} == {"stands", "other"}
    assert store.quarantine.standing("sales", DAY).run_id == "stands"


def test_staged_drafts_of_killed_runs_go_by_age(store):
    staged = store.staging("sales", DAY, "killed")
    staged.write_bytes(b"rows")
    fresh = store.staging("sales", DAY, "at-work")
    fresh.write_bytes(b"rows")
    old = (NOW - timedelta(days=3)).timestamp()
    os.utime(staged, (old, old))
    assert sweep(store, Retention(), NOW).staging.count == 1
    assert (staged.exists(), fresh.exists()) == (False, True)


def test_hidden_drafts_in_a_folder_go_by_age(tmp_path):
    store = Store(tmp_path)
    publish(store)
    draft = store.folder("sales", DAY) / "pointers" / f".{'a' * 32}.tmp"
    draft.write_bytes(b"{")
    assert sweep(store, Retention(), NOW).orphans.count == 0
    assert sweep(store, Retention(), LATER).orphans.count == 1
    assert not draft.exists()


def test_the_command_prints_what_went(home, store, monkeypatch, capsys):
    publish_versions(store, 7)
    monkeypatch.setenv("CAUSALREC_HOME", str(home.root))
    assert main(["--dry-run"]) == 0
    assert "Would remove" in capsys.readouterr().out
    assert len(store.numbers("sales", DAY)) == 7
    assert main([]) == 0
    said = capsys.readouterr().out
    assert "Removed from" in said
    assert [line.split()[2] for line in said.splitlines() if line.startswith("old versions")] == ["2"]
    assert len(store.numbers("sales", DAY)) == 5
    (home.data / "lake.yaml").write_text("rot: x")
    assert main([]) == 2
    assert "unknown key" in capsys.readouterr().err
