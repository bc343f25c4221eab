"""An S3 server on loopback, and what real ones do that moto does not: bucket names ask for it.

`careless-...` ignores `If-None-Match`; `forgetful-...` carries out the first create-only write of a key and loses the
answer; `busy-...` answers the first one of a key with a conflict that is still undecided.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

# A developer's own configuration, a proxy and a machine's identity service stay out of it: loopback only.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "tests",
    "AWS_SECRET_ACCESS_KEY": "tests",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}
CONFLICT = b"<Error><Code>ConditionalRequestConflict</Code><Message>one more is under way</Message></Error>"
LOST = b"<Error><Code>InternalError</Code><Message>the answer was lost</Message></Error>"


class Faults:
    """Around moto's application, one request at a time: moto looks and then writes, S3 does both at once."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app, self.lock = app, threading.Lock()
        self.requests: list[str] = []
        self.seen: set[str] = set()

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        with self.lock:
            path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
            self.requests.append(f"{method} {path}?{environ.get('QUERY_STRING', '')}")
            conditional = environ.get("HTTP_IF_NONE_MATCH") == "*"
            first = conditional and path not in self.seen
            self.seen.update([path] if conditional else [])
            if path.startswith("/careless-"):
                environ.pop("HTTP_IF_NONE_MATCH", None)
            if first and path.startswith("/busy-"):
                start("409 Conflict", [("Content-Type", "application/xml")])
                return [CONFLICT]
            if first and path.startswith("/forgetful-"):
                list(self.app(environ, lambda *_: None))
                start("500 Internal Server Error", [("Content-Type", "application/xml")])
                return [LOST]
            return list(self.app(environ, start))


class Server:
    """moto's S3 behind `Faults`, on a free port of loopback."""

    def __init__(self) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            def log_request(self, *_: object) -> None:
                """Tests read `requests` instead."""

        self.faults = Faults(DomainDispatcherApplication(create_backend_app))
        self.server = make_server("127.0.0.1", 0, self.faults, threaded=True, request_handler=Quiet)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()


def serve() -> Iterator[Server]:
    """For a session fixture; skips where moto is not installed, but never in CI."""
    if not os.environ.get("CI"):
        pytest.importorskip("moto", reason="moto is not installed: pip install -e '.[dev]'")
        pytest.importorskip("s3fs", reason="s3fs is not installed: pip install -e '.[s3]'")
    server = Server()
    yield server
    server.stop()


def make_bucket(server: Server, name: str) -> str:
    """A fresh bucket, and its URL; the environment's credentials must be set."""
    import fsspec

    fsspec.filesystem("s3", use_listings_cache=False).mkdir(name)
    return f"s3://{name}"
