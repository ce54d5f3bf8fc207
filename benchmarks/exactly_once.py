"""
How many users a create makes when answers are lost, servers are busy and processes are killed.

    python -m benchmarks.exactly_once [--trials 10000] [--kills 30] [--creates 100000] [--seed 1]

A trial is one create by a caller that goes on after `UnknownOutcome` or a 5xx with the key of the
error. Its faults are drawn from the seed: a connection that breaks or an answer that is late,
before or after the server committed, and 503, before and after. A kill is a real process that is
ended with SIGKILL by the server, at one of these moments, and one that repeats it with the same
key. Each trial must end with exactly one user, the one that was asked for; anything else fails the
program.

Last, the memory of a client that makes many users, one after the other, in ten windows.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import gc
import http.server
import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
from botocore.credentials import Credentials

from users_sdk import (
    AsyncUsersClient,
    Polling,
    ServerError,
    UnknownOutcome,
    User,
    UsersClient,
)

Fault = Literal["lost before", "lost after", "late before", "late after", "503 before", "503 after"]
Moment = Literal["before", "after", "at the status", "at the user"]

FAULTS: tuple[Fault, ...] = (
    "lost before",
    "lost after",
    "late before",
    "late after",
    "503 before",
    "503 after",
)
MOMENTS: tuple[Moment, ...] = ("before", "after", "at the status", "at the user")
MOST_FAULTS = {"POST": 6, "GET": 1}
CONCURRENCY = 1000
WINDOWS = 10
SETTINGS: dict[str, Any] = {
    "region": "eu-west-1",
    "credentials": Credentials("AKIDEXAMPLE", "not-a-secret"),
}


@dataclass
class Users:
    """
    A server of users: a key means one user, and a status is good once its user is there.

    Attributes:
        by_key: Who was made with which key, in the order of their making.
        committed: How often a user was written, by name.
    """

    by_key: dict[str, dict[str, str]] = field(default_factory=dict)
    by_id: dict[str, dict[str, str]] = field(default_factory=dict)
    committed: collections.Counter[str] = field(default_factory=collections.Counter)

    def create(self, key: str, body: bytes) -> str:
        """Make the user, or find the one that the key has made."""
        if key not in self.by_key:
            user = json.loads(body)
            number = f"{len(self.by_key):012d}"
            user |= {"userId": number, "createdAt": "2026-11-24T00:00:00Z"}
            self.by_key[key] = self.by_id[number] = user
            self.committed[user["name"]] += 1
        return self.by_key[key]["userId"]

    def answer(self, method: str, path: str, key: str, body: bytes) -> tuple[int, object]:
        """Answer a request, committed at once."""
        if method == "POST":
            return 202, {"messageId": self.create(key, body)}
        name = path.rpartition("/")[2]
        if path.startswith("/status/"):
            return 200, {"messageId": name, "status": "SUCCEEDED", "userId": name}
        return 200, self.by_id[name]


class Faulty:
    """Answers an HTTP client in this process, with the faults that a seed draws for each create."""

    def __init__(self, seed: int) -> None:
        self.users = Users()
        self.seen: collections.Counter[str] = collections.Counter()
        self._seed = seed
        self._left: dict[str, list[Fault]] = {}

    def handle(self, wire: httpx.Request) -> httpx.Response:
        """Answer, or fail."""
        key = wire.headers.get("idempotency-key", wire.url.path)
        fault = self._next(key, wire)
        if fault is not None and fault.endswith("before"):
            return self._fail(fault, wire)
        status, document = self.users.answer(wire.method, wire.url.path, key, wire.content)
        return httpx.Response(status, json=document) if fault is None else self._fail(fault, wire)

    def _next(self, key: str, wire: httpx.Request) -> Fault | None:
        if key not in self._left:
            # By what was asked for, which is the same in each run, as keys are not.
            subject = json.loads(wire.content)["name"] if wire.content else key
            draw = random.Random(f"{self._seed} {subject}")
            self._left[key] = draw.choices(FAULTS, k=draw.randint(0, MOST_FAULTS[wire.method]))
        return self._left[key].pop() if self._left[key] else None

    def _fail(self, fault: Fault, wire: httpx.Request) -> httpx.Response:
        self.seen[f"{wire.method} {fault}"] += 1
        if fault.startswith("503"):
            return httpx.Response(503)
        kind = httpx.ReadError if fault.startswith("lost") else httpx.ReadTimeout
        raise kind(fault, request=wire)


async def created(client: AsyncUsersClient, number: int) -> User:
    """Create a user, and go on for as long as the outcome is unknown."""
    body = {"name": f"User {number}", "email": f"{number}@example.com"}
    key: str | None = None
    while True:
        try:
            handle = await client.create_user(body, idempotency_key=key)
            return await handle.result(60)
        except (UnknownOutcome, ServerError) as error:
            key = error.idempotency_key


async def try_faults(trials: int, seed: int) -> None:
    """Run the trials in this process; fails unless each made its one user."""
    server = Faulty(seed)
    gate = asyncio.Semaphore(CONCURRENCY)
    transport = httpx.MockTransport(server.handle)
    async with (
        httpx.AsyncClient(transport=transport) as http_client,
        AsyncUsersClient(
            base_url="https://users.example",
            http_client=http_client,
            max_retries=3,
            polling=Polling(interval=0.01),
            **SETTINGS,
        ) as client,
    ):

        async def attempt(number: int) -> str:
            async with gate:
                user = await created(client, number)
                assert user.name == f"User {number}", "another trial's user"
                return user.user_id

        began = time.perf_counter()
        found = await asyncio.gather(*(attempt(number) for number in range(trials)))
    per_create = collections.Counter(
        server.users.committed[f"User {number}"] for number in range(trials)
    )
    print(f"{trials} creates in {time.perf_counter() - began:.1f} s, faults: {dict(server.seen)}")
    print(f"  users made per create: {dict(per_create)}, different users: {len(set(found))}")
    assert per_create == {1: trials}
    assert len(set(found)) == len(server.users.by_key) == trials


@contextmanager
def killing() -> Iterator[tuple[str, Users, dict[str, tuple[Moment, int]]]]:
    """Run a server that kills a process at a moment; gives URL, users, and whom to kill by key."""
    users = Users()
    victims: dict[str, tuple[Moment, int]] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            moment: Moment = "at the status" if self.path.startswith("/status") else "at the user"
            if not self.kill(moment):
                self.reply()

        def do_POST(self) -> None:
            if not self.kill("before"):
                self.reply()

        def kill(self, moment: Moment) -> bool:
            process = int(self.headers["User-Agent"].rpartition("/")[2])
            meant = (moment, process) in victims.values()
            if meant:
                os.kill(process, signal.SIGKILL)
                self.close_connection = True
            return meant

        def reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            key = self.headers.get("Idempotency-Key", "")
            status, document = users.answer(self.command, self.path, key, body)
            if self.command == "POST":
                self.kill("after")
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            try:
                self.wfile.write(content)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None: ...

    class Listener(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing of connections that break: that is what is tried."""

    with Listener(("127.0.0.1", 0), Handler) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listener.server_port}", users, victims
        listener.shutdown()


