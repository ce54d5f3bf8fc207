from __future__ import annotations

import copy
import pickle

import pytest

from users_sdk import errors
from users_sdk.errors import SDKError

IDS = {"request_id": "req-1", "message_id": "msg-1", "idempotency_key": "key-1"}
EXAMPLES: list[SDKError] = [
    errors.SDKError("Something failed", **IDS),
    errors.ConfigurationError("No URL"),
    errors.InvalidArgumentError("The body is not valid", reasons=(("item", "missing"),)),
    errors.RequestNotSent("No route"),
    errors.ConnectTimeout("No connection"),
    errors.UnknownOutcome("Lost", idempotency_key="key-1"),
    errors.AnswerTimeout("Late", idempotency_key="key-1"),
    *(
        errors.error_class(status)(
            "Refused", status=status, code="C", problem={"a": [1]}, retry_after=1.5, **IDS
        )
        for status in (400, 401, 403, 404, 409, 413, 415, 418, 422, 429, 500, 503)
    ),
    errors.ProtocolError("Not JSON", request_id="req-1"),
    errors.OperationFailed(
        "Ended", code="C", message="m", status="FAILED", status_body={"state": "FAILED"}
    ),
    errors.WaitTimeout("Waited", status="PENDING", token="t", **IDS),
    errors.ClientClosed("Closed", token="t", **IDS),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_every_error_survives_pickle_and_copy(error: SDKError) -> None:
    """Corner 33: an error that crosses a process keeps its class, its text and its fields."""
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is type(error)
        assert str(other) == str(error)
        assert vars(other) == vars(error)


def test_the_examples_and_the_drawn_tree_hold_every_class() -> None:
    """No class is left out of the pickle test or of the tree in the docstring."""
    classes = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, SDKError)
    }
    abstract = {errors.TransportError}
    assert {type(example) for example in EXAMPLES} == classes - abstract
    assert errors.__doc__ is not None
    for each in classes:
        assert f" {each.__name__}" in errors.__doc__ or f"\n{each.__name__}\n" in errors.__doc__


def test_the_text_says_what_happened_to_which_request_and_what_to_do() -> None:
    """Corner 33: a log line with the error alone is enough to act on."""
    error = errors.WaitTimeout("Waiting ended", status="PENDING", token="t", **IDS)
    assert str(error).startswith(
        "Waiting ended (message ID msg-1, request ID req-1, idempotency key key-1). "
    )
    assert "token" in str(error)


def test_what_a_server_says_makes_no_line_and_obeys_no_terminal() -> None:
    """Control characters are shown, in the text only."""
    error = errors.ProtocolError("said \x1b[31mred\nand more", message_id="m\u2028")
    assert str(error).startswith("said \\x1b[31mred\\nand more (message ID m\\u2028)")
    assert error.args == ("said \x1b[31mred\nand more",)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, errors.BadRequestError),
        (404, errors.NotFoundError),
        (418, errors.ApiError),
        (302, errors.ApiError),
        (500, errors.ServerError),
        (504, errors.ServerError),
    ],
)
def test_each_status_has_a_class(status: int, expected: type[errors.ApiError]) -> None:
    """Corner 33: a status without a class of its own has its kind's."""
    assert errors.error_class(status) is expected


def test_timeouts_and_wrong_arguments_are_what_python_calls_them() -> None:
    """Whoever catches TimeoutError or ValueError catches ours."""
    assert issubclass(errors.WaitTimeout, TimeoutError)
    assert issubclass(errors.AnswerTimeout, TimeoutError)
    assert issubclass(errors.ConnectTimeout, TimeoutError)
    assert issubclass(errors.ConfigurationError, ValueError)
    assert issubclass(errors.InvalidArgumentError, ValueError)
