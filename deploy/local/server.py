"""The gateway as an HTTP server on the loopback interface: uvicorn, in a thread of its own."""

import asyncio
import contextlib
import errno
import json
import socket
import threading
from collections.abc import Iterator

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from deploy.local.gateway import MAX_HEADER_BYTES, RAW_HEADERS_EXTENSION, Gateway

HOST = "127.0.0.1"
# What is left open this long after a stop is cut off; the whole stop has to take less than 2 s.
_GRACE_SECONDS = 1
_KEEP_ALIVE_SECONDS = 60
# Far above the quota, which the gateway answers itself: only for heads that never end.
_MAX_HEAD_BYTES = 8 * MAX_HEADER_BYTES


class PortInUseError(OSError):
    """
    The port cannot be had.

    Args:
        port: The port.
    """

    def __init__(self, port: int) -> None:
        super().__init__(
            errno.EADDRINUSE,
            f"port {port} of {HOST} is in use: stop what listens there, or choose another port",
        )


def bind(port: int) -> socket.socket:
    """
    Take a port of the loopback interface, before anything else starts.

    Args:
        port: The port; 0 lets the system choose.

    Returns:
        A bound socket for `GatewayServer`; not listening yet.

    Raises:
        PortInUseError: Something else listens on the port.
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
            raise PortInUseError(port) from error
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

    Header names are kept as the client wrote them, a head without end is cut off, and a request
    that is not HTTP gets JSON.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._raw_headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._in_head = True

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES + len(data):
                self.send_400_response("Request head too large")
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._raw_headers = []
        self._in_head = True
        self.scope["extensions"] = {RAW_HEADERS_EXTENSION: self._raw_headers}  # type: ignore[dict-item]

    def on_header(self, name: bytes, value: bytes) -> None:
        self._raw_headers.append((name, value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_bytes = 0
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if self.transport.is_closing():
            return
        body = json.dumps({"message": "Bad Request"}).encode()
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
            b"x-amzn-ErrorType: BadRequestException\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        self.transport.close()
