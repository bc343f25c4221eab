"""The verdict's figures: each table prints itself for people and, last, one line of JSON.

python -m benchmarks.verdict histories --histories 1000
"""

from __future__ import annotations

import argparse
import importlib

TABLES = {
    "histories": "false releases and what is found, in 90-day histories of daily cell counts",
    "coverage": "when a difference is answered: coverage, and the tails beyond the looks' bounds",
    "whole": "the same of rows of users, through the whole off-policy report",
    "refresh": "refreshes by the champion's own recipe: what they lose, and what they are good for",
    "unsteady": "the same where gains go by the weekday, tastes drift, outcomes are late, a challenger decays",
    "instead": "what other rules would do on the same days as the trials",
    "forms": "each form of the objective: its policy's true values under every name",
    "stale": "how far a champion falls behind under drift, without refreshes and with them",
    "estimands": "each named value from the simulator's logs against its truth",
}
"""Name -> what it says; the module of that name has `main(arguments)`."""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.verdict",
        description="\n".join(f"{name:10} {what}" for name, what in TABLES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("table", choices=TABLES)
    given, rest = parser.parse_known_args()
    importlib.import_module(f"benchmarks.verdict.{given.table}").main(rest)


if __name__ == "__main__":
    main()
