"""What is in files that nobody has mapped yet, and a draft of their `sources.yaml`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from causalrec.answers import InputError
from causalrec.home import Home
from causalrec.logs.describe.report import describe_home, describe_paths


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m causalrec_assets.commands.describe_source",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    parser.add_argument("--home", type=Path, help="a home, whose landed files are described")
    given = parser.parse_args(arguments)
    if not given.paths and given.home is None:
        parser.error("name a file or a folder, or a home")
    try:
        if given.paths:
            for line in describe_paths(given.paths):
                print(line)
        if given.home is not None:
            if not (given.home / "data" / "sources.yaml").exists():
                raise InputError(f"{given.home} is no home: it has no data/sources.yaml. Make one: make home DIR=path")
            for line in describe_home(Home(given.home.resolve())):
                print(line)
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
