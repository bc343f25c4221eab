"""The lake's tables: content named by its hash, pointers numbered and created exclusively.

Content goes to `TABLE/day=D/HASH.parquet` (and `HASH.files/NAME`) first; then the pointer `TABLE/day=D/pointers/N.json`
is created under a number that nobody else can take, complete or not at all. Readers follow the highest pointer only, so
a table is never seen half-written, and what was good before stays readable. Drafts are staged and audited on this
machine; the lake itself may be a folder or an object store.
"""

from __future__ import annotations

import io
import json
import os
import re
import tempfile
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from causalrec.answers import InputError
from causalrec.durable import clear_drafts, open_draft
from causalrec.engine.one_file import read_parquet
from causalrec.hashing import canonical, sha256, sha256_of_file
from causalrec.home import Home
from causalrec.settings.deployment.lake import LAKE, LakeSettings
from causalrec.settings.file import read_setting
from causalrec_assets.lake.lost import LostObject, ends_like_parquet, heal
from causalrec_assets.lake.quarantine import Quarantine
from causalrec_assets.lake.storage.bucket import open_bucket
from causalrec_assets.lake.storage.objects import Folder, Found, Objects, local_path
from causalrec_assets.lake.storage.pointer import POINTER, Pointer, Version, folder_of, pointer_name
from causalrec_assets.lake.storage.workplace import clear_workplaces, workplace


class PublishRace(RuntimeError):
    """Another run published the same partition first. Nothing is lost: read what it published, or run again."""


def open_store(home: Home) -> Store:
    """The lake of a home, where `data/lake.yaml` says.

    Raises:
        InputError: The settings are wrong, or the lake is on a store that cannot be reached or decides no races.
    """
    where = home.setting(LAKE)
    settings = LakeSettings.parse(read_setting(home, LAKE), str(where))
    scratch, root = home.work / "staging", settings.root.removeprefix("file://")
    if "://" in root:
        options = json.dumps(dict(settings.storage_options), sort_keys=True)
        return _bucket_store(root, options, settings.single_writer, scratch, str(where))
    if settings.storage_options:
        raise InputError(f"{where}: `storage_options` belong to a URL, and `root` is the folder {root or home.lake}")
    folder = home.root / Path(root).expanduser() if root else home.lake
    return Store(Folder(folder, settings.single_writer), scratch)


@lru_cache(maxsize=16)
def _bucket_store(url: str, options: str, single_writer: bool, scratch: Path, where: str) -> Store:
    """One for each process: a bucket is tried once, and what never changes is read once."""
    return Store(open_bucket(url, json.loads(options), single_writer, where), scratch)


