"""Named bytes under one root, a folder or an object store: what a lake needs of either, and nothing more.

Three promises hold everywhere. `create` makes a name once: of all who try, one succeeds. No name is ever seen
half-written. A listing is never older than the call.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from causalrec_assets.answers import InputError
from causalrec_assets.durable import create_exclusively as create_exclusively

PROBE = ".probe/create-only"


@dataclass(frozen=True)
class Found:
    """An object as a listing showed it."""

    name: str
    size: int
    modified: datetime


class Objects(Protocol):
    """A root and the objects below it; names have slashes and no leading one."""

    def where(self, name: str) -> Path | str:
        """Where an object is, for people: a path or a URL."""
        ...

    def read(self, name: str) -> bytes:
        """The content; `FileNotFoundError` where there is none."""
        ...

    def create(self, name: str, content: bytes) -> None:
        """Make a new object; `FileExistsError` when the name is taken, by whomever."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Make or replace an object."""
        ...

    def upload(self, source: Path, name: str) -> None:
        """Make or replace an object from a file of this machine; the file may be moved."""
        ...

    def download(self, name: str, target: Path) -> None:
        """Copy an object to a file of this machine; `FileNotFoundError` where there is none."""
        ...

    def find(self, folder: str = "") -> list[Found]:
        """Every object below a folder, by name; nothing where there is no such folder."""
        ...

    def delete(self, names: Sequence[str]) -> None:
        """Remove objects; one that is gone already is no error."""
        ...


def local_path(objects: Objects, name: str) -> Path | None:
    """The file of an object, where it is one on this machine."""
    place = objects.where(name)
    return place if isinstance(place, Path) else None


# -- a folder ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Folder:
    """Objects as files below a folder. A hidden file is a draft that is still being written, or was left by a kill.

    Attributes:
        single_writer: Only one process writes at a time, so that a file system without hard links will do.
    """

    root: Path
    single_writer: bool = False

    def where(self, name: str) -> Path:
        return self.root / name

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def create(self, name: str, content: bytes) -> None:
        """Make a file with all its content or not at all.

        Raises:
            FileExistsError: The name is taken.
            InputError: The file system has no hard links.
        """
        target = self.root / name
        try:
            create_exclusively(target, content)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
            if not self.single_writer:
                raise InputError(
                    f"{target.parent}: this file system has no hard links, so of two runs that publish at once "
                    "both might win. Put the lake elsewhere (lake.yaml: `root`), or say `single_writer: true` "
                    "there if no two runs ever publish at the same time"
                ) from error
            if target.exists():
                raise FileExistsError(errno.EEXIST, "exists already", str(target)) from error
            self.write(name, content)

    def write(self, name: str, content: bytes) -> None:
        draft = _draft(self.root / name)
        try:
            draft.write_bytes(content)
            _sync(draft)
            draft.replace(self.root / name)
        finally:
            draft.unlink(missing_ok=True)

    def upload(self, source: Path, name: str) -> None:
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        _sync(source)
        try:
            source.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            draft = _draft(target)
            try:
                shutil.copyfile(source, draft)
                _sync(draft)
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)

    def download(self, name: str, target: Path) -> None:
        shutil.copyfile(self.root / name, target)

    def find(self, folder: str = "") -> list[Found]:
        found = _files(str(self.root / folder), f"{folder}/" if folder else "")
        return sorted(found, key=lambda one: one.name)

    def delete(self, names: Sequence[str]) -> None:
        for name in names:
            (self.root / name).unlink(missing_ok=True)


def _draft(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.parent / f".{uuid.uuid4().hex}.tmp"


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _files(folder: str, prefix: str) -> Iterator[Found]:
    try:
        with os.scandir(folder) as scan:
            entries = list(scan)
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir():
            yield from _files(entry.path, f"{prefix}{entry.name}/")
            continue
        try:
            stat = entry.stat()
        except FileNotFoundError:  # a draft that became a file while the folder was read
            continue
        yield Found(prefix + entry.name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))


# -- an object store ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Bucket:
    """Objects behind an fsspec file system. Its exclusive creation is "look, then write": for a single writer only.

    The file system is asked for at each use: fsspec gives each process its own, so that a forked step does not talk
    through its parent's connections.
    """

    url: str
    options: Mapping[str, Any]

    @property
    def protocol(self) -> str:
        return self.url.partition("://")[0]

    @property
    def files(self) -> Any:
        import fsspec  # type: ignore[import-untyped]

        # A cached listing would hide what other processes have published.
        return fsspec.filesystem(self.protocol, **{**self.options, "use_listings_cache": False})

    def where(self, name: str) -> str:
        return f"{self.url}/{name}"

    def read(self, name: str) -> bytes:
        content: bytes = self.files.cat_file(self.where(name))
        return content

    def create(self, name: str, content: bytes) -> None:
        self.files.pipe_file(self.where(name), content, mode="create")

    def write(self, name: str, content: bytes) -> None:
        self.files.pipe_file(self.where(name), content)

    def upload(self, source: Path, name: str) -> None:
        self.files.put_file(str(source), self.where(name))

    def download(self, name: str, target: Path) -> None:
        self.files.get_file(self.where(name), str(target))

    def find(self, folder: str = "") -> list[Found]:
        files = self.files
        return self._found(files, files.find(f"{self.url}/{folder}", detail=True))

    def delete(self, names: Sequence[str]) -> None:
        files = self.files
        for name in names:
            if files.exists(self.where(name)):
                files.rm_file(self.where(name))

    def _found(self, files: Any, listed: Mapping[str, Mapping[str, Any]]) -> list[Found]:
        root = files._strip_protocol(self.url).rstrip("/") + "/"
        return [
            Found(path.removeprefix(root), int(info["size"] or 0), _modified(files, path, info))
            for path, info in sorted(listed.items())
            if info["type"] == "file"
        ]


