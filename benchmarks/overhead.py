"""
What a signed request costs in CPU time, beside the bare HTTP client and beside other clients.

    python -m benchmarks.overhead [--rounds 30] [--requests 60]

The server runs in another process, on loopback; only this process's CPU time counts. All
contestants take turns within each round, and a ratio is the median of the rounds' ratios, so that
what else the machine does falls on all of them alike. Each sends the same two requests: a create
and a status.

* bare: `httpx` or `httpx2` by itself, through its `Client`: the same header fields but for the
  signature's, the same body from a dictionary, and the answer's JSON as a dictionary. No model, no
  signature; the key is a constant.
* ours: a checked model out, a new key, a signature, a checked model in, and a handle; over
  connections of its own, or, where it says so, through a given `Client` of the caller's.
* openapi-python-client: the client that it makes from our document. Models, no signature.
* requests with `aws_requests_auth`: dictionaries, a signature.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import json
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests
from aws_requests_auth.aws_auth import AWSRequestsAuth
from botocore.credentials import Credentials

from users_sdk import AsyncUsersClient, NewUser, UsersClient
from users_sdk._http import AsyncHttpClient, HttpClient, Library

CONTRACT = Path(__file__).parents[1] / "openapi.yaml"
MESSAGE_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
NEW_USER = {"name": "Ada Lovelace", "email": "ada@example.com", "tags": ["mathematics"]}
CREDENTIALS = Credentials("AKIDEXAMPLE", "not-a-secret")
REGION = "eu-west-1"
WARM_UP = 30

USUAL_HEADERS = {
    "Accept": "application/json, application/problem+json",
    "Accept-Encoding": "identity",
    "User-Agent": f"benchmark python/{platform.python_version()}",
}
KEY_HEADER = {"Idempotency-Key": "6f1ed002-ab55-4da4-a9a5-7f0d3a1b2c4e"}
"""What a request has besides its signature: as many bytes as ours."""

Blocking = Callable[[], object]
Coroutine = Callable[[], Awaitable[object]]
Block = Callable[[int], None]

_ACCEPTED = json.dumps({"messageId": MESSAGE_ID}).encode()
_PENDING = json.dumps({"messageId": MESSAGE_ID, "status": "PENDING"}).encode()
_CONTENT_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)\r?$", re.IGNORECASE | re.MULTILINE)


class _Server(asyncio.Protocol):
    """As little HTTP/1.1 as the clients need, so that the server is never what is waited for."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._data = b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, found, rest = self._data.partition(b"\r\n\r\n")
        length = _CONTENT_LENGTH.search(head)
        if found and len(rest) >= (int(length[1]) if length else 0):
            self._data = b""
            line, body = (
                (b"202 Accepted", _ACCEPTED) if head[:4] == b"POST" else (b"200 OK", _PENDING)
            )
            self._transport.write(
                b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
                b"Date: Tue, 24 Nov 2026 00:00:00 GMT\r\nRetry-After: 1\r\nRetry-After-Ms: 50\r\n"
                b"x-amzn-RequestId: 5f2e4f3c-9c0e-4c6e-9a56-2a1b6f1c7d10\r\n\r\n%b"
                % (line, len(body), body)
            )


