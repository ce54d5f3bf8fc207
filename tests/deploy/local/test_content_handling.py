"""Content handling: text and binary payloads."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from deploy.local.content_handling import BinaryMediaTypes, request_payload, response_payload

RAW = b"\x1f\x8b\x00\xff"
ENCODED = base64.b64encode(RAW)
REPLACED = "\x1f\ufffd\x00\ufffd"


@pytest.mark.parametrize(
    ("types", "header", "binary"),
    [
        ((), "image/png", False),
        (("image/png",), "image/png", True),
        (("image/png",), "IMAGE/PNG; q=1, text/html", True),
        (("image/png",), "text/html, image/png", False),
        (("image/*",), "image/png", True),
        (("*/*",), "text/plain", True),
        (("*/*",), None, False),
    ],
)
def test_first_media_type_decides(types: tuple[str, ...], header: str | None, binary: bool) -> None:
    """A header is binary by its first media type; wildcards stand for any."""
    assert BinaryMediaTypes(frozenset(types)).match(header) is binary


@pytest.mark.parametrize(
    ("body", "handling", "binary", "payload"),
    [
        (RAW, None, False, REPLACED),
        (RAW, "CONVERT_TO_TEXT", False, REPLACED),
        (ENCODED, "CONVERT_TO_BINARY", False, RAW),
        (RAW, None, True, RAW),
        (RAW, "CONVERT_TO_BINARY", True, RAW),
        (RAW, "CONVERT_TO_TEXT", True, ENCODED.decode()),
    ],
)
def test_requests_are_converted(
    body: bytes, handling: Any, binary: bool, payload: str | bytes
) -> None:
    """Binary becomes Base64 text and such text binary where the integration asks for it."""
    assert request_payload(body, handling, binary=binary) == payload


@pytest.mark.parametrize(
    ("body", "handling", "binary", "accepted", "payload"),
    [
        (RAW, None, False, False, REPLACED),
        (ENCODED, None, False, True, RAW),
        (RAW, None, True, False, ENCODED.decode()),
        (RAW, None, True, True, RAW),
        (RAW, "CONVERT_TO_TEXT", False, True, REPLACED),
        (RAW, "CONVERT_TO_TEXT", True, True, ENCODED.decode()),
        (ENCODED, "CONVERT_TO_BINARY", False, False, RAW),
        (RAW, "CONVERT_TO_BINARY", True, False, RAW),
    ],
)
def test_responses_are_converted(
    body: bytes, handling: Any, binary: bool, accepted: bool, payload: str | bytes
) -> None:
    """The integration response decides; where it says nothing, what the client accepts."""
    assert response_payload(body, handling, binary=binary, accepted=accepted) == payload


@pytest.mark.parametrize(
    "convert",
    [
        lambda body: request_payload(body, "CONVERT_TO_BINARY", binary=False),
        lambda body: response_payload(body, None, binary=False, accepted=True),
    ],
)
def test_other_text_cannot_become_binary(convert: Callable[[bytes], object]) -> None:
    """Text that is no Base64 is refused."""
    with pytest.raises(ValueError, match="base64"):
        convert(b"abcde")
