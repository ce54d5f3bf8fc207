from __future__ import annotations

import gc
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from users_sdk._pool import Sockets
from users_sdk.errors import RequestNotSent

EVENT = "connection.connect_tcp.complete"


class Stream:
    """A connection, as the HTTP client's `trace` extension tells of it."""

    def __init__(self, opened: socket.socket) -> None:
        self._socket = opened

    def get_extra_info(self, info: str) -> Any:
        """Return the socket."""
        return self._socket if info == "socket" else None


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Yield both ends of a connection: ours and the server's."""
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    theirs.settimeout(10)
    with ours, theirs:
        yield ours, theirs


Ends = tuple[socket.socket, socket.socket]


def test_shutting_down_wakes_who_reads(ends: Ends) -> None:
    """Closing a socket would not."""
    ours, _ = ends
    sockets = Sockets()
    sockets.trace(EVENT, {"return_value": Stream(ours)})
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(ours.recv(1)), daemon=True)
    reader.start()
    sockets.shut_down()
    reader.join(5)
    assert received == [b""]


def test_a_connection_that_comes_too_late_is_closed(ends: Ends) -> None:
    """Nothing is sent over it."""
    ours, theirs = ends
    sockets = Sockets()
    sockets.shut_down()
    with pytest.raises(RequestNotSent):
        sockets.trace(EVENT, {"return_value": Stream(ours)})
    assert theirs.recv(1) == b""


def test_connections_that_are_gone_are_forgotten(ends: Ends) -> None:
    """A client that works for weeks keeps no list of them; other events say nothing of any."""
    sockets = Sockets()
    sockets.trace("http11.response_closed.complete", {"return_value": None})
    with socket.create_server(("127.0.0.1", 0)) as opened:
        sockets.trace(EVENT, {"return_value": Stream(opened)})
    assert list(sockets._known) == [opened]
    del opened
    gc.collect()
    assert list(sockets._known) == []
    sockets.shut_down()


def test_a_child_lets_go_without_a_word(ends: Ends) -> None:
    """Corner 24: encrypted as well, the connection is not ended while the parent has it, too."""
    ours, theirs = encrypted(ends)
    parents = os.dup(ours.fileno())
    sockets = Sockets()
    sockets.trace("connection.start_tls.complete", {"return_value": Stream(ours)})
    sockets.let_go()
    assert ours.fileno() == -1
    theirs.setblocking(False)
    with theirs, pytest.raises(ssl.SSLWantReadError):
        theirs.recv(1)
    os.close(parents)


def encrypted(ends: Ends) -> Ends:
    """Return both ends of a connection, encrypted without certificates."""
    wrapped: dict[bool, ssl.SSLSocket] = {}

    def wrap(end: socket.socket, side: bool) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if side else ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("aNULL:@SECLEVEL=0")
        wrapped[side] = context.wrap_socket(end, server_side=side)

    server = threading.Thread(target=wrap, args=(ends[1], True), daemon=True)
    server.start()
    wrap(ends[0], False)
    server.join(5)
    return wrapped[False], wrapped[True]
