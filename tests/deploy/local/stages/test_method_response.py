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


def test_trace_is_the_gateways(routed_of: Make, method_of: Make) -> None:
    """A mapped trace header gives way to the gateway's own."""
    http = method_of({"type": "http", "httpMethod": "GET", "uri": "http://127.0.0.1:9"})
    response = Response(200, (("x-amzn-trace-id", "mapped"),), b"")
    names = [name.lower() for name, _ in finish(routed_of(http), response).headers]
    assert names.count("x-amzn-trace-id") == 1


def test_proxy_renames_as_the_others_do(routed_of: Make, method_of: Make) -> None:
    """http_proxy passes headers on, but for those of the connection and the gateway's own."""
    proxy = method_of({"type": "http_proxy", "httpMethod": "GET", "uri": "http://127.0.0.1:9"})
    passed = [
        *(("Content-Encoding", "gzip"), ("Server", "x"), ("WWW-Authenticate", "Basic")),
        *(("x-amzn-RequestId", "theirs"), ("x-amz-apigw-id", "theirs"), ("X-Amzn-Trace-Id", "t")),
    ]
    headers = finished(routed_of, proxy, *passed)
    assert headers["x-amzn-Remapped-Server"] == "x"
    assert headers["x-amzn-Remapped-WWW-Authenticate"] == "Basic"
    assert headers["x-amzn-Remapped-x-amzn-RequestId"] == "theirs"
    assert headers["x-amzn-Remapped-x-amz-apigw-id"] == "theirs"
    assert headers["X-Amzn-Trace-Id"] == "t"
    assert "theirs" not in (headers["x-amzn-RequestId"], headers["x-amz-apigw-id"])
    assert not {"Content-Encoding", "Server", "WWW-Authenticate"} & headers.keys()


def test_line_breaks_do_not_start_headers(routed_of: Make, method_of: Make) -> None:
    """A value with a line break stays one header."""
    headers = finished(routed_of, method_of(), ("X-Mine", "a\r\nSet-Cookie: b"))
    assert headers["X-Mine"] == "a Set-Cookie: b"


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_content_have_none(routed_of: Make, method_of: Make, status: int) -> None:
    """A body where HTTP allows none is left out."""
    assert finish(routed_of(method_of()), Response(status, (), b"text")).body == b""
