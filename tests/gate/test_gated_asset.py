"""The gate inside Dagster: what a run records when a table holds, and when it does not."""

from datetime import date

import dagster as dg
import polars as pl
import pytest
import yaml

from causalrec.answers import InputError, not_available
from causalrec.home import Home
from causalrec_assets.common.gated import gated_asset
from causalrec_assets.common.ui import learning_window_words
from causalrec_assets.gate.draft import Draft
from causalrec_assets.gate.publishing import write_audit_publish
from causalrec_assets.lake.code import code_version
from causalrec_assets.lake.inputs import MissingDay
from causalrec_assets.lake.store import PublishRace, open_store
from causalrec_assets.running.run_words import what_warned
from resources.lake import Lake
from tests.gate.test_publishing import GOOD

DAY = "2026-03-03"
BAD = GOOD.with_columns(share=pl.lit(0.0))
NOTHING = {"frame": GOOD, "raise": None, "answer": None, "learns": False, "overtaken": False}
STATE = {**NOTHING, "attempts": 0}
LINEAGE = {"id": [("landed", "sale")], "click": [("landed", "clicked"), ("landed", "sale")], "share": ()}


@gated_asset("sales", group_name="gate", deps=["landed"])
def sales(context: dg.AssetExecutionContext, lake: Lake) -> Draft:
    """What was sold."""
    STATE["attempts"] += 1
    params = {"nested_outcomes": True, "expected_rows": 0 if STATE["answer"] else 2}
    if STATE["overtaken"]:
        write_audit_publish(Draft(lake.inputs(context), GOOD, params=params))
    if STATE["raise"]:
        raise STATE["raise"]
    inputs = lake.inputs(context)
    if STATE["learns"]:
        assert inputs.learning.judge_days
    if STATE["answer"]:
        return Draft(inputs, None, answer=STATE["answer"], params=params)
    return Draft(inputs, STATE["frame"], params=params, lineage=LINEAGE)


@dg.asset(deps=[sales], partitions_def=sales.partitions_def)
def downstream() -> None:
    """Reads sales."""


