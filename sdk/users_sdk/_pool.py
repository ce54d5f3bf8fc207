"""
What sends: a given HTTP client, or connections of our own, made by `httpx` or `httpx2`.

Of our own connections the sockets are known, from the libraries' documented `trace` extension:

1. Closing shuts them down, which ends a read that another thread is blocked in. Closing them alone
   would not, and could give their numbers to others meanwhile.
2. A forked child closes its copies, which ends no connection: the parent goes on with it.

Source: https://www.python-httpx.org/advanced/extensions/#trace
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any
from weakref import WeakSet

from .errors import ConfigurationError, RequestNotSent

LIBRARIES = ("httpx", "httpx2")
"""What may be sent with, the usual one first."""

_OPENED = ("connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete")
"""The ends of the names of events that come with a new stream."""


@dataclass(slots=True)
class Pool:
    """
    What sends.

    Attributes:
        library: `httpx` or `httpx2`.
        send: Sends a request of the library's, and returns the beginning of the answer.
        owned: What is to be closed, if it is not the caller's.
    """

    library: ModuleType
    send: Callable[[Any], Any]
    owned: Any = None


class Sockets:
    """The sockets of the connections that a transport has opened, while they are in use."""

    def __init__(self) -> None:
        self._known: WeakSet[socket.socket] = WeakSet()
        self._lock = threading.Lock()
        self._shut = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Note a new connection: the `trace` extension of a request."""
        if event.endswith(_OPENED):
            opened: socket.socket = info["return_value"].get_extra_info("socket")
            with self._lock:
                self._known.add(opened)
            if self._shut:
                opened.close()
                raise RequestNotSent("The client was closed while it was connecting")

    def shut_down(self) -> None:
        """End all connections, for those too that wait for an answer just now."""
        self._shut = True
        with self._lock:
            known = list(self._known)
        for opened in known:
            # Not by a TLS socket's own method, which forgets the encryption that others still use.
            with suppress(OSError):
                socket.socket.shutdown(opened, socket.SHUT_RDWR)

    def let_go(self) -> None:
        """Close a forked child's copies; nothing is said to the server. No other thread runs."""
        for opened in list(self._known):
            opened.close()


def library_of(client: object, kind: str) -> str:
    """
    Return the module whose `Client` or `AsyncClient` a given client is.

    Args:
        client: The client, or the module's name, or `None` for the usual one.
        kind: The name of the class.

    Raises:
        ConfigurationError: It is something else.
    """
    if client is None or client in LIBRARIES:
        return str(client or LIBRARIES[0])
    for name in LIBRARIES:
        library = sys.modules.get(name)
        if library is not None and isinstance(client, getattr(library, kind)):
            return name
    raise ConfigurationError(
        f"http_client is a {type(client).__module__}.{type(client).__qualname__}; this client "
        f"takes {' or '.join(f'{name}.{kind}' for name in LIBRARIES)}, or the name of one of them"
    )


def opened(given: object, name: str, *, blocking: bool, connections: int) -> Pool:
    """
    Return what sends through a given client, or makes connections.

    Args:
        given: The client, or anything else if connections are to be made.
        name: The library.
        blocking: Whether it blocks, or is for an event loop.
        connections: How many are made at most.
    """
    library = import_module(name)
    if given is not None and not isinstance(given, str):
        return Pool(library, _sender(library, given))
    limits = library.Limits(max_connections=connections, max_keepalive_connections=connections)
    prefix = "" if blocking else "Async"
    if import_module("urllib.request").getproxies():
        client = getattr(library, f"{prefix}Client")(limits=limits, follow_redirects=False)
        return Pool(library, _sender(library, client), client)
    # Without proxies a client adds nothing that is wanted here, at a sixth of a request's cost.
    transport = getattr(library, f"{prefix}HTTPTransport")(limits=limits)
    send = transport.handle_request if blocking else transport.handle_async_request
    return Pool(library, send, transport)


def _sender(library: ModuleType, client: Any) -> Callable[[Any], Any]:
    # This Auth adds nothing. For none at all, the client would look into each request's URL.
    return partial(client.send, stream=True, auth=library.Auth(), follow_redirects=False)
