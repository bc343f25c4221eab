"""The list of forgotten users: `data/forgotten.yaml`, the key beside the home, and the lake's own record of the list.

    python -m causalrec_assets.forgetting.list_file repair       write the list again from the lake; key plain hashes
    python -m causalrec_assets.forgetting.list_file take-back    a user who was put on it by mistake (CAUSALREC_USER_ID)
    python -m causalrec_assets.forgetting.list_file begin-anew   where the key is lost: an empty list, and a new key

An emptied list would bring everybody back without a word. So the lake records it too: what the lake knows and the file
lacks stops all reading of users' rows until it is settled.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import yaml

from causalrec.answers import InputError
from causalrec.durable import create_exclusively, one_at_a_time, write_whole
from causalrec.home import TEMPLATE, Home
from causalrec.logs.cleaning.forgotten import (
    FILE,
    KEYED,
    Forgotten,
    check_of,
    keyed_hash,
    parse_forgotten,
    plain_hash,
)
from causalrec.settings.file import read_setting, read_text
from causalrec_assets.lake.store import Store, open_store

KEY = "forgotten.key"
"""In the home, and not in `data/`: who copies or publishes the settings does not give the key away."""
RECORDS = "forgotten_users"
"""The folder of the lake's records: each is the whole list, under the next number."""
ENVIRONMENT = "CAUSALREC_USER_ID"
REPAIR = "python -m causalrec_assets.forgetting.list_file repair"


@dataclass(frozen=True)
class Recorded:
    """The lake's newest record of the list; number 0: there is none."""

    number: int
    users: Forgotten
    check: str | None


def read_forgotten(home: Home, store: Store) -> tuple[Forgotten, list[str]]:
    """Who is to be passed over, and what a person should know of the list.

    Raises:
        InputError: The list is empty or broken, lacks somebody whom the lake knows to be forgotten, or its key is not
            there: then nobody could be told to be forgotten.
    """
    listed, check = _listed(home)
    recorded = _recorded(store)
    if not recorded.number and len(listed):
        # A list of an earlier release: from now on nobody leaves it unnoticed.
        entries = {"key": check, "users": sorted(listed.plain | {KEYED + user for user in listed.keyed})}
        with suppress(FileExistsError):
            store.objects.create(_name(1), json.dumps(entries).encode())
    key = b""
    if listed.keyed or recorded.users.keyed:
        key = _key(home)
        _same_key(home, key, check, recorded.check)
    known, there = (recorded.users.under(key), listed.under(key)) if key else (recorded.users.plain, listed.plain)
    if missing := len(known - there):
        raise InputError(
            f"{home.data / FILE} lacks {missing} of the {len(known)} user(s) that were forgotten, as the lake recorded "
            f"({store.objects.where(_name(recorded.number))}). No row is read meanwhile: they would come back. "
            f"Restore the file, or write it again from the lake: {REPAIR}"
        )
    warnings = []
    if listed.plain:
        warnings.append(
            f"{FILE} names {len(listed.plain)} user(s) by plain hashes, which guessing undoes in a moment. "
            f"Key them: {REPAIR} (and remove old copies of the file)"
        )
    if key and stat.S_IMODE((home.root / KEY).stat().st_mode) & 0o077:
        warnings.append(f"{home.root / KEY} may be read by others: chmod 600 it")
    return Forgotten(listed.keyed, listed.plain, key), warnings


def put_on_the_list(home: Home, store: Store, user_id: str) -> None:
    """Add a user, by the id that tables have; plain hashes of earlier releases are keyed on the way.

    Raises:
        InputError: The key that the list was made with is not there, or another.
    """
    _change(home, store, lambda key, users: users | {keyed_hash(key, plain_hash(user_id))})


def take_back(home: Home, store: Store, user_id: str) -> None:
    """Remove a user from the list: the next runs read their landed rows again.

    Raises:
        InputError: The user is not on the list.
    """
    if not read_forgotten(home, store)[0].holds(user_id):
        raise InputError(f"the user is not on the list ({home.data / FILE}); ids are told apart letter by letter")
    _change(home, store, lambda key, users: users - {keyed_hash(key, plain_hash(user_id))})


def repair(home: Home, store: Store) -> int:
    """Write file and record again with all that either names, every fingerprint keyed; how many users they name."""
    return _change(home, store, lambda key, users: users, even_if_broken=True)


def begin_anew(home: Home, store: Store) -> None:
    """An empty list and a new key: those who were on the list come back unless they are forgotten again."""
    (home.root / KEY).unlink(missing_ok=True)
    key = _new_key(home)
    while not _write(home, store, key, frozenset(), max(_numbers(store), default=0)):
        pass


def _change(
    home: Home, store: Store, change: Callable[[bytes, frozenset[str]], frozenset[str]], even_if_broken: bool = False
) -> int:
    while True:
        try:
            listed, check = _listed(home)
        except InputError:
            recorded = _recorded(store)
            if not even_if_broken or not recorded.number:
                raise
            listed, check = Forgotten(), recorded.check
        recorded = _recorded(store)
        keyed = listed.keyed or recorded.users.keyed
        key = _key(home) if keyed or (home.root / KEY).exists() else _new_key(home)
        if keyed:
            _same_key(home, key, check, recorded.check)
        users = change(key, listed.under(key) | recorded.users.under(key))
        if _write(home, store, key, users, recorded.number):
            return len(users)


