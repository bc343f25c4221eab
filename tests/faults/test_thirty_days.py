"""Thirty days of a shop in which everything breaks at random, and ends in the bytes of a shop in which nothing did.

`CAUSALREC_FAULT_SEEDS=20` runs 20 of them instead of 2; `-k even` and `-k odd` split them over two processes.
"""

import os
import random
import shutil
from collections import Counter, defaultdict
from datetime import timedelta

import polars as pl
import pytest
import yaml

from causalrec.home import Home
from causalrec_assets.commands.home import create_home
from causalrec_assets.gate import publishing
from causalrec_assets.lake.store import Store
from tests.faults.shop import KILLS, LOGS, Audits, Saboteur, Shop
from tests.worlds import FIRST, make_home, materialise, tiny, words

DAYS = [FIRST + timedelta(days=k) for k in range(30)]
SEEDS = range(int(os.environ.get("CAUSALREC_FAULT_SEEDS", "2")))
ARRIVALS = ("late", "truncated", "bad value", "declared empty", "empty file", "split", "part file")
LATER = ("sent again", "removed", "late rows")
EFFECTS = {
    "refused: truncated",
    "refused: bad value",
    "refused: nothing landed",
    "refused: no rows",
    "lost a race",
    *(f"killed {point}" for point in KILLS),
}


@pytest.fixture(scope="module")
def quick():
    """Settings are parsed by YAML's own C code, and what was audited once is not audited again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml, "SafeLoader", yaml.CSafeLoader)
        patch.setattr(publishing, "audit", Audits())
        yield


@pytest.fixture(scope="module")
def seen():
    """What has happened in all seeds together, by its effect."""
    return Counter()


@pytest.fixture(scope="module")
def good(tmp_path_factory, quick):
    """The fault-free shop: its home, and the hash of each table's day."""
    home = make_home(tmp_path_factory.mktemp("good") / "home", tiny(days=len(DAYS), events_per_day=200))
    thirty_days(home)
    shop = Shop(home)
    shop.heal()
    hashes = shop.hashes()
    assert set(hashes) == {(name, day) for name in LOGS for day in DAYS}
    return home, hashes


def thirty_days(home):
    """The simulated source ends after fourteen days; this one after thirty."""
    path = home.data / "sources.yaml"
    path.write_text(path.read_text().replace("last_day: 2026-03-15", f"last_day: {DAYS[-1]}"))


class Landing:
    """What lands on which day of the thirty (and some more), drawn from a seed; every kind of fault at least once."""

    def __init__(self, good: Home, home: Home, seed: int) -> None:
        self.good, self.home, self.random = good.landing / "events", home.landing / "events", random.Random(seed)
        self.at = defaultdict(list)
        """Day number -> what lands on it, in order."""
        self.kinds = set()
        kinds = [*ARRIVALS, *self.random.choices(ARRIVALS, k=5)]
        faulty = dict(zip(self.random.sample(range(len(DAYS)), len(kinds)), kinds, strict=True))
        whole = {}
        for k in range(len(DAYS)):
            whole[k] = self._arrives(k, faulty.get(k, "good"))
        untouched = [k for k in range(len(DAYS)) if k not in faulty]
        later = [*LATER, *self.random.choices(LATER, k=2)]
        for k, kind in zip(self.random.sample(untouched, len(later)), later, strict=True):
            self._breaks(k, kind, whole[k])

    @property
    def last(self) -> int:
        return max(self.at)

    def _on(self, k, kind, action, *arguments):
        self.at[k].append((action, *arguments))
        self.kinds.add(kind)

    def _arrives(self, k, kind):
        """When and how the file of day k lands; the day number from which on it is whole."""
        later = k + self.random.randint(1, 4)
        if kind == "good":
            self._on(k, kind, self.land, k)
            return k
        if kind == "split":
            self._on(k, kind, self.land_part, k, 0, k)
            # The rest comes as a part of its own day, or in the folder of the day on which it came.
            self._on(later, kind, self.land_part, k, 1, self.random.choice([k, min(later, len(DAYS) - 1)]))
            return later
        first = {
            "truncated": self.truncate,
            "bad value": self.spoil,
            "declared empty": self.declare_empty,
            "empty file": self.land_empty,
            "part file": self.begin,
        }
        if kind in first:
            self._on(k, kind, first[kind], k)
        self._on(later, kind, self.land, k)
        return later

    def _breaks(self, k, kind, since):
        when = since + self.random.randint(1, 5)
        if kind == "sent again":
            self._on(when, kind, self.send_again, k, self.random.choice([k, min(when, len(DAYS) - 1), max(0, k - 1)]))
        elif kind == "removed":
            self._on(when, kind, self.remove, k)
            self._on(when + self.random.randint(1, 4), kind, self.land, k, self.random.choice(["events", "again"]))
        else:
            # Until now the day looked whole, and was not.
            self.at[since] = [done for done in self.at[since] if done != (self.land, k)]
            self._on(since, kind, self.land_part, k, 0, k)
            self._on(when, kind, self.land_part, k, 1, min(when, len(DAYS) - 1))

    # -- what can happen to a file -------------------------------------------------------------------------------------

    def source(self, k):
        return self.good / f"day={DAYS[k]}" / "events.parquet"

    def path(self, k, name="events.parquet"):
        path = self.home / f"day={DAYS[k]}" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def land(self, k, name="events"):
        """The whole file, in place of whatever was there."""
        self.path(k, "_EMPTY").unlink(missing_ok=True)
        begun = self.path(k, "events.parquet.part")
        if begun.exists():
            begun.write_bytes(self.source(k).read_bytes())
            begun.replace(self.path(k))
        else:
            shutil.copyfile(self.source(k), self.path(k, f"{name}.parquet"))

    def truncate(self, k):
        content = self.source(k).read_bytes()
        self.path(k).write_bytes(content[: self.random.randrange(1, len(content) - 1)])

    def spoil(self, k):
        # One such row would be set aside; of so many, the files are wrong and not the rows.
        bad = pl.int_range(pl.len()).over("recommended") >= self.random.randrange(50)
        frame = pl.read_parquet(self.source(k))
        value = pl.when(bad).then(0.0).otherwise("action_propensity").alias("action_propensity")
        frame.with_columns(value).write_parquet(self.path(k))

    def declare_empty(self, k):
        self.path(k, "_EMPTY").touch()

    def land_empty(self, k):
        pl.read_parquet(self.source(k)).clear().write_parquet(self.path(k))

    def begin(self, k):
        self.path(k, "events.parquet.part").write_bytes(self.source(k).read_bytes()[:1000])

    def land_part(self, k, part, folder):
        rows = pl.read_parquet(self.source(k)).with_row_index("row")
        mine = (pl.col("row") % 3 == 0) if part else (pl.col("row") % 3 != 0)
        rows.filter(mine).drop("row").write_parquet(self.path(folder, f"part-{part}-of-{k}.parquet"))

    def send_again(self, k, folder):
        shutil.copyfile(self.source(k), self.path(folder, f"again-{k}.parquet"))

    def remove(self, k):
        self.path(k).unlink()


