"""
What a thousand outstanding handles cost, beside azure-core's poller in the same run.

    python -m benchmarks.handles [--handles 1000] [--seconds 20] [--retry-after 1]

The server is a process of its own on loopback, and so is each contestant, one after the other; only
a contestant's own CPU time counts, from its first create to its last result. All have the defaults
of their packages; ours signs its requests and sends with `httpx2`. Overshoot is the time from when
the server has the result until the caller is told. Memory is what Python gives back when handles
that were asked after are dropped: what caches of a fixed size keep is no handle's.

azure-core asks at once and then every 30 s, unless the server says `Retry-After`.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import json
import re
import statistics
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen
from uuid import UUID

from users_sdk import AsyncUsersClient, Polling, UsersClient

NEW_USER = {"name": "Ada Lovelace", "email": "ada@example.com"}
MODULE = "benchmarks.handles"
NEVER = 10.0**6
SELDOM = Polling(interval=60.0)
WARM_UP = 50
WEIGHED = 250
"""Handles whose memory is measured, at most: to trace allocations is slow."""

ENTRY_KIB = (2 * 124 + 80) / 1024
"""What outlives a dropped handle until it is due: two entries of the scheduler, each a tuple, a
float, an order number and its place in the heap, and a weak reference."""

_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)\r?$", re.IGNORECASE | re.MULTILINE)

Figures = dict[str, float]
Contestant = Callable[[str, int, float], Figures]


class Keys:
    """Credentials that belong to nobody."""

    access_key = "AKIDEXAMPLE"
    secret_key = "not-a-secret"
    token = None


class Service:
    """What the server knows: when each request was accepted, and who is connected."""

    def __init__(self, seconds: float, retry_after: int | None) -> None:
        self.seconds = seconds
        self.hint = b"" if retry_after is None else b"Retry-After: %d\r\n" % retry_after
        self.url = b""
        self.accepted: list[float] = []
        self.polls = self.open = self.peak = self.total = 0

    def answer(self, method: bytes, path: str) -> tuple[int, bytes, object]:
        """Return status, header fields and body."""
        _, kind, name = f"{path}/".split("/")[:3]
        if method == b"POST":
            name = str(UUID(int=len(self.accepted)))
            self.accepted.append(time.monotonic())
            fields = b"Operation-Location: %s/status/%s\r\nLocation: %s/users/%s\r\n"
            encoded = name.encode()
            return 202, self.hint + fields % ((self.url, encoded) * 2), {"messageId": name}
        if kind == "users":
            return 200, b"", {"userId": name, "createdAt": "2026-11-23T21:00:00.000Z", **NEW_USER}
        if kind == "figures":
            return 200, b"", self.figures()
        self.polls += 1
        if time.monotonic() < self.accepted[UUID(name).int] + self.seconds:
            return 200, self.hint, {"messageId": name, "status": "PENDING"}
        return 200, b"", {"messageId": name, "status": "SUCCEEDED", "userId": name}

    def figures(self) -> dict[str, object]:
        """Return what was seen."""
        return {
            "accepted": self.accepted,
            "polls": self.polls,
            "peak": self.peak,
            "total": self.total,
        }


class Connection(asyncio.Protocol):
    """As little HTTP/1.1 as the clients need."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._is_new = True
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count one that is open; with its first request it counts as a contestant's."""
        self._transport = transport
        self._service.open += 1

    def connection_lost(self, exc: Exception | None) -> None:
        """Count one less."""
        self._service.open -= 1

    def data_received(self, data: bytes) -> None:
        """Answer each request that is there as a whole."""
        self._data += data
        while True:
            head, found, rest = self._data.partition(b"\r\n\r\n")
            length = _LENGTH.search(head)
            size = int(length[1]) if length else 0
            if not found or len(rest) < size:
                return
            self._data = rest[size:]
            method, path, _ = head.split(b" ", 2)
            if self._is_new and path != b"/figures":
                self._is_new = False
                self._service.total += 1
                self._service.peak = max(self._service.peak, self._service.open)
            status, fields, document = self._service.answer(method, path.decode())
            body = json.dumps(document).encode()
            start = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
            self._transport.write(  # type: ignore[attr-defined]
                start % (status, len(body)) + fields + b"\r\n" + body
            )


