"""All figures of the graph stage: a table for people and, last, one line of JSON."""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
from pathlib import Path

from benchmarks.figures import Figure, say, table

SECTIONS = ("networks", "dense", "mixed", "scale", "unit_scm", "confidence")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.graph", description=__doc__)
    parser.add_argument("--only", choices=SECTIONS, action="append", help="a section; may be given more than once")
    parser.add_argument("--data", type=Path, help="a folder of networks: NAME.data.txt and NAME.graph.txt")
    parser.add_argument("--network", action="append", help="a network of that folder; may be given more than once")
    parser.add_argument("--seeds", type=int, help="how many worlds a section draws that draws several")
    parser.add_argument("--rows", type=int, help="how many rows each has")
    given = parser.parse_args()
    asked = {"data": given.data, "networks": given.network, "seeds": given.seeds, "rows": given.rows}
    figures: list[Figure] = []
    for name in given.only or (("networks",) if given.network else SECTIONS):
        say(f"-- {name}")
        run = importlib.import_module(f"benchmarks.graph.{name}").run
        # A section takes those of the options that it has a use for, and its own defaults for what is not given.
        takes = inspect.signature(run).parameters
        figures += run(**{k: v for k, v in asked.items() if k in takes and v is not None})
    print(table(figures))
    print(json.dumps([figure.to_json() for figure in figures]))


if __name__ == "__main__":
    main()
