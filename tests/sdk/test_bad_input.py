"""What the issue calls bad input: each is one clear error that says what to do, or is tolerated."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.sdk.orders import CHAIN, CREATE, GET, AsyncOrdersClient, Keys, OrdersClient, Server
from users_sdk import Address, AsyncUsersClient, MessageStatusStatus, NewUser, UsersClient
from users_sdk._body import MAX_BODY_BYTES
from users_sdk.errors import (
    ApiError,
    ClientClosed,
    ConfigurationError,
    ForbiddenError,
    InvalidArgumentError,
    ProtocolError,
    SDKError,
    UnknownOutcome,
)

ITEM = {"item": "x"}
BODY = b'{"item":"x"}'
ADA = {"name": "Ada", "email": "ada@example.com"}
SETTINGS: dict[str, Any] = {
    "base_url": "https://orders.example",
    "region": "eu-west-1",
    "credentials": Keys(),
}


def raw(status: str, body: bytes, *fields: str, length: int | None = None) -> bytes:
    """Return an answer as it goes over the wire."""
    declared = len(body) if length is None else length
    head = [f"HTTP/1.1 {status}", "Content-Type: application/json", *fields]
    return "\r\n".join([*head, f"Content-Length: {declared}", "", ""]).encode() + body


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Run a server that gives one answer to everything, and closes; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    # To its end: closing with something unread would take the answer back.
                    received = connection.recv(65536)
                    while received.startswith(b"POST") and not received.endswith(BODY):
                        received += connection.recv(65536)
                    try:
                        connection.sendall(answer)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        # Closing alone would leave the thread in accept().
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def ask(answer: bytes) -> Any:
    """Get an order from a server that answers so, with the blocking client."""
    with (
        answering(answer) as url,
        OrdersClient(**SETTINGS | {"base_url": url, "max_retries": 0}) as client,
    ):
        return client._call(GET, arguments={"order_id": "1"})


def ask_async(answer: bytes) -> Any:
    """Get an order from a server that answers so, with the asynchronous client."""

    async def call(url: str) -> Any:
        settings = SETTINGS | {"base_url": url, "max_retries": 0}
        async with AsyncOrdersClient(**settings) as client:
            return await client._call(GET, arguments={"order_id": "1"})

    with answering(answer) as url:
        return asyncio.run(call(url))


worlds = pytest.mark.parametrize("get", [ask, ask_async], ids=["sync", "async"])
ORDER = b'{"orderId": "1", "item": "x"}'


@worlds
@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (raw("200 OK", b"<html>busy</html>"), "is not JSON: '<html>busy</html>'"),
        (raw("200 OK", ORDER[:-1]), "is not JSON"),
        (raw("200 OK", b""), "it is empty"),
        (raw("200 OK", b"[1, 2]"), "is not what the API describes"),
        (raw("200 OK", b'{"orderId": "1", "item": 7}'), "item: Input should be a valid string"),
        (raw("200 OK", b'{"orderId": "1"}'), "item: Field required"),
        (raw("200 OK", '{"orderId": "1", "item": "ü"}'.encode("latin-1")), "it is not UTF-8"),
        (raw("200 OK", ORDER.decode().encode("utf-16")), "it is not UTF-8"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "has a status that is not one of 200"),
        (raw("206 Partial Content", ORDER), "has a status that is not one of 200"),
        (raw("200 OK", b"x" * (MAX_BODY_BYTES + 1)), "larger than 10485760 bytes"),
        (
            raw("200 OK", gzip.compress(b" " * (MAX_BODY_BYTES + 1)), "Content-Encoding: gzip"),
            "larger than 10485760 bytes",
        ),
        (raw("200 OK", gzip.compress(ORDER)[:-9], "Content-Encoding: gzip"), "gzip is cut off"),
        (raw("200 OK", ORDER, "Content-Encoding: gzip"), "the answer is no gzip"),
        (raw("200 OK", ORDER, "Content-Encoding: br"), "is compressed by 'br'"),
    ],
)
def test_an_answer_that_breaks_the_description_says_how(
    get: Callable[[bytes], Any], answer: bytes, said: str
) -> None:
    """Not JSON, cut off, empty, of another shape, too large however it is packed."""
    with pytest.raises(ProtocolError) as caught:
        get(answer)
    assert said in str(caught.value)


@worlds
@pytest.mark.parametrize(
    "answer",
    [
        raw("200 OK", ORDER),
        raw("200 OK", ORDER.replace(b"}", b', "new": [1]}')),
        raw("200 OK", gzip.compress(ORDER), "Content-Encoding: gzip"),
        raw("200 OK", zlib.compress(ORDER), "Content-Encoding: deflate"),
        raw("200 OK", ORDER, "Content-Encoding: identity"),
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + raw("200 OK", ORDER),
        b"HTTP/1.1 200 OK\r\n\r\n" + ORDER,
    ],
    ids=["usual", "new member", "gzip", "deflate", "identity", "early hints", "no length"],
)
def test_what_can_be_understood_is_tolerated(get: Callable[[bytes], Any], answer: bytes) -> None:
    """New members are kept; compression is undone though it was not asked for."""
    order = get(answer)
    assert (order.order_id, order.item) == ("1", "x")
    assert (order.model_extra or {}).get("new") in (None, [1])


@worlds
def test_an_answer_that_is_cut_off_is_none(get: Callable[[bytes], Any]) -> None:
    """The request was carried out, or not: nobody knows."""
    with pytest.raises(UnknownOutcome):
        get(raw("200 OK", ORDER[:5], length=len(ORDER)))


@worlds
def test_a_redirect_is_not_followed_and_says_where_to(get: Callable[[bytes], Any]) -> None:
    """Most often the URL is wrong; the query of the other one may hold what logs should not."""
    with pytest.raises(ApiError, match="307 Temporary Redirect") as caught:
        get(raw("307 Temporary Redirect", b"", "Location: https://b.example/x?token=hush"))
    assert "https://b.example/x" in str(caught.value)
    assert "base_url" in str(caught.value)
    assert "hush" not in str(caught.value)


@worlds
def test_expired_credentials_are_named(get: Callable[[bytes], Any]) -> None:
    """What to do is another thing than for a wrong signature."""
    body = json.dumps({"code": "EXPIRED_TOKEN", "detail": "The token is expired."}).encode()
    with pytest.raises(ForbiddenError, match="EXPIRED_TOKEN") as caught:
        get(raw("403 Forbidden", body))
    assert "The credentials have expired: renew them" in str(caught.value)


def create(answer: bytes, operation: Any) -> Any:
    """Create an order at a server that answers so, with the blocking client."""
    arguments = {"idempotency_key": "k-1"}
    with (
        answering(answer) as url,
        OrdersClient(**SETTINGS | {"base_url": url, "max_retries": 0}) as client,
    ):
        if operation is CHAIN:
            return client._start(CHAIN, arguments=arguments, body=ITEM)
        return client._call(CREATE, arguments=arguments, body=ITEM)


def create_async(answer: bytes, operation: Any) -> Any:
    """Create an order at a server that answers so, with the asynchronous client."""
    arguments = {"idempotency_key": "k-1"}

    async def call(url: str) -> Any:
        settings = SETTINGS | {"base_url": url, "max_retries": 0}
        async with AsyncOrdersClient(**settings) as client:
            if operation is CHAIN:
                return await client._start(CHAIN, arguments=arguments, body=ITEM)
            return await client._call(CREATE, arguments=arguments, body=ITEM)

    with answering(answer) as url:
        return asyncio.run(call(url))


NAMED = "x-amzn-RequestId: rid-1"
ACCEPTED = b'{"requestId": "r0"}'


@pytest.mark.parametrize("create", [create, create_async], ids=["sync", "async"])
@pytest.mark.parametrize("operation", [CREATE, CHAIN], ids=["call", "start"])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (raw("202 Accepted", b"{", NAMED), ProtocolError),
        (raw("202 Accepted", b"[1]", NAMED), ProtocolError),
        (raw("202 Accepted", b"x" * (MAX_BODY_BYTES + 1), NAMED), ProtocolError),
        (
            raw(
                "202 Accepted",
                gzip.compress(b" " * (MAX_BODY_BYTES + 1)),
                NAMED,
                "Content-Encoding: gzip",
            ),
            ProtocolError,
        ),
        (raw("202 Accepted", ACCEPTED, NAMED, "Content-Encoding: gzip"), ProtocolError),
        (raw("202 Accepted", ACCEPTED, NAMED, "Content-Encoding: br"), ProtocolError),
        (
            raw("202 Accepted", gzip.compress(ACCEPTED)[:-9], NAMED, "Content-Encoding: gzip"),
            ProtocolError,
        ),
        (raw("202 Accepted", ACCEPTED, NAMED, length=500), UnknownOutcome),
    ],
    ids=["no JSON", "shape", "large", "bomb", "no gzip", "br", "gzip cut off", "cut off"],
)
def test_a_broken_answer_to_a_create_says_how_to_go_on(
    create: Callable[[bytes, Any], Any], operation: Any, answer: bytes, kind: type[SDKError]
) -> None:
    """It may have been carried out: the error has the key to repeat it with, and the request ID."""
    with pytest.raises(kind) as caught:
        create(answer, operation)
    assert (caught.value.request_id, caught.value.idempotency_key) == ("rid-1", "k-1")
    assert "may have been carried out; repeat it with the same idempotency key" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("400 Bad Request", "would be refused again"),
        ("404 Not Found", "base_url is the API's, with its stage"),
        ("405 Method Not Allowed", "base_url is the API's, with its stage"),
        ("409 Conflict", "would be refused again"),
        ("413 Content Too Large", "API Gateway takes 10 MB at most"),
        ("415 Unsupported Media Type", "Content-Type"),
        ("422 Unprocessable Content", "would be refused again"),
        ("429 Too Many Requests", "repeat it later"),
        ("500 Internal Server Error", "repeat it with the same idempotency key"),
    ],
)
def test_a_refused_create_says_what_to_do(status: str, said: str) -> None:
    """Also where the server itself says nothing of it."""
    with pytest.raises(ApiError, match=f"POST /orders was answered with {status[:3]}") as caught:
        create(raw(status, b"{}", NAMED), CREATE)
    assert said in str(caught.value)
    assert caught.value.request_id == "rid-1"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"base_url": 5}, "base_url must be a text, not 5"),
        ({"base_url": b"https://a.example"}, "base_url must be a text, not a bytes"),
        ({"base_url": "a.example/v1"}, "base_url must be like https://host/stage"),
        ({"base_url": "https://a.example/a b"}, "percent-encoded"),
        ({"base_url": "https://a.example/%zz"}, "percent-encoded"),
        ({"base_url": "https://münchen.example"}, "percent-encoded"),
        ({"base_url": "https://a.example/v1?x=1"}, "without user, query or fragment"),
        ({"base_url": "https://a.example/v1?"}, "without user, query or fragment"),
        ({"base_url": "https://a.example/v1#x"}, "without user, query or fragment"),
        ({"base_url": "https://a.example/v1#"}, "without user, query or fragment"),
        ({"base_url": "https://me:hush@a.example/v1"}, "without user, query or fragment"),
        ({"base_url": "https://@a.example/v1"}, "without user, query or fragment"),
        ({"base_url": "https://a.example/../v1"}, "without . or .. as a part of the path"),
        ({"base_url": "https://a.example/./v1"}, "without . or .. as a part of the path"),
        ({"base_url": "https://a.example/v1/.."}, "without . or .. as a part of the path"),
        ({"base_url": "https://a.example/%2e%2E/v1"}, "without . or .. as a part of the path"),
        ({"region": 5}, "region must be a text, not 5"),
        ({"credentials": "AKID:secret"}, "credentials must have access_key"),
        ({"credentials": ("AKID", "secret")}, "credentials must have access_key"),
        ({"auth": 5, "credentials": None}, "auth"),
        ({"auth": "token", "credentials": None}, "auth"),
        ({"http_client": 5}, "http_client is a builtins.int"),
        ({"http_client": "urllib3"}, "takes httpx"),
        ({"http_client": []}, "http_client is a builtins.list"),
        ({"timeout": "30"}, "timeout must be a number of seconds, more than 0, not a str"),
        ({"timeout": None}, "timeout must be a number of seconds, more than 0, not a NoneType"),
        ({"timeout": True}, "timeout must be a number"),
        ({"timeout": float("nan")}, "timeout must be a number of seconds, more than 0, not nan"),
        ({"attempt_timeout": 0}, "attempt_timeout must be a number of seconds, more than 0"),
        ({"max_retries": 1.5}, "max_retries must be a whole number, 0 or more, not 1.5"),
        ({"max_retries": "3"}, "max_retries must be a whole number, 0 or more, not a str"),
        ({"max_retries": -1}, "max_retries must be a whole number, 0 or more, not -1"),
        ({"polling": 1.0}, "polling must be a Polling, not 1.0"),
        ({"user_agent_suffix": 5}, "user_agent_suffix must be a text, not 5"),
        ({"user_agent_suffix": "a\r\nX: y"}, "user_agent_suffix is sent as a header"),
        ({"user_agent_suffix": "a "}, "user_agent_suffix is sent as a header"),
        ({"request_hooks": 5}, "request_hooks must be a list of functions"),
        ({"response_hooks": [5]}, "response_hooks must be functions"),
        ({"tracer_provider": 5}, "tracer_provider must be an OpenTelemetry tracer provider"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("kind", [OrdersClient, AsyncOrdersClient])
def test_a_wrong_setting_is_named(kind: type[Any], wrong: dict[str, Any], said: str) -> None:
    """Each argument of the wrong type or value: when the client is made, and without secrets."""
    with pytest.raises(ConfigurationError) as caught:
        kind(**SETTINGS | wrong)
    assert said in str(caught.value)
    assert "AKID" not in str(caught.value)


def test_no_credentials_names_where_they_were_looked_for() -> None:
    """Every provider that was asked."""
    with (
        OrdersClient(base_url="https://orders.example", region="eu-west-1") as client,
        pytest.raises(ConfigurationError, match="No AWS credentials") as caught,
    ):
        client._call(CREATE, arguments={}, body=ITEM)
    for provider in ("env", "shared-credentials-file", "config-file", "container-role", "iam-role"):
        assert provider in str(caught.value)


def test_no_region_says_how_to_give_one() -> None:
    """A custom domain does not name one."""
    with (
        OrdersClient(base_url="https://orders.example", credentials=Keys()) as client,
        pytest.raises(ConfigurationError, match=r"No region.*region=.*AWS_REGION"),
    ):
        client._call(CREATE, arguments={}, body=ITEM)


@pytest.mark.parametrize("timeout", [0, -1, "5", float("nan"), True])
def test_a_timeout_that_is_none_is_refused(timeout: Any) -> None:
    """Before anything is sent; for a call and for a call that waits."""
    with OrdersClient(**SETTINGS) as client:
        for method in (client._call, client._start, client._start_and_wait):
            chain: Any = CREATE if method == client._call else CHAIN
            with pytest.raises(InvalidArgumentError, match="timeout must be a number of seconds"):
                method(chain, arguments={}, body=ITEM, timeout=timeout)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"email": "a@b"}, "name"),
        ({"name": " ", "email": "a@b"}, "name"),
        ({"name": "Ada", "email": "nowhere"}, "email"),
        ({"name": "Ada", "email": "a@b", "tags": ["x", ""]}, "tags.1"),
        (
            {"name": "Ada", "email": "a@b", "address": {"street": "s", "city": "c"}},
            "address.country",
        ),
        ({"name": "Ada", "email": "a@b", "nickname": "x"}, "nickname"),
        (5, ""),
        ("Ada", ""),
        ([], ""),
    ],
)
def test_a_body_that_fails_the_model_names_the_field(body: Any, place: str) -> None:
    """Before anything is sent, by its name on the wire."""
    with (
        UsersClient(**SETTINGS | {"base_url": "http://127.0.0.1:1"}) as client,
        pytest.raises(InvalidArgumentError) as caught,
    ):
        client.create_user(body)
    assert place in [where for where, _ in caught.value.reasons]


def test_values_that_json_has_not_are_refused() -> None:
    """Half a character, and a number that is none."""
    with OrdersClient(**SETTINGS) as client:
        for item in ("\ud800", float("nan")):
            with pytest.raises(InvalidArgumentError):
                client._call(CREATE, arguments={}, body={"item": item})


@pytest.mark.parametrize("key", ["", "ü", "a\nb", " a"])
def test_an_idempotency_key_that_cannot_be_sent_is_refused(key: str) -> None:
    """It is a header's value."""
    with OrdersClient(**SETTINGS) as client, pytest.raises(InvalidArgumentError, match="key"):
        client._call(CREATE, arguments={"idempotency_key": key}, body=ITEM)


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({"name": "Ada", "email": "a@b", "phone": None}, ["phone"]),
        (NewUser(name="Ada", email="a@b", phone=None, tags=None), ["phone", "tags"]),
        (
            NewUser(
                name="Ada",
                email="a@b",
                address=Address(street="s", city="c", country="GB", postal_code=None),
            ),
            ["address.postalCode"],
        ),
    ],
)
def test_none_where_the_api_takes_no_null_is_refused(body: Any, places: list[str]) -> None:
    """Unset, `null` and a default are three things: what would be sent as `null` is named."""
    with (
        UsersClient(**SETTINGS | {"base_url": "http://127.0.0.1:1"}) as client,
        pytest.raises(InvalidArgumentError, match="leave it unset") as caught,
    ):
        client.create_user(body)
    assert [place for place, _ in caught.value.reasons] == places


