"""Clients against the real local runtime; the fixture `runtime` is in tests/conftest.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from deploy.local.runtime import LocalRuntime
from users_sdk import AsyncUsersClient, User, UsersClient

NewUserMapping = dict[str, Any]


@pytest.fixture
def environment(runtime: LocalRuntime, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables that `make serve` prints, set for this test."""
    variables = runtime.environment()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def client(environment: dict[str, str]) -> Iterator[UsersClient]:
    """A sync client."""
    with UsersClient() as client:
        yield client


@pytest.fixture
async def async_client(environment: dict[str, str]) -> AsyncIterator[AsyncUsersClient]:
    """An async client."""
    async with AsyncUsersClient() as client:
        yield client


class Api:
    """Both clients behind one asynchronous surface, so that a test is written once."""

    def __init__(
        self, call: Callable[..., Awaitable[Any]], finish: Callable[..., Awaitable[Any]]
    ) -> None:
        self._call = call
        self._finish = finish

    async def create(self, new_user: object, **options: Any) -> User:
        """Create a user and wait for it."""
        user = await self._call("create_user_and_wait", new_user, timeout=30, **options)
        assert isinstance(user, User)
        return user

    async def start(self, new_user: object, **options: Any) -> Any:
        """Start a creation; the handle."""
        return await self._call("create_user", new_user, **options)

    async def result(self, handle: Any) -> User:
        """Wait for a handle."""
        user = await self._finish(handle)
        assert isinstance(user, User)
        return user

    async def get_user(self, user_id: str) -> User:
        """Read a user."""
        user = await self._call("get_user", user_id=user_id)
        assert isinstance(user, User)
        return user

    async def get_status(self, message_id: str) -> Any:
        """Read the status of a message."""
        return await self._call("get_status", message_id=message_id)


@pytest.fixture(params=["sync", "async"])
async def api(request: pytest.FixtureRequest, environment: dict[str, str]) -> AsyncIterator[Api]:
    """Each test twice: through the sync and through the async client."""
    if request.param == "sync":
        with UsersClient() as client:

            async def call(name: str, *args: Any, **options: Any) -> Any:
                return await asyncio.to_thread(getattr(client, name), *args, **options)

            async def finish(handle: Any) -> Any:
                return await asyncio.to_thread(handle.result, 30)

            yield Api(call, finish)
        return
    async with AsyncUsersClient() as async_client:

        async def call_async(name: str, *args: Any, **options: Any) -> Any:
            return await getattr(async_client, name)(*args, **options)

        async def finish_async(handle: Any) -> Any:
            return await handle.result(30)

        yield Api(call_async, finish_async)
