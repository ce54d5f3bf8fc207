"""Bodies of several parts, as RFC 7578 has them."""

from __future__ import annotations

from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field

from users_sdk._http import Headers
from users_sdk._models import Base64, Binary, Model
from users_sdk._multipart import multipart
from users_sdk._operation import Body, Operation
from users_sdk._request import prepare
from users_sdk.errors import InvalidArgumentError


class Meta(Model):
    """What is sent as JSON."""

    note: str


class Upload(Model):
    """A body of several parts."""

    file: Binary
    pages: Annotated[list[Binary] | None, Field(alias="Pages")] = None
    meta: Meta | None = None
    tags: list[str] | None = None
    sum: Base64 | None = None


UPLOAD: Operation[None] = Operation(
    "upload", "upload", "POST", "/", (), Body(Upload, media_type="multipart/form-data")
)


def _parsed(content_type: str, body: bytes) -> list[EmailMessage]:
    head = b"MIME-Version: 1.0\r\nContent-Type: " + content_type.encode() + b"\r\n\r\n"
    whole = BytesParser(policy=HTTP).parsebytes(head + body)
    assert isinstance(whole, EmailMessage)
    return [part for part in whole.iter_parts() if isinstance(part, EmailMessage)]


def _sent(body: object) -> dict[str, list[Any]]:
    headers = Headers({})
    request = prepare(UPLOAD, "http://a", {}, body, headers=headers, new_key=str).request
    parts: dict[str, list[Any]] = {}
    for part in _parsed(request.headers["Content-Type"], request.body):
        name = str(part.get_param("name", header="Content-Disposition"))
        parts.setdefault(name, []).append(part.get_payload(decode=True))
    return parts


@pytest.mark.parametrize("file", [b"\x00\r\n--", BytesIO(b"\x00\r\n--")])
def test_each_member_is_a_part(file: object) -> None:
    """Bytes and open files are files, objects JSON, lists a part for each; nothing is altered."""
    body = {"file": file, "Pages": [b"\xff", b""], "meta": {"note": "ä"}, "tags": ["a", "ü"]}
    assert _sent(body) == {
        "file": [b"\x00\r\n--"],
        "Pages": [b"\xff", b""],
        "meta": [rb'{"note":"\u00e4"}'],
        "tags": [b"a", "ü".encode()],
    }


def test_a_model_is_sent_like_a_mapping() -> None:
    """Base64 stays text: only files are sent as bytes."""
    assert _sent(Upload(file=b"f", sum=b"\xff")) == {"file": [b"f"], "sum": [b"/w=="]}


def test_a_file_on_disk_can_be_given_open(tmp_path: Path) -> None:
    """A file that is open for reading bytes is read."""
    path = tmp_path / "f"
    path.write_bytes(b"content")
    with path.open("rb") as file:
        assert _sent({"file": file}) == {"file": [b"content"]}


def test_a_part_has_the_media_type_that_the_document_gives() -> None:
    """`encoding` goes before what follows from the value; a name is escaped."""
    encoding = {"a": "image/png", "b": "text/csv"}
    body, kind = multipart({"a": b"x", "b": "1,2", 'c"\n': 3}, encoding, "multipart/form-data")
    parts = _parsed(kind, body)
    assert [part.get("Content-Type") for part in parts] == ["image/png", "text/csv", None]
    assert parts[0].get_filename() == "a"
    assert parts[2].get_param("name", header="Content-Disposition") == "c%22%0A"


@pytest.mark.parametrize(
    ("body", "said"), [({}, "file: Field required"), ({"file": 3}, "file: Input should be a valid")]
)
def test_a_body_that_does_not_fit_is_refused(body: object, said: str) -> None:
    """Nothing is sent, and the member is named."""
    with pytest.raises(InvalidArgumentError, match=said):
        _sent(body)
