"""Running a contract with Great Expectations on a staged Parquet file, in DuckDB, without reading it whole.

First every rule is asked for its count, in one query where they allow it. Only broken rules are asked again, for the
positions of the rows that break them.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from causalrec.answers import InputError
from causalrec.engine.one_file import parquet_schema, scan_parquet
from causalrec_assets.gate.contracts import Contract, Rule
from causalrec_assets.gate.expectations.limits import POSITION, Limits
from causalrec_assets.gate.session import StagedTable, validating

SCHEMA = "every column of the contract, with its type"
LIST = re.compile(r"(?<=\bIN )\$(\w+)")


@dataclass(frozen=True)
class Finding:
    """What became of one rule.

    Attributes:
        rows: Positions of the offending rows, where the rule is about rows, at most 10,000.
        count: How many offending rows there are.
        observed: What was seen instead, where the rule is about the whole.
    """

    rule: str
    why: str
    held: bool
    skipped: bool = False
    rows: tuple[int, ...] = ()
    count: int = 0
    observed: str = ""

    def sentence(self) -> str:
        rows = f"{self.count} row(s)" if self.count else self.observed
        return f"{self.rule}: {rows or 'broken'}" + (f" ({self.why})" if self.why else "")


@dataclass(frozen=True)
class Audit:
    """All findings on one staged table.

    Attributes:
        results: What Great Expectations found, for its own pages; `meta` names each rule.
    """

    findings: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    results: tuple[Any, ...] = field(default=(), repr=False, compare=False)

    @property
    def holds(self) -> bool:
        return all(finding.held for finding in self.findings)

    @property
    def broken(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.held]


def audit(
    contract: Contract, table: Path | pl.DataFrame, params: Mapping[str, Any], limits: Limits | None = None
) -> Audit:
    """Run a contract on a table.

    The columns and their types come first: without them the rules would fail for the wrong reason. An empty table that
    carries an answer is audited like any other.

    Args:
        table: A Parquet file; a frame is written to one.
        params: Values that the rules refer to, beside `float_columns`, the table's columns of floats, and
            `set_aside_rows` (0, unless given).

    Raises:
        InputError: A rule names a column, a parameter or an expectation that does not exist.
    """
    if isinstance(table, pl.DataFrame):
        with tempfile.TemporaryDirectory(prefix="causalrec-audit-") as folder:
            staged = Path(folder) / "table.parquet"
            table.write_parquet(staged)
            return audit(contract, staged, params, limits)
    schema = parquet_schema(table)
    if breaches := contract.schema_breaches(schema):
        broken = tuple(Finding("schema", SCHEMA, False, observed=breach) for breach in breaches)
        return Audit(broken, ())
    floats = [name for name, dtype in schema.items() if dtype.is_float()]
    params = {"float_columns": floats, "set_aside_rows": 0, **params}
    rules = (*contract.rules, *contract.answerable)
    applicable = [
        _with_lists(contract.table, rule, params)
        for rule in rules
        if rule.only_if is None or _parameter(contract.table, rule, rule.only_if, params)
    ]
    _know_columns(contract.table, applicable, schema)
    expectations = [_expectation(contract.table, rule, params, schema) for rule in applicable]
    with validating(table, limits or Limits()) as staged_table:
        _understand(contract.table, applicable, staged_table)
        results = staged_table.counts(expectations)
        _say_what_was_raised(contract.table, applicable, expectations, results, staged_table)
        unheld = [e for rule, e in zip(applicable, expectations, strict=True) if not results[rule.name].success]
        results |= staged_table.positions(unheld) if unheld else {}
        _say_what_was_raised(contract.table, applicable, expectations, results, staged_table)
    by_rule = {rule.name: _finding(rule, results[rule.name]) for rule in applicable}
    skipped = {rule.name: Finding(rule.name, f"not asked: {rule.only_if} is false", True, True) for rule in rules}
    findings = tuple(by_rule.get(rule.name, skipped[rule.name]) for rule in contract.rules)
    warnings = tuple(by_rule.get(rule.name, skipped[rule.name]) for rule in contract.answerable)
    schema_holds = Finding("schema", SCHEMA, True)
    return Audit((schema_holds, *findings), warnings, tuple(results[rule.name] for rule in applicable))


def offending_rows(staged: Path, broken: Iterable[Finding]) -> pl.DataFrame:
    """The rows that broke a rule, with the rule's name in `broken_rule`; at most 10,000 a rule."""
    position = "__position"
    scan = scan_parquet(staged, row_index_name=position)
    named = [finding for finding in broken if finding.rows]
    wanted = pl.DataFrame(
        {
            position: [row for finding in named for row in finding.rows],
            "broken_rule": [finding.rule for finding in named for _ in finding.rows],
            "order": [k for k, finding in enumerate(named) for _ in finding.rows],
        },
        schema={position: pl.UInt32, "broken_rule": pl.String, "order": pl.Int64},
    )
    if wanted.is_empty():
        return scan.drop(position).head(0).with_columns(broken_rule=pl.lit(None, pl.String)).collect()
    unique = wanted.select(pl.col(position).unique().sort())
    rows = scan.filter(pl.col(position).is_in(unique[position].implode())).collect(engine="streaming")
    columns = [name for name in rows.columns if name != position]
    joined = wanted.join(rows, on=position, how="inner").sort("order", position)
    return joined.select(*columns, "broken_rule")