def test_an_attribute_set_to_none_later_is_refused_as_well() -> None:
    """The instance is checked when it is sent."""
    user = NewUser(name="Ada", email="a@b", phone="+441632960961")
    user.phone = None
    with (
        UsersClient(**SETTINGS | {"base_url": "http://127.0.0.1:1"}) as client,
        pytest.raises(InvalidArgumentError, match="phone"),
    ):
        client.create_user(user)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda client: client.create_user(ADA, idempotency_key="k" * 256),
            "idempotency_key: String should have at most 255 characters, but a text of 256 charac",
        ),
        (
            lambda client: client.create_user(ADA, idempotency_key=""),
            "idempotency_key",
        ),
    ],
)
def test_an_argument_outside_of_its_limits_is_refused(
    call: Callable[[UsersClient], object], said: str
) -> None:
    """Before anything is sent, by its Python name, with the limit and what was given."""
    with (
        UsersClient(**SETTINGS | {"base_url": "http://127.0.0.1:1"}) as client,
        pytest.raises(InvalidArgumentError) as caught,
    ):
        call(client)
    assert said in str(caught.value)


def test_a_state_that_the_document_does_not_list_is_kept() -> None:
    """A newer server may name it: it is an enumeration's member all the same, and its text."""
    body = b'{"messageId": "m", "status": "PAUSED"}'
    with (
        answering(raw("200 OK", body)) as url,
        UsersClient(**SETTINGS | {"base_url": url}) as client,
    ):
        state = client.get_status(message_id="c0ffee00-0000-4000-8000-000000000000").status
    assert (state, type(state)) == ("PAUSED", MessageStatusStatus)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.create_user(name="Ada", email="a@b"),
        lambda client: client.create_user(),
        lambda client: client.create_user(ADA, "key"),
        lambda client: client.get_user("u"),
    ],
    ids=["members as arguments", "no body", "key by place", "ID by place"],
)
def test_a_call_of_another_signature_is_refused(call: Callable[[Any], object]) -> None:
    """By Python itself, which names the argument."""
    with (
        UsersClient(**SETTINGS) as client,
        pytest.raises(TypeError, match=r"(create|get)_user\(\).*argument"),
    ):
        call(client)


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        b'{"name": "Ada", "email": "a@b"}',
        [ADA],
        5,
        None,
        Address(street="s", city="c", country="GB"),
    ],
    ids=["text", "bytes", "list", "number", "none", "another model"],
)
def test_what_is_no_body_is_refused(body: Any) -> None:
    """Before anything is sent; the message says what is taken, and not what was given."""
    with (
        UsersClient(**SETTINGS | {"base_url": "http://127.0.0.1:1"}) as client,
        pytest.raises(InvalidArgumentError, match=r"[Tt]he body (is not valid|must be given)"),
    ):
        client.create_user(body)


