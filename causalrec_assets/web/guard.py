"""What stands before every server of ours that a browser opens: it answers its own pages, and no page of anybody else.

A server on loopback is reachable for every page that its user has open: an image tag sends a GET, a form a POST, and
a name that an attacker points at 127.0.0.1 (DNS rebinding) makes a foreign page look like one of ours. Cookies play no
part in that, so a login would not help. What helps is what browsers say of a request and pages cannot forge:

- `Host` must be a name of this server; an IP address always is one, because rebinding needs a name;
- `Origin`, where there is one, must be this server's own (websockets as well, which no same-origin policy covers);
- `Sec-Fetch-Site` from elsewhere is let through for the navigation of a whole window only, e.g. a link in an alert;
- GraphQL comes by POST, as JSON: by GET, or as a form, a browser sends it for anybody without asking;
- pages are not shown in frames of others.

Sources: the Fetch Metadata Request Headers of the W3C; OWASP's sheet on cross-site request forgery.

A token is asked for where one is set (`CAUSALREC_UI_TOKEN`), and always beyond loopback: it comes once in the address,
then in a cookie, or as `Authorization: Bearer`.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from causalrec.answers import InputError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
GRAPHQL = "/graphql"
HEADERS = {b"x-frame-options": b"SAMEORIGIN", b"cross-origin-resource-policy": b"same-origin"}


@dataclass(frozen=True)
class Refusal:
    """What is answered instead."""

    status: int
    why: str


@dataclass(frozen=True)
class Rules:
    """Whom a server answers.

    Attributes:
        addresses: Under which it is reached beside its own, e.g. `https://shop.example` of a proxy before it.
        names: Of this machine, beside loopback and IP addresses.
        token: What a person must show; "" asks for none.
        cookie: Where a browser keeps the token.
    """

    addresses: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    token: str = field(default="", repr=False)
    cookie: str = "causalrec"

    def refusal(self, scope: Scope) -> Refusal | None:
        """Why a request is not answered; None where it is."""
        headers = _headers(scope)
        host, origin = headers.get("host", ()), headers.get("origin", ())
        if len(host) != 1 or not self._is_ours(host[0]):
            return Refusal(403, "this server has no such name: the Host of the request is not one of its own")
        if origin and (len(origin) != 1 or not self._is_own(origin[0], host[0])):
            return Refusal(403, "the request comes from the page of another server (Origin)")
        websocket = scope["type"] == "websocket"
        method = "GET" if websocket else str(scope["method"]).upper()
        if _from_elsewhere(headers) and (websocket or method != "GET" or not _is_whole_window(headers)):
            return Refusal(403, "the request comes from the page of another server (Sec-Fetch-Site)")
        if not websocket and str(scope["path"]).rstrip("/").endswith(GRAPHQL):
            return _graphql(method, headers, scope)
        return None

    def _is_ours(self, host: str) -> bool:
        name = _name(host)
        if name is None:
            return False
        public = {urlsplit(address).hostname for address in self.addresses}
        return name in LOOPBACK | self.names or _is_address(name) or name in public

    def _is_own(self, origin: str, host: str) -> bool:
        scheme, _, netloc = origin.lower().partition("://")
        if scheme not in ("http", "https"):
            return False
        return netloc == host.lower() or origin.lower() in self.addresses

    def knows(self, scope: Scope) -> bool:
        """Whether the one who asks has shown the token."""
        if not self.token:
            return True
        headers = _headers(scope)
        shown = [value.removeprefix("Bearer ") for value in headers.get("authorization", ())]
        for value in headers.get("cookie", ()):
            shown += _cookie(value, self.cookie)
        return any(_same(one, self.token) for one in shown)

    def token_in_address(self, scope: Scope) -> bool:
        return scope["type"] == "http" and any(
            name == "token" and _same(value, self.token) for name, value in _query(scope)
        )


class Guard:
    """An ASGI application that answers in place of another what the rules refuse."""

    def __init__(self, app: App, rules: Rules) -> None:
        self.app, self.rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refused = self.rules.refusal(scope)
        if refused is None and not self.rules.knows(scope):
            if self.rules.token_in_address(scope):
                await _remember(scope, send, self.rules)
                return
            refused = Refusal(401, "open the address with ?token=... that was printed when the server was started")
        if refused is not None:
            await _refuse(scope, receive, send, refused)
            return
        await self.app(scope, receive, _with_headers(send))


def parse_addresses(text: str) -> frozenset[str]:
    """The public addresses of a server, as origins.

    Args:
        text: URLs, separated by commas or blanks.

    Raises:
        InputError: One is no address of a server.
    """
    origins = set()
    for address in text.replace(",", " ").split():
        scheme, _, netloc = address.lower().rstrip("/").partition("://")
        if scheme not in ("http", "https") or _name(netloc) is None:
            raise InputError(
                f"CAUSALREC_UI_ADDRESS: {address!r} is no address such as https://shop.example (a host and no path)"
            )
        origins.add(f"{scheme}://{netloc}")
    return frozenset(origins)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens there."""
    name = host.strip("[]").lower()
    return name == "localhost" or (_is_address(name) and ipaddress.ip_address(name).is_loopback)


