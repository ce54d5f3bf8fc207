from __future__ import annotations

import asyncio
import gc
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, cast

import httpx
import httpx2
import pytest
import respx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.sdk.orders import (
    CHAIN,
    CREATE,
    GET,
    PRINT_CHAIN,
    AsyncOrdersClient,
    Keys,
    Label,
    Order,
    OrdersClient,
    Server,
)
from users_sdk._auth import BearerToken
from users_sdk._http import Headers, Request
from users_sdk._polling import Polling
from users_sdk.errors import (
    ClientClosed,
    ConfigurationError,
    InvalidArgumentError,
    NotFoundError,
    RequestNotSent,
    UnknownOutcome,
    WaitTimeout,
)

ITEM = {"item": "\u2603 \" ' & = % \U0001f600\n#set($x)"}
SETTINGS: dict[str, Any] = {"region": "eu-west-1", "credentials": Keys()}
MOCKED = SETTINGS | {"base_url": "https://orders.example"}


class Loopback:
    """
    A server of orders on a port of this machine.

    Attributes:
        lose: How many answers to `POST` are lost, after the order was made.
        wire: Method, path with query, header fields and body of each request, as they arrived.
    """

    def __init__(self, orders: Server) -> None:
        self.orders = orders
        self.lose = 0
        self.wire: list[tuple[str, str, Headers, bytes]] = []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = 65536

            def do_GET(self) -> None:
                owner.answer(self)

            def do_POST(self) -> None:
                owner.answer(self)

            def log_message(self, *_: object) -> None: ...

        class Listener(http.server.ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

        self.http = Listener(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        """Answer, or lose the answer."""
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        headers = Headers(dict(handler.headers.items()))
        self.wire.append((handler.command, handler.path, headers, body))
        response = self.orders(Request(handler.command, self.url + handler.path, headers, body))
        if handler.command == "POST" and self.lose > 0:
            self.lose -= 1
            handler.close_connection = True
            return
        handler.send_response(response.status)
        for name, value in response.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(response.body)))
        handler.end_headers()
        handler.wfile.write(response.body)
        handler.wfile.flush()

    def close(self) -> None:
        """Stop listening."""
        self.http.shutdown()
        self.http.server_close()
        self.thread.join(5)


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    """Yield a server on this machine."""
    server = Loopback(Server(polls=1))
    yield server
    server.close()


def test_an_order_is_made_over_real_http(loopback: Loopback) -> None:
    """Start, status and result, with every character as it was."""
    with OrdersClient(base_url=loopback.url, **SETTINGS) as client:
        order = client._start_and_wait(CHAIN, arguments={}, body=ITEM, timeout=5)
        assert order.item == ITEM["item"]
        assert client._start(CHAIN, arguments={}, body=ITEM).result(5).item == ITEM["item"]


async def test_the_same_in_an_event_loop(loopback: Loopback) -> None:
    """Start, status and result, with every character as it was."""
    async with AsyncOrdersClient(base_url=loopback.url, **SETTINGS) as client:
        order = await client._start_and_wait(CHAIN, arguments={}, body=ITEM, timeout=5)
        assert order.item == ITEM["item"]
        assert (await (await client._start(CHAIN, arguments={}, body=ITEM))).item == ITEM["item"]


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_the_signature_is_right_for_what_arrives(loopback: Loopback, library: Any) -> None:
    """Corner 25: recomputed by botocore from the wire alone, with awkward characters in it."""
    with library.Client() as http_client:
        client = OrdersClient(base_url=f"{loopback.url}/stage", http_client=http_client, **SETTINGS)
        client._call(CREATE, arguments={}, body=ITEM)
        with pytest.raises(NotFoundError):
            client._call(GET, arguments={"order_id": "a/b c:@+(~)%2F\u2603&=?#"})
        client.close()
    for method, path, headers, body in loopback.wire:
        names = headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
        request = AWSRequest(
            method,
            loopback.url + path,
            headers={name: headers[name] for name in names},
            data=body,
        )
        request.context["timestamp"] = headers["X-Amz-Date"]
        auth = SigV4Auth(Credentials("AKIDEXAMPLE", "not-a-secret"), "execute-api", "eu-west-1")
        string = auth.string_to_sign(request, auth.canonical_request(request))
        assert headers["Authorization"].endswith(auth.signature(string, request))
        assert "host" in names


@pytest.mark.parametrize("lost", [1, 3])
def test_a_lost_answer_makes_no_second_order(loopback: Loopback, lost: int) -> None:
    """The server carried it out and the answer was lost: the same key, so the same order."""
    loopback.lose = lost
    with OrdersClient(base_url=loopback.url, **SETTINGS) as client:
        client._start_and_wait(CHAIN, arguments={}, body=ITEM, timeout=10)
    keys = {
        headers["Idempotency-Key"] for method, _, headers, _ in loopback.wire if method == "POST"
    }
    assert len(keys) == len(loopback.orders.orders) == 1
    assert len([line for line in loopback.wire if line[0] == "POST"]) == lost + 1


