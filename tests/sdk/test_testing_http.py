"""The fake server behind `httpx`, `httpx2` and respx."""

from __future__ import annotations

from types import ModuleType

import httpx
import httpx2
import pytest
import respx

from users_sdk import AnswerTimeout, AsyncUsersClient, BearerToken, ProtocolError, UsersClient
from users_sdk.testing import FakeServer, Fault

ADA = {"name": "Ada", "email": "ada@example.com"}
URL = "https://any.test/dev"
TOKEN = BearerToken("t")

libraries = pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])


@libraries
def test_it_is_a_mock_transport(library: ModuleType) -> None:
    """A blocking client lives in the fake's time; its handles advance by themselves."""
    fake = FakeServer()
    fake.on("create_user").settles(after=60)
    with (
        library.Client(transport=library.MockTransport(fake.respond)) as http,
        fake.client(http_client=http) as client,
    ):
        handle = client.create_user(ADA)
        assert not handle.done()
        assert handle.result().name == "Ada"
    assert 60 <= fake.clock.now < 70


@libraries
async def test_it_is_a_mock_transport_of_an_asynchronous_client(library: ModuleType) -> None:
    """The same, awaited."""
    fake = FakeServer()
    fake.on("create_user").settles(after=60)
    async with (
        library.AsyncClient(transport=library.MockTransport(fake.respond)) as http,
        fake.async_client(http_client=http) as client,
    ):
        handle = await client.create_user(ADA)
        assert (await handle).name == "Ada"
    assert 60 <= fake.clock.now < 70


@libraries
def test_it_answers_without_an_sdk(library: ModuleType) -> None:
    """Wherever the API is mounted, a wrong body is 400, and what there is not is 404."""
    fake = FakeServer()
    transport = library.MockTransport(fake.respond)
    with library.Client(transport=transport, base_url="https://any.test/dev") as http:
        assert http.post("/users", json={"name": 1}).status_code == 400
        assert http.post("/users", json=ADA).status_code == 202
        assert http.delete("/users").status_code == 405
        assert http.get("/nothing").status_code == 404
    assert [request.operation for request in fake.requests][:2] == ["create_user"] * 2


@libraries
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.RESET_BEFORE, "ConnectError"),
        (Fault.RESET_AFTER_COMMIT, "ReadError"),
        (Fault.TIMEOUT, "ReadTimeout"),
    ],
)
def test_a_fault_is_the_library_s_own_error(library: ModuleType, fault: Fault, error: str) -> None:
    """And a time-out takes the time that the request would have waited."""
    fake = FakeServer()
    fake.on("create_user").faults(fault)
    with (
        library.Client(transport=library.MockTransport(fake.respond), timeout=7) as http,
        pytest.raises(getattr(library, error)),
    ):
        http.post("https://any.test/users", json=ADA)
    assert fake.clock.now == (7 if fault is Fault.TIMEOUT else 0)


@libraries
async def test_faults_reach_the_sdk(library: ModuleType) -> None:
    """As its own errors, sync and async."""
    fake = FakeServer()
    transport = library.MockTransport(fake.respond)
    fake.on("create_user").faults(Fault.TIMEOUT, Fault.GARBAGE, times=2)
    with (
        library.Client(transport=transport) as http,
        fake.client(http_client=http, max_retries=0) as client,
    ):
        for error in (AnswerTimeout, ProtocolError):
            with pytest.raises(error):
                client.create_user(ADA)
    async with (
        library.AsyncClient(transport=transport) as http,
        fake.async_client(http_client=http, max_retries=0) as client,
    ):
        for error in (AnswerTimeout, ProtocolError):
            with pytest.raises(error):
                await client.create_user(ADA)
    assert len(fake.results("create_user")) == 4


@respx.mock
def test_respx_routes_to_it() -> None:
    """Requests of a client that nobody has changed."""
    fake = FakeServer()
    route = respx.route(host="any.test").mock(side_effect=fake.respond)
    with UsersClient(base_url=URL, auth=TOKEN, http_client="httpx") as client:
        assert client.create_user_and_wait(ADA).name == "Ada"
    assert route.call_count == len(fake.requests) == 4


@respx.mock
async def test_respx_routes_to_it_asynchronously() -> None:
    """The same; some answers may be respx's own."""
    fake = FakeServer()
    eve = {"userId": "u", "name": "Eve", "email": "e", "createdAt": "2026-01-01T00:00:00Z"}
    respx.get(url__startswith=f"{URL}/users/").respond(json=eve)
    respx.route(host="any.test").mock(side_effect=fake.respond)
    async with AsyncUsersClient(base_url=URL, auth=TOKEN) as client:
        assert (await client.create_user_and_wait(ADA)).name == "Eve"
    assert [request.operation for request in fake.requests] == ["create_user", *["get_status"] * 2]