class S3(Bucket):
    """Objects of S3, or of a store that speaks its protocol and honours `If-None-Match`."""

    def create(self, name: str, content: bytes) -> None:
        """Put an object that must not exist.

        A request whose answer was lost is sent again by the client, and then finds the object that it made itself: the
        writer's mark tells that from an object of somebody else.

        Raises:
            FileExistsError: The name is taken.
        """
        writer, error = uuid.uuid4().hex, None
        for wait in (0.1, 0.3, 1.0, 3.0):
            try:
                self.files.pipe_file(self.where(name), content, mode="create", Metadata={"writer": writer})
                return
            except OSError as raised:
                error, code = raised, _code(raised)
                if isinstance(raised, FileExistsError) or code in ("PreconditionFailed", "412"):
                    if self._writer(name) == writer:
                        return
                    raise FileExistsError(errno.EEXIST, "exists already", self.where(name)) from raised
                if code not in ("ConditionalRequestConflict", "409"):
                    raise
                time.sleep(wait)  # another create of the same name is under way: which one wins is not decided yet
        assert error is not None
        raise error

    def find(self, folder: str = "") -> list[Found]:
        # With a prefix, a folder that is not there costs one request and no search for a file of its name.
        files = self.files
        return self._found(files, files.find(self.url, prefix=f"{folder}/" if folder else "", detail=True))

    def delete(self, names: Sequence[str]) -> None:
        if names:
            self.files.rm([self.where(name) for name in names])

    def _writer(self, name: str) -> str | None:
        files = self.files
        bucket, key, _ = files.split_path(self.where(name))
        writer: str | None = files.call_s3("head_object", Bucket=bucket, Key=key)["Metadata"].get("writer")
        return writer


def _code(error: OSError) -> str:
    """The store's own error code, which s3fs keeps in the cause."""
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _modified(files: Any, path: str, info: Mapping[str, Any]) -> datetime:
    """When an object was written: each file system has its own word for it."""
    words = ("LastModified", "last_modified", "mtime", "created")
    value = next((info[word] for word in words if info.get(word) is not None), None)
    value = files.modified(path) if value is None else value
    found = value if isinstance(value, datetime) else datetime.fromtimestamp(float(value), UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def open_bucket(url: str, options: Mapping[str, Any], single_writer: bool, where: str) -> Bucket:
    """An object store, once it is sure that it decides races.

    Args:
        where: The settings file, for messages.

    Raises:
        InputError: The store cannot be reached, or its exclusive creation is not known to be atomic.
    """
    url = url.rstrip("/")
    protocol = url.partition("://")[0]
    escape = "say `single_writer: true` if no two runs ever publish at the same time"
    if protocol not in ("s3", "s3a"):
        if not single_writer:
            raise InputError(
                f"{where}: `root` is {url}, and it is not known that a `{protocol}` store creates a name only once, so "
                f"of two runs that publish at once both might win. Use a folder or S3 (s3://bucket/prefix), or {escape}"
            )
        bucket = Bucket(url, options)
        _reach(bucket, where)
        return bucket
    bucket = S3(url, options)
    _reach(bucket, where)
    if not single_writer and not _creates_once(bucket, where):
        raise InputError(
            f"{where}: the store of {url} ignores `If-None-Match`: it let the same name be created twice, so of two "
            f"runs that publish at once both would win. Use a store that honours it (S3, MinIO, ...), or {escape}"
        )
    return bucket


def _reach(bucket: Bucket, where: str) -> None:
    """Whether the file system can be made at all; makes no request."""
    try:
        _ = bucket.files
    except ImportError as error:
        raise InputError(
            f"{where}: a lake on {bucket.protocol}:// needs a package that is not installed ({error}); "
            "for S3: pip install -e '.[s3]'"
        ) from error
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{where}: `root` {bucket.url} with `storage_options` {sorted(bucket.options)} opens no file system: "
            f"{error}"
        ) from error


def _creates_once(bucket: S3, where: str) -> bool:
    """Whether a name that exists is refused. From the second process on the first request tells.

    Raises:
        InputError: The bucket is not there or may not be written. A connection that fails stays what it is: it may
            work in a minute.
    """
    from botocore.exceptions import NoCredentialsError  # type: ignore[import-untyped]

    try:
        for content in (b"a name that", b"is created once"):
            try:
                bucket.create(PROBE, content)
            except FileExistsError:
                return True
    except (FileNotFoundError, PermissionError, NoCredentialsError) as error:
        raise InputError(
            f"{where}: the lake {bucket.url} cannot be written ({type(error).__name__}: {error}). Check that the "
            "bucket exists, `endpoint_url` in `storage_options`, and the credentials (environment: AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY, AWS_REGION)"
        ) from error
    except OSError as error:
        if _code(error) not in ("NotImplemented", "501"):
            raise
    return False
