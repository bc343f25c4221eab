"""What people are shown of a refused draft: the first offending rows, in the few columns that say which and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import polars as pl

from causalrec.escaping import plain
from causalrec.home import Home
from causalrec_assets.gate.contracts import Contract, Rule, read_contract
from causalrec_assets.lake.storage.pointer import Refusal
from causalrec_assets.lake.store import Store

KEYS = ("event_id", "unit_id", "request_id", "item_id", "question", "policy", "time", "position")
"""What says which row it is. Who it was stays in quarantine, which can forget a user; other places cannot."""
FEW = 5
"""So many rows, so many columns of a rule's own, and so many that say which row it is, are shown."""
OFFENDING, ASIDE = "offending_rows.parquet", "set_aside.parquet"


def first_rows(contract: Contract, offending: pl.DataFrame) -> pl.DataFrame:
    """The first rows that broke a rule: which rows they are, what the broken rules speak of, and which rule it was.

    Args:
        offending: As the gate keeps them, with the rule's name in `broken_rule`.
    """
    rows = offending.head(FEW)
    broken = set(rows["broken_rule"])
    spoken_of = [c for rule in contract.rules if rule.name in broken for c in _columns_of(rule, rows.columns)]
    keys = [name for name in KEYS if name in rows.columns and name not in spoken_of][:FEW]
    shown = dict.fromkeys([*keys, *spoken_of[:FEW]])
    chosen = rows.select(*(name for name in shown if name != "user_id"), "broken_rule")
    if "user_id" not in rows.columns or not (users := rows["user_id"].cast(pl.String).drop_nulls().unique().to_list()):
        return chosen
    # Who it was is left to quarantine, which can forget; ids of other things may be made of a user's.
    texts = pl.col(pl.String).exclude("broken_rule")
    return chosen.with_columns(pl.when(texts.str.contains_any(users)).then(pl.lit("...")).otherwise(texts).name.keep())


def _columns_of(rule: Rule, columns: Iterable[str]) -> Iterator[str]:
    there = set(columns)
    if rule.kind == "holds":
        yield from (word for word in re.findall(r"\w+", rule.expectation) if word in there)
    for value in rule.arguments.values():
        named = value if isinstance(value, list | tuple) else [value]
        yield from (name for name in named if isinstance(name, str) and name in there)


def refusal_words(home: Home, store: Store, refusal: Refusal) -> str:
    """A refusal as the console prints it: why (the broken rules, or what was wrong with the input), the first offending
    rows, the quarantine and the run.

    A rule that is about the table as a whole names no rows; then the first rows that were set aside are shown, a few of
    each kind.
    """
    good = store.pointer(refusal.table, refusal.day)
    readable = f"version {good.number} stays readable" if good else "there is no earlier version"
    lines = [f"REFUSED {refusal.table} of {refusal.day} ({readable})"]
    lines += [f"  why         {plain(reason)}" for reason in refusal.reasons]
    lines += [f"  {line}" for line in _rows_in_words(home, store, refusal)]
    return "\n".join([*lines, f"  quarantine  {refusal.folder}", f"  run         {refusal.run_id}"])


def _rows_in_words(home: Home, store: Store, refusal: Refusal) -> Iterator[str]:
    offending = store.quarantine.read(refusal, OFFENDING)
    if offending is not None and offending.height:
        yield "first rows:"
        yield from table_lines(first_rows(_contract(home, refusal.table), offending))
        return
    aside = store.quarantine.read(refusal, ASIDE)
    if aside is not None and aside.height and {"kind", "reason"} <= set(aside.columns):
        yield "first rows that were set aside:"
        some = aside.group_by("kind", maintain_order=True).head(2).head(FEW)
        yield from table_lines(some.select("kind", "file", "row", "reason"))


def _contract(home: Home, table: str) -> Contract:
    return read_contract(home, table)


def table_lines(rows: pl.DataFrame) -> list[str]:
    """A small table in aligned columns, a line each."""
    cells = [list(rows.columns), *([_cell(value) for value in row] for row in rows.iter_rows())]
    widths = [max(len(row[k]) for row in cells) for k in range(rows.width)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    ]


def _cell(value: object) -> str:
    text = "" if value is None else f"{value:.6g}" if isinstance(value, float) else plain(str(value))
    return text if len(text) <= 60 else text[:57] + "..."