async def serve() -> None:
    """Serve until the process is ended; prints the port."""
    server = await asyncio.get_running_loop().create_server(_Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def served() -> Iterator[str]:
    """Run the server in a process of its own; gives its URL."""
    command = [sys.executable, "-m", "benchmarks.overhead", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def repeated(actions: tuple[Blocking, ...]) -> Block:
    """Return what performs blocking actions a number of times."""

    def block(count: int) -> None:
        for _ in range(count):
            for action in actions:
                action()

    return block


def repeated_in(runner: asyncio.Runner, actions: tuple[Coroutine, ...]) -> Block:
    """Return what performs coroutines a number of times, in the runner's loop."""

    async def repeat(count: int) -> None:
        for _ in range(count):
            for action in actions:
                await action()

    return lambda count: runner.run(repeat(count))


def ours(url: str, http_client: HttpClient | Library, stack: ExitStack) -> Block:
    """Our client, blocking, over a library or a given client."""
    client = stack.enter_context(
        UsersClient(
            base_url=url,
            region=REGION,
            credentials=CREDENTIALS,
            http_client=http_client,
        )
    )
    body = NewUser.model_validate(NEW_USER)
    return repeated(
        (lambda: client.create_user(body), lambda: client.get_status(message_id=MESSAGE_ID))
    )


def ours_async(url: str, http_client: AsyncHttpClient | Library, runner: asyncio.Runner) -> Block:
    """Our client, asynchronous, over a library or a given client."""
    client = AsyncUsersClient(
        base_url=url, region=REGION, credentials=CREDENTIALS, http_client=http_client
    )
    body = NewUser.model_validate(NEW_USER)
    return repeated_in(
        runner,
        (lambda: client.create_user(body), lambda: client.get_status(message_id=MESSAGE_ID)),
    )


def bare(url: str, library: Any, stack: ExitStack) -> Block:
    """The library by itself, with the same requests."""
    client = stack.enter_context(library.Client(headers=USUAL_HEADERS))
    return repeated(
        (
            lambda: client.post(f"{url}/users", json=NEW_USER, headers=KEY_HEADER).json(),
            lambda: client.get(f"{url}/status/{MESSAGE_ID}").json(),
        )
    )


def bare_async(url: str, library: Any, runner: asyncio.Runner) -> Block:
    """The library by itself, in an event loop."""
    client = library.AsyncClient(headers=USUAL_HEADERS)

    async def create() -> object:
        answer = await client.post(f"{url}/users", json=NEW_USER, headers=KEY_HEADER)
        return answer.json()

    async def status() -> object:
        return (await client.get(f"{url}/status/{MESSAGE_ID}")).json()

    return repeated_in(runner, (create, status))


def with_requests(url: str) -> Block:
    """`requests`, signed by `aws_requests_auth`."""
    session = requests.Session()
    session.auth = AWSRequestsAuth(
        aws_access_key=CREDENTIALS.access_key,
        aws_secret_access_key=CREDENTIALS.secret_key,
        aws_host=url.removeprefix("http://"),
        aws_region=REGION,
        aws_service="execute-api",
    )
    return repeated(
        (
            lambda: session.post(f"{url}/users", json=NEW_USER).json(),
            lambda: session.get(f"{url}/status/{MESSAGE_ID}").json(),
        )
    )


def make_generated(folder: str) -> None:
    """Let `openapi-python-client` make its client from our document, and make it importable."""
    command = str(Path(sys.executable).with_name("openapi-python-client"))
    arguments = ["generate", "--path", str(CONTRACT), "--output-path", folder, "--overwrite"]
    subprocess.run([command, *arguments], check=True, capture_output=True)
    sys.path.insert(0, folder)


def generated(url: str, stack: ExitStack) -> Block:
    """The client made by `openapi-python-client`, with a token where ours has a signature."""
    package = "users_api_client"
    client = importlib.import_module(package).AuthenticatedClient(base_url=url, token="t")
    stack.enter_context(client)
    create = importlib.import_module(f"{package}.api.users.create_user").sync
    status = importlib.import_module(f"{package}.api.users.get_status").sync
    body = importlib.import_module(f"{package}.models").NewUser.from_dict(NEW_USER)
    return repeated(
        (
            lambda: create(client=client, body=body, idempotency_key="k"),
            lambda: status(MESSAGE_ID, client=client),
        )
    )


def generated_async(url: str, runner: asyncio.Runner) -> Block:
    """The same in an event loop."""
    package = "users_api_client"
    client = importlib.import_module(package).AuthenticatedClient(base_url=url, token="t")
    create = importlib.import_module(f"{package}.api.users.create_user").asyncio
    status = importlib.import_module(f"{package}.api.users.get_status").asyncio
    body = importlib.import_module(f"{package}.models").NewUser.from_dict(NEW_USER)
    return repeated_in(
        runner,
        (
            lambda: create(client=client, body=body, idempotency_key="k"),
            lambda: status(MESSAGE_ID, client=client),
        ),
    )


def contestants(
    url: str, names: tuple[Library, ...], stack: ExitStack, runner: asyncio.Runner
) -> dict[str, Block]:
    """Return all contestants, warmed up."""
    blocks: dict[str, Block] = {
        "requests + aws_requests_auth, sync": with_requests(url),
        "openapi-python-client (httpx), sync": generated(url, stack),
        "openapi-python-client (httpx), async": generated_async(url, runner),
    }
    for name in names:
        library = importlib.import_module(name)
        blocks |= {
            f"bare {name}, sync": bare(url, library, stack),
            f"ours over {name}, sync": ours(url, name, stack),
            f"bare {name}, async": bare_async(url, library, runner),
            f"ours over {name}, async": ours_async(url, name, runner),
            f"ours over a given {name}, sync": ours(url, library.Client(), stack),
            f"ours over a given {name}, async": ours_async(url, library.AsyncClient(), runner),
        }
    for block in blocks.values():
        block(WARM_UP)
    return blocks


def measure(blocks: dict[str, Block], rounds: int, count: int) -> dict[str, list[float]]:
    """Return the CPU time of one request in microseconds, in each round."""
    found: dict[str, list[float]] = {name: [] for name in blocks}
    for number in range(rounds):
        names = list(blocks)
        for name in names if number % 2 else reversed(names):
            gc.collect()
            began = time.process_time()
            blocks[name](count)
            found[name].append((time.process_time() - began) / (2 * count) * 1e6)
    return found


def show(found: dict[str, list[float]], names: tuple[Library, ...]) -> None:
    """Print the medians, and ours as a multiple of each other."""
    for name, values in found.items():
        print(f"  {name:<40} {statistics.median(values):7.0f} us")
    for name in names:
        for kind in ("sync", "async"):
            mine = found[f"ours over {name}, {kind}"]
            others = [f"bare {name}, {kind}", f"openapi-python-client (httpx), {kind}"]
            others += ["requests + aws_requests_auth, sync"] if kind == "sync" else []
            for other in others:
                print(
                    f"  ours over {name}, {kind:<5} / {other:<38} {ratio(mine, found[other]):5.2f}"
                )
            given = f"ours over a given {name}, {kind}"
            print(f"  {given} / {others[0]:<30} {ratio(found[given], found[others[0]]):5.2f}")


def ratio(mine: list[float], others: list[float]) -> float:
    """Return the median of the rounds' ratios."""
    return statistics.median(one / other for one, other in zip(mine, others, strict=True))


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description="CPU time of a signed request")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--requests", type=int, default=60, help="of each kind, in a round")
    parser.add_argument("--serve", action="store_true", help="be the server")
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(serve())
        return
    # aws_requests_auth uses what Python 3.12 deprecates.
    warnings.simplefilter("ignore", DeprecationWarning)
    names: tuple[Library, ...] = ("httpx", "httpx2")
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        make_generated(folder)
        url = stack.enter_context(served())
        runner = stack.enter_context(asyncio.Runner())
        blocks = contestants(url, names, stack, runner)
        found = measure(blocks, arguments.rounds, arguments.requests)
        print(f"CPU time of a request, median of {arguments.rounds} rounds:")
        show(found, names)


if __name__ == "__main__":
    main()
