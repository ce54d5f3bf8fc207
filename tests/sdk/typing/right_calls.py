"""Everything that a user calls, as type checkers see it; never run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future, as_completed, wait
from typing import Unpack, assert_type

import httpx
import httpx2
from aws_requests_auth.boto_utils import BotoAWSRequestsAuth  # pyright: ignore[reportMissingTypeStubs]
from botocore.credentials import Credentials
from opentelemetry.trace import get_tracer_provider

from users_sdk import (
    Address,
    ApiError,
    AsyncHandle,
    AsyncUsersClient,
    BatchOptions,
    BearerToken,
    ClientClosed,
    Handle,
    MessageStatus,
    MessageStatusStatus,
    NewUser,
    OperationFailed,
    Polling,
    Problem,
    Request,
    Response,
    SDKError,
    UnknownOutcome,
    User,
    UsersClient,
    WaitTimeout,
)

NEW_USER = NewUser(
    name="Ada",
    email="ada@example.com",
    phone="+441632960961",
    address=Address(street="1 Road", city="London", country="GB", postal_code="E1"),
    tags=["x"],
)


def sign(request: Request) -> Mapping[str, str]:
    """Add a header."""
    return {"X-Signature": str(len(request.body))}


def note(request: Request, response: Response) -> None:
    """Look at an answer."""
    print(request.method, response.status)


def clients() -> None:
    """Make clients in every way."""
    UsersClient()
    UsersClient(
        base_url="https://a.example",
        region="eu-west-1",
        credentials=Credentials("key", "secret"),
        http_client=httpx.Client(),
        timeout=5,
        attempt_timeout=1.5,
        max_retries=0,
        polling=Polling(interval=1.0, bounds=(0.5, 10.0), deadline=60, adaptive=False),
        user_agent_suffix="shop/1",
        request_hooks=[lambda request: {"X-Tenant": "t"}, lambda request: None],
        response_hooks=[note, lambda request, response: print(response.status, request.url)],
        tracer_provider=get_tracer_provider(),
    )
    UsersClient(http_client=httpx2.Client(), auth=BearerToken(lambda: "t"))
    UsersClient(http_client="httpx2", auth=sign)
    UsersClient(
        auth=BotoAWSRequestsAuth(
            aws_host="a.example", aws_region="eu-west-1", aws_service="execute-api"
        )
    )

    async def on_request(request: Request) -> Mapping[str, str] | None:
        await asyncio.sleep(0)
        return None

    AsyncUsersClient(http_client=httpx.AsyncClient(), request_hooks=[on_request])
    AsyncUsersClient(
        http_client=httpx2.AsyncClient(), response_hooks=[lambda request, response: None]
    )
    AsyncUsersClient(http_client="httpx")


def blocking() -> None:
    """Call everything of the blocking client."""
    with UsersClient() as client:
        handle = client.create_user(NEW_USER, idempotency_key="k", timeout=5)
        assert_type(handle, Handle[User])
        handles = [handle, client.create_user({"name": "Ada", "email": "ada@example.com"})]
        assert_type(client.create_user_and_wait(NEW_USER, timeout=5.5), User)
        assert_type(client.resume_create_user(handle.token()), Handle[User])
        status = client.get_status(message_id=handle.message_id, timeout=5)
        assert_type(status, MessageStatus)
        assert_type(status.status, MessageStatusStatus)
        user = client.get_user(user_id="u")
        assert_type(user, User)
        assert_type(user.phone, str | None)
        assert_type(user.tags, list[str] | None)
        assert_type(handle.result(), User)
        assert_type(handle.result(timeout=5), User)
        assert_type(handle.exception(5), BaseException | None)
        assert_type(handle.wait(5), bool)
        assert_type(handle.done(), bool)
        assert_type(handle.cancelled(), bool)
        assert_type(handle.cancel(), bool)
        assert_type(handle.status, str | None)
        assert_type(handle.request_id, str | None)
        assert_type(handle.idempotency_key, str | None)
        for state in handle.updates():
            assert_type(state, str)
        handle.add_done_callback(lambda done: print(done.message_id, done.result().user_id))
        handle.add_done_callback(told)
        handle.add_done_callback(told_of_future)
        assert_type(handle.bind(client), Handle[User])
        wait(handles, timeout=5)
        for done in as_completed(handles):
            assert_type(done.result(), User)
    client.close()


def told(handle: Handle[User]) -> None:
    """Take note of a handle that is settled."""
    print(handle.message_id)


def told_of_future(future: Future[User]) -> None:
    """Take note of a future that is done, whatever made it."""
    print(future.result())


def many(client: UsersClient) -> None:
    """Create many users, with the input's own type in what comes back."""
    rows = [{"name": "Ada", "email": "ada@example.com"}]
    for of_row in client.create_users(rows, idempotency_key=lambda row: row["email"]):
        assert_type(of_row.item, dict[str, str])
        assert_type(of_row.value, User)
        assert_type(of_row.index, int)
        assert_type(of_row.idempotency_key, str | None)
        assert_type(of_row.message_id, str | None)
        assert_type(of_row.error, BaseException | None)
    outcomes = client.create_users(
        iter([NEW_USER]),
        max_concurrency=5,
        in_order=True,
        raise_errors=True,
        idempotency_key=lambda new: new.email,
        progress=True,
        timeout=5,
    )
    for of_model in outcomes:
        assert_type(of_model.item, NewUser)
    mixed: list[NewUser | Mapping[str, object]] = [NEW_USER, {"name": "Ada"}]
    for of_either in client.create_users(mixed):
        assert_type(of_either.item, NewUser | Mapping[str, object])