async def serve(seconds: float, retry_after: int | None) -> None:
    """Print the URL, and serve until the process is ended."""
    service = Service(seconds, retry_after)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(service), "127.0.0.1", 0, backlog=2048)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    service.url = url.encode()
    print(url, flush=True)
    await server.serve_forever()


def options(url: str, **more: Any) -> dict[str, Any]:
    """Return how our clients are made."""
    return {"base_url": url, "region": "eu-west-1", "credentials": Keys(), **more}


def told(url: str, times: dict[str, float], cpu: float, threads: int, seconds: float) -> Figures:
    """Return the figures of a contestant whose callers were told at these times."""
    with urlopen(f"{url}/figures") as answer:
        seen = json.load(answer)
    overshoots = sorted(
        when - seen["accepted"][UUID(name).int] - seconds for name, when in times.items()
    )
    return {
        "threads": threads,
        "cpu": cpu,
        "overshoot p50": statistics.median(overshoots),
        "overshoot max": overshoots[-1],
        "polls": seen["polls"] / len(times),
        "connections": seen["total"],
        "peak": seen["peak"],
    }


def ours(url: str, count: int, seconds: float) -> Figures:
    """Drive our blocking client."""
    before, times = threading.active_count(), dict[str, float]()
    with UsersClient(**options(url, http_client="httpx2")) as client:
        began = time.process_time()
        handles = [client.create_user(NEW_USER) for _ in range(count)]
        for handle in handles:
            handle.add_done_callback(
                lambda _, name=handle.message_id: times.setdefault(name, time.monotonic())  # type: ignore[misc]
            )
        threads = threading.active_count() - before
        for handle in handles:
            handle.result(seconds + 60)
        return told(url, times, time.process_time() - began, threads, seconds)


def ours_async(url: str, count: int, seconds: float) -> Figures:
    """Drive our asynchronous client."""

    async def drive() -> Figures:
        before, times = threading.active_count(), dict[str, float]()
        async with AsyncUsersClient(**options(url, http_client="httpx2")) as client:
            began = time.process_time()
            handles = [await client.create_user(NEW_USER) for _ in range(count)]

            async def follow(handle: Any) -> None:
                await handle.result(seconds + 60)
                times[handle.message_id] = time.monotonic()

            following = asyncio.gather(*(follow(handle) for handle in handles))
            await asyncio.sleep(0)
            threads = threading.active_count() - before
            await following
            return told(url, times, time.process_time() - began, threads, seconds)

    return asyncio.run(drive())


def azure(url: str, count: int, seconds: float) -> Figures:
    """Drive azure-core's `LROPoller`."""
    core = importlib.import_module("azure.core")
    polling = importlib.import_module("azure.core.polling")
    method = importlib.import_module("azure.core.polling.base_polling").LROBasePolling
    rest = importlib.import_module("azure.core.rest")
    before, times = threading.active_count(), dict[str, float]()
    with core.PipelineClient(url) as client:
        began = time.process_time()
        pollers = []
        for _ in range(count):
            request = rest.HttpRequest("POST", f"{url}/users", json=NEW_USER)
            accepted = client.send_request(request, _return_pipeline_response=True)
            name = accepted.http_response.json()["messageId"]

            def tell(_: object, name: str = name) -> None:
                times[name] = time.monotonic()

            result: Callable[[Any], Any] = lambda response: response.http_response.json()  # noqa: E731
            poller = polling.LROPoller(client, accepted, result, method())
            poller.add_done_callback(tell)
            pollers.append(poller)
        threads = threading.active_count() - before
        for poller in pollers:
            poller.result()
        return told(url, times, time.process_time() - began, threads, seconds)


def _allocated() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def memory(url: str, count: int, seconds: float) -> Figures:
    """Weigh handles of our blocking client."""
    with UsersClient(**options(url, http_client="httpx2", polling=SELDOM)) as client:

        def outstanding(number: int) -> list[Any]:
            handles = [client.create_user(NEW_USER) for _ in range(number)]
            for handle in handles:
                assert not handle.wait(0)
            return handles

        held = outstanding(WARM_UP)
        tracemalloc.start()
        held += outstanding(count)
        with_handles = _allocated()
        del held[-count:]
        return {"kib": (with_handles - _allocated()) / count / 1024 + ENTRY_KIB}


