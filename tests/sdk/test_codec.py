from __future__ import annotations

import json
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.orders import CREATE, GET, NewOrder, Order, Problem, reply
from users_sdk import _codec as codec
from users_sdk._http import Headers, Response
from users_sdk._operation import Body, Operation
from users_sdk.errors import InvalidArgumentError, NotFoundError, ProtocolError, ServerError

NOW = 0.0
BODY = Body(NewOrder)


def test_a_body_is_a_model_or_a_mapping_with_the_names_on_the_wire() -> None:
    """Both give the same JSON, and what was not set is not in it."""
    expected = {"item": "x", "giftNote": None}
    assert codec.json_body(BODY, NewOrder(item="x", gift_note=None)) == expected
    assert codec.json_body(BODY, {"item": "x", "giftNote": None}) == expected


@pytest.mark.parametrize(
    ("value", "place"),
    [({"item": ""}, "item"), ({}, "item"), ({"item": "x", "giftNote": 3}, "giftNote"), ("x", "")],
)
def test_a_body_that_is_not_valid_names_each_fault(value: object, place: str) -> None:
    """Field and reason, and nothing of what the field held."""
    with pytest.raises(InvalidArgumentError) as caught:
        codec.json_body(BODY, value)
    [(where, reason)] = caught.value.reasons
    assert where == place
    assert reason in str(caught.value)


def test_a_changed_model_is_checked_again() -> None:
    """The server does not have to say what we can."""
    order = NewOrder(item="x")
    order.item = ""
    with pytest.raises(InvalidArgumentError, match="item: String should have at least 1"):
        codec.json_body(BODY, order)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_every_character_survives(text: str) -> None:
    """JSON is written in ASCII, whatever is in it."""
    sent = codec.encoded(codec.json_body(Body(dict[str, str]), {"a": text}))
    assert sent.isascii()
    assert json.loads(sent) == {"a": text}


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_json_has_not_are_refused(number: float) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidArgumentError):
        codec.encoded({"a": number})


def test_a_result_is_of_the_type_that_its_status_declares() -> None:
    """The status itself wins over its class."""
    operation: Operation[Any] = Operation(
        "x", "x", "GET", "/", results={"201": None, "2XX": Order, "203": str, "204": bytes}
    )
    order = {"orderId": "1", "item": "x"}
    assert codec.result(operation, reply(201, order)) is None
    assert codec.result(operation, reply(200, order)) == Order(order_id="1", item="x")
    text = Headers({"Content-Type": "text/plain"})
    assert codec.result(operation, Response(203, text, "é".encode())) == "é"
    assert codec.result(operation, reply(203, "é")) == "é"
    assert codec.result(operation, Response(204, text, b"\x00")) == b"\x00"


