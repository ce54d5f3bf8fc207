"""Corner 24: a forked process shares no connection, lock or thread with its parent."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sdk.orders import Server
from users_sdk import _fork
from users_sdk._credentials import KeySource
from users_sdk._http import Headers, Request
from users_sdk._retry import RetryBudget
from users_sdk.errors import RequestNotSent

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

ROOT = Path(__file__).parents[2]
PRELUDE = """
import asyncio, os, sys, threading
from tests.sdk.orders import CHAIN, CREATE, AsyncOrdersClient, Keys, OrdersClient

options = {"base_url": sys.argv[1], "region": "eu-west-1", "credentials": Keys()}

def calls(client):
    for _ in range(20):
        client._call(CREATE, arguments={}, body={"item": str(os.getpid())})

def ended(child):
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


class Traced(http.server.ThreadingHTTPServer):
    """
    A server of orders that notes who used which connection.

    Attributes:
        orders: The orders.
        users: The items ordered, process IDs, by the port that they came from.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.orders = Server(polls=3)
        self.users: defaultdict[int, set[str]] = defaultdict(set)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Traced

    def handle_order(self) -> None:
        """Answer, and note whose order came over which connection."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if body:
            self.server.users[self.client_address[1]].add(json.loads(body)["item"])
        headers = Headers(dict(self.headers.items()))
        response = self.server.orders(Request(self.command, f"http://h{self.path}", headers, body))
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    def do_GET(self) -> None:
        """Answer a question."""
        self.handle_order()

    def do_POST(self) -> None:
        """Take an order."""
        self.handle_order()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Traced]:
    """A server on this machine."""
    with Traced() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(program: str, server: Traced) -> None:
    """Run a program in a process of its own, which must say nothing."""
    url, source = f"http://127.0.0.1:{server.server_port}", PRELUDE + program
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", source, url],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'sdk'}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_parent_and_child_never_share_a_connection(server: Traced) -> None:
    """Corner 24: a client that was used before the fork works in both, at the same time."""
    run(
        """
with OrdersClient(**options) as client:
    calls(client)
    child = os.fork()
    calls(client)
    if child:
        ended(child)
""",
        server,
    )
    assert {len(users) for users in server.users.values()} == {1}
    assert len(set().union(*server.users.values())) == 2


def test_a_handle_goes_on_in_the_parent_and_in_the_child_that_asks_it(server: Traced) -> None:
    """Corner 24: the child has a scheduler of its own, and a child that asks nothing has none."""
    run(
        """
with OrdersClient(**options) as client:
    handle = client._start(CHAIN, arguments={}, body={"item": "x"})
    assert not handle.done()
    asking = os.fork()
    if asking == 0:
        assert threading.active_count() == 1
        assert handle.result(10).item == "x"
        assert threading.active_count() == 2
    elif (silent := os.fork()) == 0:
        client.close()
        assert threading.active_count() == 1
    else:
        ended(asking)
        ended(silent)
        assert handle.result(10).item == "x"
""",
        server,
    )


def test_an_asynchronous_client_works_in_the_child(server: Traced) -> None:
    """In an event loop of the child's own; the parent's is left alone."""
    run(
        """
async def make():
    handle = await client._start(CHAIN, arguments={}, body={"item": str(os.getpid())})
    assert (await handle).item == str(os.getpid())

async def main():
    await make()
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(make())
            os._exit(0)
        finally:
            os._exit(1)
    await make()
    ended(child)
    await client.aclose()

client = AsyncOrdersClient(**options)
asyncio.run(main())
""",
        server,
    )
    assert {len(users) for users in server.users.values()} == {1}
    assert len(set().union(*server.users.values())) == 2


def test_locks_that_others_held_are_free_in_the_child() -> None:
    """A thread of the parent that held one does not exist in the child."""
    budget = RetryBudget()
    source = KeySource("eu-west-1", None)
    budget._lock.acquire()
    source._lock.acquire()
    _fork._in_child()
    assert budget.take(RequestNotSent("no route")) == 5
    assert source._lock.acquire(timeout=0)
