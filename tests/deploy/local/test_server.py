"""The HTTP server, over real sockets."""

import contextlib
import errno
import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.local.credentials import KeyStore
from deploy.local.gateway import MAX_BODY_BYTES, Stage, create_app
from deploy.local.server import GatewayServer, PortError, bind

ECHO = {
    "type": "mock",
    "requestTemplates": {"application/json": '{"statusCode": 200}'},
    "responses": {
        "default": {
            "statusCode": "200",
            "responseTemplates": {
                "application/json": "$input.params().header.keySet()$input.params('X-Spelling')"
            },
        }
    },
}


@pytest.fixture(scope="module")
def server() -> Iterator[GatewayServer]:
    """A server with one route for any method."""
    operation = {"responses": {"200": {}}, "x-amazon-apigateway-integration": ECHO}
    document = {
        "openapi": "3.0.1",
        "info": {"title": "t"},
        "paths": {"/echo": {"x-amazon-apigateway-any-method": operation}},
    }
    app = create_app(
        document,
        stage=Stage("dev"),
        backends={},
        keys=KeyStore(),
        account_id="000000000000",
        region="us-east-1",
    )
    with GatewayServer(app, bind(0)) as running:
        yield running


def exchange(server: GatewayServer, data: bytes) -> bytes:
    """Send bytes; return all that comes until the server closes or a response is whole."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(data)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
            head, blank, body = received.partition(b"\r\n\r\n")
            if blank and (data.startswith(b"HEAD") or len(body) >= _content_length(head)):
                break
        return received


def _content_length(head: bytes) -> int:
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return int(lengths[0].partition(b":")[2]) if lengths else 0


def get(server: GatewayServer) -> int:
    """Return the status of an ordinary request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", "/dev/echo")
    status = connection.getresponse().status
    connection.close()
    return status


def test_header_names_keep_their_spelling(server: GatewayServer) -> None:
    """Templates see header names as the client wrote them, as on AWS."""
    answer = exchange(
        server, b"GET /dev/echo HTTP/1.1\r\nHost: h\r\nX-Spelling: yes\r\nx-lower: 1\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"X-Spelling" in answer
    assert answer.endswith(b"yes")
    assert b"x-lower" in answer


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "PATCH", "DELETE"])
def test_no_method_is_special(server: GatewayServer, method: str) -> None:
    """HEAD and OPTIONS are routed like any other method."""
    answer = exchange(server, f"{method} /dev/echo HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"GET /dev/echo HTTP/9.9\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: h\r\n\r\n",
        b"POST /dev/echo HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        b"POST /dev/echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /dev/echo HTTP/1.1\r\nHost: h\r\nA:" + b"a" * 200_000,
        b"GET /dev/echo?%zz&=&&;% HTTP/1.1\r\nHost: h\r\nX: \xff\r\n\r\n",
        b"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /dev/echo HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        b"GET /dev/echo HTTP/1.1\r\n\r\nGET /dev/echo HTTP/1.1\r\n\r\n" * 50,
    ],
)
def test_malformed_requests_cost_nothing_but_themselves(server: GatewayServer, data: bytes) -> None:
    """Whatever arrives, the next request is answered."""
    try:
        answer = exchange(server, data)
    except ConnectionResetError:
        answer = b""
    assert b"Traceback" not in answer
    assert b"Internal Server Error" not in answer
    assert get(server) == 200


