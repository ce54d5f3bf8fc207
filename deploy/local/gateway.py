"""
API Gateway for one REST API and stage, as an ASGI application.

The stages, in order: routing, authorization, request validation, integration request, integration,
integration response, method response; and gateway response, where one of them gives up.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from typing import Any, TypeAlias

from deploy.contract.responses import GatewayResponseType
from deploy.local.api import Api
from deploy.local.api_import import BasePath, import_api
from deploy.local.context import arrival_context, trace_header
from deploy.local.credentials import KeyStore
from deploy.local.definition import ApiImportError, ImportProblem
from deploy.local.exchange import (
    ConfigurationError,
    Context,
    GatewayError,
    Request,
    Response,
    RoutedRequest,
)
from deploy.local.integrations.aws import Backend
from deploy.local.integrations.client import BackendClient
from deploy.local.stages import (
    authorization,
    gateway_response,
    integration_request,
    integration_response,
    method_response,
    request_validation,
    routing,
)
from deploy.local.stages.integration import Integrations

Backends: TypeAlias = Mapping[str, Backend]
_Scope: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

# Source: AWS documentation, quotas of API Gateway: "Payload size", "Total combined size of request
# line and header values", and the length of a Regional API's URL.
MAX_BODY_BYTES = 10 * 1024 * 1024
MAX_HEADER_BYTES = 10_240
MAX_URL_BYTES = 10_240

# A client that sends too much has this long, and so many bytes, to read why.
_MAX_DRAINED_BYTES = 4 * MAX_BODY_BYTES
_MAX_DRAIN_SECONDS = 2.0

# Where the server puts the header names as the client wrote them; ASGI has them in lower case.
RAW_HEADERS_EXTENSION = "deploy.local.raw_headers"

# A cause may quote what a backend said, so that there is no end of different ones.
_MAX_REMEMBERED_CAUSES = 1_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stage:
    """
    A stage of an API.

    Args:
        name: First segment of every path.
        variables: `$stageVariables`.
    """

    name: str
    variables: Mapping[str, str] = field(default_factory=dict)


class Gateway:
    """
    The ASGI application; `create_app` makes it.

    Args:
        api: The imported API.
        gateway_responses: The effective gateway response of each type.
        stage: The stage that is served.
        integrations: The integrations of the API.
        client: What the integrations send with; closed with the application.
        keys: The keys that callers may sign with.
        account_id: Account of the API.
        region: Region of the API.
    """

    def __init__(
        self,
        api: Api,
        gateway_responses: Mapping[GatewayResponseType, gateway_response.GatewayResponse],
        *,
        stage: Stage,
        integrations: Integrations,
        client: BackendClient,
        keys: KeyStore,
        account_id: str,
        region: str,
    ) -> None:
        self._api = api
        self._gateway_responses = gateway_responses
        self._stage = stage
        self._integrations = integrations
        self._client = client
        self._keys = keys
        self._account_id = account_id
        self._region = region
        self._logged: set[str] = set()

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Serve one ASGI scope."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            try:
                body, too_large = await _read_body(scope, receive)
            except ConnectionError:
                return
            response = await self.respond(_request(scope, body), too_large=too_large)
            await _write(response, send, unread=receive if too_large else None)

    async def aclose(self) -> None:
        """Close the connections to the backends."""
        await self._client.aclose()

    async def respond(self, request: Request, *, too_large: bool = False) -> Response:
        """
        Answer one request.

        Args:
            request: The request.
            too_large: The body was longer than `MAX_BODY_BYTES` and has not been read whole.
        """
        now = time.time()
        context = arrival_context(
            request,
            account_id=self._account_id,
            api_id=self._api.id,
            stage=self._stage.name,
            now=now,
        )
        path: Mapping[str, str] = {}
        try:
            _check_size(request, too_large)
            routed = self._route(request, context, now)
            path = routed.parameters.path
            return await self._run(routed, now)
        except GatewayError as error:
            return self._give_up(error, request, context, path)
        except Exception as error:
            # Whatever goes wrong in a stage is one request's 500, and no more.
            _log.exception("%s %s failed", request.method, request.raw_path)
            fault = ConfigurationError(f"{type(error).__name__}: {error}")
            return self._give_up(fault, request, context, path)

    def _route(self, request: Request, context: Context, now: float) -> RoutedRequest:
        path = routing.stage_path(request, self._stage.name)
        try:
            method, path_parameters = routing.route(self._api, request.method, path)
        except GatewayError:
            authorization.check_claim(request)
            raise
        routing.check_method_arn(
            f"arn:aws:execute-api:{self._region}:{self._account_id}:{self._api.id}"
            f"/{self._stage.name}/{request.method}{path}"
        )
        context["resourceId"] = method.resource_id
        context["resourcePath"] = method.resource_path
        parameters = routing.parameters_of(
            request,
            path_parameters,
            trace=trace_header(request, now),
            drop_authorization=method.iam,
        )
        return RoutedRequest(request, method, parameters, path, context, self._stage.variables)

    async def _run(self, routed: RoutedRequest, now: float) -> Response:
        """Take a routed request through the other stages, in order."""
        authorization.authorize(
            routed.request,
            routed.method,
            routed.path,
            routed.context,
            keys=self._keys,
            region=self._region,
            now=now,
        )
        request_validation.validate(routed)
        backend_request = integration_request.build(routed)
        answer = await self._integrations.call(routed, backend_request)
        response = integration_response.build(routed, answer)
        return method_response.finish(routed, response)

    def _give_up(
        self, error: GatewayError, request: Request, context: Context, path: Mapping[str, str]
    ) -> Response:
        if isinstance(error, ConfigurationError):
            self._log_once(str(context.get("resourcePath", request.raw_path)), error.cause)
        failure = gateway_response.Failure(request, context, self._stage.variables, path)
        return gateway_response.build(self._gateway_responses[error.response_type], error, failure)

    def _log_once(self, resource_path: str, cause: str) -> None:
        if cause in self._logged:
            return
        if len(self._logged) >= _MAX_REMEMBERED_CAUSES:
            self._logged.clear()
        self._logged.add(cause)
        _log.error("%s: %s", resource_path, cause)

    async def _live(self, receive: _Receive, send: _Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.aclose()
                await send({"type": "lifespan.shutdown.complete"})
                return


def create_app(
    document: Mapping[str, object],
    *,
    stage: Stage,
    backends: Backends,
    keys: KeyStore,
    account_id: str,
    region: str,
    base_path: BasePath = "ignore",
) -> Gateway:
    """
    Import a document and return the application that serves it at `/{stage}`.

    Args:
        document: OpenAPI 3.0, placeholders filled.
        stage: Name and variables of the stage.
        backends: Endpoints by service name, such as `sqs`.
        keys: The keys that callers may sign with.
        account_id: Account of the API, twelve digits.
        region: Region of the API; signatures have to name it.
        base_path: What to do with the path of the document's first server.

    Raises:
        ApiImportError: API Gateway would refuse the document, or a service has no endpoint.
    """
    api = import_api(document, base_path=base_path)
    _check_backends(api, backends)
    client = BackendClient()
    return Gateway(
        api,
        gateway_response.import_gateway_responses(document),
        stage=stage,
        integrations=Integrations(backends, client, api.id),
        client=client,
        keys=keys,
        account_id=account_id,
        region=region,
    )


def _check_backends(api: Api, backends: Backends) -> None:
    problems = []
    for method in api.methods:
        uri = method.integration.uri
        if uri is not None and uri.target != "http" and uri.service not in backends:
            pointer = f"{method.integration.pointer}/uri"
            known = ", ".join(sorted(backends)) or "none"
            reason = (
                f"no endpoint for the service {uri.service!r}; there are endpoints for: {known}"
            )
            problems.append(ImportProblem(pointer, reason))
    if problems:
        raise ApiImportError(*problems)


def _check_size(request: Request, too_large: bool) -> None:
    if too_large:
        raise GatewayError(
            "REQUEST_TOO_LARGE",
            f"HTTP content length exceeded {MAX_BODY_BYTES} bytes.",
            "RequestEntityTooLargeException",
        )
    url_size = len(request.raw_path) + len(request.raw_query)
    if url_size > MAX_URL_BYTES:
        raise too_long_url()
    if url_size + sum(len(value) for _, value in request.headers) > MAX_HEADER_BYTES:
        raise too_large_headers()


def too_large_headers() -> GatewayError:
    """
    Return what a request with too large headers is answered with.

    Source: the text as third parties saw it (2021). The status is not documented; it is that of
    RFC 6585.
    """
    return GatewayError(
        "DEFAULT_4XX",
        f"HTTP header is larger than {MAX_HEADER_BYTES} bytes.",
        "RequestHeaderFieldsTooLargeException",
        status=431,
    )


def too_long_url() -> GatewayError:
    """
    Return what a request with too long a URL is answered with.

    Neither status nor text is documented; the status is that of RFC 9110, section 15.5.15.
    """
    return GatewayError(
        "DEFAULT_4XX",
        f"URI is longer than {MAX_URL_BYTES} bytes.",
        "RequestUriTooLongException",
        status=414,
    )


async def _read_body(scope: _Scope, receive: _Receive) -> tuple[bytes, bool]:
    """
    Return the body, and whether it was too large to read.

    Raises:
        ConnectionError: The client has gone; what came of the body must not be taken for the whole.
    """
    chunks, size = [], 0
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        return b"", True
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            return b"", True
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks), False


def _request(scope: _Scope, body: bytes) -> Request:
    extensions = scope.get("extensions") or {}
    raw: Iterable[tuple[bytes, bytes]] = extensions.get(RAW_HEADERS_EXTENSION) or scope["headers"]
    client = scope.get("client")
    return Request(
        method=scope["method"].upper(),
        raw_path=_ascii(scope.get("raw_path") or scope["path"].encode()).partition("?")[0],
        raw_query=_ascii(scope["query_string"]),
        headers=[(_text(name), _text(value)) for name, value in raw],
        body=body,
        source_ip=client[0] if client else "127.0.0.1",
        http_version=scope.get("http_version", "1.1"),
    )


def _ascii(data: bytes) -> str:
    return data.decode("latin-1")


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


async def _write(response: Response, send: _Send, *, unread: _Receive | None) -> None:
    """
    Send a response.

    Args:
        response: The response.
        send: Of ASGI.
        unread: Of ASGI, where a body is left to receive.
    """
    headers = [(_field(name), _field(value)) for name, value in response.headers]
    headers.append((b"Date", _http_date(int(time.time()))))
    headers.append((b"Content-Length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    last = unread is None
    await send({"type": "http.response.body", "body": response.body, "more_body": not last})
    if unread is not None:
        await _drain(unread)
        await send({"type": "http.response.body", "body": b""})


async def _drain(receive: _Receive) -> None:
    """
    Read on for a while, so that the client gets the response.

    A connection that is closed with unread bytes is reset, and what was sent may be lost with it.

    Source: RFC 9112, section 9.6.
    """
    left = _MAX_DRAINED_BYTES
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_MAX_DRAIN_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def _field(text: str) -> bytes:
    return text.encode("utf-8", "replace")


@lru_cache(maxsize=2)
def _http_date(now: int) -> bytes:
    return formatdate(now, usegmt=True).encode()
