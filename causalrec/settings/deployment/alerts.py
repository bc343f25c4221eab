"""`alerts` of `data/operations.yaml`: where a person is told, and of what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ConfigDict, model_validator

from causalrec.answers import InputError
from causalrec.settings.base import Settings
from causalrec.settings.kinds import Must

FILE = "operations.yaml"


class AlertKind(StrEnum):
    FAILURE = "failure"
    """A run failed, or died."""
    REFUSED = "refused"
    """A table did not pass the gate."""
    BLOCKED_RELEASE = "blocked_release"
    """A challenger was trained and is not released."""
    STALE = "stale"
    """A published partition is not what a run would make now, or a day is late."""
    RECOVERED = "recovered"
    """What was refused has been published."""


KINDS = [str(kind) for kind in AlertKind]


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        # Reading the port parses it.
        named = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return False
    return named and parts.scheme in ("http", "https") and text.isascii() and text.isprintable() and " " not in text


def _kinds(given: object) -> object:
    return tuple(AlertKind(kind) if kind in KINDS else None for kind in given) if isinstance(given, list) else given


class AlertRules(Settings):
    """Where a person is told, and of what.

    Attributes:
        log: Whether alerts stand in the daemon's log.
        webhook_env: The environment variable that holds the URL of a Slack-shaped webhook; it is a secret.
        webhook: The URL itself, for a receiver whose URL is no secret; it goes before `webhook_env`.
        dagster_ui: Where people open the Dagster UI; empty: no links.
        on: Of what a person is told.
    """

    log: bool = True
    webhook_env: Annotated[
        str,
        Must("the name of an environment variable, not a URL", lambda name: "/" not in name, secret=True),
    ] = "CAUSALREC_ALERT_WEBHOOK"
    webhook: Annotated[str, Must('a URL, or ""', secret=True)] = ""
    dagster_ui: Annotated[
        str, Must('a URL such as http://localhost:3000, or ""', lambda url: not url or _is_url(url))
    ] = ""
    on: Annotated[tuple[AlertKind, ...], BeforeValidator(_kinds), Must(f"a list of {KINDS}")] = (
        AlertKind.FAILURE,
        AlertKind.REFUSED,
        AlertKind.BLOCKED_RELEASE,
        AlertKind.STALE,
    )

    @model_validator(mode="before")
    @classmethod
    def _the_bare_word_on(cls, alerts: Any) -> Any:
        # YAML 1.1 reads the bare word `on` as true, as a key too.
        return (
            {"on" if key is True else key: value for key, value in alerts.items()}
            if isinstance(alerts, Mapping)
            else alerts
        )


class AlertsFile(Settings):
    """What of `data/operations.yaml` belongs to the alerts.

    Attributes:
        alerts: Where a person is told, and of what.
    """

    model_config = ConfigDict(extra="ignore")
    FILE = FILE

    alerts: AlertRules = AlertRules()


@dataclass(frozen=True)
class AlertSettings:
    """`alerts` of `data/operations.yaml`, with the webhook's URL looked up; "" is none."""

    log: bool
    webhook: str = field(repr=False)
    dagster_ui: str
    on: frozenset[AlertKind]


def parse_alerts(operations: Mapping[str, Any], environment: Mapping[str, str]) -> AlertSettings:
    """Read the `alerts` key; other keys of the file belong to others.

    Raises:
        InputError: An unknown key, or a value of the wrong kind. The webhook's URL is never repeated.
    """
    rules = AlertsFile.parse(operations).alerts
    where = f"`alerts.webhook` of {FILE}" if rules.webhook else f"the environment variable {rules.webhook_env}"
    webhook = (rules.webhook or environment.get(rules.webhook_env, "")).strip()
    # Not repeated: it may be the secret, or a mistyped one.
    if webhook and not _is_url(webhook):
        raise InputError(f"{where} must hold a URL that begins with https:// (or http://) and has no blanks")
    return AlertSettings(rules.log, webhook, rules.dagster_ui.rstrip("/"), frozenset(rules.on))