@pytest.fixture
def run(home: Home):
    instance = dg.DagsterInstance.ephemeral()
    STATE.update({**NOTHING, "attempts": 0})

    def materialise(lake=None, **state):
        STATE.update(NOTHING | state)
        return dg.materialize(
            [sales, downstream],
            partition_key=DAY,
            instance=instance,
            raise_on_error=False,
            resources={"lake": lake or Lake(home=str(home.root))},
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


def test_the_lake_records_the_code_version_that_dagster_shows(run, home):
    assert run().success
    recorded = open_store(home).pointer("sales", date.fromisoformat(DAY)).inputs["code:sales"]
    assert recorded == code_version(__name__)
    event = run.instance.get_latest_materialization_event(dg.AssetKey("sales"))
    assert event.asset_materialization.tags["dagster/code_version"] == recorded


def test_a_broken_contract_leaves_no_materialisation_no_retry_and_nothing_downstream(run):
    result = run(frame=BAD)
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


@pytest.mark.parametrize(("frame", "said"), [(GOOD, "The contract holds"), (BAD, "The contract is broken by")])
def test_the_contracts_check_links_the_page_that_says_what_held(run, home, frame, said):
    checks = {check.check_name: check.metadata for check in run(frame=frame).get_asset_check_evaluations()}
    page = home.reports / "data_docs" / "sales" / f"{DAY}.html"
    assert checks["contract"]["data_docs"].value == str(page)
    assert said in page.read_text()


def test_an_answer_is_a_warning_and_downstream_runs(run):
    result = run(answer=not_available("no user id"))
    assert result.success
    assert checks(result)["answerable"] is False
    assert "downstream" in materialised(result)


def test_the_console_says_what_is_not_answered_and_why(run):
    result = run(answer=not_available("nobody logs who buys"))
    assert what_warned(result) == "sales: not answered: nobody logs who buys"


def test_the_console_names_the_rule_that_warned_and_nothing_where_all_passed(run):
    assert what_warned(run()) == ""
    nothing_clicked = GOOD.with_columns(pl.lit(0, pl.Int8).alias("click"), pl.lit(0, pl.Int8).alias("purchase"))
    assert what_warned(run(frame=nothing_clicked)) == "sales: warned: any_click"


def test_a_good_rerun_heals(run):
    run(frame=BAD)
    assert checks(run())["contract"] is True


def standing(home):
    return open_store(home).quarantine.standing("sales", date.fromisoformat(DAY))


def metadata(result):
    """Of the materialisation, or of the failed step."""
    done = result.asset_materializations_for_node("sales")
    return done[0].metadata if done else result.failure_data_for_node("sales").user_failure_data.metadata


def test_bad_input_leaves_a_refusal_that_stands_until_a_good_run(run, home):
    result = run(**{"raise": InputError("events.csv, row 7: `time` is empty")})
    assert standing(home).reasons == ["events.csv, row 7: `time` is empty"]
    assert standing(home).run_id == result.run_id
    assert str(standing(home).folder) == metadata(result)["quarantine"].value
    assert run().success
    assert standing(home) is None


def test_a_reader_is_warned_of_bad_input_as_of_a_broken_contract(run, attempt, home):
    run()
    run(**{"raise": InputError("events.csv is cut off")})
    reader = attempt(asset="report", day=date.fromisoformat(DAY))
    assert reader.table("sales").number == 1
    assert "events.csv is cut off" in reader.warnings[0]


def test_a_contract_that_is_wrong_refuses_too(run, home):
    (home.data / "contracts" / "sales.yaml").write_text("table: sales")
    assert not run().success
    assert "`rules` is empty" in standing(home).reasons[0]


@pytest.mark.parametrize("error", [MissingDay("units of 2026-03-01 is missing"), PublishRace("somebody was first")])
def test_a_missing_day_and_a_lost_race_are_no_refusals(run, home, error):
    result = run(**{"raise": error})
    assert not result.success
    assert checks(result) == {"contract": False}
    assert standing(home) is None
    assert "quarantine" not in metadata(result)


def test_bad_input_of_an_attempt_that_was_overtaken_by_a_good_version_does_not_stand(run, home):
    result = run(overtaken=True, **{"raise": InputError("events.csv is cut off")})
    assert not result.success
    assert standing(home) is None
    assert "version (1, of run" in metadata(result)["still_readable"].value


class Unreachable(Lake):
    def inputs(self, context):
        raise InputError("lake.yaml: `root` cannot be reached")


def test_where_not_even_the_lake_is_known_the_step_fails_with_those_words(run, home):
    result = run(lake=Unreachable(home=str(home.root)))
    assert not result.success
    assert "cannot be reached" in str(result.failure_data_for_node("sales").error)
    assert STATE["attempts"] == 0
    assert standing(home) is None


FAILING = {
    "contract": {"frame": BAD},
    "input": {"raise": InputError("row 7")},
    "missing_day": {"raise": MissingDay("units")},
}


@pytest.mark.parametrize("how", sorted(FAILING))
def test_the_failed_step_says_what_is_still_readable(run, how):
    assert metadata(run(**FAILING[how]))["still_readable"].value == "there is no earlier version"
    good = run()
    said = metadata(run(**FAILING[how]))["still_readable"].value
    assert said == f"the last good version (1, of run {good.run_id}) stays readable"


def test_column_lineage_is_in_the_metadata_of_what_has_rows(run):
    lineage = metadata(run())["dagster/column_lineage"].value
    dep = dg.TableColumnDep
    assert lineage.deps_by_column == {
        "id": [dep(asset_key="landed", column_name="sale")],
        "click": [dep(asset_key="landed", column_name="clicked"), dep(asset_key="landed", column_name="sale")],
        "share": [],
    }
    described = {c.name: c.description for c in metadata(run())["dagster/column_schema"].value.columns}
    assert described == {
        "id": "from landed.sale",
        "click": "from landed.clicked, landed.sale",
        "purchase": None,
        "share": "from no column",
    }
    assert "dagster/column_lineage" not in metadata(run(answer=not_available("no user id")))


def declare_learning(home, window, judgement, least=1, maturity=0):
    learning = {"window_days": window, "judgement_days": judgement, "min_days": least, "seed": 1}
    (home.data / "learning.yaml").write_text(yaml.safe_dump(learning))
    sources = {"first_day": date(2026, 3, 2), "outcomes": {"click": {"maturity_days": maturity}}}
    (home.data / "sources.yaml").write_text(yaml.safe_dump(sources))


def test_the_window_is_said_by_who_read_it_and_by_nobody_else(run, home):
    declare_learning(home, 1, 1)
    store, day = open_store(home), date.fromisoformat(DAY)
    assert "learning_window" not in metadata(run())
    assert "setting:learning.yaml" not in store.pointer("sales", day).inputs
    assert metadata(run(learns=True))["learning_window"].value == (
        "trained on 2026-03-02 to 2026-03-02 (w = 1 day), judged on 2026-03-03 to 2026-03-03 (h = 1 day), "
        "outcomes mature after m = 0 days"
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            (10, 4),
            "trained on 2026-03-02 to 2026-03-11 (w = 10 days), judged on 2026-03-12 to 2026-03-15 (h = 4 days), "
            "outcomes mature after m = 0 days",
        ),
        (
            (10, 4, 1, 2),
            "trained on 2026-03-02 to 2026-03-09 (8 of w = 10 days, cut off where the logs begin), judged on "
            "2026-03-10 to 2026-03-13 (h = 4 days), outcomes mature after m = 2 days",
        ),
        (
            (28, 14, 3),
            "trained on no day (w = 28 days, none after the logs begin), judged on 2026-03-02 to 2026-03-15 "
            "(h = 14 days), outcomes mature after m = 0 days; too few: 0 training days before 2026-03-02, at least 3 "
            "are needed (learning.yaml: min_days), 3 more would do; the logs begin on 2026-03-02",
        ),
    ],
)
def test_a_window_in_words(attempt, home, settings, said):
    declare_learning(home, *settings)
    inputs = attempt(day=date(2026, 3, 15))
    assert learning_window_words(inputs) is None
    assert inputs.learning
    assert learning_window_words(inputs) == said
