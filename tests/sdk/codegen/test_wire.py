"""Bodies and unions that only some documents have, as the runtime writes and reads them."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter

from users_sdk._http import Headers
from users_sdk._models import Model, Tagged
from users_sdk._operation import Body, Operation, Parameter
from users_sdk._request import Prepared, prepare
from users_sdk.errors import InvalidArgumentError


class Circle(Model):
    """One member of the union."""

    kind: str
    size: int


class Square(Model):
    """Another, with the same fields."""

    kind: str
    size: int


Shape = Annotated[Circle | Square | Model, Tagged("kind", {"circle": 0, "square": 1})]


def _prepared(operation: Operation[Any], body: object = None, **arguments: object) -> Prepared:
    return prepare(operation, "http://a", arguments, body, headers=Headers({}), new_key=str)


def _posting(kind: Any, media_type: str, result: Any = None) -> Operation[Any]:
    return Operation("post", "post", "POST", "/", (), Body(kind, True, media_type), {"200": result})


@pytest.mark.parametrize(
    ("kind", "media_type", "body", "content"),
    [
        (bytes, "image/png", b"\xff\x00", b"\xff\x00"),
        (str, "text/plain; charset=utf-8", "ä", "ä".encode()),
        (str, "application/json", "ä", rb'"\u00e4"'),
        (
            dict[str, Any],
            "application/x-www-form-urlencoded",
            {"a b": "c&d", "list": [1, True], "object": {"k": "v"}, "none": None},
            b"a%20b=c%26d&list=1&list=true&object=%7B%22k%22%3A%22v%22%7D&none=",
        ),
    ],
)
def test_a_body_is_written_by_its_media_type(
    kind: Any, media_type: str, body: object, content: bytes
) -> None:
    """Bytes go as they are, text as UTF-8, a form field by field, anything else as JSON."""
    request = _prepared(_posting(kind, media_type), body).request
    assert (request.body, request.headers["Content-Type"]) == (content, media_type)


@pytest.mark.parametrize(("result", "accepted"), [(bytes, "*/*"), (str, "*/*"), (Circle, None)])
def test_what_is_not_json_is_accepted_too(result: Any, accepted: str | None) -> None:
    """An operation whose result may be bytes or text accepts any media type."""
    headers: Headers = _prepared(_posting(bytes, "image/png", result), b"").request.headers
    assert headers.get("Accept") == accepted


def test_a_parameter_can_be_json() -> None:
    """A parameter that is described by a media type is one JSON text."""
    parameter = Parameter("q", "q", "query", style="json")
    operation: Operation[Any] = Operation("get", "get", "GET", "/", (parameter,))
    url = _prepared(operation, q={"a": ["ü"]}).request.url
    assert url == "http://a/?q=%7B%22a%22%3A%5B%22%5Cu00fc%22%5D%7D"
    with pytest.raises(InvalidArgumentError):
        _prepared(operation, q=b"\xff")


def test_a_union_is_told_apart_by_its_tag() -> None:
    """The tag alone decides; one that is not listed is kept as a plain model."""
    adapter: TypeAdapter[Any] = TypeAdapter(Shape)
    values = [adapter.validate_python({"kind": kind, "size": 1}) for kind in ("circle", "square")]
    assert [type(value) for value in values] == [Circle, Square]
    newer = adapter.validate_python({"kind": "star", "rays": 5})
    assert (type(newer), newer.rays) == (Model, 5)
    assert adapter.validate_python(values[1]) == values[1]
    assert adapter.dump_python(newer, mode="json") == {"kind": "star", "rays": 5}


def test_only_a_union_is_tagged() -> None:
    """The mark on anything else is a mistake that is told at once."""
    with pytest.raises(TypeError, match="is no union"):
        TypeAdapter(Annotated[int, Tagged("kind", {})])
