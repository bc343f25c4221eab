"""All figures of the log stage: a table for people and, last, one line of JSON."""

from __future__ import annotations

import argparse
import importlib
import json
from pathlib import Path

from benchmarks.figures import Figure, say, table

SECTIONS = ("day", "gate", "history", "simulator")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.logs", description=__doc__)
    parser.add_argument("--only", choices=SECTIONS, action="append", help="a section; may be given more than once")
    parser.add_argument("--scale", type=float, default=1.0, help="a share of the full number of rows")
    parser.add_argument("--data", type=Path, help="Parquet files of your own instead of generated rows")
    given = parser.parse_args()
    figures: list[Figure] = []
    for name in given.only or SECTIONS:
        say(f"-- {name}")
        figures += importlib.import_module(f"benchmarks.logs.{name}").run(given.scale, given.data)
    print(table(figures))
    print(json.dumps([figure.to_json() for figure in figures]))


if __name__ == "__main__":
    main()
