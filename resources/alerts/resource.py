"""Telling people, in the log and, where a webhook is set, by a Slack-shaped message.

The webhook's URL is a secret: no log line and no error holds more of it than its host.
"""

import logging
import os
from pathlib import Path

import dagster as dg

from causalrec.escaping import lines, plain
from causalrec.home import Home
from causalrec.settings.deployment.alerts import FILE, AlertKind, AlertSettings, parse_alerts
from causalrec.settings.file import read_setting
from resources.alerts.alert import Alert
from resources.alerts.slack import slack_payload
from resources.alerts.webhook import post


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
            words = (plain(alert.title), lines(alert.happened), lines(alert.to_do))
            log.log(level, "%s\n  %s\n  What to do: %s", *words)
            sent.append("log")
        if settings.webhook:
            post(settings.webhook, slack_payload(alert, settings.dagster_ui))
            sent.append("webhook")
        return sent
