"""Sending to a webhook. Its URL is a secret: no error of this module holds more of it than its host."""

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 10
TRIES = 3
BACKOFF_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 10.0
"""With all tries and timeouts an alert stays under the 60 seconds that Dagster gives a sensor's evaluation."""


class AlertNotSent(RuntimeError):
    """The webhook did not take an alert. The message names its host only."""


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
        why = reason.strerror if isinstance(reason, OSError) and reason.strerror else type(reason).__name__
        return why, True, None
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