def memory_async(url: str, count: int, seconds: float) -> Figures:
    """Weigh handles of our asynchronous client."""

    async def weigh() -> Figures:
        async with AsyncUsersClient(**options(url, http_client="httpx2", polling=SELDOM)) as client:

            async def outstanding(number: int) -> list[Any]:
                handles = [await client.create_user(NEW_USER) for _ in range(number)]
                for handle in handles:
                    assert not await handle.wait(0)
                return handles

            held = await outstanding(WARM_UP)
            tracemalloc.start()
            held += await outstanding(count)
            with_handles = _allocated()
            del held[-count:]
            return {"kib": (with_handles - _allocated()) / count / 1024 + ENTRY_KIB}

    return asyncio.run(weigh())


RACERS: dict[str, Contestant] = {"ours": ours, "ours, async": ours_async, "azure-core": azure}
WEIGHTS: dict[str, Contestant] = {"memory": memory, "memory, async": memory_async}


@contextmanager
def served(seconds: float, retry_after: int | None) -> Iterator[str]:
    """Run the server in a process of its own; gives its URL."""
    command = [sys.executable, "-m", MODULE, "--serve", "--seconds", str(seconds)]
    if retry_after is not None:
        command += ["--retry-after", str(retry_after)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def measured(name: str, count: int, seconds: float, retry_after: int | None) -> Figures:
    """Run one contestant in a process of its own, with a server of its own."""
    if name in WEIGHTS:
        count, seconds = min(count, WEIGHED), NEVER
    with served(seconds, retry_after) as url:
        command = [sys.executable, "-m", MODULE, "--contestant", name, "--url", url]
        command += ["--handles", str(count), "--seconds", str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def bars(results: dict[str, Figures]) -> list[tuple[str, float, float]]:
    """Return what is measured against a bar: its name, its value, the most that it may be."""
    sync, other, peer = results["ours"], results["ours, async"], results["azure-core"]
    return [
        ("threads added, sync", sync["threads"], 1),
        ("threads added, async", other["threads"], 0),
        ("KiB per handle, sync", results["memory"]["kib"], 2.0),
        ("KiB per handle, async", results["memory, async"]["kib"], 2.0),
        ("connections, sync", sync["peak"], 32),
        ("connections, async", other["peak"], 32),
        ("CPU, sync / azure-core", sync["cpu"] / peer["cpu"], 2.0),
        ("CPU, async / azure-core", other["cpu"] / peer["cpu"], 2.0),
        ("overshoot p50 s, sync", sync["overshoot p50"], 1.6),
        ("overshoot p50 s, async", other["overshoot p50"], 1.6),
    ]


def main() -> None:
    """Print what each contestant did, and our figures beside their bars."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--handles", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long an operation takes")
    parser.add_argument("--retry-after", type=int, help="what the server says, in seconds")
    parser.add_argument("--contestant", choices=RACERS | WEIGHTS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve(given.seconds, given.retry_after))
    elif given.contestant:
        contestant = (RACERS | WEIGHTS)[given.contestant]
        figures = contestant(given.url, given.handles, given.seconds)
        print(json.dumps(figures))
    else:
        report(given.handles, given.seconds, given.retry_after)


def report(count: int, seconds: float, retry_after: int | None) -> None:
    """Measure all, the weights while azure-core sleeps, and print."""

    def measure(name: str) -> Figures:
        return measured(name, count, seconds, retry_after)

    with ThreadPoolExecutor(1) as pool:
        results = {name: measure(name) for name in RACERS if name != "azure-core"}
        weights = pool.map(measure, WEIGHTS)
        results["azure-core"] = measure("azure-core")
        columns = list(results["ours"])
        print(f"{count} handles, {seconds:g} s")
        print(f"{'':14}" + "".join(f"{column:>15}" for column in columns))
        for name, figures in results.items():
            print(f"{name:14}" + "".join(f"{figures[column]:15.2f}" for column in columns))
        results |= zip(WEIGHTS, weights, strict=True)
    print(f"\n{'':26}{'value':>8}{'at most':>9}")
    for name, value, most in bars(results):
        print(f"{name:26}{value:8.2f}{most:9.2f}{'' if value <= most else '  missed'}")


if __name__ == "__main__":
    main()
