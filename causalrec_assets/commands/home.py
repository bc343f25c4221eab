"""Make a home for your own logs, or bring one up to date.

python -m causalrec_assets.commands.home DIR
"""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
from pathlib import Path

from causalrec.answers import InputError
from causalrec.durable import one_at_a_time, write_whole
from causalrec.home import CHECKOUT, TEMPLATE, Home
from causalrec_assets.env_file import env_file_note


def create_home(root: Path, overlay: str | Path | None = None) -> Home:
    """Make a home from the template, or bring one up to date.

    A file that a person has edited is never touched: what was copied is remembered by its hash, and only a copy that is
    still as it was made follows the template.

    Args:
        root: The folder.
        overlay: A folder whose files stand in place of the template's; its name, where it is one of `data/demos/`.
    """
    home = Home(root.resolve())
    home.data.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(home.root / ".making.lock", "another process that makes this home", wait_seconds=60):
        record = home.data / ".copied.json"
        copied = _read_record(record)
        for relative, source in _template_files(overlay).items():
            target, content = home.data / relative, source.read_bytes()
            existing = target.read_bytes() if target.exists() else None
            # What is as the template was copied too, though a kill may have come before the record of it.
            if existing not in (None, content) and copied.get(relative) != _sha256(existing):
                continue
            if existing != content:
                write_whole(target, content)
            copied[relative] = _sha256(content)
        write_whole(record, json.dumps(copied, indent=1, sort_keys=True).encode())
        for folder in (home.landing, home.lake, home.dagster, home.reports):
            folder.mkdir(parents=True, exist_ok=True)
        instance = home.dagster / "dagster.yaml"
        if not instance.exists():
            write_whole(instance, (CHECKOUT / "dagster.yaml").read_bytes())
    return home


def _read_record(record: Path) -> dict[str, str]:
    """What was copied from the template: name -> hash of the content.

    Raises:
        InputError: It cannot be read. To take it for empty would make every copy a file that a person has edited.
    """
    try:
        copied = json.loads(record.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no JSON"
        raise InputError(f"{record} cannot be read: {why}. {_WITHOUT_RECORD}") from error
    if not isinstance(copied, dict) or not all(isinstance(value, str) for value in copied.values()):
        raise InputError(f"{record} does not map names of files to hashes. {_WITHOUT_RECORD}")
    return copied


_WITHOUT_RECORD = (
    "It says which settings are still as they were copied. Remove it to go on: settings that differ from the template "
    "then count as edited by you and stay as they are."
)


def _template_files(overlay: str | Path | None) -> dict[str, Path]:
    """Relative name -> the file to copy; an overlay's files win."""
    files = {
        path.relative_to(TEMPLATE).as_posix(): path
        for path in sorted(TEMPLATE.rglob("*.yaml"))
        if path.relative_to(TEMPLATE).parts[0] not in ("demos", "landing")
    }
    if overlay:
        folder = TEMPLATE / "demos" / overlay
        files |= {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.yaml"))}
    return files


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.exit("usage: python -m causalrec_assets.commands.home DIR")
    try:
        made = create_home(Path(arguments[0]).expanduser())
    except InputError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"no home can be made in {arguments[0]}: {error.filename}: {error.strerror}")
    print(f"Made {made.root}. Say what your logs mean in {made.data / 'sources.yaml'}, land them below {made.landing}.")
    print(f"Open it with: make ui DIR={shlex.quote(str(made.root))}")
    if note := env_file_note(CHECKOUT):
        print(note, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
