"""Write, audit, publish: a draft becomes a published version, or a refusal with its offending rows."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from causalrec_assets.answers import InputError
from causalrec_assets.gate.contracts import Contract, parse_contract
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.expectations import Audit, audit, offending_rows
from causalrec_assets.gate.settings import read_setting
from causalrec_assets.gate.store import Pointer, Refusal


@dataclass(frozen=True)
class Outcome:
    """What the gate did with a draft: exactly one of `pointer` and `refusal` is there."""

    contract: Contract
    audit: Audit
    frame: pl.DataFrame
    pointer: Pointer | None
    refusal: Refusal | None
    offending: pl.DataFrame


def write_audit_publish(draft: Draft) -> Outcome:
    """Stage a draft, run its contract on what was staged, and publish it or put it into quarantine.

    Raises:
        PublishRace: Another run published the partition meanwhile.
        InputError: The contract itself is wrong, or an unanswered draft has no frame and no columns.
    """
    inputs = draft.inputs
    contract = parse_contract(inputs.asset, read_setting(inputs.home, f"contracts/{inputs.asset}.yaml"))
    if draft.frame is None and draft.answer.answered:
        raise InputError(f"`{inputs.asset}` hands the gate no rows and no answer that says why")
    frame = contract.empty() if draft.frame is None else draft.frame
    staged = inputs.store.staging(inputs.asset, inputs.day, inputs.run_id)
    frame.write_parquet(staged, compression="zstd", statistics=True)
    try:
        # What was written is what is audited: a type that Parquet cannot keep would show here.
        frame = pl.read_parquet(staged)
        result = audit(contract, frame, draft.params)
        if draft.set_aside is not None and draft.set_aside.height:
            inputs.store.keep(inputs.asset, inputs.day, inputs.run_id, "set_aside.parquet", draft.set_aside)
        if not result.holds:
            return _refuse(draft, contract, result, frame)
        pointer = inputs.store.publish(
            staged,
            table=inputs.asset,
            day=inputs.day,
            after=inputs.after,
            rows=frame.height,
            answer=draft.answer,
            notes=dict(draft.notes),
            files=draft.files,
            inputs=inputs.recorded,
            run_id=inputs.run_id,
            set_aside=draft.set_aside.height if draft.set_aside is not None else 0,
        )
    finally:
        staged.unlink(missing_ok=True)
    for name, path in draft.exports.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draft.files[name])
    return Outcome(contract, result, frame, pointer, None, frame.clear())


def _refuse(draft: Draft, contract: Contract, result: Audit, frame: pl.DataFrame) -> Outcome:
    inputs = draft.inputs
    reasons = [finding.sentence() for finding in result.broken]
    offending = offending_rows(frame, result.broken)
    inputs.store.keep(inputs.asset, inputs.day, inputs.run_id, "offending_rows.parquet", offending)
    # The whole draft is kept too: what was staged must not be lost when the sources have moved on.
    inputs.store.keep(inputs.asset, inputs.day, inputs.run_id, "table.parquet", frame)
    refusal = inputs.store.refuse(inputs.asset, inputs.day, inputs.run_id, inputs.after, reasons)
    return Outcome(contract, result, frame, None, refusal, offending)
