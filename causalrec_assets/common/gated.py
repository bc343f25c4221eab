"""The gate as Dagster sees it: an asset whose function returns a `Draft`, with its contract as blocking checks.

Dagster records an asset as materialised even when its in-op blocking check fails. So the order here is: audit first,
then either yield the check results and raise (no materialisation, no retry), or yield the materialisation of what has
been published together with its check results.
"""

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import dagster as dg
import polars as pl

from causalrec.answers import InputError
from causalrec.engine.full_disk import cannot_write
from causalrec.escaping import markdown
from causalrec_assets.common.forked_steps import end_with_the_run
from causalrec_assets.common.partitions import days
from causalrec_assets.common.ui import column_lineage, column_schema, learning_window_words, listing, still_readable
from causalrec_assets.common.ui import table as table_in_markdown
from causalrec_assets.gate.checking import Finding
from causalrec_assets.gate.contracts import Contract
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.publishing import Outcome, write_audit_publish
from causalrec_assets.gate.quotations import without_quotations
from causalrec_assets.gate.refused import first_rows
from causalrec_assets.lake.code import code_version
from causalrec_assets.lake.inputs import Inputs, MissingDay
from causalrec_assets.lake.lost import LostObject
from causalrec_assets.lake.storage.bucket import StoreFailed
from causalrec_assets.lake.store import PublishRace

CONTRACT, ANSWERABLE, INPUTS = "contract", "answerable", "inputs"
NOT_ANSWERED, WARNED = "not_answered", "warned"
"""In the metadata of a failed `answerable`: the reason of the table's answer, and the rules that warned."""


def gated_asset(table: str, **options: Any) -> Callable[[Callable[..., Draft]], dg.AssetsDefinition]:
    """Declare a daily asset behind the gate. Its function takes the context and, by name, the resource `lake`.

    Args:
        table: The table's and the asset's name; its contract is `data/contracts/TABLE.yaml`.
        options: Passed on to `dagster.asset` (group_name, deps, pool, op_tags, kinds, ...).
    """
    specs = [
        dg.AssetCheckSpec(
            CONTRACT,
            asset=table,
            blocking=True,
            partitions_def=days,
            description=f"data/contracts/{table}.yaml, run on the staged table before anyone can read it",
        ),
        dg.AssetCheckSpec(
            ANSWERABLE, asset=table, partitions_def=days, description="what these data cannot say; never blocks"
        ),
        dg.AssetCheckSpec(
            INPUTS,
            asset=table,
            partitions_def=days,
            description="whether an input was read in an older version because its newest was refused",
        ),
    ]

    def declare(make_draft: Callable[..., Draft]) -> dg.AssetsDefinition:
        @functools.wraps(make_draft)
        def step(context: dg.AssetExecutionContext, **resources: Any) -> Any:
            yield from _run_gate(
                context,
                table,
                begin=lambda: resources["lake"].inputs(context),
                make_draft=lambda: make_draft(context, **resources),
            )

        signature = inspect.signature(make_draft)
        step.__signature__ = signature.replace(return_annotation=inspect.Signature.empty)  # type: ignore[attr-defined]
        step.__annotations__ = {k: v for k, v in make_draft.__annotations__.items() if k != "return"}
        # Dagster follows __wrapped__ and would take `Draft` for the type of an output.
        del step.__wrapped__
        asset: dg.AssetsDefinition = dg.asset(
            name=table,
            code_version=code_version(make_draft.__module__),
            partitions_def=days,
            check_specs=specs,
            description=make_draft.__doc__,
            **options,
        )(step)
        return asset

    return declare


def _run_gate(
    context: dg.AssetExecutionContext, table: str, begin: Callable[[], Inputs], make_draft: Callable[[], Draft]
) -> Iterator[Any]:
    end_with_the_run()
    # The gate's own record of the attempt, from before it: what was published since is newer than its refusal.
    attempt: Inputs | None = None
    try:
        attempt = begin()
        draft = make_draft()
        window = learning_window_words(draft.inputs)
        outcome = write_audit_publish(draft)
    except (InputError, PublishRace) as error:
        if isinstance(error, StoreFailed):
            # Not the data's fault: no refusal is recorded, and the step may be tried again.
            raise dg.Failure(f"{table} of {context.partition_key}: {error}") from error
        # Neither the lake's refusals nor Dagster's database can forget what a landed row says.
        reason = without_quotations(str(error))
        metadata = _refuse(attempt, error, reason) if attempt is not None else {}
        yield _check(table, CONTRACT, [reason], {"reason": reason, **metadata})
        raise dg.Failure(f"{table} of {context.partition_key}: {reason}", metadata=metadata, allow_retries=False) from (
            error if reason == str(error) else InputError(reason)
        )
    except Exception as error:
        if (unwritten := cannot_write(error)) is None:
            raise
        # As above.
        raise dg.Failure(f"{table} of {context.partition_key}: {unwritten}", metadata={"error": str(error)}) from error
    finally:
        if attempt is not None:
            attempt.remove_fetched()
    checks = [_contract_check(table, outcome), _answerable_check(table, draft, outcome), _inputs_check(table, draft)]
    if outcome.refusal is not None:
        yield from checks
        raise dg.Failure(
            f"{table} of {context.partition_key} breaks its contract and is not published: "
            + "; ".join(outcome.refusal.reasons),
            metadata={
                "failed_rules": dg.MetadataValue.md(_rules_table(outcome.audit.broken)),
                "offending_rows": _rows_table(outcome.contract, outcome.offending),
                "quarantine": dg.MetadataValue.path(str(outcome.refusal.folder)),
                "still_readable": still_readable(draft.inputs),
            },
            allow_retries=False,
        )
    # With the materialisation, not before it: a check counts for the version that is newest when it is recorded.
    yield dg.MaterializeResult(asset_key=table, metadata=_metadata(draft, outcome, window), check_results=checks)


