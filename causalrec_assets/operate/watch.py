"""Sensors that watch runs, releases and the clock, tell people, and tidy up after runs that were killed."""

import json
import socket
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg

from causalrec.home import Home
from causalrec.logs.landing.zone import LandingZone
from causalrec.settings.deployment.operations import Operations
from causalrec_assets.common.gated import CONTRACT
from causalrec_assets.lake.store import open_store
from causalrec_assets.operate.leftovers import command_is_gone, end
from resources.alerts.alert import Alert
from resources.alerts.resource import Alerts
from resources.alerts.words import blocked_release_alert, failure_alert, refused_alert, stale_alert
from resources.tracking.resource import Tracking

SERVER = ".dagster/grpc_info"
"""Dagster's tag of a run: the code server that has started it and watches its process."""
DUE = "evaluation_report"
"""What a day is late without."""


@dg.run_failure_sensor(
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells of a failed run and of each table that the gate refused in it.",
)
def failures(context: dg.RunFailureSensorContext, alerts: Alerts, tracking: Tracking) -> None:
    run = context.dagster_run
    ended = tracking.end_abandoned(Home.current(), run.run_id, "FAILED")
    if ended:
        context.log.info("ended the MLflow runs %s, which the run had left open", ", ".join(ended))
    for alert in alerts_of_failure(context):
        alerts.send(alert, context.log)


def alerts_of_failure(context: dg.RunFailureSensorContext) -> Iterator[Alert]:
    """One alert for each refused table, else one for the run."""
    run, partition = context.dagster_run, context.dagster_run.tags.get("dagster/partition")
    store, refused = open_store(Home.current()), 0
    for event in context.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        check = event.dagster_event.event_specific_data if event.dagster_event else None
        if not isinstance(check, dg.AssetCheckEvaluation) or check.passed or check.check_name != CONTRACT:
            continue
        table = check.asset_key.path[-1]
        day = datetime.fromisoformat(partition).date() if partition else None
        refusal = store.quarantine.standing(table, day) if day else None
        if day is None or refusal is None or refusal.run_id != run.run_id:
            # The step could not read what it needs; the table itself was not refused.
            continue
        good = store.pointer(table, day)
        refused += 1
        yield refused_alert(table, day.isoformat(), refusal.reasons, run.run_id, good.number if good else None)
    if not refused:
        steps = context.get_step_failure_events()
        step = steps[0].step_key if steps else None
        error = str(steps[0].step_failure_data.error_display_string) if steps else context.failure_event.message or ""
        yield failure_alert(run.job_name, partition, step, error[:2000], run.run_id)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.CANCELED,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends the MLflow run that a cancelled run left open.",
)
def cancelled(context: dg.RunStatusSensorContext, tracking: Tracking) -> None:
    for ended in tracking.end_abandoned(Home.current(), context.dagster_run.run_id, "KILLED"):
        context.log.info("ended the MLflow run %s", ended)


@dg.asset_sensor(
    asset_key=dg.AssetKey("release"),
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells when a trial has ended without a release, or a challenger cannot be judged, and why.",
)
def blocked_releases(
    context: dg.SensorEvaluationContext, asset_event: dg.EventLogEntry, alerts: Alerts
) -> dg.SkipReason:
    alert = alert_of_release(asset_event)
    if alert is None:
        return dg.SkipReason("The release is not one that was blocked.")
    return dg.SkipReason(_told(alerts.send(alert, context.log)))


def alert_of_release(event: dg.EventLogEntry) -> Alert | None:
    """What to tell of a materialised `release`: nothing, unless the newest day's challenger was kept back.

    A trial that goes on, or begins, keeps nothing back.
    """
    made = event.asset_materialization
    if made is None:
        return None
    values = {name: value.value for name, value in made.metadata.items()}
    if not values["newest_day"] or values["decision"] != "kept" or values["verdict"] == "wait":
        return None
    return blocked_release_alert(
        str(made.partition), str(values["verdict"]), str(values["reason"]), str(values["serves"]), event.run_id or None
    )


@dg.sensor(
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells once a day when the last complete day has no report by `retrain.fresh_by`.",
)
def overdue(context: dg.SensorEvaluationContext, alerts: Alerts) -> dg.SkipReason:
    now = datetime.now(UTC)
    words, alert = look_for_overdue(Home.current(), now, context.cursor)
    if alert is None:
        return dg.SkipReason(words)
    sentence = _told(alerts.send(alert, context.log))
    context.update_cursor(alert.partition or "")
    return dg.SkipReason(f"{words} {sentence}")


def look_for_overdue(home: Home, now: datetime, told_day: str | None) -> tuple[str, Alert | None]:
    """Whether the last complete day lacks its report although that is due.

    Args:
        now: In UTC.
        told_day: The day of which it was told before.

    Returns:
        What was found, in words, and the alert if there is one to send.
    """
    hour, minute = Operations.read(home).retrain.fresh_by
    day = (now - timedelta(days=1)).date()
    zone = LandingZone.of(home)
    if zone.source.last_day is not None and day > zone.source.last_day:
        return f"The source ended on {zone.source.last_day}; nothing is due.", None
    if (now.hour, now.minute) < (hour, minute):
        return f"The report of {day} is due at {hour:02d}:{minute:02d} UTC.", None
    if open_store(home).pointer(DUE, day) is not None:
        return f"The report of {day} is there.", None
    if told_day == day.isoformat():
        return f"The report of {day} is missing; that was told.", None
    newest = zone.newest_day
    if newest == day:
        because = "its landed files have not been turned into a report"
    else:
        because = f"nothing was landed for {day} (the newest landed day is {newest or 'none'})"
    return f"The report of {day} is missing.", stale_alert(DUE, day.isoformat(), because)


def _told(sent: list[str]) -> str:
    return f"Told: {', '.join(sent)}." if sent else "Told nobody: alerts of this kind are off."


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Fails a run that was lost with the server or the command that had started it (the machine was "
    "restarted, or all of Dagster was killed), so that it holds up no other; a server's is tried again.",
)
def lost_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    # A code server fails the runs whose processes die. Nobody does when the server is gone, too: such a run would be
    # running for ever, with its slot of the pool and its place in the queue.
    started = context.instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    lost = [run for run in started if server_is_gone(run.tags) or command_is_gone(run.tags)]
    for run in lost:
        end(context.instance, run, "What had started this run (a server, a command) is gone, and the run with it.")
    return dg.SkipReason(f"Lost: {', '.join(run.run_id for run in lost) or 'none'}.")


def server_is_gone(tags: Mapping[str, str]) -> bool:
    """Whether nobody listens where a run's code server on this machine did; False for servers elsewhere."""
    path = json.loads(tags.get(SERVER, "{}")).get("socket")
    if path is None:
        return False
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return True
    return False


SENSORS = [lost_runs, failures, cancelled, blocked_releases, overdue]
