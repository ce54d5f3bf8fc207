from __future__ import annotations

import traceback
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from tests.sdk.orders import CREATE, GET, Colour, NewOrder
from users_sdk._http import Headers
from users_sdk._operation import Body, Location, Operation, Parameter
from users_sdk._request import Prepared, prepare
from users_sdk.errors import InvalidArgumentError


def made(operation: Operation[Any], arguments: dict[str, Any], body: object = None) -> Prepared:
    return prepare(
        operation,
        "https://h.example/v1",
        arguments,
        body,
        headers=Headers({"User-Agent": "orders"}),
        new_key=lambda: "new-key",
    )


def in_query(value: object, style: str = "form", explode: bool = True) -> str:
    parameter = Parameter("p", "p", "query", style=style, explode=explode)
    operation: Operation[Any] = Operation("x", "x", "GET", "/", (parameter,))
    return made(operation, {"p": value}).request.url.removeprefix("https://h.example/v1/")


def in_path(value: object, style: str = "simple", explode: bool = False) -> str:
    parameter = Parameter("p", "p", "path", required=True, style=style, explode=explode)
    operation: Operation[Any] = Operation("x", "x", "GET", "/a/{p}/b", (parameter,))
    return made(operation, {"p": value}).request.url.removeprefix("https://h.example/v1/a/")[:-2]


def in_header(value: object, explode: bool = False) -> str:
    operation: Operation[Any] = Operation(
        "x", "x", "GET", "/", (Parameter("p", "X-P", "header", explode=explode),)
    )
    return made(operation, {"p": value}).request.headers["x-p"]


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])))
def test_an_id_is_one_segment(text: str) -> None:
    """Corner 3: whatever it holds, it reaches nothing but what it names."""
    if text in (".", ".."):
        return
    segments = urlsplit(made(GET, {"order_id": text}).request.url).path.split("/")
    assert len(segments) == 4
    assert unquote(segments[3]) == text


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_an_id_that_would_be_resolved_is_refused(text: str) -> None:
    """Corner 3: HTTP clients and servers resolve dots in paths: another resource would answer."""
    with pytest.raises(InvalidArgumentError, match="order_id"):
        made(GET, {"order_id": text})


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_query_value_comes_back_as_it_was(text: str) -> None:
    """Corner 26: spaces are %20, which signatures mean, and everything reserved is encoded."""
    query = in_query(text)
    assert "+" not in query
    assert parse_qsl(query[1:], keep_blank_values=True) == [("p", text)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (7, "7"),
        (1.5, "1.5"),
        (Decimal("12.50"), "12.50"),
        (date(2026, 11, 23), "2026-11-23"),
        (datetime(2026, 11, 23, 9, tzinfo=UTC), "2026-11-23T09%3A00%3A00Z"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Colour.RED, "red"),
        (Colour("green"), "green"),
    ],
)
def test_values_are_written_as_json_would(value: object, text: str) -> None:
    """In paths and in queries alike."""
    assert in_query(value) == f"?p={text}"
    assert in_path(value) == text


@pytest.mark.parametrize(
    ("style", "explode", "array", "mapping"),
    [
        ("form", True, "?p=a&p=b%2C", "?k=1&l=2"),
        ("form", False, "?p=a%2Cb%2C", "?p=k%2C1%2Cl%2C2"),
        ("spaceDelimited", False, "?p=a%20b%2C", "?p=k%201%20l%202"),
        ("pipeDelimited", False, "?p=a%7Cb%2C", "?p=k%7C1%7Cl%7C2"),
        ("deepObject", True, "?p=a&p=b%2C", "?p%5Bk%5D=1&p%5Bl%5D=2"),
    ],
)
def test_lists_and_objects_in_a_query(style: str, explode: bool, array: str, mapping: str) -> None:
    """By style and explode. Source: OpenAPI 3.0, 4.7.12.3."""
    assert in_query(["a", "b,"], style, explode) == array
    assert in_query({"k": 1, "l": 2}, style, explode) == mapping


