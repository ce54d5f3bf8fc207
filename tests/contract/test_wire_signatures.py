"""Awkward requests, captured as they were sent, and verified from the wire alone."""

from __future__ import annotations

import http.server
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import httpx2
import pytest

from deploy.local.credentials import KeyStore
from deploy.local.signature_claim import SignatureError
from deploy.local.sigv4 import SignedRequest, verify
from tests.sdk.orders import Keys, perform
from users_sdk._auth import signer_for
from users_sdk._http import AsyncHttpxTransport, Headers, HttpxTransport, Request, Response

JSON = Headers({"Content-Type": "application/json; charset=utf-8"})
AWKWARD = [
    Request("GET", "/v1/orders/a%20b"),
    Request("GET", "/v1/orders/a%2Fb"),
    Request("GET", "/v1/orders/%C3%A9%E2%98%83%F0%9F%98%80"),
    Request("GET", "/v1/orders/a:b@c+d(e)!*'$,;="),
    Request("GET", "/v1/orders/a%3Ab%40c%2Bd%28e%29%21%2A%27%24%2C%3B%3D"),
    Request("GET", "/v1/orders/%2525%7E~._-"),
    Request("GET", "/v1//orders///1"),
    Request("GET", "/v1/orders/"),
    Request("GET", "/v1/orders?b=2&a=1"),
    Request("GET", "/v1/orders?a-b=2&a=1"),
    Request("GET", "/v1/orders?a=2&a=10&a=1&A=3"),
    Request("GET", "/v1/orders?x=a%20b%2Bc"),
    Request("GET", "/v1/orders?x=http://h:1/p@q"),
    Request("GET", "/v1/orders?%C3%A9=%E2%98%83&x=%2F%3F%26%3D"),
    Request("GET", "/v1/orders?flag&other=&x=a=b"),
    Request("POST", "/v1/orders", JSON, '{"item":"\u2603 \' & = %"}'.encode()),
    Request("POST", "/v1/orders", JSON, b""),
    Request("POST", "/v1/orders", JSON.merged({"X-Amz-Meta": "a   b"}), b"\x00\xff\r\n"),
    Request("DELETE", "/v1/orders/1"),
    Request("PUT", "/v1/orders/1", JSON.merged({"X-Other": "1", "Via": "1.1 p"}), b"[]"),
]

SendRequest = Callable[[Request], Awaitable[Response]]


class Capture(http.server.BaseHTTPRequestHandler):
    """Notes the last request as it came over the wire."""

    protocol_version = "HTTP/1.1"

    def capture(self) -> None:
        """Note the request, and answer with nothing."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        # Not `self.path`, in which the standard library takes slashes away.
        target = self.requestline.split(" ")[1]
        path, _, query = target.partition("?")
        self.server.captured = SignedRequest(  # type: ignore[attr-defined]
            self.command, path, query, list(self.headers.items()), body
        )
        self.send_response(204)
        self.end_headers()

    def __getattr__(self, name: str) -> Any:
        """Treat every method alike."""
        if name.startswith("do_"):
            return self.capture
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    """A server that notes what it gets, in `captured`."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Capture) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(params=["httpx", "httpx async", "httpx2", "httpx2 async"])
async def send(request: pytest.FixtureRequest) -> AsyncIterator[SendRequest]:
    """What sends a request as a client would, with each HTTP client in each kind."""
    library = {"httpx": httpx, "httpx2": httpx2}[request.param.split()[0]]
    if request.param.endswith("async"):
        async with library.AsyncClient() as client:
            transport = AsyncHttpxTransport(client)
            yield lambda request: transport.send(request, 5)
        return
    with library.Client() as client:
        blocking = HttpxTransport(client)

        async def send_blocking(request: Request) -> Response:
            return blocking.send(request, 5)

        yield send_blocking


@pytest.mark.parametrize("temporary", [False, True])
async def test_twenty_awkward_requests_are_signed_as_they_are_sent(
    server: http.server.ThreadingHTTPServer, send: SendRequest, temporary: bool
) -> None:
    """Corners 25 to 27: whatever the HTTP client does to them, the signature fits the wire."""
    store = KeyStore()
    key = store.issue(temporary=temporary)
    keys = Keys(key.access_key_id, key.secret_access_key, key.session_token)
    signer = signer_for(None, region="eu-west-1", credentials=keys)
    refused = []
    for awkward in AWKWARD:
        url = f"http://127.0.0.1:{server.server_port}{awkward.url}"
        request = Request(awkward.method, url, awkward.headers, awkward.body)
        signed, _ = perform(signer.sign(request), _unreachable)
        assert (await send(signed)).status == 204
        try:
            verify(
                server.captured,  # type: ignore[attr-defined]
                store,
                region="eu-west-1",
                service="execute-api",
                now=datetime.now(UTC),
            )
        except SignatureError as error:
            refused.append(f"{awkward.method} {awkward.url}: {error}")
    assert len(AWKWARD) == 20
    assert refused == []


async def test_the_verifier_sees_what_was_changed_on_the_way(
    server: http.server.ThreadingHTTPServer, send: SendRequest
) -> None:
    """A path, a query, a body or a signed header that is another one is refused."""
    store = KeyStore()
    key = store.issue()
    keys = Keys(key.access_key_id, key.secret_access_key)
    signer = signer_for(None, region="eu-west-1", credentials=keys)
    url = f"http://127.0.0.1:{server.server_port}/v1/orders"
    signed, _ = perform(signer.sign(Request("POST", f"{url}?a=1", JSON, b"{}")), _unreachable)
    changed = [
        Request("POST", f"{url}/?a=1", signed.headers, b"{}"),
        Request("POST", f"{url}?a=2", signed.headers, b"{}"),
        Request("POST", f"{url}?a=1", signed.headers, b"[]"),
        Request("POST", f"{url}?a=1", signed.headers.merged({"Content-Type": "text/plain"}), b"{}"),
        Request("PUT", f"{url}?a=1", signed.headers, b"{}"),
    ]
    for request in changed:
        await send(request)
        with pytest.raises(SignatureError, match="does not match"):
            verify(
                server.captured,  # type: ignore[attr-defined]
                store,
                region="eu-west-1",
                service="execute-api",
                now=datetime.now(UTC),
            )


def _unreachable(request: Request) -> Response:
    raise AssertionError("signing sends nothing")
