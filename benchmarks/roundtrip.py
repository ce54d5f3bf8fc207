"""
How long a create takes until its user is there, in all and per hop, on this machine.

    python -m benchmarks.roundtrip [--rounds 100] [--users 2000] [--concurrency 32]

The chain is the local runtime: real signatures, gateway, queue, consumer process and table. The
peer is what people write by hand: requests with aws_requests_auth, asking once a second as
`Retry-After` says, and the same asking every 50 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Callable
from functools import partial

import requests
from aws_requests_auth.boto_utils import BotoAWSRequestsAuth

from benchmarks.serving import served
from deploy.local.runtime import LocalRuntime
from users_sdk import AsyncUsersClient, UsersClient

NEW_USER = {"name": "Ada Lovelace", "email": "ada@example.com", "tags": ["mathematics"]}


def milliseconds(action: Callable[[], object]) -> float:
    """How long an action takes."""
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000


def show(name: str, values: list[float]) -> None:
    """Print the median and the 95th percentile of a hop."""
    ordered = sorted(values)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    print(f"  {name:<44} p50 {statistics.median(ordered):7.1f} ms   p95 {p95:7.1f} ms")


def measure_hops(rounds: int) -> float:
    """Time each hop by itself, and the whole; the median of the whole in milliseconds."""
    posts, statuses, users, wholes = [], [], [], []
    with UsersClient() as client:
        client.create_user_and_wait(NEW_USER, timeout=30)
        for _ in range(rounds):
            began = time.perf_counter()
            handle = client.create_user(NEW_USER)
            posts.append((time.perf_counter() - began) * 1000)
            user_id = handle.result(timeout=30).user_id
            wholes.append((time.perf_counter() - began) * 1000)
            statuses.append(milliseconds(partial(client.get_status, message_id=handle.message_id)))
            users.append(milliseconds(partial(client.get_user, user_id=user_id)))
    show("POST /users", posts)
    show("GET /status/{messageId}", statuses)
    show("GET /users/{userId}", users)
    show("create -> User, sync, one client", wholes)
    return statistics.median(wholes)


async def measure_async(rounds: int) -> None:
    """Time the whole through the async client."""
    wholes = []
    async with AsyncUsersClient() as client:
        await client.create_user_and_wait(NEW_USER, timeout=30)
        for _ in range(rounds):
            began = time.perf_counter()
            await client.create_user_and_wait(NEW_USER, timeout=30)
            wholes.append((time.perf_counter() - began) * 1000)
    show("create -> User, async, one client", wholes)


def measure_peer(runtime: LocalRuntime, rounds: int, interval: float) -> float:
    """Time the whole with requests, aws_requests_auth and a loop; the median in milliseconds."""
    host = runtime.url.removeprefix("http://").partition("/")[0]
    session = requests.Session()
    session.auth = BotoAWSRequestsAuth(
        aws_host=host, aws_region=runtime.region, aws_service="execute-api"
    )

    def create() -> None:
        message_id = session.post(f"{runtime.url}/users", json=NEW_USER).json()["messageId"]
        while True:
            state = session.get(f"{runtime.url}/status/{message_id}").json()
            if state["status"] != "PENDING":
                break
            time.sleep(interval)
        session.get(f"{runtime.url}/users/{state['userId']}").raise_for_status()

    create()
    wholes = [milliseconds(create) for _ in range(rounds)]
    show(f"the same by requests, asking every {interval:g} s", wholes)
    return statistics.median(wholes)


async def measure_many(count: int, concurrency: int) -> None:
    """Create many users at once; all must resolve, none twice."""
    gate = asyncio.Semaphore(concurrency)
    async with AsyncUsersClient() as client:

        async def create(number: int) -> str:
            async with gate:
                user = await client.create_user_and_wait(
                    {"name": f"User {number}", "email": f"{number}@example.com"}, timeout=60
                )
                assert user.name == f"User {number}"
                return user.user_id

        began = time.perf_counter()
        identifiers = await asyncio.gather(*(create(number) for number in range(count)))
        seconds = time.perf_counter() - began
    different = len(set(identifiers))
    print(
        f"  {count} creates, {concurrency} at a time: {different} users in {seconds:.1f} s "
        f"({count / seconds:.0f} users/s)"
    )
    assert different == count


def measure_consumer(runtime: LocalRuntime) -> None:
    """Time the consumer's invocations so far, as the event source mapping saw them."""
    show("consumer, one invocation", [seconds * 1000 for seconds in runtime.consumer_durations()])


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description="create -> User, in all and per hop")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=32)
    arguments = parser.parse_args()
    with LocalRuntime() as runtime:
        os.environ.update(runtime.environment())
        print(f"{arguments.rounds} rounds, warm, local runtime:")
        ours = measure_hops(arguments.rounds)
        measure_consumer(runtime)
        asyncio.run(measure_async(arguments.rounds))
        fast = measure_peer(runtime, max(10, arguments.rounds // 5), 0.05)
        slow = measure_peer(runtime, max(5, arguments.rounds // 20), 1.0)
        print(f"  ratio to the peer: {ours / fast:.2f} (50 ms), {ours / slow:.2f} (a second)")
    with served() as environment:
        os.environ.update(environment)
        asyncio.run(measure_many(arguments.users, arguments.concurrency))


if __name__ == "__main__":
    main()
