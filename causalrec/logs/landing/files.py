"""The landing zone's files: below a folder, or behind any URL that fsspec knows; found by name, known by content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from causalrec.answers import InputError
from causalrec.hashing import canonical, sha256, sha256_of_file
from causalrec.home import Home
from causalrec.logs.reading.listing import Listing, folder_day, is_remote, list_folder
from causalrec.masking import masked, secret_in, secret_values
from causalrec.settings.logs.sources import Source


def landing_root(home: Home, source: Source) -> Path:
    """Where a home's files are landed: its `data/landing`, or the folder or URL that `sources.yaml` names.

    Raises:
        InputError: The URL holds a secret, no installed package knows it, or its options do not fit.
    """
    if not source.landing:
        return home.landing
    if "://" not in source.landing:
        return home.root / Path(source.landing).expanduser()
    shown = f"sources.yaml: `landing: {masked(source.landing)}`"
    if secret := secret_in(source.landing):
        raise InputError(
            f"{shown} holds {secret}. An address is repeated in messages and records; say it without, and put the rest "
            "under `landing_options` (e.g. username, password, token), or in the environment where the package of the "
            "store reads it there"
        )
    from upath import UPath

    options: Mapping[str, Any] = dict(source.landing_options)
    try:
        root: Any = UPath(source.landing, **options)
        _ = root.fs
    # Some file systems connect when they are made, and each package has errors of its own.
    except Exception as error:
        reason = masked(f"{type(error).__name__}: {error}", secret_values(options))
        raise InputError(
            f"{shown} cannot be opened ({reason}); install the package of its kind (s3fs for s3://, gcsfs for gs://), "
            "or correct `landing` and `landing_options`"
        ) from None
    folder: Path = root
    return folder


def feed_folder(landing: Path, folder: str) -> Path:
    """A feed's folder in the landing zone.

    Raises:
        InputError: The landing zone is not there, or the folder is a link that leads out of it.
    """
    root = landing / folder
    if is_remote(landing):
        return root
    try:
        if not landing.is_dir():
            raise InputError(
                f"the landing zone {landing} is not there. Is its disk mounted? Correct `landing` in sources.yaml, or "
                "make the folder; nothing is built, and nothing that was published is taken back."
            )
        out = not root.resolve().is_relative_to(landing.resolve())
    except (OSError, RuntimeError) as error:
        raise InputError(f"{root} cannot be opened: {error}") from error
    if out:
        raise InputError(
            f"{root} leads out of the landing zone (to {root.resolve()}), and links are not followed: land the files "
            "themselves, or let `landing` of sources.yaml name the folder above them"
        )
    return root


def landed_files(root: Path) -> list[Path]:
    """Everything below a folder by name, data or not; hidden, marker (`_NAME`) and unfinished files are passed over.

    Raises:
        InputError: A folder cannot be listed.
    """
    listing = list_folder(root)
    if listing.unlisted:
        raise InputError(" ".join(message for _, message in listing.unlisted))
    return sorted([*listing.files, *(path for _, path, _ in listing.odd)])


# -- snapshots ---------------------------------------------------------------------------------------------------------


def dated(listing: Listing, root: Path) -> list[tuple[date, Path]]:
    """A snapshot's files with the day from which on each counts: those outside of a `day=D` folder first."""
    return sorted((folder_day(path, root) or date.min, path) for path in listing.files)


def problems_until(listing: Listing, day: date) -> list[str]:
    """What keeps a snapshot's rows as of a day from being known: a file counts from its folder's day on."""
    return [message for when, message in listing.problems if when is None or when <= day]


def snapshot_files(root: Path, day: date) -> list[Path]:
    """The files of a snapshot as of a day, the later ones last.

    Raises:
        InputError: Something below the folder may hold rows and is not known.
    """
    listing = list_folder(root)
    if problems := problems_until(listing, day):
        raise InputError(" ".join(problems))
    return [path for when, path in dated(listing, root) if when <= day]


# -- content -----------------------------------------------------------------------------------------------------------


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
    except InputError:
        raise
    except OSError as error:
        reason = masked(str(error.strerror or error))
        message = f"{masked(str(path))} cannot be opened: {reason}. Make it readable, or remove it."
        raise InputError(message) from error
    except Exception as error:
        if not is_remote(path):
            raise
        reason = masked(f"{type(error).__name__}: {error}")
        raise InputError(f"{masked(str(path))} cannot be opened: {reason}. Check the store, or remove it.") from None


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
