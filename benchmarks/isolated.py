"""Gateway, stub of its backends and bare peer, each in a process of its own, on loopback."""

from __future__ import annotations

import asyncio
import gc
import logging
import multiprocessing
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

CONTRACT = Path(__file__).parents[1] / "openapi.yaml"
MESSAGE_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
USER_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"

_SQS = (
    b'{"SendMessageResponse":{"SendMessageResult":{"MessageId":"%s"},"ResponseMetadata":{}}}'
    % MESSAGE_ID.encode()
)
_ITEM = (
    b'{"Item":{"userId":{"S":"%s"},"name":{"S":"Ada"},"email":{"S":"ada@example.com"},'
    b'"createdAt":{"S":"2026-11-23T21:00:00.000Z"}}}' % USER_ID.encode()
)
_ANSWERS = ((b".GetItem", _ITEM), (b".Query", b'{"Count":0,"Items":[],"ScannedCount":0}'))

_CONTENT_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)\r?$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Served:
    """
    A gateway that runs.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        access_key_id: Of the key that it knows.
        secret_access_key: Likewise.
        complaints: Asks for what it has logged since it was last asked, tracebacks included.
    """

    port: int
    access_key_id: str
    secret_access_key: str
    complaints: Callable[[], list[str]]


@contextmanager
def stub() -> Iterator[int]:
    """Run a stub of SQS and DynamoDB; gives its port."""
    with _process(_run_stub) as (port, _):
        yield port


@contextmanager
def peer() -> Iterator[int]:
    """Run uvicorn and Starlette with one route that does nothing; gives its port."""
    with _process(_run_peer) as (port, _):
        yield port


@contextmanager
def gateway(
    stub_port: int, contract: Path = CONTRACT, placeholders: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """Run the gateway of a contract, all of its services at the stub."""
    arguments = (stub_port, str(contract), dict(placeholders or {}))
    with _process(_run_gateway, *arguments) as ((port, key_id, secret), connection):

        def complaints() -> list[str]:
            connection.send("complaints")
            return list(connection.recv())

        yield Served(port, key_id, secret, complaints)


@contextmanager
def _process(run: Callable[..., None], *arguments: object) -> Iterator[tuple[Any, Connection]]:
    """Run a function that says through its first argument when it is ready."""
    context = multiprocessing.get_context("spawn")
    connection, theirs = context.Pipe()
    process = context.Process(target=run, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield connection.recv(), connection
    finally:
        process.terminate()
        process.join()


class _Stub(asyncio.Protocol):
    """As little HTTP/1.1 as the gateway's client needs."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._data = b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        while True:
            head, found, rest = self._data.partition(b"\r\n\r\n")
            length = _length(head)
            if not found or len(rest) < length:
                return
            self._data = rest[length:]
            body = next((body for mark, body in _ANSWERS if mark in head), _SQS)
            answer = (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            )
            self._transport.write(answer % len(body) + body)  # type: ignore[attr-defined]


def _length(head: bytes) -> int:
    found = _CONTENT_LENGTH.search(head)
    return int(found[1]) if found else 0


def _run_stub(ready: Connection) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Stub, "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())


def _run_peer(ready: Connection) -> None:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from deploy.local.server import bind

    async def answer(request: Request) -> JSONResponse:
        await request.body()
        return JSONResponse({"messageId": MESSAGE_ID}, status_code=202)

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    listener = bind(0)
    ready.send(listener.getsockname()[1])
    config = uvicorn.Config(app, http="httptools", loop="asyncio", log_level="critical")
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


class _Complaints(logging.Handler):
    """Keeps what is logged, as text."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


def _run_gateway(
    ready: Connection, stub_port: int, contract: str, placeholders: dict[str, str]
) -> None:
    from deploy.contract import load
    from deploy.local.credentials import KeyStore
    from deploy.local.deployment import EMBEDDED_SERVICES, deploy
    from deploy.local.gateway import Gateway, Stage
    from deploy.local.integrations.aws import Backend
    from deploy.local.integrations.client import BackendClient
    from deploy.local.runtime import STAGE_VARIABLES, with_defaults
    from deploy.local.server import GatewayServer, bind
    from deploy.local.stages.integration import Integrations

    complaints = _Complaints()
    logging.getLogger().addHandler(complaints)
    url = f"http://127.0.0.1:{stub_port}"
    deployment = deploy(load(contract), with_defaults(placeholders))
    keys = KeyStore()
    key = keys.issue()
    client = BackendClient()
    backends = dict.fromkeys(EMBEDDED_SERVICES, Backend(url, "key", "secret"))
    app = Gateway(
        deployment.api,
        deployment.gateway_responses,
        stage=Stage("local", STAGE_VARIABLES),
        integrations=Integrations(backends, client, deployment.api.id),
        client=client,
        keys=keys,
        account_id="000000000000",
        region="us-east-1",
    )
    with GatewayServer(app, bind(0)) as server:
        gc.freeze()  # As `python -m deploy.local` does.
        ready.send((server.port, key.access_key_id, key.secret_access_key))
        while ready.recv():
            found, complaints.texts = complaints.texts, []
            ready.send(found)
