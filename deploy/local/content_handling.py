"""
Content handling: which payloads are binary, and how they become text and back.

To API Gateway a payload is text unless its media type is one of the API's binary media types; text
is read as UTF-8. `contentHandling` converts between binary and its Base64 text.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html
and recorded, with S3 behind the gateway.
"""

import base64
from dataclasses import dataclass
from typing import Literal, TypeAlias

ContentHandling: TypeAlias = Literal["CONVERT_TO_BINARY", "CONVERT_TO_TEXT"]


@dataclass(frozen=True, slots=True)
class BinaryMediaTypes:
    """
    The binary media types of an API.

    Args:
        types: Such as `image/png`, `image/*` and `*/*`, lower case.
    """

    types: frozenset[str] = frozenset()

    def match(self, header: str | None) -> bool:
        """Tell whether the first media type of a `Content-Type` or `Accept` is binary."""
        if not self.types or not header:
            return False
        media_type = header.partition(",")[0].partition(";")[0].strip().lower()
        return not self.types.isdisjoint({media_type, f"{media_type.partition('/')[0]}/*", "*/*"})


def request_payload(body: bytes, handling: ContentHandling | None, *, binary: bool) -> str | bytes:
    """
    Return the payload of a request as templates and backends get it.

    Args:
        body: What the client sent.
        handling: `contentHandling` of the integration.
        binary: Whether the request's content type is binary.

    Raises:
        ValueError: A text that is to become binary is not Base64.
    """
    if binary:
        return _base64(body) if handling == "CONVERT_TO_TEXT" else body
    return base64.b64decode(body) if handling == "CONVERT_TO_BINARY" else _text(body)


def response_payload(
    body: bytes, handling: ContentHandling | None, *, binary: bool, accepted: bool
) -> str | bytes:
    """
    Return the payload of a backend's answer as templates and clients get it.

    Args:
        body: What the backend answered.
        handling: `contentHandling` of the integration response.
        binary: Whether the answer's content type is binary.
        accepted: Whether the request's `Accept` is binary; it decides where `handling` does not.

    Raises:
        ValueError: A text that is to become binary is not Base64.
    """
    wanted = handling or ("CONVERT_TO_BINARY" if accepted else "CONVERT_TO_TEXT")
    if wanted == "CONVERT_TO_TEXT":
        return _base64(body) if binary else _text(body)
    return body if binary else base64.b64decode(body)


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def _base64(body: bytes) -> str:
    return base64.b64encode(body).decode("ascii")
