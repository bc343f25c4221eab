"""Users who asked to be forgotten: their rows are passed over when landed files are read."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from causalrec.answers import InputError

FILE = "forgotten.yaml"
KEYED = "hmac:"
"""Before a fingerprint that was made with the home's key."""


@dataclass(frozen=True)
class Forgotten:
    """Who is passed over.

    Attributes:
        keyed: HMAC-SHA256, by the key, of the SHA-256 of each id. Without the key it tells nothing; a plain hash of an
            id does, because ids are few and whoever wants to can try them all.
        plain: Of lists of earlier releases: the bare SHA-256. The HMAC is of the hash and not of the id, so that these
            can be keyed without the ids.
        key: The home's secret.
    """

    keyed: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()
    key: bytes = b""

    def __len__(self) -> int:
        return len(self.keyed) + len(self.plain)

    def holds(self, user_id: str) -> bool:
        """Whether a user, by the id that tables have, is forgotten."""
        plain = plain_hash(user_id)
        return plain in self.plain or (bool(self.keyed) and keyed_hash(self.key, plain) in self.keyed)

    def under(self, key: bytes) -> frozenset[str]:
        """All of them as fingerprints by a key."""
        return self.keyed | {keyed_hash(key, plain) for plain in self.plain}


NOBODY = Forgotten()


def plain_hash(user_id: str) -> str:
    return hashlib.sha256(user_id.encode()).hexdigest()


def keyed_hash(key: bytes, plain: str) -> str:
    """The keyed fingerprint of a user, from the plain hash of their id."""
    return hmac.digest(key, bytes.fromhex(plain), "sha256").hex()


def check_of(key: bytes) -> str:
    """Tells whether a key is the one that a list was made with, and nothing of the key."""
    return hmac.digest(key, b"which key a list of forgotten users was made with", "sha256").hex()[:16]


def parse_forgotten(settings: Mapping[str, object], where: str = FILE) -> tuple[Forgotten, str | None]:
    """Read `data/forgotten.yaml`, or the lake's record of it.

    Returns:
        The users, still without a key, and the check of the key that their fingerprints were made with.

    Raises:
        InputError: Something else than fingerprints stands in it; a plain id would be kept for all to read.
    """
    if unknown := set(settings) - {"users", "key"}:
        raise InputError(f"{where}: unknown key {sorted(unknown)}; known are ['key', 'users']")
    users, check = settings.get("users"), settings.get("key")
    users = () if users is None else users
    texts = [user for user in users if isinstance(user, str)] if isinstance(users, list | tuple) else []
    plain = frozenset(user for user in texts if re.fullmatch("[0-9a-f]{64}", user))
    keyed = frozenset(user.removeprefix(KEYED) for user in texts if re.fullmatch(f"{KEYED}[0-9a-f]{{64}}", user))
    if not isinstance(users, list | tuple) or len(plain) + len(keyed) != len(set(texts)) or len(texts) != len(users):
        raise InputError(
            f"{where}: `users` must be a list of fingerprints ({KEYED} and 64 hex digits); `make forget` writes them"
        )
    if not isinstance(check, str | None) or (check is None and keyed):
        raise InputError(f"{where}: `key` must say which key the fingerprints were made with; `make forget` writes it")
    return Forgotten(keyed, plain), check


def without_forgotten(rows: pl.DataFrame, forgotten: Forgotten) -> pl.DataFrame:
    """The rows of all other users, and those without a user."""
    if not len(forgotten) or "user_id" not in rows.columns:
        return rows
    ids = rows["user_id"].drop_nulls().unique().to_list()
    gone = [user for user in ids if forgotten.holds(user)]
    return rows.filter(~pl.col("user_id").is_in(gone).fill_null(False)) if gone else rows
