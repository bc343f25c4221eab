"""A guarded server: on loopback, unless it is told to listen elsewhere; then only for who knows its token."""

from __future__ import annotations

import os
import re
import secrets
import socket
import sys
from collections.abc import Mapping
from typing import Any

from causalrec.answers import InputError
from causalrec_assets.web.guard import App, Guard, Rules, is_loopback, parse_addresses

ADDRESS, TOKEN = "CAUSALREC_UI_ADDRESS", "CAUSALREC_UI_TOKEN"
SHORTEST_TOKEN = 16


def rules_of(host: str, port: int, environment: Mapping[str, str]) -> Rules:
    """Whom a server answers that listens somewhere.

    Raises:
        InputError: The address or the token in the environment is not usable.
    """
    token = environment.get(TOKEN, "").strip()
    if token and not re.fullmatch(rf"[A-Za-z0-9_.~-]{{{SHORTEST_TOKEN},}}", token):
        raise InputError(
            f"{TOKEN} must have at least {SHORTEST_TOKEN} letters, digits and any of _.~- "
            "(it goes into an address and a cookie)"
        )
    names = set()
    if not is_loopback(host):
        token = token or secrets.token_urlsafe(24)
        names = {host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}
    # Cookies are shared by all servers of a machine, whatever their ports.
    return Rules(parse_addresses(environment.get(ADDRESS, "")), frozenset(names), token, f"causalrec_{port}")


def serve(app: App, *, host: str, port: int, log_level: str = "warning", **options: Any) -> None:
    """Serve an ASGI application behind the guard until the process is told to stop; says where.

    Raises:
        InputError: The address or the token in the environment is not usable.
    """
    import uvicorn

    rules = rules_of(host, port, os.environ)
    at = f"[{host}]" if ":" in host else host
    print(f"Open http://{at}:{port}/{f'?token={rules.token}' if rules.token else ''}", file=sys.stderr, flush=True)
    if not is_loopback(host):
        print("It is reached from other machines, and unencrypted: put a proxy with TLS before it.", file=sys.stderr)
    uvicorn.run(Guard(app, rules), host=host, port=port, log_level=log_level, server_header=False, **options)
