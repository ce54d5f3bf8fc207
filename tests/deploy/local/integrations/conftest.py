"""A backend on the loopback interface, and routed requests to it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from deploy.local.api_import import import_api
from deploy.local.context import arrival_context
from deploy.local.exchange import Request, RoutedRequest
from deploy.local.integrations.client import BackendClient
from deploy.local.stages.routing import parameters_of


@dataclass
class Endpoint:
    """An endpoint that keeps what it received."""

    url: str = ""
    status: int = 200
    text: str = "{}"
    headers: dict[str, str] = field(default_factory=dict)
    received: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        self.received.append(
            {
                "method": request.method,
                "target": request.path_qs,
                "headers": {name.lower(): value for name, value in request.headers.items()},
                "body": await request.text(),
            }
        )
        return web.Response(status=self.status, text=self.text, headers=self.headers)


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    """An endpoint on a free port."""
    endpoint = Endpoint()
    runner = web.ServerRunner(web.Server(endpoint.answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield endpoint
    await runner.cleanup()


@pytest.fixture
async def client() -> AsyncIterator[BackendClient]:
    """A client that is closed after the test."""
    client = BackendClient()
    yield client
    await client.aclose()


@pytest.fixture
def routed_to() -> Callable[..., RoutedRequest]:
    """Return a function that routes a POST to an integration."""

    def make(**integration: Any) -> RoutedRequest:
        operation = {"responses": {"200": {}}, "x-amazon-apigateway-integration": integration}
        api = import_api(
            {"openapi": "3.0.1", "info": {"title": "t"}, "paths": {"/x": {"post": operation}}}
        )
        request = Request("POST", "/dev/x", "", [("Host", "h")], b"", "127.0.0.1", "1.1")
        context = arrival_context(
            request, account_id="1" * 12, api_id=api.id, stage="dev", now=1_795_000_000.0
        )
        parameters = parameters_of(request, {}, trace="Root=1-t", drop_authorization=False)
        return RoutedRequest(request, api.methods[0], parameters, "/x", context, {"v": "1"})

    return make
