from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

import pytest

from users_sdk import _body
from users_sdk._body import read, read_async
from users_sdk.errors import AnswerTimeout, ProtocolError

TEXT = b'{"item": "x"}'
FAR = float("inf")


@dataclass
class Chunks:
    """A body that comes in chunks."""

    chunks: list[bytes]

    def __iter__(self) -> Iterator[bytes]:
        yield from self.chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk


@dataclass
class Answer:
    """An answer of an HTTP client; one that somebody has read has its `content`."""

    stream: Chunks = field(default_factory=lambda: Chunks([]))
    content: bytes = b""
    is_stream_consumed: bool = False


Reader = Callable[[Answer, str | None], bytes]


def reading(answer: Answer, encoding: str | None) -> bytes:
    """Read it in this thread."""
    return read(answer, encoding, FAR)


def reading_async(answer: Answer, encoding: str | None) -> bytes:
    """Read it in an event loop."""
    return asyncio.run(read_async(answer, encoding))


readers = pytest.mark.parametrize("reader", [reading, reading_async], ids=["sync", "async"])


@readers
@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        (None, TEXT),
        ("identity", TEXT),
        ("Identity", TEXT),
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("x-gzip", gzip.compress(TEXT, mtime=0)),
        ("deflate", zlib.compress(TEXT)),
    ],
)
def test_a_body_is_read_and_unpacked(reader: Reader, encoding: str | None, packed: bytes) -> None:
    """However it is cut into chunks."""
    chunks = [packed[place : place + 1] for place in range(len(packed))]
    assert reader(Answer(Chunks(chunks)), encoding) == TEXT


@readers
@pytest.mark.parametrize(
    ("encoding", "packed", "said"),
    [
        ("br", TEXT, "compressed by 'br'"),
        ("gzip", TEXT, "the answer is no gzip"),
        ("gzip", gzip.compress(TEXT, mtime=0)[:-1], "gzip is cut off"),
        ("deflate", b"", "deflate is cut off"),
        (None, b"x" * 101, "larger than 100 bytes"),
        ("gzip", gzip.compress(b"x" * 101, mtime=0), "larger than 100 bytes"),
    ],
)
def test_a_body_that_cannot_be_read_says_why(
    reader: Reader,
    encoding: str | None,
    packed: bytes,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is bounded as it comes, and as it unpacks."""
    monkeypatch.setattr(_body, "MAX_BODY_BYTES", 100)
    with pytest.raises(ProtocolError, match=said):
        reader(Answer(Chunks([packed])), encoding)


@readers
def test_what_somebody_has_read_is_bounded_as_well(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is unpacked already, whatever the answer's header says."""
    assert reader(Answer(content=TEXT, is_stream_consumed=True), "gzip") == TEXT
    monkeypatch.setattr(_body, "MAX_BODY_BYTES", 1)
    with pytest.raises(ProtocolError, match="larger than 1 bytes"):
        reader(Answer(content=TEXT, is_stream_consumed=True), None)


def test_a_body_that_drips_is_not_waited_for() -> None:
    """The client's own limit is for each chunk."""
    with pytest.raises(AnswerTimeout, match="did not end in time"):
        read(Answer(Chunks([TEXT])), None, time.monotonic() - 1)
