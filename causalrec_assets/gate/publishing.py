"""Write, audit, publish: a draft becomes a published version, or a refusal with its offending rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from causalrec.answers import InputError
from causalrec.engine.one_file import parquet_rows, parquet_schema
from causalrec.settings.deployment.lake import LAKE, LakeSettings
from causalrec.settings.file import read_setting
from causalrec_assets.gate import data_docs
from causalrec_assets.gate.checking import Audit, audit, offending_rows
from causalrec_assets.gate.contracts import Contract, read_contract
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.expectations.limits import Limits
from causalrec_assets.gate.quotations import without_quotations
from causalrec_assets.gate.refused import ASIDE, OFFENDING
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.lake.notes import to_json
from causalrec_assets.lake.storage.pointer import Pointer, Refusal, Version


@dataclass(frozen=True)
class Outcome:
    """What the gate did with a draft: exactly one of `pointer` and `refusal` is there.

    Attributes:
        rows: How many rows the draft has.
        schema: Its columns and their types.
        offending: The rows that broke a rule, at most 10,000 a rule, with the rule's name.
        page: Where people read what held and what did not.
    """

    contract: Contract
    audit: Audit
    rows: int
    schema: pl.Schema
    pointer: Pointer | None
    refusal: Refusal | None
    offending: pl.DataFrame
    page: Path | None = None


def write_audit_publish(draft: Draft) -> Outcome:
    """Stage a draft, run its contract on what was staged, and publish it or put it into quarantine.

    What was written is what is audited: a type that Parquet cannot keep would show here.

    Raises:
        PublishRace: Another run published the partition meanwhile.
        InputError: The contract itself is wrong, or an unanswered draft has no frame and no columns.
    """
    inputs = draft.inputs
    contract = read_contract(inputs.home, inputs.asset)
    settings = LakeSettings.parse(read_setting(inputs.home, LAKE), str(inputs.home.setting(LAKE))).gate
    staged, aside = _staged(draft, contract), _set_aside(draft)
    try:
        rows, schema = parquet_rows(staged), parquet_schema(staged)
        aside_rows = parquet_rows(aside) if aside is not None else 0
        limits = Limits(settings.memory_mb, inputs.store.workplace / "spill")
        # A reason may name a landed row, and what it says is kept in refusals, pages and Dagster's database.
        reasons = {key: without_quotations(value) for key, value in draft.params.items() if isinstance(value, str)}
        params = {**draft.params, **reasons, "set_aside_rows": aside_rows}
        result = audit(contract, staged, params, limits)
        if aside is not None and aside_rows:
            inputs.store.quarantine.keep_file(inputs.asset, inputs.day, inputs.run_id, ASIDE, aside)
        # Rendered before anything is published: a page that cannot be made stops the attempt, not its aftermath.
        html = data_docs.page(contract, result, inputs.day, inputs.run_id, rows) if settings.data_docs else None
        if not result.holds:
            offending = offending_rows(staged, result.broken)
            refusal = _refuse(inputs, result, staged, offending)
            return Outcome(contract, result, rows, schema, None, refusal, offending, _page(inputs, html))
        version = Version(
            inputs.asset,
            inputs.day,
            rows,
            draft.answer,
            {} if draft.notes is None else to_json(draft.notes),
            draft.files,
            inputs.recorded,
            inputs.run_id,
            aside_rows,
        )
        pointer = inputs.store.publish(staged, version, inputs.after)
    finally:
        for path in (staged, aside):
            if path is not None:
                path.unlink(missing_ok=True)
    for name, path in draft.exports.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draft.files[name])
    nothing = pl.DataFrame(schema=schema)
    return Outcome(contract, result, rows, schema, pointer, None, nothing, _page(inputs, html))


def _page(inputs: Inputs, html: str | None) -> Path | None:
    return None if html is None else data_docs.write_page(inputs.home, inputs.asset, inputs.day, html)


def _staged(draft: Draft, contract: Contract) -> Path:
    """The draft's rows as a file."""
    inputs = draft.inputs
    if draft.staged is not None:
        if draft.frame is not None:
            raise InputError(f"`{inputs.asset}` hands the gate a frame and a staged file; it takes one of them")
        return draft.staged
    if draft.frame is None and draft.answer.answered:
        raise InputError(f"`{inputs.asset}` hands the gate no rows and no answer that says why")
    return _written(inputs, contract.empty() if draft.frame is None else draft.frame)


def _set_aside(draft: Draft) -> Path | None:
    return _written(draft.inputs, draft.set_aside) if isinstance(draft.set_aside, pl.DataFrame) else draft.set_aside


def _written(inputs: Inputs, frame: pl.DataFrame) -> Path:
    path = inputs.store.staging(inputs.asset, inputs.day, inputs.run_id)
    frame.write_parquet(path, compression="zstd", statistics=True)
    return path


def _refuse(inputs: Inputs, result: Audit, staged: Path, offending: pl.DataFrame) -> Refusal:
    quarantine, asset, day, run_id = inputs.store.quarantine, inputs.asset, inputs.day, inputs.run_id
    quarantine.keep(asset, day, run_id, OFFENDING, offending)
    # The whole draft is kept too: what was staged must not be lost when the sources have moved on.
    quarantine.keep_file(asset, day, run_id, "table.parquet", staged)
    return quarantine.refuse(asset, day, run_id, inputs.after, [finding.sentence() for finding in result.broken])