# -- from rules to expectations ----------------------------------------------------------------------------------------


def _expectation(table: str, rule: Rule, params: Mapping[str, Any], schema: pl.Schema) -> Any:
    from great_expectations.expectations.registry import get_expectation_impl

    from causalrec_assets.gate.expectations import causal  # noqa: F401  (registers them)

    if rule.kind == "holds":
        name = "expect_rows_to_hold"
        arguments: dict[str, Any] = {"holds": rule.expectation}
    elif rule.kind == "demand":
        given = _parameter(table, rule, rule.expectation, params)
        name, arguments = (
            "expect_statement_to_be_true",
            {"statement": rule.name.replace("_", " "), "holds": bool(given)},
        )
        if isinstance(given, str):
            arguments |= {"holds": False, "otherwise": given}
    else:
        name = rule.expectation
        arguments = {
            key: _parameter(table, rule, value[1:], params)
            if isinstance(value, str) and value.startswith("$")
            else value
            for key, value in rule.arguments.items()
        }
    dtype = schema.get(str(arguments.get("column")))
    if name == "expect_column_values_to_not_be_null" and dtype is not None and dtype.is_float():
        name = "expect_column_to_have_no_gap"  # a NaN is no value
    name = "expect_combination_to_be_unique" if name == "expect_compound_columns_to_be_unique" else name
    meta = {"rule": rule.name, "why": rule.why}
    try:
        return get_expectation_impl(name)(**arguments, meta=meta)
    except Exception as error:
        message = " ".join(str(error).split())[:300]
        raise InputError(f"{rule.at(table)} is not a valid {name}: {message}") from error


def _with_lists(table: str, rule: Rule, params: Mapping[str, Any]) -> Rule:
    """The rule with the lists that its sentence refers to, as SQL writes them: `name IN $names`."""
    if rule.kind != "holds":
        return rule

    def sql(match: re.Match[str]) -> str:
        values = _parameter(table, rule, match[1], params)
        return "(" + ", ".join("'" + str(value).replace("'", "''") + "'" for value in values) + ")"

    return replace(rule, expectation=LIST.sub(sql, rule.expectation))


def _parameter(table: str, rule: Rule, name: str, params: Mapping[str, Any]) -> Any:
    if name not in params:
        raise InputError(
            f"contracts/{table}.yaml: the rule `{rule.name}` refers to `{name}`, which the asset does not give; "
            f"it gives {sorted(params)}"
        )
    return params[name]


