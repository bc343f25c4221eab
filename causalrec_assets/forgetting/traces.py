"""Where a home still holds a user's id: in rows, and as text in any file."""

from __future__ import annotations

import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from causalrec.engine.one_file import read_parquet
from causalrec.home import Home
from causalrec_assets.lake.storage.objects import local_path
from causalrec_assets.lake.store import Store

SOMEBODY = "..."
"""What stands in the place of a forgotten user's id."""
STRETCH = 8 * 1024**2
TO_DO = {
    "dagster": "Dagster's record of runs. Remove files of logs; stop what uses a database, and give the command again",
    "mlflow.db": "MLflow's database. Stop what uses it, and give the command again",
    "mlflow-artifacts": "MLflow's files. Delete the runs in its UI, then: .venv/bin/mlflow gc",
    "reports": "Pages for people. Remove those that are named; a run writes its own again",
    "work": "Scratch. Remove the folder while nothing runs",
    "lake": "Not foreseen: no table, note or refusal should hold it. Remove the versions that are named",
}


def can_be_searched_for(user_id: str) -> bool:
    """Whether finding the id in a text says anything: `7` and `ab` stand everywhere."""
    return len(user_id) >= (6 if user_id.isdigit() else 3)


def in_text(user_id: str) -> str:
    """A pattern (of Rust and Python alike) of the id as a word of its own, `12` as `12.0` too."""
    ending = r"(?:\.0)?" if user_id.isdigit() else ""
    return rf"(^|[^\p{{L}}\p{{N}}]){re.escape(user_id)}{ending}($|[^\p{{L}}\p{{N}}])"


def without_id(text: str, user_id: str) -> str:
    """A text with `SOMEBODY` in the place of the id, where it stands as a word of its own."""
    ending = r"(?:\.0)?" if user_id.isdigit() else ""
    return re.sub(rf"(?<![^\W_]){re.escape(user_id)}{ending}(?![^\W_])", SOMEBODY, text)


def rows_of(frame: pl.DataFrame, user_id: str, everywhere: bool = False) -> pl.Series:
    """Which rows are the user's.

    Args:
        everywhere: Also those that hold the id in another column's text, as a shifted row or a reason does. (Of an id
            that stands everywhere only those whose user it is.)
    """
    own = pl.lit(False)
    if "user_id" in frame.columns:
        own = pl.col("user_id").cast(pl.String).eq_missing(user_id)
    if everywhere and can_be_searched_for(user_id):
        texts = [name for name, dtype in frame.schema.items() if dtype == pl.String and name != "item_id"]
        lists = [name for name, dtype in frame.schema.items() if dtype == pl.List(pl.String)]
        pattern = in_text(user_id)
        for text in (*map(pl.col, texts), *(pl.col(name).list.join(" ") for name in lists)):
            own = own | text.str.contains(pattern).fill_null(False)
    # With the rows' own number a constant has as many rows as the frame.
    return frame.select((pl.int_range(pl.len()) < 0) | own).to_series()


def rows_in_lake(store: Store, user_id: str) -> Counter[str]:
    """Table (or `quarantine`) -> how many rows of a user all objects of the lake hold."""
    counts: Counter[str] = Counter()
    for name in parquet_files(store):
        table = name.partition("/")[0]
        # Other columns of published tables hold other ids, and texts of items.
        rows = int(rows_of(read(store, name), user_id, everywhere=table == "quarantine").sum())
        if rows:
            counts[table] += rows
    return counts


def parquet_files(store: Store) -> Iterator[str]:
    for object_ in store.objects.find():
        if object_.name.endswith(".parquet"):
            yield object_.name


def read(store: Store, name: str) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(store.objects.read(name)))


# -- as text, in any file ----------------------------------------------------------------------------------------------


def texts_in_home(home: Home, store: Store, user_id: str) -> dict[str, list[str]]:
    """Place of a home (a key of `TO_DO`, or a name) -> the files that hold the id as text.

    Landed files are their owner's and listed elsewhere; of the simulator's truth no asset knows.
    """
    files: dict[str, list[str]] = defaultdict(list)
    if not can_be_searched_for(user_id):
        return files
    spelled = spellings(user_id)
    for object_ in store.objects.find():
        if _holds_object(store, object_.name, user_id, spelled):
            files["lake"].append(object_.name)
    lake = local_path(store.objects, "")
    for path in _files(home.root, {home.landing, home.truth, *([lake] if lake else [])}):
        if _holds(path, user_id, spelled):
            parts = path.relative_to(home.root).parts
            files[parts[0]].append("/".join(parts[1:]) or parts[0])
    return dict(files)


def _files(folder: Path, but: Iterable[Path]) -> Iterator[Path]:
    but = set(but)
    for path in sorted(folder.iterdir()):
        if path in but or path.is_symlink():
            continue
        if path.is_dir():
            yield from _files(path, but)
        elif path.is_file():
            yield path


def spelled(user_id: str) -> list[str]:
    """The id as it is, as JSON writes it, and as JSON within JSON does."""
    once = [json.dumps(user_id, ensure_ascii=escaped)[1:-1] for escaped in (True, False)]
    twice = [json.dumps(text, ensure_ascii=False)[1:-1] for text in once]
    return list(dict.fromkeys((user_id, *once, *twice)))


def spellings(user_id: str) -> re.Pattern[bytes]:
    """The id as bytes: as UTF-8, as JSON writes it, and as UTF-16; as a word of its own where that can be told."""
    plain = [text.encode() for text in spelled(user_id)]
    words = b"|".join(rb"(?<![A-Za-z0-9])" + re.escape(word) + rb"(?![A-Za-z0-9])" for word in plain)
    return re.compile(words + b"|" + re.escape(user_id.encode("utf-16-le")))


def _holds(path: Path, user_id: str, spelled: re.Pattern[bytes]) -> bool:
    try:
        if path.suffix == ".parquet":
            return bool(rows_of(read_parquet(path), user_id, everywhere=True).any())
        rest, overlap = b"", 4 * len(user_id.encode()) + 16
        with path.open("rb") as file:
            while block := file.read(STRETCH):
                if spelled.search(rest + block):
                    return True
                rest = block[-overlap:]
    except FileNotFoundError:  # removed meanwhile
        pass
    return False


def holds_text(path: Path, user_id: str) -> bool:
    """Whether a file holds the id."""
    return _holds(path, user_id, spellings(user_id))


def _holds_object(store: Store, name: str, user_id: str, spelled: re.Pattern[bytes]) -> bool:
    if name.endswith(".parquet"):
        return bool(rows_of(read(store, name), user_id, everywhere=True).any())
    return spelled.search(store.objects.read(name)) is not None