def _refuse(attempt: Inputs, error: InputError | PublishRace, reason: str) -> dict[str, Any]:
    """Record that an attempt ended in bad input, as a broken contract is recorded, so that readers are warned.

    A missing day, or one that is not whole, says nothing about this table's data, and whoever lost a race was overtaken
    by a good version.
    """
    readable = {"still_readable": still_readable(attempt)}
    if isinstance(error, MissingDay | PublishRace | LostObject):
        return readable
    try:
        refusal = attempt.store.quarantine.refuse(attempt.asset, attempt.day, attempt.run_id, attempt.after, [reason])
    except (OSError, StoreFailed) as unwritten:
        # Why the attempt failed is said all the same.
        return {**readable, "refusal_not_recorded": str(unwritten)}
    return {**readable, "quarantine": dg.MetadataValue.path(str(refusal.folder))}


def _metadata(draft: Draft, outcome: Outcome, window: str | None) -> dict[str, Any]:
    pointer = outcome.pointer
    assert pointer is not None
    optional = {
        "dagster/column_lineage": column_lineage(draft.lineage) if draft.lineage else None,
        "answer": None if draft.answer.answered else f"{draft.answer.status.value}: {draft.answer.reason}",
        "learning_window": window,
    }
    return {
        **{key: value for key, value in optional.items() if value is not None},
        **draft.metadata,
        "dagster/row_count": outcome.rows,
        "version": pointer.number,
        "hash": pointer.hash,
        "set_aside_rows": pointer.set_aside,
        "dagster/column_schema": column_schema(outcome.schema, draft.lineage),
    }


def _check(
    table: str,
    name: str,
    reasons: Sequence[str],
    metadata: dict[str, Any],
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR,
) -> dg.AssetCheckResult:
    """A check's result: passed when there is no reason why not."""
    return dg.AssetCheckResult(
        asset_key=table,
        check_name=name,
        passed=not reasons,
        metadata=metadata,
        severity=severity,
        description="; ".join(reasons) or None,
    )


def _contract_check(table: str, outcome: Outcome) -> dg.AssetCheckResult:
    broken = outcome.audit.broken
    metadata: dict[str, Any] = {
        "rules": dg.MetadataValue.md(_rules_table(outcome.audit.findings)),
        "rules_held": sum(f.held for f in outcome.audit.findings),
        "rules_broken": len(broken),
    }
    if outcome.page is not None:
        metadata["data_docs"] = dg.MetadataValue.path(str(outcome.page))
    if broken:
        metadata["offending_rows"] = _rows_table(outcome.contract, outcome.offending)
    return _check(table, CONTRACT, [finding.sentence() for finding in broken], metadata)


def _answerable_check(table: str, draft: Draft, outcome: Outcome) -> dg.AssetCheckResult:
    sentences = [f.sentence() for f in outcome.audit.warnings if not f.held]
    if not draft.answer.answered:
        sentences.insert(0, f"{draft.answer.status.value}: {draft.answer.reason}")
    metadata: dict[str, Any] = {"said": listing(sentences)} if sentences else {}
    if not draft.answer.answered:
        metadata[NOT_ANSWERED] = draft.answer.reason
    if warned := [f.rule for f in outcome.audit.warnings if not f.held]:
        metadata[WARNED] = ", ".join(warned)
    return _check(table, ANSWERABLE, sentences, metadata, dg.AssetCheckSeverity.WARN)


def _inputs_check(table: str, draft: Draft) -> dg.AssetCheckResult:
    warnings = draft.inputs.warnings
    metadata = {"warnings": listing(warnings)} if warnings else {}
    return _check(table, INPUTS, warnings, metadata, dg.AssetCheckSeverity.WARN)


def _rules_table(findings: Iterable[Finding]) -> str:
    lines = ["| rule | result | rows | why |", "|---|---|---|---|"]
    for finding in findings:
        result = "not asked" if finding.skipped else "holds" if finding.held else "**broken**"
        rows = markdown(finding.count or finding.observed or "", cell=True)
        lines.append(
            f"| {markdown(finding.rule, cell=True)} | {result} | {rows} | {markdown(finding.why, cell=True)} |"
        )
    return "\n".join(lines)


def _rows_table(contract: Contract, rows: pl.DataFrame) -> dg.MarkdownMetadataValue:
    if not rows.height:
        return dg.MetadataValue.md("the rule is about the table as a whole")
    return table_in_markdown(first_rows(contract, rows))
