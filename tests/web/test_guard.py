"""A server of ours answers its own pages and plain clients, and no page of anybody else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causalrec.answers import InputError
from causalrec_assets.web.guard import Guard, Rules, is_loopback, parse_addresses
from causalrec_assets.web.serving import rules_of

OURS = "127.0.0.1:3000"
PLAIN = Rules()
JSON = {"content-type": "application/json"}
BEYOND = Rules(token="a-token-of-24-characters", cookie="causalrec_3000")


def scope_of(
    headers: dict[str, str], method: str = "GET", path: str = "/", query: str = "", kind: str = "http"
) -> dict[str, Any]:
    given = {"host": OURS, **headers}
    return {
        "type": kind,
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value != "absent"],
    }


def status(headers: dict[str, str], *where: str, rules: Rules = PLAIN, kind: str = "http") -> int:
    refused = rules.refusal(scope_of(headers, *where, kind=kind))
    return refused.status if refused else 200


def answered(rules: Rules, scope: dict[str, Any]) -> list[dict[str, Any]]:
    """What is sent to the one who asks; the application behind the guard answers 200."""
    sent: list[dict[str, Any]] = []

    async def behind(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"behind"})

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Guard(behind, rules)(scope, receive, send))
    return sent


@pytest.mark.parametrize(
    "host", ["127.0.0.1:3000", "localhost:3000", "localhost", "LOCALHOST:3000", "[::1]:3000", "192.168.1.7:3000"]
)
def test_names_of_this_machine_and_addresses_are_answered(host: str) -> None:
    assert status({"host": host}) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:3000", "localhost.evil.example", "127.0.0.1.evil.example", "", "absent",
     "localhost:x", "user@localhost", "localhost/evil", "127.0.0.1:3000, evil.example", "localhost.", "0x7f.1.evil"],
)  # fmt: skip
def test_a_name_that_somebody_points_here_is_not_answered(host: str) -> None:
    assert status({"host": host}) == 403


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:8888", "http://localhost:3000",
     "https://127.0.0.1:3000.evil.example", "http://[", "file://", "http://127.0.0.1", "", "chrome-extension://abc", "http://user@127.0.0.1:3000"],
)  # fmt: skip
def test_a_page_of_another_origin_is_refused_whatever_it_asks(origin: str) -> None:
    for method in ("GET", "POST", "OPTIONS", "PUT", "DELETE"):
        assert status({"origin": origin, **JSON}, method, "/graphql") == 403
    assert status({"origin": origin}, kind="websocket") == 403


def test_our_own_pages_and_plain_clients_are_answered() -> None:
    own = {"origin": f"http://{OURS}", "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors", **JSON}
    assert status(own, "POST", "/graphql") == 200
    assert status({"origin": f"http://{OURS}"}, kind="websocket") == 200
    assert status(JSON, "POST", "/graphql") == 200
    assert status({}, "GET", "/runs/1") == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "something-new"])
def test_from_elsewhere_comes_a_whole_window_only(site: str) -> None:
    window = {"sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert status(window, "GET", "/runs/1") == 200
    assert status(window, "POST", "/report_asset_materialization/units") == 403
    assert status({**window, "sec-fetch-dest": "iframe"}, "GET", "/") == 403
    image = {"sec-fetch-site": site, "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
    assert status(image, "GET", "/x.png") == 403
    assert status({"sec-fetch-site": site}, "GET", "/") == 403
    assert status(window, kind="websocket") == 403


@pytest.mark.parametrize("path", ["/graphql", "/graphql/", "/prefix/graphql"])
def test_graphql_comes_by_post_as_json(path: str) -> None:
    assert status({}, "GET", path, "query=mutation%7Bx%7D") == 405
    assert status({}, "HEAD", path, "query=%7Bx%7D") == 405
    assert status({}, "GET", path, "a=1&query=x") == 405
    assert status({"accept": "text/html"}, "GET", path) == 200
    for kind in ("absent", "text/plain", "application/x-www-form-urlencoded", "text/plain; application/json"):
        assert status({"content-type": kind}, "POST", path) == 415
    assert status(JSON, "POST", path, "query=mutation%7Bx%7D") == 415
    assert status({"content-type": "application/json; charset=utf-8"}, "POST", path) == 200


def test_headers_that_stand_twice_are_not_chosen_from() -> None:
    twice = scope_of({})
    twice["headers"].append((b"host", b"evil.example"))
    refused = Rules().refusal(twice)
    assert refused is not None
    own = scope_of({"origin": f"http://{OURS}"})
    own["headers"].append((b"origin", b"http://evil.example"))
    assert Rules().refusal(own) is not None


def test_a_proxy_in_front_is_named_by_its_address() -> None:
    behind = Rules(addresses=parse_addresses("https://shop.example"))
    assert status({"host": "shop.example", "origin": "https://shop.example"}, rules=behind) == 200
    # A proxy that does not hand on the name it was asked by.
    assert status({"host": OURS, "origin": "https://shop.example"}, rules=behind) == 200
    assert status({"host": OURS, "origin": "https://other.example"}, rules=behind) == 403
    assert status({"host": "other.example"}, rules=behind) == 403


@pytest.mark.parametrize(
    "address", ["shop.example", "https://shop.example/ui", "ftp://shop", "https://a@b", "https://", "https://["]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="CAUSALREC_UI_ADDRESS"):
        parse_addresses(address)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789.-", min_size=1, max_size=20), st.integers(1, 65535))
def test_no_name_but_ours_is_ever_answered(name: str, port: int) -> None:
    parts = name.split(".")
    is_address = len(parts) == 4 and all(p.isdecimal() and str(int(p)) == p and int(p) < 256 for p in parts)
    expected = 200 if name == "localhost" or is_address else 403
    assert status({"host": f"{name}:{port}"}) == expected


# -- beyond loopback ---------------------------------------------------------------------------------------------------


def test_a_server_that_others_reach_asks_for_a_token() -> None:
    assert rules_of("127.0.0.1", 3000, {}).token == ""
    one, other = (rules_of("0.0.0.0", 3000, {}).token for _ in range(2))
    assert len(one) >= 24
    assert one != other
    assert rules_of("0.0.0.0", 3000, {"CAUSALREC_UI_TOKEN": "0123456789abcdef"}).token == "0123456789abcdef"
    assert "0123456789abcdef" not in repr(rules_of("0.0.0.0", 3000, {"CAUSALREC_UI_TOKEN": "0123456789abcdef"}))
    for bad in ("short", "0123456789 abcdef", "0123456789;abcdef", "0123456789\nabcdef"):
        with pytest.raises(InputError, match="CAUSALREC_UI_TOKEN") as said:
            rules_of("127.0.0.1", 3000, {"CAUSALREC_UI_TOKEN": bad})
        assert bad not in str(said.value)


def test_the_token_comes_once_in_the_address_then_in_a_cookie() -> None:
    assert answered(BEYOND, scope_of({}))[0]["status"] == 401
    assert answered(BEYOND, scope_of({}, "GET", "/", "token=wrong"))[0]["status"] == 401
    moved = answered(BEYOND, scope_of({}, "GET", "/runs/1", f"token={BEYOND.token}&view=a b"))[0]
    headers = dict(moved["headers"])
    assert moved["status"] == 303
    assert headers[b"location"] == b"/runs/1?view=a+b"
    cookie = headers[b"set-cookie"].decode().partition(";")[0]
    assert answered(BEYOND, scope_of({"cookie": f"x=1; {cookie}"}))[0]["status"] == 200
    assert answered(BEYOND, scope_of({"authorization": f"Bearer {BEYOND.token}"}))[0]["status"] == 200
    assert answered(BEYOND, scope_of({"cookie": "causalrec_3000=nearly"}))[0]["status"] == 401


def test_the_token_leads_to_no_other_server() -> None:
    for path in ("//evil.example/x", "/\\evil.example"):
        moved = answered(BEYOND, scope_of({}, "GET", path, f"token={BEYOND.token}"))[0]
        location = dict(moved["headers"])[b"location"]
        assert location.startswith(b"/")
        assert not location.startswith((b"//", b"/\\"))


def test_a_websocket_without_the_token_is_closed_before_it_opens() -> None:
    sent = answered(BEYOND, scope_of({}, kind="websocket"))
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_no_other_page_may_frame_ours() -> None:
    headers = dict(answered(Rules(), scope_of({}))[0]["headers"])
    assert headers[b"x-frame-options"] == b"SAMEORIGIN"


def test_loopback_is_told_from_what_others_reach() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "localhost", "::1", "[::1]", "127.1.2.3")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.0.1", "shop", "")))