def test_a_closed_client_says_so() -> None:
    """It is closed once and for all."""
    client = UsersClient(**SETTINGS)
    client.close()
    with pytest.raises(ClientClosed, match="closed"):
        client.create_user(ADA)


async def test_a_closed_async_client_says_so() -> None:
    """It is closed once and for all."""
    client = AsyncUsersClient(**SETTINGS)
    await client.aclose()
    with pytest.raises(ClientClosed, match="closed"):
        await client.create_user(ADA)


async def test_a_client_of_the_other_world_is_refused() -> None:
    """`with` an asynchronous client and `async with` a blocking one are errors at once."""
    asynchronous: Any = AsyncUsersClient(**SETTINGS)
    blocking: Any = UsersClient(**SETTINGS)
    with pytest.raises(TypeError, match=r"AsyncUsersClient.*context manager"), asynchronous:
        pytest.fail("it was entered")
    with pytest.raises(TypeError, match=r"UsersClient.*asynchronous context manager"):
        async with blocking:
            pytest.fail("it was entered")


async def test_a_handle_is_used_as_what_it_is() -> None:
    """A blocking handle cannot be awaited, and no handle be iterated over."""
    server = Server(polls=10**6)
    with (
        server.client() as http_client,
        OrdersClient(**SETTINGS | {"http_client": http_client}) as client,
    ):
        handle: Any = client._start(CHAIN, arguments={}, body=ITEM)
        with pytest.raises(TypeError, match=r"Handle.*await"):
            await handle
        with pytest.raises(TypeError, match="not iterable"):
            list(handle)


@pytest.mark.parametrize("wrong", [5, 5.0, True, ["u"], {"a": 1}])
def test_an_argument_that_is_to_be_a_text_must_be_one(wrong: Any) -> None:
    """Nothing is guessed: an ID that is a number here is another one where it comes from."""
    server = Server()
    with server.client() as http, UsersClient(**SETTINGS, http_client=http) as client:
        with pytest.raises(InvalidArgumentError, match="user_id: Input should be a valid string"):
            client.get_user(user_id=wrong)
        with pytest.raises(InvalidArgumentError, match="idempotency_key: Input should be a valid"):
            client.create_user(ADA, idempotency_key=wrong)
        with pytest.raises(InvalidArgumentError, match="token must be the text"):
            client.resume_create_user(wrong)
    assert server.requests == []