@dataclass(frozen=True)
class Store:
    """Tables by day under one root.

    Attributes:
        root: A folder, or the objects of a folder or a bucket.
        scratch: Where drafts are staged on this machine; without it, in the lake's folder if it is one.
    """

    root: Path | Objects
    scratch: Path | None = None
    _read: dict[Found, Any] = field(default_factory=dict, repr=False, compare=False)
    _listed: dict[str, Found] = field(default_factory=dict, repr=False, compare=False)

    @property
    def objects(self) -> Objects:
        return Folder(self.root) if isinstance(self.root, Path) else self.root

    @property
    def staging_folder(self) -> Path:
        if self.scratch is not None:
            return self.scratch
        return local_path(self.objects, "staging") or Path(tempfile.gettempdir()) / "causalrec-staging"

    @property
    def workplace(self) -> Path:
        """This process's own folder on this machine; with it goes what a killed process had left in its own."""
        return workplace(self.staging_folder)

    @property
    def quarantine(self) -> Quarantine:
        """What was not published."""
        return Quarantine(self)

    def clear_left_behind(self) -> int:
        """Remove what killed processes have left: drafts here, and half files of a lake that is a folder.

        Returns:
            How many there were.
        """
        root = local_path(self.objects, "")
        return len(clear_workplaces(self.staging_folder)) + len(clear_drafts(root) if root is not None else [])

    # -- what is there ---------------------------------------------------------------------------------------------

    def current(self, table: str) -> dict[date, int]:
        """The number of each day's current version, days ascending; one listing of the table."""
        return self.listed(table)[0]

    def listed(self, table: str) -> tuple[dict[date, int], dict[str, int]]:
        """One listing of a table: as `current`, and each object's size in bytes."""
        objects = self.objects.find(table)
        newest: dict[date, int] = {}
        for day, number in self._numbered(self._keep_pointers(objects)):
            newest[day] = max(number, newest.get(day, 0))
        return dict(sorted(newest.items())), {one.name: one.size for one in objects}

    def days(self, table: str) -> list[date]:
        """The days that have a published version, ascending."""
        return list(self.current(table))

    def numbers(self, table: str, day: date) -> list[int]:
        """The numbers of the published versions, ascending."""
        return sorted(number for _, number in self._numbered(self._pointers(table, day)))

    def pointer(self, table: str, day: date, number: int | None = None) -> Pointer | None:
        """The current version (or the one with a number); None where there is none."""
        if number is not None:
            return self._version(pointer_name(table, day, number))
        listed = {n: object_ for object_ in self._pointers(table, day) for _, n in self._numbered([object_])}
        return self.load(listed[max(listed)]) if listed else None

    def load(self, object_: Found) -> Pointer:
        """The pointer that a listing showed.

        Raises:
            LostObject: It is cut off.
        """
        if object_ not in self._read:
            self._read[object_] = self._parsed(object_.name, Pointer.from_json)
        pointer: Pointer = self._read[object_]
        return pointer

    def load_json(self, object_: Found) -> dict[str, Any]:
        """A record that a listing showed; it is read once, because records do not change.

        Raises:
            LostObject: It is cut off.
        """
        if object_ not in self._read:
            self._read[object_] = self._parsed(object_.name, json.loads)
        record: dict[str, Any] = self._read[object_]
        return record

    def _parsed(self, name: str, parse: Callable[[bytes], Any]) -> Any:
        content = self.objects.read(name)
        try:
            return parse(content)
        except (ValueError, TypeError, KeyError) as error:
            folder = re.search(r"([^/]+)/day=([0-9-]+)/", name)
            what = heal(folder[1], folder[2]) if folder else "Copy the lake again."
            raise LostObject(f"{self.objects.where(name)} is cut off or no record of ours. {what}") from error

    def _version(self, name: str) -> Pointer | None:
        """One version by its name, without a listing; one that a listing showed before is read once."""
        try:
            listed = self._listed.get(name)
            if listed:
                return self.load(listed)
            pointer: Pointer = self._parsed(name, Pointer.from_json)
            return pointer
        except FileNotFoundError:
            return None

    def _pointers(self, table: str, day: date) -> list[Found]:
        return self._list(f"{folder_of(table, day)}/pointers")

    def _list(self, folder: str) -> list[Found]:
        return self._keep_pointers(self.objects.find(folder))

    def _keep_pointers(self, objects: Iterable[Found]) -> list[Found]:
        pointers = [object_ for object_ in objects if POINTER.fullmatch(object_.name)]
        self._listed.update((object_.name, object_) for object_ in pointers)
        return pointers

    @staticmethod
    def _numbered(listed: Iterable[Found]) -> Iterable[tuple[date, int]]:
        for object_ in listed:
            if match := POINTER.fullmatch(object_.name):
                yield date.fromisoformat(match[2]), int(match[3])

    # -- reading ---------------------------------------------------------------------------------------------------

    def read_frame(self, pointer: Pointer) -> pl.DataFrame:
        """The rows of a version; from the file itself where the lake is a folder.

        Raises:
            LostObject: They are not there, or not whole.
        """
        path = local_path(self.objects, pointer.content[0])
        if path is not None:
            return read_parquet(self._whole(path, pointer))
        content = self._content(pointer, pointer.content[0])
        if sha256(content) != pointer.data:
            raise self._lost(pointer, f"{pointer.content[0]} is not what was published")
        return pl.read_parquet(io.BytesIO(content))

    def local_data(self, pointer: Pointer, into: Path | None = None) -> Path:
        """The Parquet file of a version on this machine.

        Args:
            into: Where it is fetched to from a bucket, once; without it, a folder of the staging folder that the sweep
                of what killed runs left clears.

        Raises:
            LostObject: It is not there, or not whole.
        """
        name = pointer.content[0]
        path = local_path(self.objects, name)
        if path is not None:
            return self._whole(path, pointer)
        fetched = (into or self.staging_folder / "fetched") / name
        if not fetched.exists():
            fetched.parent.mkdir(parents=True, exist_ok=True)
            try:
                with open_draft(fetched.parent) as (draft, _):
                    self.objects.download(name, draft)
                    self._whole(draft, pointer).replace(fetched)
            except FileNotFoundError as error:
                raise self._lost(pointer, f"{name} is not there") from error
        os.utime(fetched)  # in use: the sweep of what killed runs left takes what is old
        return fetched

    def read_file(self, pointer: Pointer, name: str) -> bytes:
        """Raises LostObject: the file is not there, or not what was published."""
        content = self._content(pointer, self._file_name(pointer, name))
        if sha256(content) != pointer.files[name]:
            raise self._lost(pointer, f"its file `{name}` is not what was published")
        return content

    def _content(self, pointer: Pointer, name: str) -> bytes:
        try:
            return self.objects.read(name)
        except FileNotFoundError as error:
            raise self._lost(pointer, f"{name} is not there") from error

    def _whole(self, path: Path, pointer: Pointer) -> Path:
        """The file of a version's rows, once it is sure that none of it is cut off."""
        try:
            size = path.stat().st_size
            if (pointer.sizes and size != pointer.sizes[0]) or not ends_like_parquet(path):
                raise self._lost(pointer, f"{pointer.content[0]} is cut off ({size:,} bytes)")
        except FileNotFoundError as error:
            raise self._lost(pointer, f"{pointer.content[0]} is not there") from error
        return path

    @staticmethod
    def _lost(pointer: Pointer, what: str) -> LostObject:
        return LostObject(
            f"version {pointer.number} of `{pointer.table}` of {pointer.day} is not whole in the lake: {what}. "
            f"{heal(pointer.table, pointer.day)}"
        )

    def folder(self, table: str, day: date) -> Path:
        return self.path(folder_of(table, day))

    def data_path(self, pointer: Pointer) -> Path:
        return self.path(pointer.content[0])

    def file_path(self, pointer: Pointer, name: str) -> Path:
        return self.path(self._file_name(pointer, name))

    def _file_name(self, pointer: Pointer, name: str) -> str:
        if name not in pointer.files:
            raise KeyError(f"`{pointer.table}` of {pointer.day} has no file `{name}`; it has {sorted(pointer.files)}")
        return f"{folder_of(pointer.table, pointer.day)}/{pointer.hash}.files/{name}"

    def path(self, name: str) -> Path:
        """Where an object is on this machine.

        Raises:
            InputError: It is in a bucket.
        """
        path = local_path(self.objects, name)
        if path is None:
            raise InputError(
                f"{self.objects.where(name)} is in an object store and has no path on this machine; "
                "read it with Store.read_frame or Store.read_file"
            )
        return path

    # -- publishing ------------------------------------------------------------------------------------------------

    def staging(self, table: str, day: date, run_id: str) -> Path:
        """A new name on this machine for a draft."""
        folder = self.workplace / folder_of(table, day)
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{run_id}-{uuid.uuid4().hex[:8]}.parquet"

    def publish(self, staged: Path, version: Version, after: int) -> Pointer:
        """Bring an audited staged table into the lake and point to it.

        Args:
            staged: The Parquet file that was audited; it may be moved.
            after: The number of the version that was current when the attempt began (0: none).

        Raises:
            PublishRace: Somebody else published version `after + 1` meanwhile.
        """
        pointer = _pointer(version, after + 1, sha256_of_file(staged), staged.stat().st_size)
        # Content that is there already is written again: its fresh time keeps a sweep away until it is pointed to.
        self.objects.upload(staged, pointer.content[0])
        for name, content in version.files.items():
            self.objects.write(self._file_name(pointer, name), content)
        try:
            self.objects.create(pointer_name(version.table, version.day, pointer.number), pointer.to_json())
        except FileExistsError:
            raise PublishRace(
                f"`{version.table}` of {version.day}: another run published version {pointer.number} while this one "
                "was at work. This run publishes nothing; run it again if its inputs are newer."
            ) from None
        return pointer


def _pointer(version: Version, number: int, data: str, size: int) -> Pointer:
    """Name a version by the hash of what a reader can see.

    Args:
        data: The hash of its rows' file.
        size: Of that file, in bytes.
    """
    hashes = {name: sha256(content) for name, content in sorted(version.files.items())}
    notes = json.loads(canonical(version.notes))
    seen = [data, hashes, notes, version.answer.status.value, version.answer.reason]
    return Pointer(
        version.table,
        version.day,
        number,
        sha256(canonical(seen)),
        data,
        version.rows,
        version.answer,
        notes,
        hashes,
        dict(version.inputs),
        version.run_id,
        version.set_aside,
        (size, *(len(version.files[name]) for name in hashes)),
    )
