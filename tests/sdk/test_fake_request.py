"""Requests as a server reads them: operations, arguments and bodies."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import Field

from users_sdk._fake_request import Refusal, Routes, read_body, readable
from users_sdk._http import Headers, Request
from users_sdk._models import Base64, Binary, Model
from users_sdk._operation import Body, Operation, Parameter
from users_sdk._request import prepare

STYLES = {
    "path": ["simple", "label", "matrix", "json"],
    "query": ["form", "deepObject", "spaceDelimited", "pipeDelimited", "json"],
    "header": ["simple", "json"],
    "cookie": ["form", "json"],
}
VALUES: list[tuple[Any, Any]] = [
    (str, "a b/ü"),
    (int, 7),
    (date, date(2026, 1, 31)),
    (UUID, UUID(int=1)),
    (list[int], [1, 2]),
    (dict[str, int], {"a": 1, "b": 2}),
]


class Point(Model):
    """An object whose members are listed."""

    x: int
    y_axis: Annotated[int | None, Field(alias="y-axis")] = None


class Upload(Model):
    """A body of several parts."""

    cover: Binary
    pages: Annotated[list[Binary] | None, Field(alias='page "1"')] = None
    title: str
    year: int | None = None
    place: Point | None = None
    sum: Base64 | None = None


def _operation(parameter: Parameter) -> Operation[None]:
    path = "/things/{p}" if parameter.location == "path" else "/things"
    return Operation("find", "find", "GET", path, (parameter,), results={"200": None})


def _request(operation: Operation[Any], arguments: dict[str, Any], body: Any = None) -> Request:
    headers = Headers({})
    given = {"headers": headers, "new_key": str}
    return prepare(operation, "https://a.test/v1", arguments, body, **given).request  # type: ignore[arg-type]  # by name


def _styles() -> list[tuple[str, str, bool]]:
    return [
        (location, style, explode)
        for location, styles in STYLES.items()
        for style, explode in product(styles, (False, True))
    ]


def _is_described(style: str, explode: bool, kind: Any) -> bool:
    """Whether OpenAPI says how a value of this kind is written (3.0.4, 4.7.12.3)."""
    several, members = kind == list[int], kind in (dict[str, int], Point)
    if style == "deepObject":
        return members and explode
    if style in ("spaceDelimited", "pipeDelimited"):
        return several and not explode
    # Which members of a query are an object's is told by their names alone.
    return not (style == "form" and explode and kind == dict[str, int])


@pytest.mark.parametrize(("location", "style", "explode"), _styles())
def test_what_the_sdk_writes_is_read(location: Any, style: str, explode: bool) -> None:
    """Parameters of every place and style, as values of the type that the method takes."""
    parameter = Parameter("p", "p", location, style=style, explode=explode)
    operation = _operation(parameter)
    point = (Point, Point(x=1, y_axis=2))
    for kind, sent in [*VALUES, point]:
        if not _is_described(style, explode, kind):
            continue
        # Header fields are ASCII.
        value = "a b" if location == "header" and kind is str else sent
        routes = Routes([operation], {"find": {"p": kind}})
        request = _request(operation, {"p": value})
        found, path = routes.match(request)
        assert found is operation
        assert routes.arguments(operation, path, request) == {"p": value}


def test_a_literal_path_comes_first() -> None:
    """As OpenAPI 3.0, 4.7.8 says, wherever the API is mounted."""
    named = Operation[None]("get", "get", "GET", "/pets/{id}")
    mine = Operation[None]("mine", "mine", "GET", "/pets/mine")
    routes = Routes([named, mine], {})
    assert routes.match(Request("GET", "https://a.test/x/y/pets/mine"))[0] is mine
    assert routes.match(Request("GET", "https://a.test/pets/a%2Fb?q"))[1] == {"id": "a%2Fb"}


@pytest.mark.parametrize(("method", "path", "status"), [("PUT", "/pets", 405), ("GET", "/", 404)])
def test_what_there_is_not_is_refused(method: str, path: str, status: int) -> None:
    """Another method of a path, or another path."""
    routes = Routes([Operation[None]("get", "get", "GET", "/pets")], {})
    with pytest.raises(Refusal) as caught:
        routes.match(Request(method, f"https://a.test{path}"))
    assert caught.value.status == status


def test_arguments_that_are_missing_or_wrong_are_refused() -> None:
    """With their names on the wire."""
    operation = _operation(Parameter("p", "p-n", "query", required=True, style="form"))
    routes = Routes([operation], {"find": {"p": int}})
    with pytest.raises(Refusal, match="p-n is missing"):
        routes.arguments(operation, {}, Request("GET", "https://a.test/things"))
    with pytest.raises(Refusal, match="p-n is not valid"):
        routes.arguments(operation, {}, Request("GET", "https://a.test/things?p-n=x"))


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (Body(Point), {"x": 1, "y-axis": 2}),
        (Body(bytes, media_type="application/octet-stream"), b"\x00\r\n"),
        (Body(str, media_type="text/plain"), "grün"),
        (
            Body(Upload, media_type="multipart/form-data"),
            {
                "cover": b"\x00\xff\r\n--",
                'page "1"': [b"a", b""],
                "title": "grün",
                "place": {"x": 1},
                "sum": "+/8=",
            },
        ),
    ],
)
def test_a_body_that_the_sdk_writes_is_read(body: Body, value: Any) -> None:
    """As JSON values, text or bytes."""
    operation = Operation[None]("send", "send", "POST", "/", (), body)
    assert read_body(operation, _request(operation, {}, value)) == value


def test_a_form_is_read() -> None:
    """A list's members one by one."""

    class Form(Model):
        title: str
        tags: list[str] | None = None

    body = Body(Form, media_type="application/x-www-form-urlencoded")
    operation = Operation[None]("send", "send", "POST", "/", (), body)
    value = {"title": "a & ä", "tags": ["x", "y z"]}
    assert read_body(operation, _request(operation, {}, value)) == value


