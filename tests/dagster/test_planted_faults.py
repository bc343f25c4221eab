"""For each asset, one fault of the kind that its contract exists for, planted in the real step: it is refused.

The list is held against the definitions: an asset without a planted fault fails the last test.
"""

from dataclasses import replace
from datetime import timedelta

import dagster as dg
import polars as pl
import pytest

from causalrec.evaluation.policy_values import SCHEMA as VALUES
from causalrec.policy.policies.judged import SCHEMA as TARGETS
from causalrec_assets.common import gated
from causalrec_assets.gate.publishing import write_audit_publish
from causalrec_assets.lake.inputs import Inputs
from causalrec_assets.lake.store import Store
from tests.dagster.test_definitions import ASSETS
from tests.worlds import FIRST, materialise, words

LAST = FIRST + timedelta(days=5)
first = pl.int_range(pl.len()) == 0


def set_first(column, value):
    """The first row gets a value; all others stay."""
    return lambda frame: frame.with_columns(
        pl.when(first).then(pl.lit(value)).otherwise(pl.col(column)).cast(frame.schema[column]).alias(column)
    )


def repeat_first(frame):
    return pl.concat([frame, frame.head(1)])


def only_row(schema, **values):
    """A table that has no rows today gets one."""
    row = pl.DataFrame(schema=schema).clear(1).with_columns(**{name: pl.lit(value) for name, value in values.items()})
    return lambda _: row.select(pl.col(name).cast(kind) for name, kind in schema.items())


FAULTS = {
    # asset: (what is planted, the rule that must refuse it)
    "items": (repeat_first, "column_values_to_be_unique(item_id)"),
    "users": (set_first("user_id", None), "column_values_to_not_be_null(user_id)"),
    "clean_events": (set_first("action_propensity", 0.0), "action_propensity_in_0_1"),
    "history": (set_first("clicks", 10_000_000), "clicks_are_exposures"),
    "units": (lambda frame: frame.head(frame.height - 1), "table_row_count_to_equal"),
    "discovered_graph": (lambda frame: frame.with_columns(target=pl.col("source")), "no_self_loop"),
    "causal_graph": (
        lambda frame: frame.with_columns(provenance=pl.lit("expert"), who=pl.lit(None, pl.String)),
        "experts_sign",
    ),
    "adjustment_sets": (
        lambda frame: frame.with_columns(columns=pl.lit(["click"])),
        "no_column_from_after_the_treatment",
    ),
    "item_embeddings": (repeat_first, "column_values_to_be_unique(item_id)"),
    "treatment_propensities": (set_first("propensity", 1.0), "inside_0_1"),
    "action_propensities": (set_first("action_propensity", 1.5), "inside_0_1"),
    "effects": (lambda frame: frame.with_columns(lower=pl.col("upper") + 1), "ordered"),
    "outcome_model": (set_first("click_if_recommended", float("nan")), "probabilities"),
    "target_policy": (set_first("action_probability", 0.0), "inside_0_1"),
    "off_policy_report": (lambda frame: frame.with_columns(upper=pl.col("lower") - 1), "ordered"),
    "trial_policy": (
        only_row(TARGETS, unit_id="u", policy="challenger", kind="slot"),
        "a_slot_has_an_action_probability",
    ),
    "trial_report": (
        only_row({"trial": pl.String(), "look": pl.Int64(), **VALUES}, trial="another", look=0),
        "a_look_has_a_number",
    ),
    "effect_report": (lambda frame: frame.with_columns(naive=pl.lit(None, pl.Float64)), "naive_beside_causal"),
    "evaluation_report": (lambda frame: frame.filter(pl.col("section") != "verdict"), "there_is_a_verdict"),
    "release": (lambda frame: frame.with_columns(verdict=pl.lit("not_better")), "only_better_is_released"),
    "recommendations": (set_first("reason", ""), "every_item_has_a_reason"),
}


@pytest.mark.parametrize("asset", sorted(FAULTS))
def test_a_planted_fault_is_refused(own_home, monkeypatch, asset):
    fault, rule = FAULTS[asset]
    good = Store(own_home.lake).pointer(asset, LAST)

    def with_fault(draft):
        frame = draft.frame if draft.staged is None else pl.read_parquet(draft.staged)
        return write_audit_publish(replace(draft, frame=fault(frame), staged=None))

    monkeypatch.setattr(gated, "write_audit_publish", with_fault)
    instance = dg.DagsterInstance.ephemeral()

    result = materialise(own_home, LAST, [asset], instance)

    assert not result.success
    assert rule in words(result)
    assert result.get_asset_materialization_events() == []
    assert {e.check_name: e.passed for e in result.get_asset_check_evaluations()}["contract"] is False
    # The last good version is read, and the reader is told.
    store = Store(own_home.lake)
    reader = Inputs(own_home, store, asset="reader", code="code", day=LAST, run_id="reader")
    assert store.pointer(asset, LAST).hash == good.hash
    assert reader.table(asset).hash == good.hash
    assert "last good version" in reader.warnings[0]


def test_every_asset_has_a_planted_fault():
    assert set(FAULTS) == ASSETS
