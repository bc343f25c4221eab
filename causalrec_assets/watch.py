"""Sensors that watch runs, releases and the clock, tell people, and tidy up after runs that were killed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from causalrec_assets.gate.gated import CONTRACT
from causalrec_assets.gate.inputs import read_setting
from causalrec_assets.gate.store import open_store
from causalrec_assets.home import Home
from causalrec_assets.logs.landing_zone import LandingZone
from causalrec_assets.operations import parse_operations
from resources.alerts import Alert, Alerts, blocked_release_alert, failure_alert, refused_alert, stale_alert
from resources.tracking import Tracking

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
        found = event.dagster_event.event_specific_data if event.dagster_event else None
        if not isinstance(found, dg.AssetCheckEvaluation) or found.passed or found.check_name != CONTRACT:
            continue
        table = found.asset_key.path[-1]
        day = datetime.fromisoformat(partition).date() if partition else None
        refusal = store.standing_refusal(table, day) if day else None
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
    description="Tells when the newest day's challenger was not released, and why.",
)
def blocked_releases(
    context: dg.SensorEvaluationContext, asset_event: dg.EventLogEntry, alerts: Alerts
) -> dg.SkipReason:
    made = asset_event.asset_materialization
    said = {name: value.value for name, value in made.metadata.items()} if made else {}
    if not said.get("newest_day") or said.get("decision") != "kept":
        return dg.SkipReason(f"Release of {made.partition if made else '-'}: {said.get('decision')}.")
    alert = blocked_release_alert(
        str(made.partition if made else ""),
        str(said["verdict"]),
        str(said["reason"]),
        str(said["serves"]) if said.get("serves") else None,
        asset_event.run_id,
    )
    return dg.SkipReason(f"Told {', '.join(alerts.send(alert, context.log)) or 'nobody: this kind is off'}.")


@dg.sensor(
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells once a day when the last complete day has no report by `retrain.fresh_by`.",
)
def overdue(context: dg.SensorEvaluationContext, alerts: Alerts) -> dg.SkipReason:
    home, now = Home.current(), datetime.now(UTC)
    hour, minute = parse_operations(read_setting(home, "operations.yaml")).fresh_by
    day = (now - timedelta(days=1)).date()
    zone = LandingZone.of(home)
    if zone.source.last_day is not None and day > zone.source.last_day:
        return dg.SkipReason(f"The source ended on {zone.source.last_day}; nothing is due.")
    if (now.hour, now.minute) < (hour, minute):
        return dg.SkipReason(f"{day} is due at {hour:02d}:{minute:02d} UTC.")
    if open_store(home).pointer(DUE, day) is not None:
        return dg.SkipReason(f"The report of {day} is there.")
    if context.cursor == day.isoformat():
        return dg.SkipReason(f"The report of {day} is missing; that was told.")
    newest = zone.newest_day
    because = (
        "its landed files have not been turned into a report" if newest == day else f"nothing was landed for {day}"
    )
    if newest != day:
        because += f" (the newest landed day is {newest or 'none'})"
    sent = alerts.send(stale_alert(DUE, day.isoformat(), because), context.log)
    context.update_cursor(day.isoformat())
    return dg.SkipReason(f"The report of {day} is missing; told {', '.join(sent) or 'nobody: this kind is off'}.")


SENSORS = [failures, cancelled, blocked_releases, overdue]