@pytest.mark.parametrize(
    ("style", "explode", "primitive", "array", "mapping"),
    [
        ("simple", False, "a", "a,b%2C", "k,1,l,2"),
        ("simple", True, "a", "a,b%2C", "k=1,l=2"),
        ("label", False, ".a", ".a,b%2C", ".k,1,l,2"),
        ("label", True, ".a", ".a.b%2C", ".k=1.l=2"),
        ("matrix", False, ";p=a", ";p=a,b%2C", ";p=k,1,l,2"),
        ("matrix", True, ";p=a", ";p=a;p=b%2C", ";k=1;l=2"),
    ],
)
def test_lists_and_objects_in_a_path(
    style: str, explode: bool, primitive: str, array: str, mapping: str
) -> None:
    """By style and explode. Source: OpenAPI 3.0, 4.7.12.3."""
    assert in_path("a", style, explode) == primitive
    assert in_path(["a", "b,"], style, explode) == array
    assert in_path({"k": 1, "l": 2}, style, explode) == mapping


def test_lists_and_objects_in_a_header() -> None:
    """By explode; headers know the style simple only."""
    assert in_header(["a", "b"]) == "a,b"
    assert in_header({"k": 1}) == "k,1"
    assert in_header({"k": 1}, explode=True) == "k=1"


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "\u2603", " a", "a\t"])
def test_a_header_that_could_not_be_sent_is_refused(text: str) -> None:
    """A line break in a value would be another header."""
    with pytest.raises(InvalidArgumentError, match="p is sent as a header"):
        in_header(text)


def test_cookies_are_one_header() -> None:
    """All of them, encoded."""
    parameters = (Parameter("a", "a", "cookie"), Parameter("b", "b", "cookie"))
    operation: Operation[Any] = Operation("x", "x", "GET", "/", parameters)
    cookie = made(operation, {"a": "1;2", "b": 3}).request.headers["cookie"]
    assert cookie == "a=1%3B2; b=3"


def test_none_is_not_given() -> None:
    """An optional argument is left out; a required one is missed."""
    assert in_query(None) == ""
    with pytest.raises(InvalidArgumentError, match="order_id must be given"):
        made(GET, {"order_id": None})


@pytest.mark.parametrize("value", ["\ud800", object()])
def test_values_that_cannot_be_written_are_refused(value: object) -> None:
    """The message names the argument."""
    with pytest.raises(InvalidArgumentError, match=r"^p "):
        in_query(value)


def test_a_body_is_sent_as_its_media_type() -> None:
    """A request without one has no Content-Type."""
    request = made(CREATE, {}, NewOrder(item="\u2603")).request
    assert request.body == b'{"item":"\\u2603"}'
    assert request.headers["content-type"] == "application/json"
    assert "content-type" not in made(GET, {"order_id": "1"}).request.headers


def test_a_body_is_missed_or_refused() -> None:
    """Whether there is one is the operation's decision."""
    optional: Operation[Any] = Operation("x", "x", "POST", "/", body=Body(NewOrder, required=False))
    assert made(optional, {}).request.body == b""
    with pytest.raises(InvalidArgumentError, match="body must be given"):
        made(CREATE, {})
    with pytest.raises(InvalidArgumentError, match="takes no body"):
        made(GET, {"order_id": "1"}, {"a": 1})


def test_a_create_has_one_key() -> None:
    """The caller's, else a new one; an operation without the header has none."""
    assert made(CREATE, {}, {"item": "x"}).idempotency_key == "new-key"
    given_key = made(CREATE, {"idempotency_key": "mine"}, {"item": "x"})
    assert given_key.idempotency_key == "mine"
    assert given_key.request.headers == Headers(
        {
            "User-Agent": "orders",
            "Idempotency-Key": "mine",
            "Content-Type": "application/json",
        }
    )
    assert made(GET, {"order_id": "1"}).idempotency_key is None


