"""Telling people: what happened, what is blocked, what is still served, and what to do.

An alert goes to the log and, where a webhook is set, to it as a Slack-shaped message. The webhook's URL is a secret: no
log line and no error of this module holds more of it than its host.
"""

import http.client
import json
import logging
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import dagster as dg

from causalrec.escaping import lines, plain, slack
from causalrec.home import Home
from causalrec.settings.deployment.alerts import FILE, AlertKind, AlertSettings, parse_alerts
from causalrec.settings.file import read_setting

TIMEOUT_SECONDS = 10
TRIES = 3
BACKOFF_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 10.0
"""With all tries and timeouts an alert stays under the 60 seconds that Dagster gives a sensor's evaluation."""
HEADER, SECTION, FIELD = 150, 3000, 2000
"""Slack's limits, in characters."""
CUT = " … (cut, see the run)"


@dataclass(frozen=True)
class Alert:
    """One thing that a person should know.

    Attributes:
        title: One line.
        happened: What happened, what is blocked, and what is still served.
        to_do: What to do about it.
    """

    kind: AlertKind
    title: str
    happened: str
    to_do: str
    asset: str | None = None
    partition: str | None = None
    run_id: str | None = None


class AlertNotSent(RuntimeError):
    """The webhook did not take an alert. The message names its host only."""


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
    said, served = verdict.replace("_", " "), champion or "the logging policy; nothing was released yet"
    return Alert(
        AlertKind.BLOCKED_RELEASE,
        f"No release on {partition}: {said}",
        f"The challenger of {partition} is not released ({said}). {reason}\n"
        f"Blocked: nothing but this release. Still served: {served}.",
        f"Nothing is broken. Read the evaluation report of {partition}. If the evidence is too thin, wait for more "
        "days (or widen the window in learning.yaml); if the challenger is worse, the champion rightly stays.",
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


def slack_payload(alert: Alert, dagster_ui: str = "") -> dict[str, Any]:
    """The message in the format of Slack's incoming webhooks, within its limits; long texts are cut with a mark."""
    facts = {"Asset": alert.asset, "Partition": alert.partition, "Run": alert.run_id}
    title = " ".join(plain(alert.title).split())
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _fit(title, HEADER, "…"), "emoji": False}},
        {"type": "section", "text": _mrkdwn(alert.happened, SECTION)},
        {"type": "section", "text": _mrkdwn(alert.to_do, SECTION, "*What to do:* ")},
    ]
    if fields := [_mrkdwn(value, FIELD, f"*{name}*\n") for name, value in facts.items() if value]:
        blocks.append({"type": "section", "fields": fields})
    link = _link(alert, dagster_ui)
    shown = f"<{link}|Open in Dagster>"
    if link and len(shown) <= SECTION:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": shown}})
    text = slack(_fit(f"{title}. {alert.happened} What to do: {alert.to_do}", SECTION))
    return {"text": text, "blocks": blocks, "link_names": False, "unfurl_links": False, "unfurl_media": False}


def _link(alert: Alert, dagster_ui: str) -> str:
    if dagster_ui and alert.run_id:
        return f"{dagster_ui}/runs/{quote(alert.run_id, safe='')}"
    if dagster_ui and alert.asset:
        partition = f"&partition={quote(alert.partition, safe='')}" if alert.partition else ""
        return f"{dagster_ui}/assets/{quote(alert.asset)}?view=partitions{partition}"
    return ""


def _mrkdwn(text: str, limit: int, before: str = "") -> dict[str, Any]:
    # Verbatim: an address, a channel or a name in a text does not become a link or a call.
    return {"type": "mrkdwn", "text": before + slack(_fit(text, limit - len(before))), "verbatim": True}


def _fit(text: str, limit: int, mark: str = CUT) -> str:
    """The text, or as much of it as stays within the limit when it is escaped and counted in UTF-16, and a mark."""
    if _length(text) <= limit:
        return text
    room, kept = limit - _length(mark), 0
    for character in text:
        room -= _length(character)
        if room < 0:
            break
        kept += 1
    return text[:kept] + mark