@pytest.mark.parametrize(
    ("response", "said"),
    [
        (reply(204, None), "not one of 200"),
        (Response(200, Headers(), b"<html>"), "is not JSON"),
        (Response(200, Headers(), b'{"orderId": "1", "it'), "is not JSON"),
        (reply(200, {"orderId": "1"}), "item: Field required"),
    ],
)
def test_an_answer_of_the_wrong_shape_is_a_protocol_error(response: Response, said: str) -> None:
    """Corner 35: the message names the operation, the place and what came."""
    with pytest.raises(ProtocolError, match=said) as caught:
        codec.result(GET, response)
    assert "GET /orders/{orderId}" in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[" * 100_000])
def test_a_document_that_is_not_json_is_a_protocol_error(body: bytes) -> None:
    """With an excerpt that is bounded."""
    with pytest.raises(ProtocolError, match="is not JSON") as caught:
        codec.document(GET, Response(200, Headers({"x-amzn-RequestId": "r"}), body))
    assert caught.value.request_id == "r"
    assert len(str(caught.value)) < 600


def test_a_body_that_is_refused_is_not_shown() -> None:
    """Neither in the text nor in the traceback: it may be about a person."""
    with pytest.raises(InvalidArgumentError, match="item") as caught:
        codec.json_body(BODY, {"item": ["Ada's address"], "colour": "red"})
    assert "Ada's address" not in "".join(traceback.format_exception(caught.value, limit=0))


def test_an_error_has_the_server_s_words() -> None:
    """Code, reason, request ID and the typed problem."""
    fields = {"x-amzn-RequestId": "r-1", "Retry-After": "2"}
    response = reply(
        404, {"title": "Not Found", "code": "GONE", "detail": "No such order."}, fields
    )
    error = codec.failure(GET, response, NOW)
    assert isinstance(error, NotFoundError)
    assert (error.status, error.code, error.request_id, error.retry_after) == (
        404,
        "GONE",
        "r-1",
        2,
    )
    assert error.problem == Problem(title="Not Found", code="GONE", detail="No such order.")
    assert str(error).startswith(
        "GET /orders/{orderId} was answered with 404 Not Found: GONE: No such order"
        " (request ID r-1)"
    )


def test_an_error_says_what_is_wrong_with_the_body() -> None:
    """Some servers tell it in a header only."""
    fields = {"X-Validation-Error": "[string is too long]"}
    error = codec.failure(GET, reply(400, {"code": "INVALID_BODY"}, fields), NOW)
    assert "400 Bad Request: INVALID_BODY: [string is too long]." in str(error)


@pytest.mark.parametrize(
    ("body", "problem", "code"),
    [
        (b'{"message": "Forbidden"}', {"message": "Forbidden"}, "Fault"),
        (b"<html>", "<html>", "Fault"),
        (b"", "", "Fault"),
        (b"[1]", [1], "Fault"),
    ],
)
def test_an_error_without_the_declared_shape_keeps_what_came(
    body: bytes, problem: object, code: str
) -> None:
    """Gateways and proxies answer in their own way; their words are not lost."""
    response = Response(502, Headers({"x-amzn-ErrorType": "Fault:http://x"}), body)
    error = codec.failure(GET, response, NOW)
    assert isinstance(error, ServerError)
    assert error.problem == problem
    assert error.code == code


def test_a_status_that_nobody_knows_is_an_error_too() -> None:
    """There is no phrase for it, and no declared body."""
    error = codec.failure(Operation("x", "x", "GET", "/x"), reply(499, {"code": 7}), NOW)
    assert (error.status, error.code, error.problem) == (499, "7", {"code": 7})
    assert "answered with 499: 7" in str(error)


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("", {"a": {"b/c": [1, {"~": 2}]}, "n": None}),
        ("/a/b~1c/1/~0", 2),
        ("/a/b~1c/7", None),
        ("/a/b~1c/x", None),
        ("/n/deeper", None),
        ("/a/missing/deeper", None),
    ],
)
def test_a_pointer_passes_through_what_is_not_there(pointer: str, expected: object) -> None:
    """Nothing there is nothing, not an error. Source: RFC 6901."""
    assert codec.resolve({"a": {"b/c": [1, {"~": 2}]}, "n": None}, pointer) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": "C", "message": "m"}, ("C", "m")),
        ({"reason": "r"}, (None, "r")),
        ("jammed", (None, "jammed")),
        ({"code": "C"}, ("C", None)),
        ({"why": ["é", 1]}, (None, '{"why":["é",1]}')),
        ({"code": "C", "stock": 0}, ("C", '{"code":"C","stock":0}')),
        (None, (None, None)),
        ({}, (None, None)),
    ],
)
def test_a_reason_is_an_object_or_a_text(
    error: object, expected: tuple[str | None, str | None]
) -> None:
    """Both are read."""
    assert codec.reason_of(error) == expected


def test_a_type_s_validator_is_made_once() -> None:
    """Also of an annotation that cannot be hashed."""
    kind = list[Order]
    assert codec.adapter(kind) is codec.adapter(kind)
    assert codec.adapter(CREATE.results["202"]) is codec.adapter(CREATE.results["202"])
