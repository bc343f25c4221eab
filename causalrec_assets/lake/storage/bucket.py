"""Named bytes in an object store, or behind whatever fsspec knows."""

from __future__ import annotations

import errno
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from causalrec.answers import InputError
from causalrec.masking import masked, secret_in, secret_values
from causalrec_assets.lake.storage.objects import Found

PROBE = ".probe/create-only"


class StoreFailed(InputError):
    """A store did not answer, or not as it should. Not the data's fault: nothing is refused, and it may work later."""


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

    @contextmanager
    def asked(self) -> Iterator[Any]:
        """The file system; what fails in it says which store it was, and repeats none of its options.

        Raises:
            FileNotFoundError, FileExistsError, PermissionError: As they are.
            StoreFailed: In place of whatever else the package of the store raises.
        """
        try:
            yield self.files
        except (FileNotFoundError, FileExistsError, PermissionError, InputError):
            raise
        # Each package has errors of its own.
        except Exception as error:
            message = masked(f"{type(error).__name__}: {error}", secret_values(self.options))
            raise StoreFailed(
                f"the store {masked(self.url)} does not answer as it should ({message}). Check the network, `root` and "
                "`storage_options` of lake.yaml, then run it again. Nothing was lost."
            ) from (error if message == f"{type(error).__name__}: {error}" else None)

    def read(self, name: str) -> bytes:
        with self.asked() as files:
            content: bytes = files.cat_file(self.where(name))
        return content

    def create(self, name: str, content: bytes) -> None:
        with self.asked() as files:
            files.pipe_file(self.where(name), content, mode="create")

    def write(self, name: str, content: bytes) -> None:
        with self.asked() as files:
            files.pipe_file(self.where(name), content)

    def upload(self, source: Path, name: str) -> None:
        with self.asked() as files:
            files.put_file(str(source), self.where(name))

    def download(self, name: str, target: Path) -> None:
        with self.asked() as files:
            files.get_file(self.where(name), str(target))

    def find(self, folder: str = "") -> list[Found]:
        with self.asked() as files:
            return self._found(files, files.find(f"{self.url}/{folder}", detail=True))

    def delete(self, names: Sequence[str]) -> None:
        with self.asked() as files:
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
        with self.asked():
            self.create_once(name, content)

    def create_once(self, name: str, content: bytes) -> None:
        """As `create`, with the store's own errors."""
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
        with self.asked() as files:
            return self._found(files, files.find(self.url, prefix=f"{folder}/" if folder else "", detail=True))

    def delete(self, names: Sequence[str]) -> None:
        if names:
            with self.asked() as files:
                files.rm([self.where(name) for name in names])

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
    moment = value if isinstance(value, datetime) else datetime.fromtimestamp(float(value), UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def open_bucket(url: str, options: Mapping[str, Any], single_writer: bool, where: str) -> Bucket:
    """An object store, once it is sure that it decides races.

    Args:
        where: The settings file, for messages.

    Raises:
        InputError: The store cannot be reached, or its exclusive creation is not known to be atomic.
    """
    if secret := secret_in(url):
        raise InputError(
            f"{where}: `root: {masked(url)}` holds {secret}. An address is repeated in messages, refusals and records; "
            "say it without, and put the rest into the environment (AWS_ACCESS_KEY_ID, ...) or `storage_options`"
        )
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
    # Some file systems connect when they are made, and each package has errors of its own.
    except Exception as error:
        message = masked(f"{type(error).__name__}: {error}", secret_values(bucket.options))
        raise InputError(
            f"{where}: `root` {masked(bucket.url)} with `storage_options` {sorted(bucket.options)} opens no file "
            f"system: {message}"
        ) from None


def _creates_once(bucket: S3, where: str) -> bool:
    """Whether a name that exists is refused. From the second process on the first request tells.

    Raises:
        InputError: The bucket is not there or may not be written.
        StoreFailed: It does not answer; it may in a minute.
    """
    from botocore.exceptions import NoCredentialsError  # type: ignore[import-untyped]

    try:
        for content in (b"a name that", b"is created once"):
            try:
                bucket.create_once(PROBE, content)
            except FileExistsError:
                return True
    except (FileNotFoundError, PermissionError, NoCredentialsError) as error:
        raise InputError(
            f"{where}: the lake {masked(bucket.url)} cannot be written ({type(error).__name__}: "
            f"{masked(str(error), secret_values(bucket.options))}). Check that the "
            "bucket exists, `endpoint_url` in `storage_options`, and the credentials (environment: AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY, AWS_REGION)"
        ) from error
    except Exception as error:
        if isinstance(error, OSError) and _code(error) in ("NotImplemented", "501"):
            return False
        with bucket.asked():
            raise
    return False