def test_a_caller_goes_on_after_an_unknown_outcome(loopback: Loopback) -> None:
    """Corner 2: with the key that the error carries, it is the same order."""
    loopback.lose = 1
    with OrdersClient(base_url=loopback.url, max_retries=0, **SETTINGS) as client:
        with pytest.raises(UnknownOutcome) as caught:
            client._start(CHAIN, arguments={}, body=ITEM)
        key = caught.value.idempotency_key
        assert key
        handle = client._start(CHAIN, arguments={"idempotency_key": key}, body=ITEM)
        handle.result(5)
    assert len(loopback.orders.orders) == 1


async def test_a_lost_answer_makes_no_second_order_in_a_loop(loopback: Loopback) -> None:
    """The asynchronous client as well."""
    loopback.lose = 2
    async with AsyncOrdersClient(base_url=loopback.url, **SETTINGS) as client:
        await client._start_and_wait(CHAIN, arguments={}, body=ITEM, timeout=10)
    assert len(loopback.orders.orders) == 1


def test_an_async_client_works_in_one_loop_after_another(loopback: Loopback) -> None:
    """Corner 23: no connection of a closed loop is used again."""
    client = AsyncOrdersClient(base_url=loopback.url, **SETTINGS)
    for number in range(3):
        order = asyncio.run(client._start_and_wait(CHAIN, arguments={}, body=ITEM, timeout=5))
        assert order.order_id == f"r{number}"


async def test_a_blocking_client_works_inside_a_running_loop(loopback: Loopback) -> None:
    """Corner 40: as in a notebook, it blocks the loop, does not deadlock, and warns once."""
    with OrdersClient(base_url=loopback.url, **SETTINGS) as client:
        with pytest.warns(RuntimeWarning, match="wrap_future") as caught:
            assert client._start(CHAIN, arguments={}, body=ITEM).result(5).order_id == "r0"
        assert [warning.filename for warning in caught] == [__file__]
        assert client._start(CHAIN, arguments={}, body=ITEM).result(5).order_id == "r1"


async def test_many_at_once_share_the_connections(loopback: Loopback) -> None:
    """A hundred creates, none lost and none twice."""
    async with AsyncOrdersClient(base_url=loopback.url, **SETTINGS) as client:
        creates = (
            client._start_and_wait(CHAIN, arguments={}, body=ITEM, timeout=30) for _ in range(100)
        )
        orders = await asyncio.gather(*creates)
    assert len({order.order_id for order in orders}) == len(loopback.orders.orders) == 100


def test_no_server_is_one_clear_error() -> None:
    """Nothing was sent, and the message says where to."""
    with (
        OrdersClient(base_url="http://127.0.0.1:1", max_retries=0, **SETTINGS) as client,
        pytest.raises(RequestNotSent, match=r"POST http://127\.0\.0\.1:1/orders"),
    ):
        client._call(CREATE, arguments={}, body=ITEM)


@respx.mock
def test_respx_sees_our_requests() -> None:
    """Users can mock the client in their own tests."""
    respx.post("https://orders.example/orders").respond(
        202, json={"requestId": "r"}, headers={"Retry-After-Ms": "1"}
    )
    respx.get("https://orders.example/requests/r").mock(
        side_effect=[
            httpx.ConnectError("refused"),
            httpx.Response(200, json={"state": "PENDING"}),
            httpx.Response(200, json={"state": "COMPLETED", "orderId": "o"}),
        ]
    )
    respx.get("https://orders.example/orders/o").respond(200, json={"orderId": "o", "item": "x"})
    with OrdersClient(**MOCKED) as client:
        assert client._start(CHAIN, arguments={}, body=ITEM).result(5).order_id == "o"


@respx.mock
async def test_respx_sees_our_requests_in_a_loop() -> None:
    """Users can mock the asynchronous client, too."""
    respx.post("https://orders.example/orders/1/labels").respond(202, json={"id": 7})
    respx.get("https://orders.example/orders/1/labels/7").respond(
        200, json={"state": "COMPLETED", "label": {"pages": 1}}
    )
    async with AsyncOrdersClient(**MOCKED) as client:
        handle = await client._start(PRINT_CHAIN, arguments={"order_id": 1})
        assert await handle == Label(pages=1)
        assert handle.message_id == "7"