def test_requests_in_a_row_share_a_connection(server: GatewayServer) -> None:
    """Connections are kept alive."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    for _ in range(3):
        connection.request("GET", "/dev/echo")
        response = connection.getresponse()
        assert response.status == 200
        response.read()
        assert connection.sock is not None
    connection.close()


def test_too_large_a_body_is_413(server: GatewayServer) -> None:
    """More than 10 MB is refused without being read."""
    head = f"POST /dev/echo HTTP/1.1\r\nHost: h\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n\r\n"
    answer = exchange(server, head.encode())
    assert answer.startswith(b"HTTP/1.1 413 ")
    message = json.loads(answer.partition(b"\r\n\r\n")[2])["message"]
    assert message == "HTTP content length exceeded 10485760 bytes."


def test_client_that_sends_too_much_gets_its_answer(server: GatewayServer) -> None:
    """The connection is closed in order, and not reset while the answer is under way."""
    length = MAX_BODY_BYTES + 1024 * 1024
    head = f"POST /dev/echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {length}"
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode() + b"x" * length)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    assert received.startswith(b"HTTP/1.1 413 ")
    assert received.endswith(b'{"message":"HTTP content length exceeded 10485760 bytes."}')


def test_a_connection_outlives_too_large_a_body(server: GatewayServer) -> None:
    """A client that sent all of it reads its 413, and goes on with the next request."""
    length = MAX_BODY_BYTES + 1
    head = f"POST /dev/echo HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(head.encode() + b"x" * length)
        refusal = http.client.HTTPResponse(connection)
        refusal.begin()
        assert (refusal.status, refusal.read()[:9]) == (413, b'{"message')
        connection.sendall(b"GET /dev/echo HTTP/1.1\r\nHost: h\r\n\r\n")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 200


@pytest.mark.parametrize(
    ("limit", "value"), [("_MAX_DRAIN_SECONDS", 0.05), ("_MAX_DRAINED_BYTES", 1)]
)
def test_nobody_is_listened_to_for_ever(
    server: GatewayServer, monkeypatch: pytest.MonkeyPatch, limit: str, value: float
) -> None:
    """A client that does not end its body is cut off, by time and by bytes."""
    monkeypatch.setattr(f"deploy.local.gateway.{limit}", value)
    head = b"POST /dev/echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 99999999999"
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(head + b"\r\n\r\n" + b"x")
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    assert received.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("size", [10_300, 70_000, 200_000, 2_000_000])
def test_too_large_headers_are_431(server: GatewayServer, size: int) -> None:
    """More than 10,240 bytes of headers have one answer, and a client that sends first gets it."""
    head = b"GET /dev/echo HTTP/1.1\r\nHost: h\r\nA: " + b"a" * size
    answer = sent_whole(server, head + b"\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert answer.endswith(b'{"message":"HTTP header is larger than 10240 bytes."}')


@pytest.mark.parametrize("size", [10_300, 70_000, 200_000, 2_000_000])
def test_too_long_a_url_is_414(server: GatewayServer, size: int) -> None:
    """A URL has a limit of its own."""
    head = b"GET /dev/echo?a=" + b"a" * size + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    answer = sent_whole(server, head)
    assert answer.startswith(b"HTTP/1.1 414 ")
    assert answer.endswith(b'{"message":"URI is longer than 10240 bytes."}')


def test_a_head_without_end_is_cut_off(server: GatewayServer, monkeypatch: Any) -> None:
    """It is answered, listened to for a while, and closed."""
    monkeypatch.setattr("deploy.local.server._LINGER_SECONDS", 0.05)
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"GET /dev/echo HTTP/1.1\r\nHost: h\r\n")
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"A: " + b"a" * 1000 + b"\r\n")
    assert get(server) == 200


def sent_whole(server: GatewayServer, data: bytes) -> bytes:
    """Send everything, and only then read to the end."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(data)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"GET /dev/echo HTTP/1.1\r\nHost: h\r\nX-A: ",
        b"POST /dev/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{",
    ],
)
def test_half_a_request_is_not_waited_for_for_ever(
    server: GatewayServer, monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    """A connection whose request does not come to its end in time is closed."""
    with monkeypatch.context() as patch:
        patch.setattr("deploy.local.server._REQUEST_SECONDS", 0.05)
        assert exchange(server, begin) == b""
    assert get(server) == 200


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: b\r\n"])
def test_a_request_names_one_host(server: GatewayServer, hosts: bytes) -> None:
    """RFC 9112, section 3.2; HTTP/1.0 has no such rule."""
    answer = exchange(server, b"GET /dev/echo HTTP/1.1\r\n" + hosts + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert answer.endswith(b'{"message":"Bad Request"}')
    assert exchange(server, b"GET /dev/echo HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_busy_port_is_one_clear_error(server: GatewayServer) -> None:
    """A port that is taken is named, before anything starts."""
    with pytest.raises(PortError, match=f"port {server.port} of 127.0.0.1 is in use"):
        bind(server.port)


def test_port_of_another_user_is_not_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that may not be bound is told apart from one that is taken."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("deploy.local.server.socket.socket.bind", refuse)
    with pytest.raises(PortError, match=r"port 80 of 127\.0\.0\.1 may not be bound by this user"):
        bind(80)


def test_stop_frees_the_port(server: GatewayServer) -> None:
    """After a stop nothing listens, and the port can be had again."""
    app = create_app(
        {"openapi": "3.0.1", "info": {"title": "t"}, "paths": {}},
        stage=Stage("dev"),
        backends={},
        keys=KeyStore(),
        account_id="000000000000",
        region="us-east-1",
    )
    with GatewayServer(app, bind(0)) as other:
        port = other.port
        assert other.url == f"http://127.0.0.1:{port}"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    bind(port).close()