_PROGRAM = """
import os, sys
from botocore.credentials import Credentials
from users_sdk import UsersClient
sys.stdin.readline()
with UsersClient(
    base_url=sys.argv[1],
    region="eu-west-1",
    credentials=Credentials("AKIDEXAMPLE", "not-a-secret"),
    user_agent_suffix=f"pid/{os.getpid()}",
) as client:
    body = {"name": sys.argv[2], "email": "ada@example.com"}
    print(client.create_user_and_wait(body, idempotency_key=sys.argv[2], timeout=30).user_id)
"""


def try_kills(kills: int) -> None:
    """Kill creating processes, and repeat what they did; fails unless each made its one user."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with killing() as (url, users, victims):
        for number in range(kills):
            key = f"kill-{number}"
            moment = MOMENTS[number % len(MOMENTS)]
            for repetition in range(2):
                with subprocess.Popen(
                    [sys.executable, "-c", _PROGRAM, url, key],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=environment,
                    text=True,
                ) as process:
                    if repetition == 0:
                        victims[key] = (moment, process.pid)
                    said, _ = process.communicate("go\n", timeout=60)
                expected = -signal.SIGKILL if repetition == 0 else 0
                assert process.returncode == expected, f"{key} {moment}: {process.returncode}"
            assert said.strip() == users.by_key[key]["userId"], "lost"
    print(f"{kills} processes killed and repeated: {dict(users.committed.most_common(3))} …")
    assert set(users.committed.values()) == {1}
    assert len(users.committed) == kills


def resident_kib() -> int:
    """Return the memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() // 1024


def watch_memory(creates: int) -> None:
    """Make users one after the other, and print what memory is held after each window."""
    user = {"name": "Ada", "email": "ada@example.com"}
    accepted = httpx.Response(202, json={"messageId": "m"}).content
    headers = {"Content-Type": "application/json"}

    def handle(wire: httpx.Request) -> httpx.Response:
        return httpx.Response(202, headers=headers, content=accepted)

    held: list[tuple[int, int]] = []
    with (
        httpx.Client(transport=httpx.MockTransport(handle)) as http_client,
        UsersClient(
            base_url="https://users.example", http_client=http_client, **SETTINGS
        ) as client,
    ):
        for _ in range(WINDOWS):
            for _ in range(creates // WINDOWS):
                client.create_user(user)
            gc.collect()
            held.append((resident_kib(), len(gc.get_objects())))
    print(f"{creates} sequential creates, KiB held: {[kib for kib, _ in held]}")
    growth = held[-1][0] - held[0][0]
    per_create = growth * 1024 / (creates * (WINDOWS - 1) / WINDOWS)
    objects = held[-1][1] - held[0][1]
    print(
        f"  growth after the first window: {growth} KiB, {per_create:.2f} bytes a create, ", end=""
    )
    print(f"{objects} objects")


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description="users made per create, under faults")
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--creates", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    asyncio.run(try_faults(arguments.trials, arguments.seed))
    try_kills(arguments.kills)
    watch_memory(arguments.creates)


if __name__ == "__main__":
    main()
