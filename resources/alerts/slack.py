"""An alert as a message of Slack's, within its limits."""

from typing import Any
from urllib.parse import quote

from causalrec.escaping import plain, slack
from resources.alerts.alert import Alert

HEADER, SECTION, FIELD = 150, 3000, 2000
"""Slack's limits, in characters."""
CUT = " … (cut, see the run)"


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
