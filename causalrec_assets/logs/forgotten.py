"""Users who asked to be forgotten: their rows are passed over when landed files are read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

import polars as pl

from causalrec_assets.answers import InputError

FILE = "forgotten.yaml"


def fingerprint(user_id: str) -> str:
    """How the list names a user."""
    return hashlib.sha256(user_id.encode()).hexdigest()


def parse_forgotten(settings: Mapping[str, object]) -> frozenset[str]:
    """Read `data/forgotten.yaml`: the fingerprints of the forgotten users.

    Raises:
        InputError: Something else than SHA-256 values stands in it; a plain id would be kept for all to read.
    """
    if unknown := set(settings) - {"users"}:
        raise InputError(f"{FILE}: unknown key {sorted(unknown)}; known is ['users']")
    users = settings.get("users") or []
    if not isinstance(users, list) or not all(isinstance(u, str) and re.fullmatch("[0-9a-f]{64}", u) for u in users):
        raise InputError(f"{FILE}: `users` must be a list of SHA-256 values (64 hex digits); `make forget` writes them")
    return frozenset(users)


def without_forgotten(rows: pl.DataFrame, forgotten: frozenset[str]) -> pl.DataFrame:
    """The rows of all other users, and those without a user."""
    if not forgotten or "user_id" not in rows.columns:
        return rows
    ids = rows["user_id"].drop_nulls().unique().to_list()
    gone = [user for user in ids if fingerprint(user) in forgotten]
    return rows.filter(~pl.col("user_id").is_in(gone).fill_null(False)) if gone else rows
