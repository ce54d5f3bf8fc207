"""The gateway as an HTTP server on the loopback interface: uvicorn, in a thread of its own."""

import asyncio
import contextlib
import errno
import json
import socket
import threading
from collections.abc import Iterator
from http import HTTPStatus

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from deploy.local.exchange import GatewayError
from deploy.local.gateway import (
    MAX_HEADER_BYTES,
    MAX_URL_BYTES,
    RAW_HEADERS_EXTENSION,
    Gateway,
    too_large_headers,
    too_long_url,
)

HOST = "127.0.0.1"
# What is left open this long after a stop is cut off; the whole stop has to take less than 2 s.
_GRACE_SECONDS = 1
_KEEP_ALIVE_SECONDS = 60
# A client has this long for a whole request, or its connection is closed.
_REQUEST_SECONDS = 60.0
# A client whose request is refused half-read has this long to read why.
_LINGER_SECONDS = 2.0
# Far above the quota, which the gateway answers itself: only for heads that never end.
_MAX_HEAD_BYTES = 8 * MAX_HEADER_BYTES


class PortError(OSError):
    """
    The port cannot be had.

    Args:
        port: The port.
        code: Why: `errno.EADDRINUSE` or `errno.EACCES`.
    """

    def __init__(self, port: int, code: int) -> None:
        reasons = {
            errno.EADDRINUSE: "is in use: stop what listens there, or choose another port",
            errno.EACCES: "may not be bound by this user: choose a port from 1024 on",
        }
        super().__init__(code, f"port {port} of {HOST} {reasons[code]}")


def bind(port: int) -> socket.socket:
    """
    Take a port of the loopback interface, before anything else starts.

    Args:
        port: The port; 0 lets the system choose.

    Returns:
        A bound socket for `GatewayServer`; not listening yet.

    Raises:
        PortError: Something else listens on the port, or it is not for this user.
    """
    # asyncio turns Nagle's algorithm off only on sockets that name their protocol; with it on, an
    # answer that is written in two parts waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        # With SO_REUSEADDR two sockets can bind; only one can listen.
        listener.listen(512)
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortError(port, error.errno) from error
        raise
    return listener


class GatewayServer:
    """
    Serves a gateway until it is stopped.

    Args:
        app: The gateway.
        listener: A socket from `bind`; the server closes it.
    """

    def __init__(self, app: Gateway, listener: socket.socket) -> None:
        self._listener = listener
        self._port = int(listener.getsockname()[1])
        self._server = _Server(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)
        self._failure: BaseException | None = None

    @property
    def port(self) -> int:
        """The port that is served."""
        return self._port

    @property
    def url(self) -> str:
        """The origin, without the stage."""
        return f"http://{HOST}:{self._port}"

    def start(self, timeout: float = 10.0) -> None:
        """
        Start to serve, and return when requests are answered.

        Args:
            timeout: Seconds to wait for that.

        Raises:
            RuntimeError: The server did not start.
        """
        self._thread.start()
        if not self._server.ready.wait(timeout) or self._failure is not None:
            self.stop()
            raise RuntimeError("the gateway did not start") from self._failure

    def request_stop(self) -> None:
        """Begin to stop, without waiting."""
        self._server.should_exit = True

    def stop(self, timeout: float = 5.0) -> None:
        """
        Stop serving: requests under way are finished, connections closed, the thread ends.

        Args:
            timeout: Seconds to wait for the thread.
        """
        self.request_stop()
        if self._thread.is_alive():
            self._thread.join(timeout)
        self._listener.close()

    def __enter__(self) -> "GatewayServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[self._listener]))
        except BaseException as error:
            self._failure = error
        finally:
            self._server.ready.set()


class _Server(uvicorn.Server):
    """A server that says when it is ready, and leaves signals to the main thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Protocol(HttpToolsProtocol):
    """
    HTTP/1.1 as the gateway needs it.

    Header names are kept as the client wrote them, a head without end and a request that does not
    come to its end in time are cut off, and a request that is not HTTP gets JSON.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.url = b""
        self._raw_headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._in_head = True
        self._refused = False
        self._due: asyncio.TimerHandle | None = None
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._request_arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES + len(data):
                self._refuse(self._too_long_url() or too_large_headers())
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_request()
        self._raw_headers = []
        self._in_head = True
        self.scope["extensions"] = {RAW_HEADERS_EXTENSION: self._raw_headers}  # type: ignore[dict-item]

    def on_header(self, name: bytes, value: bytes) -> None:
        self._raw_headers.append((name, value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        hosts = sum(name == b"host" for name, _ in self.headers)
        # RFC 9112, section 3.2. What a callback of the parser raises is answered with 400.
        if hosts > 1 or (not hosts and self.parser.get_http_version() != "1.0"):
            raise ValueError(f"{hosts} Host headers")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._request_arrived()
        super().on_message_complete()

    def _expect_request(self) -> None:
        if self._due is None:
            self._due = self.loop.call_later(_REQUEST_SECONDS, self.transport.close)

    def _request_arrived(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def send_400_response(self, msg: str) -> None:
        bad = GatewayError("DEFAULT_4XX", "Bad Request", "BadRequestException", status=400)
        self._refuse(self._too_long_url() or bad)

    def _too_long_url(self) -> GatewayError | None:
        """Return the refusal of the URL; the parser has no URLs of more than 64 KiB."""
        return too_long_url() if len(self.url) > MAX_URL_BYTES else None

    def _refuse(self, error: GatewayError) -> None:
        """Answer instead of the gateway, and read no more of what the client sends."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        body = json.dumps({"message": error.message}, separators=(",", ":")).encode()
        self.transport.write(
            b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\n"
            b"x-amzn-ErrorType: %b\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b"
            % (
                error.status,
                HTTPStatus(error.status).phrase.encode(),
                error.error_type.encode(),
                len(body),
                body,
            )
        )
        self._linger()

    def _linger(self) -> None:
        """
        Close, but not while the client sends: what it has not read yet would be lost with that.

        Source: RFC 9112, section 9.6.
        """
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()
            return
        self.transport.write_eof()
        self.loop.call_later(_LINGER_SECONDS, self.transport.close)
