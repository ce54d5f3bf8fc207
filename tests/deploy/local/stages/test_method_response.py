"""Method response."""

from collections.abc import Callable
from typing import Any

import pytest

from deploy.local.exchange import Response
from deploy.local.stages.method_response import finish

Make = Callable[..., Any]


def finished(routed_of: Make, method: Any, *headers: tuple[str, str]) -> dict[str, str]:
    """Return the headers that the client gets."""
    return dict(finish(routed_of(method), Response(200, headers, b"")).headers)


def test_reserved_headers_are_renamed(routed_of: Make, method_of: Make) -> None:
    """Headers that are the server's come out as x-amzn-Remapped."""
    headers = finished(routed_of, method_of(), ("Date", "never"), ("X-Mine", "1"))
    assert headers["x-amzn-Remapped-Date"] == "never"
    assert headers["X-Mine"] == "1"
    assert "Date" not in headers


def test_gateway_adds_its_ids(routed_of: Make, method_of: Make) -> None:
    """Every response has both ids; the trace is on those of backends."""
    mock = finished(routed_of, method_of())
    assert {"x-amzn-RequestId", "x-amz-apigw-id"} == mock.keys()
    http = method_of({"type": "http", "httpMethod": "GET", "uri": "http://127.0.0.1:9"})
    assert finished(routed_of, http)["X-Amzn-Trace-Id"].startswith("Root=1-")


def test_proxy_drops_encoding(routed_of: Make, method_of: Make) -> None:
    """http_proxy passes headers on, but for those of the connection."""
    proxy = method_of({"type": "http_proxy", "httpMethod": "GET", "uri": "http://127.0.0.1:9"})
    headers = finished(
        routed_of, proxy, ("Content-Encoding", "gzip"), ("Server", "x"), ("Authorization", "a")
    )
    assert headers["x-amzn-Remapped-Server"] == "x"
    assert headers["Authorization"] == "a"
    assert "Content-Encoding" not in headers


def test_line_breaks_do_not_start_headers(routed_of: Make, method_of: Make) -> None:
    """A value with a line break stays one header."""
    headers = finished(routed_of, method_of(), ("X-Mine", "a\r\nSet-Cookie: b"))
    assert headers["X-Mine"] == "a Set-Cookie: b"


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_content_have_none(routed_of: Make, method_of: Make, status: int) -> None:
    """A body where HTTP allows none is left out."""
    assert finish(routed_of(method_of()), Response(status, (), b"text")).body == b""
