"""Jobs that a person runs, the daily retrain, and the sensor that rebuilds what landed files have changed."""

from collections.abc import Container, Iterator, Mapping
from datetime import timedelta
from functools import lru_cache

import dagster as dg

from causalrec.home import Home
from causalrec.logs.landing.zone import LandingZone
from causalrec.settings.deployment.operations import Operations
from causalrec_assets.common.partitions import days
from causalrec_assets.lake.currentness import Resolver
from causalrec_assets.lake.snapshot import Snapshot
from causalrec_assets.lake.store import Store, open_store
from causalrec_assets.operate.assets import CODE_VERSIONS
from causalrec_assets.operate.planning import CARRIED, DATA, LANDED, Planner, Request
from resources.compute import Compute
from resources.text_encoder import TextEncoder

LEARNING_GROUPS = ("graph", "embeddings", "model", "policy", "evaluation", "serving")
IN_ORDER = {"causalrec/in_order": "yes"}
"""Runs with this tag start one after the other, in the order in which they were asked for (dagster.yaml)."""
ATTEMPT = "causalrec/attempt"
"""Names what a requested run is made from; it is not requested again until that is other."""
ASKED_BY = "causalrec/asked_by"
BECAUSE = "causalrec/because"
UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def _operations() -> Operations:
    return Operations.read(Home.current())


log_assets = dg.define_asset_job(
    "log_assets",
    selection=dg.AssetSelection.groups("logs"),
    partitions_def=days,
    executor_def=dg.in_process_executor,
    tags=IN_ORDER,
    description="A day's landed files to units. Days run in order: each day's history builds on the day before.",
)

learning_assets = dg.define_asset_job(
    "learning_assets",
    selection=dg.AssetSelection.groups(*LEARNING_GROUPS),
    partitions_def=days,
    tags=IN_ORDER,
    description="Graph, model, policy, evidence and release as of a day, from the log assets of its window.",
)

daily_retrain = dg.define_asset_job(
    "daily_retrain",
    selection=dg.AssetSelection.groups("logs", *LEARNING_GROUPS),
    partitions_def=days,
    tags=IN_ORDER,
    description="All assets of a day. The schedule runs it for the last day that is over, after the days it missed.",
)

roll_back = dg.define_asset_job(
    "roll_back",
    selection=dg.AssetSelection.assets("release", "recommendations"),
    partitions_def=days,
    tags=IN_ORDER,
    config={"ops": {"release": {"config": {"roll_back_to": 0, "because": ""}}}},
    description="Lets an earlier champion serve again: in the launchpad, on the newest day, say the entry of the "
    "release log (0 is the logging policy) and why.",
)

rebuilt_logs = dg.define_asset_job(
    "rebuilt_logs",
    selection=dg.AssetSelection.groups("logs"),
    partitions_def=days,
    executor_def=dg.in_process_executor,
    description="The log assets of a day that landed files have changed. The sensor `new_data` runs it, side by side "
    "where that is safe; by hand, take `log_assets`.",
)


@lru_cache(maxsize=1)
def _lake(home: Home) -> Store:
    # Kept from look to look: what a pointer says never changes, so it is read once.
    return open_store(home)


def planner(home: Home, *, data_only: bool, tried: Container[str] = frozenset()) -> Planner:
    """A planner for a home as it is now.

    Args:
        data_only: Whether changed settings and code are left to people.
    """
    others: dict[str, Resolver] = {
        # Of releases before code was tracked by asset, `code:` is followed by a folder; such a version is stale.
        "code": lambda asset, _: CODE_VERSIONS.get(asset) or "none",
        "encoder": lambda _, __: TextEncoder().fingerprint,
        "compute": lambda _, __: Compute().fingerprint,
    }
    only = DATA if data_only else None
    return Planner(home, LandingZone.of(home), Snapshot(_lake(home)), others, only, tried)


def learning_parents(repository: dg.RepositoryDefinition | None) -> dict[str, list[str]]:
    """Each learning asset, in the order of the graph -> the assets that it reads of its own day."""
    if repository is None:
        raise ValueError("the assets are known to a loaded code location only; call this from a schedule or a sensor")
    graph = repository.asset_graph
    keys = [key for layer in graph.toposorted_asset_keys_by_level for key in layer]
    learning = [key for key in keys if graph.get(key).group_name in LEARNING_GROUPS]
    return {key.path[-1]: sorted(parent.path[-1] for parent in graph.get(key).parent_keys) for key in learning}


