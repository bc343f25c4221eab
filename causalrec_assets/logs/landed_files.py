"""The landing zone's files: below a folder, or behind any URL that fsspec knows; found by name, known by content."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from causalrec_assets.answers import InputError
from causalrec_assets.gate.store import canonical, sha256, sha256_of_file
from causalrec_assets.home import Home
from causalrec_assets.logs.sources import Source

UNFINISHED = (".part", ".tmp")


def landing_root(home: Home, source: Source) -> Path:
    """Where a home's files are landed: its `data/landing`, or the URL that `sources.yaml` names.

    Raises:
        InputError: No installed package knows the URL.
    """
    if not source.landing:
        return home.landing
    if "://" not in source.landing:
        return home.root / Path(source.landing).expanduser()
    from upath import UPath

    try:
        options: Any = dict(source.landing_options)
        root: Any = UPath(source.landing, **options)
        _ = root.fs
    except (ImportError, ValueError, TypeError) as error:
        raise InputError(
            f"sources.yaml: `landing: {source.landing}` cannot be opened ({error}); install the package of its kind "
            "(s3fs for s3://, gcsfs for gs://), or correct `landing` and `landing_options`"
        ) from error
    found: Path = root
    return found


def is_remote(path: Path) -> bool:
    """Whether a path is behind a URL, and not on this machine."""
    return getattr(path, "protocol", "") not in ("", "file", "local")


def landed_files(root: Path) -> list[Path]:
    """The files below a folder, by name; hidden, marker (`_NAME`) and unfinished files are passed over.

    A link to a folder is in the list, and refused when it is read: what lies there would be passed over unsaid.
    """
    if is_remote(root):
        return _remote_files(root)
    if not root.exists():
        return []
    return sorted(
        path
        for path in root.rglob("*")
        if (path.is_file() or path.is_symlink()) and _counts(path.relative_to(root).parts, path.suffix)
    )


def _remote_files(root: Any) -> list[Path]:
    # What was listed before may be remembered by the file system; files that came since would be missed.
    root.fs.invalidate_cache()
    try:
        listed = root.fs.find(root.path)
    except FileNotFoundError:
        return []
    beginning = len(root.path.rstrip("/")) + 1
    names = sorted(name[beginning:] for name in listed)
    return [root / name for name in names if _counts(tuple(name.split("/")), Path(name).suffix)]


def _counts(parts: tuple[str, ...], suffix: str) -> bool:
    return suffix.lower() not in UNFINISHED and not any(part.startswith((".", "_")) for part in parts)


def markers(root: Path, name: str) -> list[Path]:
    """The files of one name below a folder."""
    if not is_remote(root):
        return sorted(root.rglob(name))
    remote: Any = root
    beginning = len(remote.path.rstrip("/")) + 1
    return [root / found[beginning:] for found in remote.fs.find(remote.path) if found.rsplit("/", 1)[-1] == name]


def folder_day(path: Path, root: Path) -> date | None:
    """The day of the `day=YYYY-MM-DD` folder that a file stands in.

    Raises:
        InputError: The folder's day is no date.
    """
    for part in path.relative_to(root).parts[:-1]:
        if part.startswith("day="):
            try:
                return date.fromisoformat(part.removeprefix("day="))
            except ValueError:
                message = f"{path}: the folder `{part}` must be `day=YYYY-MM-DD`; rename it"
                raise InputError(message) from None
    return None


def dated_files(root: Path) -> list[tuple[date, Path]]:
    """A snapshot's files with the day from which on each counts: those outside of a `day=D` folder first."""
    return sorted((folder_day(path, root) or date.min, path) for path in landed_files(root))


def snapshot_files(root: Path, day: date) -> list[Path]:
    """The files of a snapshot as of a day, the later ones last."""
    return [path for when, path in dated_files(root) if when <= day]


def fingerprint_of(paths: Iterable[Path]) -> str:
    """Changes when the content, the number or the order of the files changes."""
    return sha256(canonical([hash_of(path) for path in paths]))


def stamp_of(path: Path) -> tuple[object, ...]:
    """Changes when a file is written: its size and times, or what its store says of it."""
    if is_remote(path):
        remote: Any = path
        info = remote.fs.info(remote.path)
        changed = info.get("ETag") or info.get("etag") or info.get("mtime") or info.get("LastModified")
        return (info.get("size"), str(changed or info.get("created") or ""))
    stat = path.stat()
    return (stat.st_size, stat.st_mtime_ns, stat.st_ino)


def hash_of(path: Path) -> str:
    """The hash of a file's content; it is read once a process while its stamp stays.

    Raises:
        InputError: It cannot be opened, or it is a link that leads out of its folder.
    """
    try:
        if path.is_symlink():
            _refuse_link(path)
        return _content_hash(path, stamp_of(path))
    except OSError as error:
        message = f"{path} cannot be opened: {error.strerror or error}. Make it readable, or remove it."
        raise InputError(message) from error


def _refuse_link(path: Path) -> None:
    # What a link points to can change under its name, and may be anything that this process can read.
    raise InputError(
        f"{path} is a link (to {path.readlink()}), and links are not followed: land the file itself, or remove it."
    )


@lru_cache(maxsize=100_000)
def _content_hash(path: Path, stamp: tuple[object, ...]) -> str:
    if not is_remote(path):
        return sha256_of_file(path)
    if stamp[1]:
        # A store's own mark of the content (an ETag) spares reading it only to know it again.
        return sha256(canonical([str(path), *stamp]))
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