def _write(home: Home, store: Store, key: bytes, users: frozenset[str], after: int) -> bool:
    """File first: between the two it names more than the record, and readers pass over whom either names."""
    entries: dict[str, object] = {"key": check_of(key), "users": [KEYED + user for user in sorted(users)]}
    write_whole(home.data / FILE, (_comments(home) + yaml.safe_dump(entries, sort_keys=False)).encode())
    try:
        store.objects.create(_name(after + 1), json.dumps(entries).encode())
    except FileExistsError:  # another home of the same lake was first
        return False
    # Each record is whole, and those before may hold plain hashes.
    store.objects.delete([_name(number) for number in _numbers(store) if number <= after])
    return True


def _comments(home: Home) -> str:
    """The template's, and what a person has added of their own."""
    of_template = [line for line in (TEMPLATE / FILE).read_text().splitlines() if line.startswith("#")]
    own = home.data / FILE
    lines = own.read_text(encoding="utf-8", errors="replace").splitlines() if own.exists() else []
    old = ("# Users whose rows no table may hold", "# `make forget USER_ID=...` adds one")
    added = [line for line in lines if line.startswith("#") and line not in of_template and not line.startswith(old)]
    return "".join(f"{line}\n" for line in (*of_template, *added))


def _listed(home: Home) -> tuple[Forgotten, str | None]:
    path = home.data / FILE
    if path.is_file() and not path.read_bytes().strip():
        raise InputError(
            f"{path} is empty: a kill or a full disk may have emptied it, and everybody on it would come back. Restore "
            f"it from a backup, or write it again from the lake's record: {REPAIR}"
        )
    return parse_forgotten(read_setting(home, FILE))


# -- the lake's record -------------------------------------------------------------------------------------------------


def _name(number: int) -> str:
    return f"{RECORDS}/{number:06d}.json"


def _numbers(store: Store) -> list[int]:
    names = [object_.name.rpartition("/")[2].partition(".") for object_ in store.objects.find(RECORDS)]
    return sorted(int(stem) for stem, _, ending in names if stem.isdigit() and ending == "json")


def _recorded(store: Store) -> Recorded:
    while True:
        numbers = _numbers(store)
        if not numbers:
            return Recorded(0, Forgotten(), None)
        try:
            content = store.objects.read(_name(numbers[-1]))
            break
        except FileNotFoundError:  # a newer one has taken its place
            continue
    where = store.objects.where(_name(numbers[-1]))
    try:
        entries = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}, the lake's record of who was forgotten, is no JSON; restore it") from error
    if not isinstance(entries, Mapping):
        raise InputError(f"{where}, the lake's record of who was forgotten, must map `users` to a list; restore it")
    users, check = parse_forgotten(entries, str(where))
    return Recorded(numbers[-1], users, check)


# -- the key -----------------------------------------------------------------------------------------------------------


def _new_key(home: Home) -> bytes:
    key = secrets.token_bytes(32)
    try:
        create_exclusively(home.root / KEY, key.hex().encode() + b"\n", mode=0o600)
    except FileExistsError:
        return _key(home)
    return key


def _key(home: Home) -> bytes:
    path = home.root / KEY
    lost = (
        "Without it nobody can be told to be forgotten, so no row is read. Restore it from a backup (of the home that "
        "made it). If it is lost for good: python -m causalrec_assets.forgetting.list_file begin-anew"
    )
    if not path.exists():
        raise InputError(f"{path}, the key of {FILE}, is gone. {lost}")
    text = read_text(path).strip()
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise InputError(f"{path} is no key (64 hex digits). {lost}")
    return key


def _same_key(home: Home, key: bytes, *checks: str | None) -> None:
    if any(check is not None and check != check_of(key) for check in checks):
        raise InputError(
            f"{home.root / KEY} is not the key that the list of forgotten users was made with, so nobody could be told "
            "to be forgotten, and no row is read. Restore the key of the home that made the list."
        )


# -- by hand -----------------------------------------------------------------------------------------------------------


def given_user_id(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """The id that a person typed, as it is: of one argument (after `--` any), or of the environment.

    Raises:
        InputError: There is none, there are two, or it is no UTF-8.
    """
    given = list(arguments[1:] if len(arguments) == 2 and arguments[0] == "--" else arguments)
    named = environment.get(ENVIRONMENT, "")
    if len(given) > 1 or (given and named and given[0] != named):
        raise InputError(f"one user at a time: as the argument, or as {ENVIRONMENT} in the environment")
    user_id = given[0] if given else named
    if not user_id:
        raise InputError(f"name the user: as the argument, or as {ENVIRONMENT} in the environment")
    try:
        user_id.encode()
    except UnicodeEncodeError:
        raise InputError("the user's id is no UTF-8 text; ids are text") from None
    return user_id


def main(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] not in ("repair", "take-back", "begin-anew"):
        print(__doc__)
        return 0 if arguments and arguments[0] in ("-h", "--help") else 2
    home = Home.current()
    try:
        store = open_store(home)
        with one_at_a_time(home.root / ".forget.lock", "another change of the list of forgotten users"):
            if arguments[0] == "repair":
                print(f"{home.data / FILE} names {repair(home, store)} user(s), as the lake's record does.")
            elif arguments[0] == "take-back":
                take_back(home, store, given_user_id(arguments[1:], os.environ))
                print("Taken back: the next runs read what is landed of that user again.")
            else:
                begin_anew(home, store)
                print(
                    f"{home.data / FILE} is empty, and {home.root / KEY} is new. Forget again whom the old list named: "
                    "until then the next runs read what is landed of them."
                )
    except InputError as error:
        sys.exit(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
