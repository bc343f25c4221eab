"""Hashes of content, by which the lake and the landing index name things."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sha256_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def canonical(value: object) -> bytes:
    """JSON with one spelling, so that equal values have equal hashes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str).encode()
