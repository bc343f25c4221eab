"""Secrets are not repeated: what a message, a record or a log line shows of an address or of a setting."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

HIDDEN = "***"
WHO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^/\s'\"?#]*@")
ASKED = re.compile(r"(?P<place>[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"?#]*)\?[^\s'\"#)\]}]+")
NAMED = re.compile(
    r"(?i)(?P<name>\b(?:[\w.-]*(?:passwo?r?d|passphrase|secret|token|api_?key|access_?key|account_?key|private_?key|"
    r"credentials?|signature|connection_?string)[\w.-]*|pwd|sas|sig)['\"`]?\s*[:=]\s*)"
    r"(?P<value>\"[^\"]*\"|'[^']*'|[^\s,;}\])]+)"
)
OPEN = frozenset({"endpoint_url", "region", "region_name", "host", "port", "anon", "protocol", "username", "project"})
"""Options that say where a store is; what is secret in their URLs is found by its shape."""


def masked(text: str, secrets: Iterable[object] = ()) -> str:
    """A text without the users, passwords and queries of its URLs, and without values that are named as secrets.

    Args:
        secrets: Further values that must not be shown, e.g. those of a store's options; of one or two characters they
            are no secrets.
    """
    for secret in sorted((str(value) for value in secrets), key=len, reverse=True):
        if len(secret) > 2:
            text = text.replace(secret, HIDDEN)
    text = WHO.sub(rf"\g<scheme>{HIDDEN}@", text)
    text = ASKED.sub(rf"\g<place>?{HIDDEN}", text)
    return NAMED.sub(rf"\g<name>{HIDDEN}", text)


def secret_values(options: object) -> list[object]:
    """The values of a store's options that may be secret, those of nested options too."""
    if isinstance(options, Mapping):
        return [value for key, inner in options.items() if key not in OPEN for value in secret_values(inner)]
    if isinstance(options, list | tuple):
        return [value for inner in options for value in secret_values(inner)]
    return [] if isinstance(options, bool) or options is None else [options]


def secret_in(url: str) -> str | None:
    """What of a URL is a secret that belongs elsewhere, in words; None: nothing."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "something that cannot be taken apart as a URL"
    if "@" in parts.netloc and ":" in parts.netloc.rpartition("@")[0]:
        return "a user and a password"
    if parts.query:
        return "a query (`?...`), which often holds a token"
    return None
