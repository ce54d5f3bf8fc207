"""
The body of an answer, bounded in size as it comes and as it unpacks.

It is asked for without compression; a server that compresses all the same is understood.
"""

from __future__ import annotations

import time
import zlib
from typing import Any

from .errors import AnswerTimeout, ProtocolError

MAX_BODY_BYTES = 10 * 1024 * 1024
"""The largest answer that is read: what API Gateway sends at most.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
"""

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


def read(answer: Any, encoding: str | None, deadline: float) -> bytes:
    """
    Read an answer of `httpx` or `httpx2` to its end.

    Args:
        answer: The answer, whose beginning is there.
        encoding: Its `Content-Encoding`.
        deadline: When it has to be read, on the monotonic clock.

    Raises:
        AnswerTimeout: It did not end in time.
        ProtocolError: It is too large, or cannot be unpacked.
    """
    if answer.is_stream_consumed:
        return _read_before(answer)
    body = bytearray()
    for chunk in answer.stream:
        _append(body, chunk)
        if time.monotonic() > deadline:
            raise AnswerTimeout("the answer did not end in time")
    return _unpacked(bytes(body), encoding)


async def read_async(answer: Any, encoding: str | None) -> bytes:
    """
    Read an answer of `httpx` or `httpx2` to its end, in an event loop.

    Args:
        answer: The answer, whose beginning is there.
        encoding: Its `Content-Encoding`.

    Raises:
        ProtocolError: It is too large, or cannot be unpacked.
    """
    if answer.is_stream_consumed:
        return _read_before(answer)
    body = bytearray()
    async for chunk in answer.stream:
        _append(body, chunk)
    return _unpacked(bytes(body), encoding)


def _read_before(answer: Any) -> bytes:
    """Return what an event hook of the given client has read, or what a mock was made of."""
    body = bytes(answer.content)
    if len(body) > MAX_BODY_BYTES:
        raise _too_large()
    return body


def _append(body: bytearray, chunk: bytes) -> None:
    body += chunk
    if len(body) > MAX_BODY_BYTES:
        raise _too_large()


def _unpacked(body: bytes, encoding: str | None) -> bytes:
    """Return what a compressed answer says: little may unpack to more than there is memory."""
    if encoding is None or encoding.lower() == "identity":
        return body
    if encoding.lower() not in ("gzip", "x-gzip", "deflate"):
        raise ProtocolError(f"the answer is compressed by {encoding!r}; it was asked for as it is")
    unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        unpacked = unpacker.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise ProtocolError(f"the answer is no {encoding}: {error}") from error
    if len(unpacked) > MAX_BODY_BYTES:
        raise _too_large()
    if not unpacker.eof:
        raise ProtocolError(f"the answer's {encoding} is cut off")
    return unpacked


def _too_large() -> ProtocolError:
    return ProtocolError(f"the answer is larger than {MAX_BODY_BYTES} bytes")
