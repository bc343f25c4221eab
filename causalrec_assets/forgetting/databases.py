"""A user's id leaves the home's own SQLite databases: Dagster's record of runs, and MLflow's.

Runs of earlier releases quoted landed rows. To delete such runs is not enough: Dagster keeps the results of their
checks, and SQLite keeps what was deleted until the file is written anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from causalrec.home import Home
from causalrec_assets.forgetting.traces import can_be_searched_for, holds_text, spelled, without_id

WAIT_SECONDS = 10


def clear_databases(home: Home, user_id: str) -> dict[str, str]:
    """Overwrite the id in every text of the databases below the home.

    Returns:
        Database (below the home) -> what was done, in words; those in which nothing was found are left out.
    """
    done: dict[str, str] = {}
    if not can_be_searched_for(user_id):
        return done
    for path in _databases(home):
        if not holds_text(path, user_id):
            continue
        name = path.relative_to(home.root).as_posix()
        try:
            done[name] = f"{_clear(path, user_id)} value(s) overwritten"
        except sqlite3.Error as error:
            done[name] = f"left as it is ({error}); stop what uses it, and give the command again"
    return done


def _databases(home: Home) -> Iterator[Path]:
    for path in (home.root / "mlflow.db", *sorted(home.dagster.rglob("*.db"))):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(16) == b"SQLite format 3\0":
                    yield path


def _clear(path: Path, user_id: str) -> int:
    def cleared(text: str) -> str:
        for spelling in spelled(user_id):
            text = without_id(text, spelling)
        return text

    with closing(sqlite3.connect(path, timeout=WAIT_SECONDS)) as database:
        database.create_function("cleared", 1, cleared)
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        changed = 0
        for table in [_quoted(name) for (name,) in tables]:
            for column in [_quoted(row[1]) for row in database.execute(f"PRAGMA table_info({table})").fetchall()]:
                changed += database.execute(
                    f"UPDATE {table} SET {column} = cleared({column}) "
                    f"WHERE typeof({column}) = 'text' AND cleared({column}) <> {column}"
                ).rowcount
        database.commit()
        database.execute("VACUUM")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return changed


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