@dg.schedule(
    job=daily_retrain,
    cron_schedule=_operations().retrain_cron,
    execution_timezone="UTC",
    description="Retrains as of the last day that is over. Days that were missed are caught up with first, in order; "
    "of learning only the last day is built, for it reads them all.",
)
def retrain_every_day(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    plans = planner(Home.current(), data_only=False)
    newest = plans.zone.newest_day
    expected = (context.scheduled_execution_time - timedelta(days=1)).date()
    late = f" Nothing has been landed for {expected} yet." if newest != expected else ""
    if newest is None:
        yield dg.SkipReason(f"Nothing is landed in {plans.zone.events.root}.")
        return
    span = [day for day in plans.zone.span if day <= newest]
    stale = {day: [name for name in (*LANDED, *CARRIED) if plans.stale(name, day)] for day in span}
    if missed := [day for day in span if stale[day]]:
        # Where nothing can be cleaned, the last day's run says so; those of the others would say no more.
        for day in span if not plans.zone.everywhere else []:
            if missed[0] <= day < newest:
                # What is carried on is built from the first missed day on; what only reads landed files, where missed.
                names = (*(name for name in LANDED if name in stale[day]), *CARRIED)
                yield _request(Request(day, names, "missed", ""), "retrain_every_day", IN_ORDER)
        yield dg.RunRequest(partition_key=newest.isoformat(), tags={ASKED_BY: "retrain_every_day", **IN_ORDER})
        return
    plan = plans.learning(newest, learning_parents(context.repository_def))
    for request in plan.requests:
        yield _request(request, "retrain_every_day", IN_ORDER)
    if not plan.requests:
        yield dg.SkipReason(" ".join(plan.waits) or f"Everything as of {newest} is current.{late}")


@dg.sensor(
    jobs=[rebuilt_logs, learning_assets],
    minimum_interval_seconds=_operations().new_data.look_every_seconds,
    description="Compares the landing zone with the lake and has just those days rebuilt that new, changed or removed "
    "files touch; then what carries on from them, in order, until a state comes out as it was; then the newest day's "
    "learning.",
)
def new_data(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    busy = context.instance.get_runs_count(dg.RunsFilter(tags={ASKED_BY: "new_data"}, statuses=UNFINISHED))
    if busy:
        yield dg.SkipReason(f"Waiting for {busy} run(s) that the last look asked for.")
        return
    operations = _operations()
    plans = planner(Home.current(), data_only=True, tried=Attempts(context.instance))
    arriving = plans.zone.arriving(operations.new_data.settle_seconds)
    plan = plans.logs(plans.span, {day for _, day in arriving})
    newest, job = plans.zone.newest_day, rebuilt_logs
    waits = list(plan.waits)
    if not plan.requests and newest and not arriving and operations.new_data.retrain:
        plan, job = plans.learning(newest, learning_parents(context.repository_def)), learning_assets
        waits += plan.waits
    for request in plan.requests[: operations.new_data.runs_per_look]:
        context.log.info("%s %s: %s", request.day, ", ".join(request.assets), request.why)
        yield _request(request, "new_data", job_name=job.name)
    for sentence in plans.zone.passed_over:
        context.log.warning("%s", sentence)
    if not plan.requests:
        rest = "; ".join(waits) or "The lake is what the landed files say."
        yield dg.SkipReason("; ".join([rest, *plans.zone.passed_over]))


class Attempts(Container[str]):
    """The keys of the runs that were requested before, whatever became of them."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance

    def __contains__(self, key: object) -> bool:
        return self.instance.get_runs_count(dg.RunsFilter(tags={ATTEMPT: str(key)})) > 0


def _request(
    request: Request, asked_by: str, tags: Mapping[str, str] | None = None, job_name: str | None = None
) -> dg.RunRequest:
    key = {ATTEMPT: request.key, BECAUSE: request.why[:200]} if request.key else {}
    return dg.RunRequest(
        job_name=job_name,
        partition_key=request.day.isoformat(),
        asset_selection=[dg.AssetKey(name) for name in request.assets],
        tags={ASKED_BY: asked_by, **key, **(tags or {})},
    )


JOBS = [log_assets, learning_assets, daily_retrain, roll_back, rebuilt_logs]
SCHEDULES = [retrain_every_day]
SENSORS = [new_data]
