"""pip-compile with hashes, taken from the index where it says them; takes pip-compile's options.

pip-compile asks PyPI's own address for hashes, and downloads each file of each version from any other index: gigabytes,
of all platforms. An index says the hashes in its pages. A file that lies on this machine is hashed here.

A version's own builds (torch 2.13.0+cpu) are builds of that version: their hashes stand beside those of the index, and
those that the lock has of another machine's builds stay.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from piptools.repositories.pypi import PyPIRepository
from piptools.scripts.compile import cli

LOCK = Path(sys.argv[sys.argv.index("--output-file") + 1])
_hash_the_file = PyPIRepository._get_file_hash
_BEFORE = LOCK.read_text() if LOCK.exists() else ""


def _hash_of(self: Any, link: Any) -> str:
    return f"sha256:{link.hash}" if link.hash_name == "sha256" else str(_hash_the_file(self, link))


def _all_builds(self: Any, required: Any) -> set[Any]:
    """The candidates of the pinned version, and of its builds for one kind of machine."""
    (pinned,) = (specifier.version for specifier in required.specifier)
    public = pinned.partition("+")[0]
    return {found for found in self.find_all_candidates(required.name) if found.version.public == public}


def _with_hashes_of_before(text: str) -> str:
    """torch's builds of other machines: hashes that the lock had of the same version."""
    pinned = re.search(r"^torch==[^ ]+ \\\n((?:    --hash=.*\n?)+)", text, re.M)
    before = re.search(r"^torch==[^ ]+ \\\n((?:    --hash=.*\n?)+)", _BEFORE, re.M)
    if not (pinned and before) or pinned[0].split()[0] != before[0].split()[0]:
        return text
    hashes = sorted(set(re.findall(r"--hash=(\S+)", pinned[1] + before[1])))
    return text.replace(pinned[1], " \\\n".join(f"    --hash={one}" for one in hashes) + "\n")


if __name__ == "__main__":
    PyPIRepository._get_file_hash = _hash_of
    PyPIRepository._get_matching_candidates = _all_builds
    cli(standalone_mode=False)
    # Without a build's tag, so that a machine's own build is taken.
    locked = re.sub(r"^(torch==[0-9.]*)\+\S+", r"\1", LOCK.read_text(), flags=re.M)
    LOCK.write_text(_with_hashes_of_before(locked))