def test_an_empty_key_is_refused() -> None:
    """The server would take it for none, and a repeated call would make two."""
    with pytest.raises(InvalidArgumentError, match="idempotency_key must not be empty"):
        made(CREATE, {"idempotency_key": ""}, {"item": "x"})


def test_what_may_be_sent_twice_is_safe() -> None:
    """A method that is idempotent, or a key."""
    assert made(GET, {"order_id": "1"}).safe
    assert made(CREATE, {}, {"item": "x"}).safe
    assert not made(Operation("x", "x", "POST", "/"), {}).safe


def limited(kind: Any, location: Location = "query", style: str = "form") -> Operation[Any]:
    """Return an operation with one parameter that has limits."""
    parameter = Parameter("size", "sizeOf", location, style=style, type=kind)
    return Operation("x", "x", "GET", "/", (parameter,))


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (
            Annotated[str, Field(max_length=3)],
            "abcd",
            "size: String should have at most 3 characters, but 'abcd' was given",
        ),
        (Annotated[str, Field(max_length=3)], "a" * 999, "but a text of 999 characters was given"),
        (Annotated[str, Field(pattern="^a+$")], "b", "size: String should match pattern '^a+$'"),
        (Annotated[int, Field(ge=1)], 0, "size: Input should be greater than or equal to 1, but 0"),
        (list[Annotated[str, Field(min_length=1)]], ["a", ""], "size.1: String should have at"),
        (Annotated[list[object], Field(max_length=1)], [1, 2], "at most 1 item"),
    ],
)
def test_an_argument_outside_of_its_limits_is_refused(kind: Any, value: object, said: str) -> None:
    """The error names the Python argument, the limit and what was given."""
    with pytest.raises(InvalidArgumentError) as caught:
        made(limited(kind), {"size": value})
    assert said in str(caught.value)
    assert [place.partition(".")[0] for place, _ in caught.value.reasons] == ["size"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Annotated[str, Field(max_length=3)], "abc"),
        (Annotated[str, Field(pattern="^[0-9a-f-]{36}$")], UUID(int=1)),
        (Annotated[int, Field(ge=1)], 1),
        (Annotated[float, Field(multiple_of=0.1)], Decimal("0.3")),
        (Annotated[str, Field(min_length=1)], None),
    ],
)
def test_an_argument_within_its_limits_is_sent_as_it_is(kind: Any, value: object) -> None:
    """Limits hold for what goes over the wire, and change nothing."""
    assert (
        made(limited(kind), {"size": value}).request == made(limited(None), {"size": value}).request
    )


@pytest.mark.parametrize("location", ["header", "cookie"])
def test_what_may_be_a_secret_is_not_shown(location: Location) -> None:
    """Headers and cookies: neither in the message nor by its cause."""
    secret = {"size": "hush"}
    with pytest.raises(InvalidArgumentError, match="a text of 4 characters") as caught:
        made(limited(Annotated[str, Field(max_length=3)], location), secret)
    assert "hush" not in "".join(traceback.format_exception(caught.value))


def test_limits_bind_a_json_parameter_before_it_is_a_text() -> None:
    """Its limits are those of the value."""
    operation = limited(Annotated[list[object], Field(max_length=1)], style="json")
    assert made(operation, {"size": [1]}).request.url.endswith("?sizeOf=%5B1%5D")
    with pytest.raises(InvalidArgumentError, match="at most 1 item"):
        made(operation, {"size": [1, 2]})


def test_limits_do_not_bind_the_server() -> None:
    """A newer one may give longer IDs, which it is asked with."""
    prepared = prepare(
        limited(Annotated[str, Field(max_length=3)]),
        "https://h.example",
        {"size": "abcd"},
        headers=Headers(),
        new_key=str,
        from_server=True,
    )
    assert prepared.request.url == "https://h.example/?sizeOf=abcd"