# -- what a request says -----------------------------------------------------------------------------------------------


def _headers(scope: Scope) -> Mapping[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1").strip())
    return headers


def _graphql(method: str, headers: Mapping[str, list[str]], scope: Scope) -> Refusal | None:
    asks = any(name in ("query", "mutation", "extensions", "id") for name, _ in _query(scope))
    if method in ("GET", "HEAD"):
        return Refusal(405, "a GraphQL query goes by POST") if asks else None
    if method != "POST":
        return None
    kind = ";".join(headers.get("content-type", ())).partition(";")[0].strip().lower()
    if asks or kind not in ("application/json", "application/graphql"):
        return Refusal(415, "a GraphQL query goes in the body of a POST, as application/json")
    return None


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(bytes(scope.get("query_string", b"")).decode("latin-1"), keep_blank_values=True)


def _from_elsewhere(headers: Mapping[str, list[str]]) -> bool:
    return any(value.lower() not in ("same-origin", "none") for value in headers.get("sec-fetch-site", ()))


def _is_whole_window(headers: Mapping[str, list[str]]) -> bool:
    return headers.get("sec-fetch-mode") == ["navigate"] and headers.get("sec-fetch-dest") == ["document"]


def _name(host: str) -> str | None:
    """The name in a Host header; None where it is no such header."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # reading it parses it
    except ValueError:
        return None
    if not parts.hostname or parts.netloc != host or "@" in host:
        return None
    return parts.hostname.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _cookie(value: str, name: str) -> Iterable[str]:
    try:
        cookie = SimpleCookie(value).get(name)
    except CookieError:
        return []
    return [cookie.value] if cookie else []


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


# -- what is answered --------------------------------------------------------------------------------------------------


async def _refuse(scope: Scope, receive: Receive, send: Send, refused: Refusal) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": refused.why})
        return
    await _answer(send, refused.status, f"{refused.why}\n")


async def _remember(scope: Scope, send: Send, rules: Rules) -> None:
    """Put the token into a cookie and out of the address, where histories and proxies would keep it."""
    rest = urlencode([(name, value) for name, value in _query(scope) if name != "token"])
    # One slash: two would name another server.
    path = "/" + str(scope["path"]).lstrip("/\\")
    cookie = f"{rules.cookie}={rules.token}; Path=/; HttpOnly; SameSite=Lax"
    location = urlencode({"": path}, safe="/")[1:] + (f"?{rest}" if rest else "")
    await _answer(send, 303, "", {b"location": location.encode("ascii"), b"set-cookie": cookie.encode("ascii")})


async def _answer(send: Send, status: int, text: str, more: Mapping[bytes, bytes] | None = None) -> None:
    body = text.encode()
    headers = {
        b"content-type": b"text/plain; charset=utf-8",
        b"content-length": str(len(body)).encode(),
        b"x-content-type-options": b"nosniff",
        b"cache-control": b"no-store",
        **(more or {}),
    }
    await send({"type": "http.response.start", "status": status, "headers": list(headers.items())})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            given: Collection[bytes] = {name.lower() for name, _ in message.get("headers", ())}
            added = [(name, value) for name, value in HEADERS.items() if name not in given]
            message["headers"] = [*message.get("headers", ()), *added]
        await send(message)

    return sending
