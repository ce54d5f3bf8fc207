"""Every operation across the wire, into the real consumer and the real engine."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from users_sdk import Address, AsyncUsersClient, NewUser, NotFoundError, OperationFailed

FULL = NewUser(
    name="Ada Lovelace",
    email="ada@example.com",
    phone="+441632960961",
    address=Address(street="12 St James's Square", city="London", country="GB"),
    tags=["mathematics", "engines & looms"],
)
SMALL = {"name": "Ada", "email": "ada@example.com"}


async def test_a_created_user_is_what_was_sent(api: Any) -> None:
    """The user that a create resolves to has every member that was sent, and when it was made."""
    user = await api.create(FULL)
    assert user.model_dump(
        exclude={"user_id", "created_at"}, exclude_unset=True
    ) == FULL.model_dump(exclude_unset=True)
    assert abs(datetime.now(UTC) - user.created_at) < timedelta(minutes=1)


async def test_absent_members_stay_absent(api: Any) -> None:
    """What was not sent is not made up."""
    user = await api.create(SMALL)
    assert user.model_dump(exclude_unset=True).keys() == {"userId", "createdAt", "name", "email"}


async def test_empty_lists_and_partial_addresses_come_back(api: Any) -> None:
    """An empty list is a list, and an address has only the members that were sent."""
    address = {"street": "1 Main St", "city": "Springfield", "region": "IL", "country": "US"}
    user = await api.create({**SMALL, "tags": [], "address": address})
    assert user.tags == []
    assert user.address is not None
    assert user.address.model_dump(exclude_unset=True) == address


async def test_the_user_can_be_read_at_once(api: Any) -> None:
    """A user that a create resolved to is there for get_user."""
    user = await api.create(SMALL)
    assert await api.get_user(user.user_id) == user


async def test_the_status_ends_with_the_user(api: Any) -> None:
    """The status of a finished message names the user."""
    handle = await api.start(SMALL)
    user = await api.result(handle)
    state = await api.get_status(handle.message_id)
    assert (state.message_id, state.status, state.user_id) == (
        handle.message_id,
        "SUCCEEDED",
        user.user_id,
    )


async def test_an_unknown_message_is_pending(api: Any) -> None:
    """A message ID that was never given out cannot be told from one that waits."""
    state = await api.get_status(str(uuid.uuid4()))
    assert (state.status, state.user_id, state.error) == ("PENDING", None, None)


async def test_an_unknown_user_is_not_found(api: Any) -> None:
    """A well-formed ID of no user is 404."""
    with pytest.raises(NotFoundError) as caught:
        await api.get_user(str(uuid.uuid4()))
    assert caught.value.code == "NOT_FOUND"
    assert caught.value.request_id


async def test_one_key_is_one_user(api: Any) -> None:
    """The same request again, with its key, resolves to the same user."""
    key = str(uuid.uuid4())
    first = await api.create(SMALL, idempotency_key=key)
    second = await api.create(SMALL, idempotency_key=key)
    assert first == second


async def test_a_key_with_another_body_fails_visibly(api: Any) -> None:
    """A key that meant another body makes the creation fail, and says why."""
    key = str(uuid.uuid4())
    await api.create(SMALL, idempotency_key=key)
    with pytest.raises(OperationFailed) as caught:
        await api.create({**SMALL, "name": "Eve"}, idempotency_key=key)
    assert caught.value.code == "IDEMPOTENCY_KEY_REUSED"
    assert caught.value.message_id


async def test_without_a_key_each_create_is_a_user(api: Any) -> None:
    """Two creates of equal bodies are two users."""
    first, second = await asyncio.gather(api.create(SMALL), api.create(SMALL))
    assert first.user_id != second.user_id


async def test_one_key_sent_many_times_at_once_is_one_user(async_client: AsyncUsersClient) -> None:
    """Racing creates with one key resolve to one user."""
    key = str(uuid.uuid4())
    users = await asyncio.gather(
        *(
            async_client.create_user_and_wait(SMALL, idempotency_key=key, timeout=30)
            for _ in range(16)
        )
    )
    assert len({user.user_id for user in users}) == 1


async def test_a_hundred_creates_are_a_hundred_users(async_client: AsyncUsersClient) -> None:
    """Many creates at once all resolve, none twice."""
    handles = [
        await async_client.create_user({"name": f"User {n}", "email": f"{n}@example.com"})
        for n in range(100)
    ]
    users = await asyncio.gather(*handles)
    assert [user.name for user in users] == [f"User {n}" for n in range(100)]
    assert len({user.user_id for user in users}) == 100


async def test_a_handle_goes_on_in_another_client(environment: dict[str, str]) -> None:
    """A token of one client resolves to the user in another."""
    async with AsyncUsersClient() as first:
        token = (await first.create_user(SMALL)).token()
    async with AsyncUsersClient() as second:
        user = await second.resume_create_user(token)
    assert user.name == SMALL["name"]
