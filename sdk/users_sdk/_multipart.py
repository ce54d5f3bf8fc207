"""
Bodies of several parts: `multipart/form-data` (RFC 7578), a part for each member of the model.

What a part is follows from its value (OpenAPI 3.0, 4.7.14.4): bytes are a file, an object is JSON,
anything else is text; of a list, each member is a part. `encoding` may name other media types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from secrets import token_hex
from typing import Any

from ._codec import encoded
from ._json import is_array


def multipart(
    members: Mapping[str, Any], encoding: Mapping[str, str], media_type: str
) -> tuple[bytes, str]:
    """
    Write a body of several parts.

    Args:
        members: JSON values and bytes, by the name on the wire.
        encoding: Media types of members that the document gives one.
        media_type: Of the whole, `multipart/form-data`.

    Returns:
        The body, and its `Content-Type`, which names what stands between the parts.
    """
    boundary = token_hex(16).encode("ascii")
    body = bytearray()
    for name, value in _parts(members):
        kind = encoding.get(name) or _media_type(value)
        file = f'; filename="{_escaped(name)}"' if isinstance(value, bytes) else ""
        head = f'Content-Disposition: form-data; name="{_escaped(name)}"{file}'
        kind_line = f"\r\nContent-Type: {kind}" if kind else ""
        body += b"--%b\r\n%b%b\r\n\r\n" % (boundary, head.encode(), kind_line.encode("ascii"))
        body += _content(value) + b"\r\n"
    return bytes(body + b"--%b--\r\n" % boundary), f"{media_type}; boundary={boundary.decode()}"


def _parts(members: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in members.items():
        for part in value if is_array(value) else [value]:
            if part is not None:
                yield name, part


def _media_type(value: object) -> str | None:
    if isinstance(value, bytes):
        return "application/octet-stream"
    return "application/json" if isinstance(value, Mapping | list) else None


def _content(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return value.encode("utf-8") if isinstance(value, str) else encoded(value)


def _escaped(name: str) -> str:
    """A name inside quotes, as browsers write it (RFC 7578, section 2, by the HTML standard)."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