@pytest.mark.parametrize(
    ("content_type", "content", "status", "reason"),
    [
        (None, b"", 400, "missing"),
        ("text/plain", b"{}", 415, "must be application/json, not text/plain"),
        ("application/json", b"{", 400, "not valid"),
        ("application/json", b'{"y-axis": 1}', 400, "x: Field required"),
        ("application/json; charset=utf-8", b'{"x": "a"}', 400, "x: Input should be"),
    ],
)
def test_a_wrong_body_is_refused(
    content_type: str | None, content: bytes, status: int, reason: str
) -> None:
    """With what is wrong."""
    operation = Operation[None]("send", "send", "POST", "/", (), Body(Point))
    headers = Headers({} if content_type is None else {"Content-Type": content_type})
    with pytest.raises(Refusal) as caught:
        read_body(operation, Request("POST", "https://a.test/", headers, content))
    assert caught.value.status == status
    assert reason in caught.value.message


@pytest.mark.parametrize(
    ("boundary", "content", "reason"),
    [
        ("", b"", "no boundary"),
        ("; boundary=b", b"--b\r\nx", "begin and end"),
        ("; boundary=b", b"--b\r\n\r\nx\r\n--b--", "no name"),
    ],
)
def test_a_broken_body_of_parts_is_refused(boundary: str, content: bytes, reason: str) -> None:
    """With what is wrong."""
    body = Body(Upload, media_type="multipart/form-data")
    operation = Operation[None]("send", "send", "POST", "/", (), body)
    headers = Headers({"Content-Type": f"multipart/form-data{boundary}"})
    with pytest.raises(Refusal, match=reason):
        read_body(operation, Request("POST", "https://a.test/", headers, content))


def test_a_body_is_shown_to_people() -> None:
    """As values, text or bytes, whatever can be read."""
    bodies = [b"", b"[1]", b"text", b"\xff"]
    shown = [readable(Request("POST", "https://a.test", Headers({}), it)) for it in bodies]
    assert shown == [None, [1], "text", b"\xff"]


def test_limits_of_parameters_are_checked() -> None:
    """Those of the document, which the method's types do not have."""
    limited = Annotated[str, Field(pattern="^[a-z]$")]
    operation = _operation(Parameter("p", "p", "query", style="form", type=limited))
    routes = Routes([operation], {"find": {"p": str}})
    with pytest.raises(Refusal, match="p is not valid"):
        routes.arguments(operation, {}, Request("GET", "https://a.test/things?p=9"))
