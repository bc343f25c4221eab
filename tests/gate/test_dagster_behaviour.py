"""What Dagster does that the gate is built around. If one of these fails, Dagster has changed: read common/gated.py
again."""

import dagster as dg

DAYS = dg.DailyPartitionsDefinition("2026-03-02")


def run(*assets):
    return dg.materialize(
        list(assets), partition_key="2026-03-02", instance=dg.DagsterInstance.ephemeral(), raise_on_error=False
    )


def spec():
    return dg.AssetCheckSpec("contract", asset="table", blocking=True, partitions_def=DAYS)


def test_a_failed_in_op_blocking_check_still_records_the_materialisation():
    @dg.asset(name="table", partitions_def=DAYS, check_specs=[spec()])
    def table():
        yield dg.AssetCheckResult(passed=False)
        yield dg.MaterializeResult()

    result = run(table)
    assert not result.success
    assert len(result.get_asset_materialization_events()) == 1


def test_a_check_yielded_before_a_failure_is_recorded_and_nothing_is_materialised():
    @dg.asset(name="table", partitions_def=DAYS, check_specs=[spec()])
    def table():
        yield dg.AssetCheckResult(passed=False)
        raise dg.Failure("broken", allow_retries=False)
        yield

    result = run(table)
    assert [e.passed for e in result.get_asset_check_evaluations()] == [False]
    assert result.get_asset_materialization_events() == []


def test_a_failure_without_retries_is_not_retried_even_under_a_policy():
    attempts = []

    @dg.asset(name="table", partitions_def=DAYS, retry_policy=dg.RetryPolicy(max_retries=2))
    def table():
        attempts.append(1)
        raise dg.Failure("broken", allow_retries=False)

    run(table)
    assert len(attempts) == 1


def test_an_asset_downstream_of_a_missing_day_runs_all_the_same():
    """A hole in a mapped window is not Dagster's business: the gate reads the days one by one."""

    @dg.asset(name="daily", partitions_def=DAYS)
    def daily(): ...

    @dg.asset(
        name="learning",
        partitions_def=DAYS,
        deps=[dg.AssetDep("daily", partition_mapping=dg.TimeWindowPartitionMapping(start_offset=-3))],
    )
    def learning(): ...

    result = dg.materialize(
        [daily, learning], selection=["learning"], partition_key="2026-03-09", instance=dg.DagsterInstance.ephemeral()
    )
    assert result.success
