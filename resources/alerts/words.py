"""What each kind of alert says: what happened, what is blocked, what is still served, and what to do."""

from collections.abc import Sequence

from causalrec.escaping import plain
from causalrec.settings.deployment.alerts import AlertKind
from resources.alerts.alert import Alert


def failure_alert(job: str, partition: str | None, step: str | None, error: str, run_id: str) -> Alert:
    """A run failed, in a step or without one (it was killed, or never started)."""
    where = f"in step `{step}`" if step else "outside of any step: it was killed, or could not start"
    blocked = f"`{step}` and what is made from it were" if step else "what it had not yet made was"
    return Alert(
        AlertKind.FAILURE,
        f"Run failed: {job}{_of(partition)}",
        f"The job `{job}`{_of(partition)} failed {where}.\n{error.strip() or 'It left no message.'}\n"
        f"Blocked: {blocked} not published. Still served: the last good version of every table, and the champion.",
        "Open the run and read the error of the failed step. If the machine or the network was the cause, re-execute "
        "the run from failure. Else correct what the error names and materialise the day again.",
        step,
        partition,
        run_id,
    )


def refused_alert(
    table: str, partition: str, reasons: Sequence[str], run_id: str | None, good_version: int | None
) -> Alert:
    """The gate refused a table; `good_version` is the number of the version that stays readable, if there is one."""
    served = (
        f"Still served: version {good_version}, the last good one; whoever reads it is warned."
        if good_version is not None
        else "Nothing of this day is readable: there is no earlier version, and what needs the day waits."
    )
    return Alert(
        AlertKind.REFUSED,
        f"Refused: {table} of {partition}",
        f"`{table}` of {partition} did not pass the gate and is not published.\n"
        + "\n".join(f"• {plain(reason)}" for reason in reasons)
        + f"\nBlocked: what this run would have made from it. {served}",
        f"Open the run: its metadata show the broken rules, the offending rows and the folder in quarantine. Land good "
        f"data (or correct the contract or the setting that is named) and materialise `{table}` of {partition} again.",
        table,
        partition,
        run_id,
    )


def blocked_release_alert(partition: str, verdict: str, reason: str, champion: str | None, run_id: str | None) -> Alert:
    """A challenger is not released.

    Args:
        verdict, reason: E.g. `not_better`, and why in words.
        champion: What goes on serving; None: the logging policy.
    """
    verdict_words, served = verdict.replace("_", " "), champion or "the logging policy; nothing was released yet"
    return Alert(
        AlertKind.BLOCKED_RELEASE,
        f"No release on {partition}: {verdict_words}",
        f"The challenger of {partition} is not released ({verdict_words}). {reason}\n"
        f"Blocked: nothing but this release. Still served: {served}.",
        f"Nothing is broken. Read the evaluation report of {partition}. If the evidence is too thin, it says how many "
        "more rounds would do, or what to log; if the challenger is not better, the champion rightly stays.",
        "release",
        partition,
        run_id,
    )


def stale_alert(asset: str, partition: str, because: str, run_id: str | None = None) -> Alert:
    """A partition is not what a run would make now, because (a clause) "its input `landing:events` has changed"."""
    return Alert(
        AlertKind.STALE,
        f"Stale: {asset} of {partition}",
        f"`{asset}` of {partition} is not what a run would make now: {because}.\n"
        "Blocked: nothing. Still served: the version that is there, made from older inputs.",
        f"Materialise `{asset}` of {partition}, and what is made from it. If a day's files have not come, ask whoever "
        "lands them.",
        asset,
        partition,
        run_id,
    )


def recovered_alert(table: str, partition: str, version: int, run_id: str | None) -> Alert:
    """A table that was refused has been published."""
    return Alert(
        AlertKind.RECOVERED,
        f"Recovered: {table} of {partition}",
        f"`{table}` of {partition} passed the gate again and is published as version {version}.",
        "Nothing, unless later assets failed or read the older version meanwhile: materialise those again.",
        table,
        partition,
        run_id,
    )


def _of(partition: str | None) -> str:
    return f" of {partition}" if partition else ""
