"""
The gateway's own time per request, and what it takes from 1 to 64 connections, on loopback.

    python -m benchmarks.gateway [--requests 2000] [--seconds 3]

Gateway, stub backend, peer and load generator run in processes of their own. The gateway's own time
is the whole time through it, less that of the same client asking the stub itself. The requests are
signed before, and sent again and again. The peer is uvicorn with Starlette and one route that does
nothing: no signature, validation, template or backend.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks import isolated
from benchmarks.isolated import Served

CONNECTIONS = (1, 4, 16, 64)
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


def p50(values: list[float]) -> float:
    """The median."""
    return statistics.median(values)


async def measure(served: Served, stub_port: int, peer_port: int, count: int, wait: float) -> None:
    """Measure and print."""
    create = signed(served, "POST", "/users", _ADA)
    read = signed(served, "GET", f"/users/{isolated.USER_ID}")
    stub = p50(await latencies(stub_port, plain("POST", "/0/users", _ADA), count))
    peer = p50(await latencies(peer_port, plain("POST", "/users", _ADA), count))
    print(f"one client, {count} requests, p50:")
    print(f"  {'stub alone':<34} {stub:6.3f} ms")
    print(f"  {'peer (uvicorn + Starlette, no-op)':<34} {peer:6.3f} ms")
    for name, request in (("POST /users", create), ("GET /users/{userId}", read)):
        whole = await latencies(served.port, request, count)
        own = p50(whole) - stub
        print(
            f"  {name:<34} {p50(whole):6.3f} ms   gateway's own time {own:6.3f} ms "
            f"(goal {GOAL_MILLISECONDS} ms), {own / peer:.1f} x the peer"
        )
    print(f"requests per second, {wait:g} s each:")
    first = 0.0
    for connections in CONNECTIONS:
        ours = await throughput(served.port, create, connections, wait)
        theirs = await throughput(
            peer_port, plain("POST", "/users", _ADA), connections, min(wait, 1)
        )
        first = first or ours
        print(
            f"  {connections:>2} connections: POST /users {ours:6.0f}/s "
            f"({ours / first:.2f} of one connection's), peer {theirs:6.0f}/s, "
            f"ratio {ours / theirs:.2f}"
        )


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description="the gateway's own time per request")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=3.0)
    arguments = parser.parse_args()
    with (
        isolated.stub() as stub_port,
        isolated.peer() as peer_port,
        isolated.gateway(stub_port) as served,
    ):
        asyncio.run(measure(served, stub_port, peer_port, arguments.requests, arguments.seconds))


if __name__ == "__main__":
    main()
