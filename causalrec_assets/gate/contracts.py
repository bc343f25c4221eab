"""Contracts as people write them: `data/contracts/TABLE.yaml`, parsed and checked.

A contract has the columns and their types, `rules` (a breach refuses the table) and `answerable` rules (a breach says
what the data cannot tell and never blocks). A rule is either a Great Expectations expectation (`expect:` with its
arguments), a sentence about each row (`holds:`, a boolean in DuckDB's SQL, where null passes as in a SQL CHECK), or a
fact about the whole that the asset hands over (`demand:`, the name of a parameter: true, or else false or a sentence
that says why not).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from causalrec.answers import InputError
from causalrec.home import Home
from causalrec.settings.file import compose, parse_yaml, read_text, setting_path

DTYPES: dict[str, pl.DataType] = {
    str(dtype): dtype
    for dtype in (
        pl.Int8(),
        pl.Int16(),
        pl.Int32(),
        pl.Int64(),
        pl.UInt32(),
        pl.UInt64(),
        pl.Float32(),
        pl.Float64(),
        pl.String(),
        pl.Boolean(),
        pl.Date(),
        pl.List(pl.String()),
        pl.List(pl.List(pl.String())),
        pl.List(pl.Float32()),
    )
} | {"Datetime(us, UTC)": pl.Datetime("us", "UTC"), "Array(Float32)": pl.Array(pl.Float32(), 1)}


@dataclass(frozen=True)
class Rule:
    """One sentence that must hold (or, for an answerable rule, whose failing is said)."""

    name: str
    why: str
    kind: str
    """`expect`, `holds` or `demand`."""
    expectation: str
    """The expectation's name, the SQL of the row rule, or the parameter's name."""
    arguments: Mapping[str, Any]
    only_if: str | None = None
    line: int | None = field(default=None, compare=False)
    """Where the rule begins in its file, from 1."""

    def at(self, table: str) -> str:
        """Where a person finds the rule."""
        return f"contracts/{table}.yaml" + (f", line {self.line}" if self.line else "") + f": the rule `{self.name}`"


@dataclass(frozen=True)
class Contract:
    table: str
    about: str
    columns: Mapping[str, str]
    extra_columns: bool
    rules: tuple[Rule, ...]
    answerable: tuple[Rule, ...]

    def empty(self) -> pl.DataFrame:
        """No rows, the declared columns."""
        return pl.DataFrame(schema={name: DTYPES[dtype] for name, dtype in self.columns.items()})

    def schema_breaches(self, schema: pl.Schema) -> list[str]:
        """What is wrong with the columns and types of a table, in words; empty when nothing is."""
        breaches = []
        for name, expected in self.columns.items():
            if name not in schema:
                breaches.append(f"column `{name}` ({expected}) is missing")
                continue
            given = dtype_name(schema[name])
            if given != expected:
                breaches.append(f"column `{name}` must be {expected}, it is {given}")
        if not self.extra_columns and (extra := [c for c in schema if c not in self.columns]):
            breaches.append(f"columns {extra} are not in the contract; add them to it, or drop them")
        return breaches


def dtype_name(dtype: pl.DataType) -> str:
    """A type's name as contracts write it; the width of an array is left open."""
    if isinstance(dtype, pl.Datetime):
        return f"Datetime({dtype.time_unit}, {dtype.time_zone})"
    if isinstance(dtype, pl.Array):
        return f"Array({dtype_name(dtype.inner)})"  # type: ignore[arg-type]
    return str(dtype)


def read_contract(home: Home, table: str) -> Contract:
    """Read a home's contract, with the lines of its rules.

    Raises:
        InputError: As `parse_contract`; or the file is missing, or no such YAML as settings are.
    """
    path = setting_path(home, f"contracts/{table}.yaml")
    text = read_text(path)
    contract = parse_contract(table, parse_yaml(text, str(path)))
    root = compose(text, str(path))
    assert root is not None  # or it had not been parsed
    nodes = {key.value: value.value for key, value in root.value}
    rules, answerable = (
        tuple(
            replace(rule, line=node.start_mark.line + 1) for rule, node in zip(parsed, nodes.get(key, ()), strict=True)
        )
        for key, parsed in (("rules", contract.rules), ("answerable", contract.answerable))
    )
    return replace(contract, rules=rules, answerable=answerable)


def parse_contract(table: str, raw: Mapping[str, Any]) -> Contract:
    """Read a contract.

    Raises:
        InputError: An unknown key, an unknown type, a rule without a sentence, or two rules of one name.
    """
    where = f"contracts/{table}.yaml"
    known = {"table", "about", "columns", "extra_columns", "rules", "answerable"}
    if unknown := set(raw) - known:
        raise InputError(f"{where}: unknown key {sorted(unknown)}; known are {sorted(known)}")
    if raw.get("table") != table:
        raise InputError(f"{where}: `table` must be `{table}`, it is {raw.get('table')!r}")
    given, extra = raw.get("columns") or {}, raw.get("extra_columns", False)
    if not isinstance(extra, bool):
        raise InputError(f"{where}: `extra_columns` must be true or false, got {extra!r}")
    if not isinstance(given, Mapping):
        raise InputError(f"{where}: `columns` must map names to types, got {given!r}")
    columns = {str(name): str(dtype).strip() for name, dtype in given.items()}
    for name, dtype in columns.items():
        if dtype not in DTYPES:
            raise InputError(f"{where}: column `{name}` has the unknown type {dtype!r}; known are {sorted(DTYPES)}")
    rules, answerable = (_parse_rules(where, key, raw.get(key)) for key in ("rules", "answerable"))
    if not rules:
        raise InputError(f"{where}: `rules` is empty; a contract that demands nothing gates nothing")
    names = [rule.name for rule in (*rules, *answerable)]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise InputError(f"{where}: the rules {sorted(repeated)} occur twice; give them a `name` each")
    return Contract(table, str(raw.get("about", "")), columns, extra, rules, answerable)


def _parse_rules(where: str, key: str, raw: Any) -> tuple[Rule, ...]:
    if not isinstance(raw, list | tuple | None):
        raise InputError(f"{where}: `{key}` must be a list of rules, got {raw!r}")
    return tuple(_parse_rule(where, rule) for rule in raw or ())


def _parse_rule(where: str, raw: Any) -> Rule:
    if not isinstance(raw, Mapping):
        raise InputError(f"{where}: a rule must be a mapping such as {{holds: 'click <= 1'}}, got {raw!r}")
    raw = dict(raw)
    why, only_if, name = str(raw.pop("why", "")), raw.pop("only_if", None), raw.pop("name", None)
    kinds = [kind for kind in ("expect", "holds", "demand") if kind in raw]
    if len(kinds) != 1:
        raise InputError(f"{where}: a rule needs one of `expect:`, `holds:` and `demand:`, got {sorted(map(str, raw))}")
    if kinds[0] != "expect":
        sentence = str(raw.pop(kinds[0]))
        if raw:
            raise InputError(f"{where}: the rule `{sentence}` has unknown keys {sorted(raw)}")
        return Rule(str(name or sentence), why, kinds[0], sentence, {}, only_if)
    expectation = str(raw.pop("expect"))
    if not expectation.startswith("expect_"):
        raise InputError(f"{where}: {expectation!r} is no Great Expectations expectation")
    column = raw.get("column") or raw.get("column_list") or ""
    column = "+".join(map(str, column)) if isinstance(column, list) else column
    default = f"{expectation.removeprefix('expect_')}({column})" if column else expectation.removeprefix("expect_")
    return Rule(str(name or default), why, "expect", expectation, raw, only_if)
