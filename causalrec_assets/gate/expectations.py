"""Running a contract with Great Expectations on a staged table."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl

from causalrec_assets.answers import InputError
from causalrec_assets.gate.contracts import Contract, Rule

ROW_RULE = "holds: "


@dataclass(frozen=True)
class Finding:
    """What became of one rule."""

    rule: str
    why: str
    held: bool
    skipped: bool = False
    rows: tuple[int, ...] = ()
    """Positions of the offending rows, where the rule is about rows."""
    observed: str = ""

    def sentence(self) -> str:
        rows = f"{len(self.rows)} row(s)" if self.rows else self.observed
        return f"{self.rule}: {rows or 'broken'}" + (f" ({self.why})" if self.why else "")


@dataclass(frozen=True)
class Audit:
    """All findings on one staged table."""

    findings: tuple[Finding, ...]
    warnings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        return all(finding.held for finding in self.findings)

    @property
    def broken(self) -> list[Finding]:
        return [finding for finding in self.findings if not finding.held]


def audit(contract: Contract, frame: pl.DataFrame, params: Mapping[str, Any]) -> Audit:
    """Run a contract on a table.

    The columns and their types come first: without them the rules would fail for the wrong reason. An empty table that
    carries an answer is audited like any other.

    Raises:
        InputError: A rule names a column, a parameter or an expectation that does not exist.
    """
    if breaches := contract.schema_breaches(frame):
        why = "every column of the contract, with its type"
        return Audit(tuple(Finding("schema", why, False, observed=breach) for breach in breaches), ())
    findings = _run(contract.table, contract.rules, frame, params)
    warnings = _run(contract.table, contract.answerable, frame, params)
    schema = Finding("schema", "every column of the contract, with its type", True)
    return Audit((schema, *findings), warnings)


def offending_rows(frame: pl.DataFrame, broken: Iterable[Finding], limit: int = 10_000) -> pl.DataFrame:
    """The rows that broke a rule, with the rule's name in `broken_rule`; at most `limit` a rule."""
    parts = [
        frame[list(finding.rows[:limit])].with_columns(pl.lit(finding.rule).alias("broken_rule"))
        for finding in broken
        if finding.rows
    ]
    return pl.concat(parts) if parts else frame.clear().with_columns(pl.lit(None, pl.String).alias("broken_rule"))


def _run(table: str, rules: tuple[Rule, ...], frame: pl.DataFrame, params: Mapping[str, Any]) -> tuple[Finding, ...]:
    active = [rule for rule in rules if rule.only_if is None or _parameter(table, rule, rule.only_if, params)]
    skipped = [
        Finding(rule.name, f"not asked: {rule.only_if} is false", True, True) for rule in rules if rule not in active
    ]
    demanded = [
        Finding(rule.name, rule.why, bool(_parameter(table, rule, rule.expectation, params)), observed="it is not so")
        for rule in active
        if rule.kind == "demand"
    ]
    active = [rule for rule in active if rule.kind != "demand"]
    if active:
        results = _validate(_columns_for(table, active, frame), [_expectation(table, rule, params) for rule in active])
    return (*(_finding(rule, results[rule.name]) for rule in active), *demanded, *skipped)


def _columns_for(table: str, rules: list[Rule], frame: pl.DataFrame) -> Any:
    """The columns that the rules speak of, as a NumPy-backed pandas frame, plus one boolean per row rule."""
    named: list[str] = []
    rows = []
    for rule in rules:
        if rule.kind == "holds":
            try:
                rows.append(frame.select(pl.sql_expr(rule.expectation).fill_null(True).alias(ROW_RULE + rule.name)))
            except pl.exceptions.PolarsError as error:
                raise InputError(f"contracts/{table}.yaml: `{rule.expectation}` cannot be read: {error}") from error
            continue
        for key in ("column", "column_A", "column_B"):
            if key in rule.arguments:
                named.append(rule.arguments[key])
        named.extend(rule.arguments.get("column_list", ()))
    if missing := [name for name in named if name not in frame.columns]:
        raise InputError(f"contracts/{table}.yaml: rules speak of {missing}, which the table does not have")
    columns = frame.select(list(dict.fromkeys(named)))
    together = pl.concat([columns, *rows], how="horizontal") if rows else columns
    if together.width == 0:
        together = pl.DataFrame({"row": range(frame.height)})
    return together.to_pandas()


def _expectation(table: str, rule: Rule, params: Mapping[str, Any]) -> Any:
    from great_expectations.expectations.registry import get_expectation_impl

    if rule.kind == "holds":
        name, arguments = "expect_column_values_to_be_in_set", {"column": ROW_RULE + rule.name, "value_set": [True]}
    else:
        name = rule.expectation
        arguments = {
            key: _parameter(table, rule, value[1:], params)
            if isinstance(value, str) and value.startswith("$")
            else value
            for key, value in rule.arguments.items()
        }
    try:
        return get_expectation_impl(name)(**arguments, meta={"rule": rule.name})
    except Exception as error:
        raise InputError(f"contracts/{table}.yaml: the rule `{rule.name}` is not a valid {name}: {error}") from error


def _parameter(table: str, rule: Rule, name: str, params: Mapping[str, Any]) -> Any:
    if name not in params:
        raise InputError(
            f"contracts/{table}.yaml: the rule `{rule.name}` refers to `{name}`, which the asset does not give; "
            f"it gives {sorted(params)}"
        )
    return params[name]


@lru_cache(maxsize=1)
def _batch_definition() -> Any:
    """One in-memory Great Expectations context per process; making one costs more than a validation."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return (
        context.data_sources.add_pandas("staged")
        .add_dataframe_asset("table")
        .add_batch_definition_whole_dataframe("all")
    )


def _validate(frame: Any, expectations: list[Any]) -> dict[str, Any]:
    definition = _batch_definition()
    import great_expectations as gx

    batch = definition.get_batch(batch_parameters={"dataframe": frame})
    suite = gx.ExpectationSuite(name="contract")
    suite.expectations = expectations
    outcome = batch.validate(suite, result_format={"result_format": "COMPLETE"})
    # Results come in another order than the expectations: the rule's name travels in their meta.
    return {result.expectation_config.meta["rule"]: result for result in outcome.results}


def _finding(rule: Rule, result: Any) -> Finding:
    errors = result.exception_info or {}
    raised = [e for e in (errors, *errors.values()) if isinstance(e, Mapping) and e.get("raised_exception")]
    if raised:
        raise InputError(f"the rule `{rule.name}` could not be evaluated: {raised[0].get('exception_message')}")
    held = bool(result.success)
    rows = () if held else tuple(int(k) for k in result.result.get("unexpected_index_list") or ())
    observed = "" if held else _observed(result.result)
    return Finding(rule.name, rule.why, held, rows=rows, observed=observed)


def _observed(result: Mapping[str, Any]) -> str:
    if "observed_value" in result:
        return f"observed {result['observed_value']}"
    return f"{result['unexpected_count']} values" if "unexpected_count" in result else ""