def test_the_environment_says_where_the_api_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable of the class; without it the error names it."""
    monkeypatch.setenv("ORDERS_API_URL", "https://orders.example/v1")
    assert repr(OrdersClient(**SETTINGS)) == "OrdersClient('https://orders.example/v1')"
    monkeypatch.delenv("ORDERS_API_URL")
    for kind in (OrdersClient, AsyncOrdersClient):
        with pytest.raises(ConfigurationError, match="ORDERS_API_URL"):
            kind(**SETTINGS)


def test_a_client_of_the_other_world_is_refused() -> None:
    """When the client is made, not with its first request."""
    blocking = cast("httpx.AsyncClient", httpx.Client())
    with pytest.raises(ConfigurationError, match=r"takes httpx\.AsyncClient"):
        AsyncOrdersClient(**MOCKED, http_client=blocking)
    with pytest.raises(ConfigurationError, match=r"takes httpx\.Client"):
        OrdersClient(**MOCKED, http_client=cast("httpx.Client", httpx.AsyncClient()))


def test_a_bearer_token_takes_the_place_of_the_signature() -> None:
    """No AWS credentials are looked for."""
    server = Server()
    with server.client() as http_client:
        client = OrdersClient(
            base_url="https://orders.example", auth=BearerToken("t"), http_client=http_client
        )
        client._start_and_wait(CHAIN, arguments={}, body=ITEM, timeout=5)
        client.close()
    assert {request.headers["authorization"] for request in server.requests} == {"Bearer t"}


def test_a_body_that_is_not_valid_is_not_sent() -> None:
    """The field is named, and no request made."""
    server = Server()
    client = OrdersClient(**MOCKED, http_client=server.client())
    with client, pytest.raises(InvalidArgumentError, match="item: String should have"):
        client._start(CHAIN, arguments={}, body={"item": ""})
    assert server.requests == []


def test_a_closed_client_says_so() -> None:
    """Closing can be repeated; calling cannot go on."""
    client = OrdersClient(**MOCKED)
    client.close()
    client.close()
    with pytest.raises(ClientClosed):
        client._call(GET, arguments={"order_id": "1"})


async def test_a_closed_async_client_says_so() -> None:
    """Closing can be repeated; calling cannot go on."""
    client = AsyncOrdersClient(**MOCKED)
    await client.aclose()
    await client.aclose()
    with pytest.raises(ClientClosed):
        await client._call(GET, arguments={"order_id": "1"})


def test_closing_ends_a_call_in_another_thread() -> None:
    """A wait does not outlive its client."""
    server = Server(polls=10**9)
    caught: list[BaseException] = []
    with server.client() as http_client:
        polling = Polling(interval=60.0)
        server.hint = {}
        client = OrdersClient(**MOCKED, http_client=http_client, polling=polling)

        def wait() -> None:
            try:
                client._start_and_wait(CHAIN, arguments={}, body=ITEM)
            except ClientClosed as error:
                caught.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        while not server.requests:
            time.sleep(0.001)
        client.close()
        thread.join(5)
    assert len(caught) == 1


def test_what_is_resumed_is_the_same_request() -> None:
    """By the token of a timeout, in a blocking and in an asynchronous client."""
    server = Server(polls=10**9)
    with server.client() as http_client, OrdersClient(**MOCKED, http_client=http_client) as client:
        with pytest.raises(WaitTimeout) as caught:
            client._start_and_wait(CHAIN, arguments={}, body=ITEM, timeout=0.05)
        server.polls = 0
        assert client._resume(CHAIN, caught.value.token).result(5).order_id == "r0"

    async def resume(token: str) -> Order:
        async with (
            server.async_client() as http_client,
            AsyncOrdersClient(**MOCKED, http_client=http_client) as client,
        ):
            handle = client._resume(CHAIN, token)
            assert (handle.message_id, handle.request_id) == ("r0", "http-r0")
            return await handle

    assert asyncio.run(resume(caught.value.token)) == Order(order_id="r0", item=ITEM["item"])


def test_a_program_ends_though_a_client_was_not_closed(loopback: Loopback) -> None:
    """Corner 17: neither hanging nor complaining, with a handle outstanding."""
    loopback.orders.polls = 10**9
    program = (
        "from tests.sdk.orders import *\n"
        f"client = OrdersClient(base_url={loopback.url!r}, region='r', credentials=Keys())\n"
        "handle = client._start(CHAIN, arguments={}, body={'item': 'x'})\n"
        "print(handle.wait(0.05))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("False\n", "", 0)


def test_importing_the_runtime_imports_no_http_client_and_no_aws() -> None:
    """They are imported when they are needed: importing has a budget."""
    program = (
        "import sys, users_sdk._client, json\n"
        "heavy = ['httpx', 'httpx2', 'botocore', 'boto3', 'requests', 'importlib.metadata']\n"
        "print(json.dumps([name for name in heavy if name in sys.modules]))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []


def test_sequential_creates_keep_no_memory() -> None:
    """Corner 14: nothing is kept for a request that is over; `benchmarks.exactly_once` has more."""
    server = Server()
    with server.client() as http_client, OrdersClient(**MOCKED, http_client=http_client) as client:

        def create() -> int:
            for _ in range(200):
                client._call(CREATE, arguments={"idempotency_key": "k"}, body=ITEM)
                server.requests.clear()
            gc.collect()
            return len(gc.get_objects())

        create()
        before = create()
        # Some objects come and go with the interpreter's own caches; 200 calls would show.
        assert create() - before < 50