def _know_columns(table: str, rules: Iterable[Rule], schema: pl.Schema) -> None:
    """Refuse rules about columns that the table does not have: SQL would say so less clearly."""
    from great_expectations.expectations.registry import get_expectation_impl

    from causalrec_assets.gate.expectations import causal  # noqa: F401  (registers them)

    missing = []
    for rule in (rule for rule in rules if rule.kind == "expect"):
        try:
            implementation = get_expectation_impl(rule.expectation)
        except Exception as error:
            raise InputError(f"contracts/{table}.yaml: the rule `{rule.name}`: {error}") from error
        fields = getattr(implementation, "column_fields", ("column", "column_A", "column_B", "column_list"))
        defaults = getattr(implementation, "__fields__", {})
        for name in fields:
            value = rule.arguments.get(name, defaults[name].default if name in defaults else None)
            if isinstance(value, str) and value.startswith("$"):
                continue
            named = value if isinstance(value, list | tuple) else [value]
            missing += [column for column in named if isinstance(column, str) and column not in schema]
    if missing:
        raise InputError(
            f"contracts/{table}.yaml: rules speak of {sorted(set(missing))}, which the table does not have"
        )


def _understand(table: str, rules: Iterable[Rule], staged: StagedTable) -> None:
    for rule in (rule for rule in rules if rule.kind == "holds"):
        if refused := staged.unreadable(rule.expectation):
            raise InputError(
                f"{rule.at(table)} cannot be asked of a row: {refused}. It says `{_short(rule.expectation)}`"
            )


# -- from results to findings ------------------------------------------------------------------------------------------


def _say_what_was_raised(
    table: str, rules: Sequence[Rule], expectations: Sequence[Any], results: Mapping[str, Any], staged: StagedTable
) -> None:
    """Rules are asked in one query, and one that fails takes the others with it: which one it was is asked again."""
    raised = {name: message for name, result in results.items() if (message := _raised(result)) is not None}
    if not raised:
        return
    for rule, expectation in zip(rules, expectations, strict=True):
        if rule.name not in raised:
            continue
        staged.begin_anew()
        if rule.kind == "holds" and (failed := staged.fails(rule.expectation)):
            raise InputError(
                f"{rule.at(table)} fails on a value of the table: {failed}. It says `{_short(rule.expectation)}`; "
                "write it so that it is true or false of every row, e.g. with TRY_CAST"
            )
        if rule.kind != "holds" and (message := _raised(staged.counts([expectation])[rule.name])):
            raise InputError(f"{rule.at(table)} could not be evaluated: {message}")
    # None fails alone: together they asked for more than there is, e.g. of memory.
    name, message = next(iter(raised.items()))
    raise InputError(
        f"contracts/{table}.yaml: its rules could not be evaluated together, `{name}` among them: {message}"
    )


def _raised(result: Any) -> str | None:
    """The first line of what a rule raised; None where it raised nothing."""
    errors = result.exception_info or {}
    for error in (errors, *errors.values()):
        if isinstance(error, Mapping) and error.get("raised_exception"):
            return str(error.get("exception_message")).strip().partition("\n")[0][:300]
    return None


def _short(sentence: str) -> str:
    one_line = " ".join(sentence.split())
    return one_line if len(one_line) <= 120 else one_line[:117] + "..."


def _finding(rule: Rule, result: Any) -> Finding:
    held = bool(result.success)
    if held:
        return Finding(rule.name, rule.why, True)
    details = result.result
    positions = sorted(int(row[POSITION]) for row in details.get("unexpected_index_list") or ())
    count = int(details.get("unexpected_count") or 0)
    return Finding(rule.name, rule.why, False, rows=tuple(positions), count=count, observed=_observed(details))


def _observed(result: Mapping[str, Any]) -> str:
    seen = result.get("observed_value")
    if seen is None:
        return f"{result['unexpected_count']} values" if "unexpected_count" in result else ""
    return str(seen) if isinstance(seen, str) else f"observed {seen}"