def imported(client: UsersClient, **options: Unpack[BatchOptions[NewUser]]) -> int:
    """Pass the options of a batch on."""
    return sum(outcome.error is None for outcome in client.create_users([NEW_USER], **options))


async def many_asynchronous(client: AsyncUsersClient) -> None:
    """Create many users from both kinds of iterables."""

    async def rows() -> AsyncIterator[dict[str, str]]:
        yield {"name": "Ada", "email": "ada@example.com"}

    async for of_row in client.create_users(rows(), idempotency_key=lambda row: row["email"]):
        assert_type(of_row.item, dict[str, str])
        assert_type(of_row.value, User)
    async for of_model in client.create_users([NEW_USER], idempotency_key=lambda new: new.name):
        assert_type(of_model.item, NewUser)


async def asynchronous() -> None:
    """Call everything of the asynchronous client."""
    async with AsyncUsersClient() as client:
        handle = await client.create_user(NEW_USER, idempotency_key="k", timeout=5)
        assert_type(handle, AsyncHandle[User])
        other = await client.create_user({"name": "Ada", "email": "ada@example.com"})
        assert_type(await client.create_user_and_wait(NEW_USER, timeout=5), User)
        assert_type(client.resume_create_user(handle.token()), AsyncHandle[User])
        assert_type(await client.get_status(message_id="m"), MessageStatus)
        assert_type(await client.get_user(user_id="u", timeout=1), User)
        assert_type(await handle, User)
        assert_type(await handle.result(timeout=5), User)
        assert_type(await handle.exception(), BaseException | None)
        assert_type(await handle.wait(5), bool)
        assert_type(handle.cancel(), bool)
        assert_type(handle.done(), bool)
        handle.add_done_callback(lambda done: print(done.message_id))
        async for state in handle.updates():
            assert_type(state, str)
        first, second = await asyncio.gather(handle, other)
        assert_type(first, User)
        assert_type(second, User)
        assert_type(handle.bind(client), AsyncHandle[User])
        # What asyncio.wait takes by its types is futures; a handle becomes one as any awaitable.
        done, _ = await asyncio.wait([asyncio.ensure_future(handle), asyncio.ensure_future(other)])
        for task in done:
            assert_type(task.result(), User)
    await client.aclose()


def errors(client: UsersClient) -> None:
    """Read what errors carry."""
    try:
        client.create_user_and_wait(NEW_USER)
    except UnknownOutcome as error:
        assert_type(error.idempotency_key, str | None)
    except ApiError as error:
        assert_type(error.status, int)
        assert_type(error.code, str | None)
        assert_type(error.retry_after, float | None)
        if isinstance(error.problem, Problem):
            assert_type(error.problem.title, str)
    except OperationFailed as error:
        assert_type(error.message, str | None)
    except WaitTimeout as error:
        assert_type(error.token, str)
    except ClientClosed as error:
        assert_type(error.token, str | None)
    except SDKError as error:
        assert_type(error.request_id, str | None)