@pytest.mark.parametrize("seed", SEEDS, ids=lambda n: f"{n}-{('even', 'odd')[n % 2]}")
def test_whatever_breaks_the_lake_ends_in_the_bytes_of_a_lake_in_which_nothing_did(
    good, seen, tmp_path, monkeypatch, seed
):
    source, expected = good
    home = create_home(tmp_path / "home", "simulated")
    thirty_days(home)
    for folder in ("items", "users"):
        shutil.copytree(source.landing / folder, home.landing / folder)
    shop, landing, draw = Shop(home), Landing(source, home, seed), random.Random(-seed - 1)
    saboteur = Saboteur(shop, monkeypatch)
    breaks = dict(zip(draw.sample(range(2, len(DAYS)), 9), [*KILLS, "race"] * 2 + ["race"], strict=True))

    behind = 0
    for k in range(landing.last + 1):
        for action, *arguments in landing.at[k]:
            action(*arguments)
        if kind := breaks.get(k):
            saboteur.arm(kill="" if kind == "race" else kind, race=kind == "race", skip=draw.randrange(5))
        plan = shop.heal()
        shop.check()
        so_far = {key: found for key, found in expected.items() if key[1] <= FIRST + timedelta(days=k)}
        behind += shop.hashes() != so_far

    assert behind > 10, "the lake was hardly ever behind: nothing was put to the test"
    assert shop.plan().requests == ()
    assert landing.kinds == {"good", *ARRIVALS, *LATER}
    assert set(shop.seen) <= EFFECTS
    seen.update(shop.seen)
    found = shop.hashes()
    assert {key: found.get(key) for key in expected} == expected, plan.waits
    assert plan.waits == ()
    shop.check(whole=True)
    print(f"seed {seed}: {shop.ran} partitions built, behind on {behind} days, {dict(shop.seen)}")


def test_each_kind_of_fault_did_happen(seen):
    if not seen:
        pytest.skip("counts what happened to the seeds that were run; none was")
    assert set(seen) == EFFECTS


@pytest.mark.parametrize("missing", [0, 1])
def test_a_day_that_is_late_asks_for_no_run_that_must_fail(tmp_path, missing):
    shop = Shop(make_home(tmp_path / "home", tiny(days=3, events_per_day=200)))
    late = shop.home.landing / "events" / f"day={DAYS[missing]}"
    late.rename(tmp_path / "late")
    waits = shop.heal().waits
    assert shop.seen == {}
    said = [f"`history` of {DAYS[0]} must be published", f"{DAYS[1]}: nothing was landed"][missing]
    assert any(said in wait for wait in waits)
    assert {day for name, day in shop.hashes() if name == "clean_events"} == {*DAYS[:3]} - {DAYS[missing]}
    assert {day for name, day in shop.hashes() if name == "units"} == set(DAYS[:missing])
    (tmp_path / "late").rename(late)
    assert shop.heal().waits == ()
    assert len(shop.hashes()) == 15


def test_the_calls_publish_and_refuse_what_dagster_does(tmp_path):
    world = tiny(days=2, events_per_day=200)
    here, there = Shop(make_home(tmp_path / "here", world)), make_home(tmp_path / "there", world)
    assert here.run(DAYS[0], LOGS) == {}
    assert materialise(there, DAYS[0], LOGS).success
    for home in (here.home, there):
        (home.landing / "events" / f"day={DAYS[1]}" / "events.parquet").write_bytes(b"PAR1")
    failed = here.run(DAYS[1], LOGS)
    result = materialise(there, DAYS[1], LOGS)
    assert set(failed) == {"clean_events", "history", "units"}
    assert not result.success
    assert failed["clean_events"].partition("events/")[2].partition("parquet")[2] in words(result)
    lake = Store(there.lake)
    assert here.hashes() == {(name, day): lake.pointer(name, day).hash for name in LOGS for day in lake.days(name)}
    refused = {name: lake.quarantine.standing(name, DAYS[1]) is not None for name in LOGS}
    assert refused == {name: Store(here.home.lake).quarantine.standing(name, DAYS[1]) is not None for name in LOGS}
