"""A proxy in front of an engine that can be told to throttle, as AWS does."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

THROTTLED = json.dumps(
    {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "Slow down."}
).encode()


Throttle = Callable[[str, bytes], bool]


def nothing(action: str, body: bytes) -> bool:
    """Throttle nothing."""
    return False


class Proxy(ThreadingHTTPServer):
    """
    Forwards requests to an engine.

    Attributes:
        throttles: Says of an action (`Query`, `PutItem`, ...) and a request body whether they are
            answered with throttling.
        refused: How many were.
    """

    daemon_threads = True

    def __init__(self, engine_url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.engine = urlsplit(engine_url).netloc
        self.throttles: Throttle = nothing
        self.refused = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        action = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if self.server.throttles(action, body):
            self.server.refused += 1
            self._answer(400, "application/x-amz-json-1.0", THROTTLED)
            return
        connection = http.client.HTTPConnection(self.server.engine, timeout=30)
        connection.request("POST", self.path, body, dict(self.headers.items()))
        response = connection.getresponse()
        content = response.read()
        self._answer(response.status, response.headers.get("Content-Type", ""), content)
        connection.close()

    def _answer(self, status: int, content_type: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def proxy_of(engine_url: str) -> Iterator[Proxy]:
    """Run a proxy in a thread."""
    proxy = Proxy(engine_url)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
