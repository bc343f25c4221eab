"""The gate inside Dagster: what a run records when a table holds, and when it does not."""

import dagster as dg
import polars as pl
import pytest

from causalrec_assets.answers import InputError, not_available
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.gated import gated_asset
from causalrec_assets.home import Home
from resources.lake import Lake
from tests.gate.test_publishing import GOOD

DAY = "2026-03-03"
STATE = {"frame": GOOD, "raise": None, "answer": None, "attempts": 0}


@gated_asset("sales", stage="gate", deps=["landed"])
def sales(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What was sold."""
    STATE["attempts"] += 1
    if STATE["raise"]:
        raise STATE["raise"]
    params = {"nested_outcomes": True, "expected_rows": 0 if STATE["answer"] else 2}
    if STATE["answer"]:
        return Draft(lake.inputs(context), None, answer=STATE["answer"], params=params)
    return Draft(lake.inputs(context), STATE["frame"], params=params)


@dg.asset(deps=[sales], partitions_def=sales.partitions_def)
def downstream() -> None:
    """Reads sales."""


@pytest.fixture
def run(home: Home):
    instance = dg.DagsterInstance.ephemeral()
    STATE.update({"frame": GOOD, "raise": None, "answer": None, "attempts": 0})

    def materialise(**state):
        STATE.update({"frame": GOOD, "raise": None, "answer": None} | state)
        return dg.materialize(
            [sales, downstream],
            partition_key=DAY,
            instance=instance,
            raise_on_error=False,
            resources={"lake": Lake(home=str(home.root))},
        )

    materialise.instance = instance
    yield materialise
    instance.dispose()


def checks(result):
    return {e.check_name: e.passed for e in result.get_asset_check_evaluations()}


def materialised(result):
    return [e.materialization.asset_key.path[0] for e in result.get_asset_materialization_events()]


def test_a_table_that_holds_is_materialised_with_its_checks(run):
    result = run()
    assert result.success
    assert materialised(result) == ["sales", "downstream"]
    assert checks(result) == {"contract": True, "answerable": True, "inputs": True}
    assert {e.partition for e in result.get_asset_check_evaluations()} <= {DAY, None}


def test_a_broken_contract_leaves_no_materialisation_no_retry_and_nothing_downstream(run):
    result = run(frame=GOOD.with_columns(share=pl.lit(0.0)))
    assert not result.success
    assert materialised(result) == []
    assert checks(result)["contract"] is False
    assert STATE["attempts"] == 1
    failure = result.failure_data_for_node("sales")
    assert "share" in failure.error.message or "share" in str(failure.error.cause)
    assert run.instance.get_latest_materialization_event(dg.AssetKey("sales")) is None


def test_bad_input_fails_its_step_with_its_own_words(run):
    result = run(**{"raise": InputError("events.csv, row 7: `time` is empty")})
    assert not result.success
    assert "row 7" in str(result.failure_data_for_node("sales").error)
    assert checks(result) == {"contract": False}


def test_an_answer_is_a_warning_and_downstream_runs(run):
    result = run(answer=not_available("no user id"))
    assert result.success
    assert checks(result)["answerable"] is False
    assert "downstream" in materialised(result)


def test_a_good_rerun_heals(run):
    run(frame=GOOD.with_columns(share=pl.lit(0.0)))
    assert checks(run())["contract"] is True
