"""Calls that type checkers must refuse: lines that end in `# error`, and no other; never run."""

from __future__ import annotations

import httpx

from users_sdk import Address, AsyncUsersClient, NewUser, Polling, Request, UsersClient

client = UsersClient(base_url="https://a.example")
async_client = AsyncUsersClient(base_url="https://a.example")
body = NewUser(name="Ada", email="ada@example.com")


async def on_request(request: Request) -> None:
    """Add nothing."""


UsersClient("https://a.example")  # error
UsersClient(base_url=5)  # error
UsersClient(timeout="5")  # error
UsersClient(timeout=None)  # error
UsersClient(max_retries=1.5)  # error
UsersClient(credentials=("key", "secret"))  # error
UsersClient(auth="token")  # error
UsersClient(http_client=httpx.AsyncClient())  # error
UsersClient(http_client="requests")  # error
UsersClient(polling=1.0)  # error
UsersClient(request_hooks=[on_request])  # error
UsersClient(request_hooks=on_request)  # error
UsersClient(tracer_provider="otel")  # error
UsersClient(proxy="http://a.example")  # error
AsyncUsersClient(http_client=httpx.Client())  # error
Polling(interval="1")  # error
NewUser(name="Ada")  # error
NewUser(name=5, email="ada@example.com")  # error
NewUser(name="Ada", email="ada@example.com", nickname="x")  # error
client.create_user()  # error
client.create_user(5)  # error
client.create_user("{}")  # error
client.create_user(b"{}")  # error
client.create_user([body])  # error
client.create_user(Address(street="1 Road", city="London", country="GB"))  # error
client.create_user(name="Ada", email="ada@example.com")  # error
client.create_users(body)  # error
client.create_users([5])  # error
client.create_users([body], nope=1)  # error
client.create_users([body], max_concurrency="5")  # error
client.create_users([body], idempotency_key="k")  # error
client.create_users([body], idempotency_key=lambda new: new.nickname)  # error
client.create_users([{"name": "Ada"}], idempotency_key=lambda row: 5)  # error
async_client.create_users([body], nope=1)  # error
print(next(client.create_users([body])).item.nickname)  # error
client.create_user(body, "key")  # error
client.create_user(body, idempotency_key=5)  # error
client.create_user(body, timeout="5")  # error
client.create_user(body).result("5")  # error
client.create_user(body).add_done_callback(lambda done: print(done.nickname))  # error
client.create_user(body).bind(async_client)  # error
print(client.create_user(body).result().nickname)  # error
client.get_user("u")  # error
client.get_user(user_id=5)  # error
client.get_user(user_id="u").created_at.upper()  # error
client.get_user(user_id="u").phone.upper()  # error
client.get_status(message_id=None)  # error
client.resume_create_user(5)  # error
client.delete_user(user_id="u")  # error
async_client.create_user(body).result()  # error
print(async_client.get_user(user_id="u").user_id)  # error
list(client.create_user(body))  # error


async def misuse() -> None:
    """Take one world for the other."""
    await client.create_user(body)  # error
    list(await async_client.create_user(body))  # error
    async with client:  # error
        client.close()
    with async_client:  # error
        await async_client.aclose()