def _length(text: str) -> int:
    return len(slack(text)) + sum(ord(character) > 0xFFFF for character in text)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET without the message, and look like a success."""

    def redirect_request(self, *_: Any) -> None:
        return None


def post(url: str, payload: Mapping[str, Any]) -> None:
    """Send a payload, trying again after 429, 5xx and connection errors.

    Raises:
        AlertNotSent: It was not taken. Raised outside of any `except`, so that no chained error carries the URL.
    """
    why = ""
    for attempt in range(1, TRIES + 1):
        why, again, wait = _try_post(url, payload)
        if not why:
            return
        if not again:
            break
        if attempt < TRIES:
            time.sleep(min(wait if wait is not None else BACKOFF_SECONDS * 2 ** (attempt - 1), LONGEST_WAIT_SECONDS))
    parts = urlsplit(url)
    host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    raise AlertNotSent(f"the alert webhook at {host} did not take the alert: {why} ({attempt} attempt(s))")


def _try_post(url: str, payload: Mapping[str, Any]) -> tuple[str, bool, float | None]:
    """Returns ("" or what went wrong, whether to try again, the seconds that the receiver asks to wait)."""
    request = urllib.request.Request(
        url,
        data=json.dumps(payload).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", "User-Agent": "causalrec"},
        method="POST",
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT_SECONDS):
            return "", False, None
    except urllib.error.HTTPError as error:
        # Not the body, nor the receiver's own phrase: a "not found" page repeats the path.
        with error:
            again = error.code == 429 or error.code >= 500
            known = http.client.responses.get(error.code, "unknown")
            hint = "" if again else "; is the webhook still valid, and does it take Slack's format?"
            return f"HTTP {error.code} {known}{hint}", again, _asked_wait(error.headers.get("Retry-After"))
    except urllib.error.URLError as error:
        reason = error.reason
        said = reason.strerror if isinstance(reason, OSError) and reason.strerror else type(reason).__name__
        return said, True, None
    except (OSError, http.client.HTTPException) as error:
        # The connection broke, or timed out, while the answer was read.
        return type(error).__name__, True, None


def _asked_wait(value: str | None) -> float | None:
    """Retry-After: seconds or a date. One that cannot be read is as none."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


class Alerts(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where alerts go, as the home's `data/operations.yaml` says.

    Attributes:
        home: The deployment's folder; empty means what `CAUSALREC_HOME` names.
    """

    home: str = ""

    def settings(self) -> AlertSettings:
        """What the file says now: it is read anew for every alert."""
        home = Home(Path(self.home)) if self.home else Home.current()
        return parse_alerts(read_setting(home, FILE), os.environ)

    def send(self, alert: Alert, log: logging.Logger) -> list[str]:
        """Tell everybody who is to be told; the log first, so that the words are not lost with the webhook.

        Args:
            log: The sensor's or the step's (`context.log`).

        Returns:
            Where it went: of `log` and `webhook`; empty for a kind that is not in `alerts.on`.

        Raises:
            AlertNotSent: The webhook did not take it.
            InputError: The settings are wrong.
        """
        settings = self.settings()
        if alert.kind not in settings.on:
            return []
        sent = []
        if settings.log:
            level = logging.INFO if alert.kind is AlertKind.RECOVERED else logging.WARNING
            level = logging.ERROR if alert.kind in (AlertKind.FAILURE, AlertKind.REFUSED) else level
            # No line of a text passes for a line of the log.
            said = (plain(alert.title), lines(alert.happened), lines(alert.to_do))
            log.log(level, "%s\n  %s\n  What to do: %s", *said)
            sent.append("log")
        if settings.webhook:
            post(settings.webhook, slack_payload(alert, settings.dagster_ui))
            sent.append("webhook")
        return sent
