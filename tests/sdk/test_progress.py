from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.sdk.orders import CHAIN, CREATE, GET, PRINT, PRINT_CHAIN, STATUS
from users_sdk._completions import Completions
from users_sdk._http import Headers
from users_sdk._operation import Binding, Operation, Parameter, Source
from users_sdk._polling import Polling, Schedule
from users_sdk._progress import Linked, Progress, from_token, message_id_of
from users_sdk.errors import InvalidArgumentError, ProtocolError

SCHEDULE = Schedule(Polling(), Completions(), 0.0, None, lambda: 0.5)


def progress(**changes: Any) -> Progress[Any]:
    fields: dict[str, Any] = {
        "chain": CHAIN,
        "arguments": {"request_id": "r/1 \u2603"},
        "message_id": "r/1 \u2603",
        "request_id": "http-1",
        "idempotency_key": "key-1",
        "accepted_at": 1_700_000_000.1234,
        "schedule": SCHEDULE,
    }
    return Progress(**(fields | changes))


def token_of(members: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(members).encode()).decode().rstrip("=")


WHOLE = {
    "v": 1,
    "operation": "createOrder",
    "arguments": {"request_id": "r0"},
    "message": "r0",
    "accepted": 1.5,
}
WRONG_MEMBERS: list[dict[str, object]] = [
    {"arguments": {}},
    {"message": 5},
    {"request": ["x"]},
    {"key": {"a": 1}},
    {"accepted": float("nan")},
    {"accepted": "1"},
]


def test_a_token_holds_all_that_another_process_needs() -> None:
    """And is plain text that any channel carries."""
    token = progress().token()
    assert token.replace("-", "").replace("_", "").isalnum()
    again = from_token(CHAIN, token, SCHEDULE)
    assert again == progress(accepted_at=1_700_000_000.123)


def test_a_token_leaves_out_what_is_not_known() -> None:
    """Neither request ID nor key are needed to go on."""
    token = progress(request_id=None, idempotency_key=None).token()
    assert from_token(CHAIN, token, SCHEDULE).idempotency_key is None


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("", "not one that a handle gave"),
        ("snow\u2603", "not one that a handle gave"),
        ("a", "not one that a handle gave"),
        (token_of([1]), "not one that a handle gave"),
        (token_of({"v": 2}), "version 2"),
        (token_of({}), "version None"),
        (progress(chain=PRINT_CHAIN).token(), "of 'printLabel', not of 'createOrder'"),
        (token_of({"v": 1, "operation": "createOrder"}), "damaged"),
        (
            token_of(
                {"v": 1, "operation": "createOrder", "arguments": 1, "message": "", "accepted": 1}
            ),
            "damaged",
        ),
        *((token_of({**WHOLE, **wrong}), "damaged") for wrong in WRONG_MEMBERS),
        (base64.urlsafe_b64encode(b"[" * 100_000).decode(), "not one that a handle gave"),
    ],
)
def test_a_text_that_is_no_such_token_is_refused(token: str, said: str) -> None:
    """The message says why."""
    with pytest.raises(InvalidArgumentError, match=said):
        from_token(CHAIN, token, SCHEDULE)


@pytest.mark.parametrize("wrong", [None, 5, b"token", ["token"]])
def test_what_is_no_text_is_no_token(wrong: Any) -> None:
    """The message says where a token is had from."""
    said = f"token must be the text that a handle's .* {type(wrong).__name__}"
    with pytest.raises(InvalidArgumentError, match=said):
        from_token(CHAIN, wrong, SCHEDULE)


CARRIER: Operation[Any] = Operation(
    "x",
    "x",
    "POST",
    "/{path-id}",
    (
        Parameter("path_id", "path-id", "path", required=True),
        Parameter("page", "pageSize", "query"),
        Parameter("key", "X-Key", "header"),
    ),
)
LINKED = Linked(
    CARRIER,
    {"path_id": "p", "page": 5, "key": "k"},
    {"deep": {"er": "body"}},
    Headers({"Location": "/jobs/1"}),
    {"id": 7, "none": None},
)


@pytest.mark.parametrize(
    ("source", "value", "expected"),
    [
        ("constant", "c", "c"),
        ("response.body", "/id", 7),
        ("response.header", "location", "/jobs/1"),
        ("request.path", "path-id", "p"),
        ("request.query", "pageSize", 5),
        ("request.header", "x-key", "k"),
        ("request.body", "/deep/er", "body"),
    ],
)
def test_a_link_takes_its_arguments_from_request_and_answer(
    source: Source, value: str, expected: object
) -> None:
    """Every source of a runtime expression."""
    assert LINKED.follow((Binding("a", source, value),), GET) == {"a": expected}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("response.body", "/none"),
        ("response.header", "x"),
        ("request.path", "x"),
        ("request.query", "x"),
        ("request.body", "/x"),
    ],
)
def test_a_required_argument_that_is_not_there_is_a_protocol_error(
    source: Source, value: str
) -> None:
    """Never a request with nothing in its path; the message says what lacks."""
    binding = Binding("order_id", source, value)
    with pytest.raises(ProtocolError, match=f"{source} {value}, which get_order needs"):
        LINKED.follow((binding,), GET)
    assert LINKED.follow((Binding("optional", source, value),), GET) == {}


def test_the_message_id_is_what_the_server_gave() -> None:
    """Not the argument that the caller knew before."""
    arguments = {"order_id": "o", "job_id": 7}
    assert message_id_of(PRINT_CHAIN.status_arguments, arguments) == "7"
    assert message_id_of((Binding("order_id", "constant", "o"),), arguments) == "o"
    optional = Binding("trace", "response.header", "X-Trace")
    assert message_id_of((optional, *PRINT_CHAIN.status_arguments), arguments) == "7"
    assert message_id_of((), {}) == ""


def test_the_example_chain_is_sound() -> None:
    """The operations that the other tests use fit together."""
    assert CHAIN.start is CREATE
    assert {binding.parameter for binding in CHAIN.status_arguments} == {
        parameter.name for parameter in STATUS.parameters
    }
    assert PRINT_CHAIN.start is PRINT
