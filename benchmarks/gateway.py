"""
The gateway: recorded cases, own time per request, and what it takes from 1 to 64 connections.

    python -m benchmarks.gateway [--requests 4000] [--seconds 6]

Gateway, stub backend, peer and load generator run in processes of their own. The gateway's own time
is the whole time through it, less that of the same client asking the stub itself. The requests are
signed before, and sent again and again. The peer is uvicorn with Starlette and one route that does
nothing: no signature, validation, template or backend.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import math
import statistics
import time
from collections import Counter

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks import isolated
from benchmarks.isolated import Served
from tests.deploy.local import oracle

CONNECTIONS = (1, 4, 16, 64)
ROUNDS = 8
GOAL_MILLISECONDS = 1.5
_ADA = b'{"name":"Ada Lovelace","email":"ada@example.com","tags":["mathematics"]}'


def signed(served: Served, method: str, path: str, body: bytes = b"") -> bytes:
    """Return a signed request as it goes over the wire."""
    host = f"127.0.0.1:{served.port}"
    headers = {"Host": host, "Content-Type": "application/json"} if body else {"Host": host}
    request = AWSRequest(method, f"http://{host}/local{path}", data=body, headers=headers)
    credentials = Credentials(served.access_key_id, served.secret_access_key)
    SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
    return _wire(method, f"/local{path}", dict(request.headers.items()), body)


def plain(method: str, path: str, body: bytes = b"") -> bytes:
    """Return a request without a signature as it goes over the wire."""
    return _wire(method, path, {"Host": "127.0.0.1", "Content-Type": "application/json"}, body)


def _wire(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


class Connection:
    """A keep-alive connection on which one request is sent after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect to a port of this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, request: bytes) -> int:
        """Send a request and read its answer; the status."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
        await self._reader.readexactly(int(length))
        return int(head[9:12])

    def close(self) -> None:
        """Close it."""
        self._writer.close()


async def latencies(port: int, request: bytes, count: int) -> list[float]:
    """Milliseconds of so many requests, one after the other."""
    connection = await Connection.open(port)
    for _ in range(200):
        status = await connection.send(request)
        assert status < 300, status
    found = []
    for _ in range(count):
        began = time.perf_counter()
        await connection.send(request)
        found.append((time.perf_counter() - began) * 1000)
    connection.close()
    return found


async def throughput(port: int, request: bytes, connections: int, seconds: float) -> float:
    """Requests per second over so many connections."""
    end = time.perf_counter() + seconds

    async def ask() -> int:
        connection, count = await Connection.open(port), 0
        while time.perf_counter() < end:
            status = await connection.send(request)
            assert status < 300, status
            count += 1
        connection.close()
        return count

    return sum(await asyncio.gather(*(ask() for _ in range(connections)))) / seconds


def show_scores() -> None:
    """Score the recorded cases of each kind; the names of those that fail are told."""
    logging.disable()  # Some are answered with 500 on purpose, and say why.
    passed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for case in oracle.recorded():
        total[case["kind"]] += 1
        try:
            oracle.check(case)
        except Exception as error:
            print(f"  {case['id']}: {type(error).__name__}: {error}")
        else:
            passed[case["kind"]] += 1
    logging.disable(logging.NOTSET)
    print("recorded from API Gateway, cases right (none is skipped; S3 and Lambda are stubs):")
    for kind, count in sorted(total.items()):
        print(f"  {kind:<34} {passed[kind]} of {count}")


def p50(values: list[float]) -> float:
    """The median."""
    return statistics.median(values)


async def measure_time(served: Served, stub_port: int, peer_port: int, count: int) -> None:
    """Measure one client's requests, one after the other, and print."""
    requests = {
        "stub": (stub_port, plain("POST", "/0/users", _ADA)),
        "peer": (peer_port, plain("POST", "/users", _ADA)),
        "POST /users": (served.port, signed(served, "POST", "/users", _ADA)),
        "GET /users/{userId}": (served.port, signed(served, "GET", f"/users/{isolated.USER_ID}")),
    }
    best = dict.fromkeys(requests, math.inf)
    for _ in range(ROUNDS):
        for name, (port, request) in requests.items():
            best[name] = min(best[name], p50(await latencies(port, request, count // ROUNDS)))
    print(f"one client, p50 of {count // ROUNDS} requests, best of {ROUNDS} rounds:")
    print(f"  {'stub alone':<34} {best['stub']:6.3f} ms")
    print(f"  {'peer (uvicorn + Starlette, no-op)':<34} {best['peer']:6.3f} ms")
    for name in ("POST /users", "GET /users/{userId}"):
        own = best[name] - best["stub"]
        print(
            f"  {name:<34} {best[name]:6.3f} ms   gateway's own time {own:6.3f} ms "
            f"(goal {GOAL_MILLISECONDS} ms), {own / best['peer']:.1f} x the peer"
        )


async def measure_throughput(served: Served, peer_port: int, seconds: float) -> None:
    """
    Measure many clients at once, and print.

    Numbers of connections take turns, as requests do above, and each has its best round: what else
    the machine does would otherwise be taken for what connections cost.
    """
    ours: dict[int, float] = dict.fromkeys(CONNECTIONS, 0.0)
    theirs = dict(ours)
    for _ in range(ROUNDS):
        for connections in CONNECTIONS:
            create = signed(served, "POST", "/users", _ADA)
            rate = await throughput(served.port, create, connections, seconds / ROUNDS)
            ours[connections] = max(ours[connections], rate)
            request = plain("POST", "/users", _ADA)
            rate = await throughput(peer_port, request, connections, min(seconds, 1) / ROUNDS)
            theirs[connections] = max(theirs[connections], rate)
    print(f"requests per second, best of {ROUNDS} rounds of {seconds / ROUNDS:g} s each:")
    for connections in CONNECTIONS:
        print(
            f"  {connections:>2} connections: POST /users {ours[connections]:6.0f}/s "
            f"({ours[connections] / ours[CONNECTIONS[0]]:.2f} of one connection's), "
            f"peer {theirs[connections]:6.0f}/s, "
            f"ratio {ours[connections] / theirs[connections]:.2f}"
        )


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description="the gateway's own time per request")
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--seconds", type=float, default=6.0)
    arguments = parser.parse_args()
    show_scores()
    with (
        isolated.stub() as stub_port,
        isolated.peer() as peer_port,
        isolated.gateway(stub_port) as served,
    ):
        asyncio.run(measure_time(served, stub_port, peer_port, arguments.requests))
        asyncio.run(measure_throughput(served, peer_port, arguments.seconds))


if __name__ == "__main__":
    main()
