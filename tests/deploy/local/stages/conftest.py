"""Factories for what travels through the stages."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from deploy.local.api import Method
from deploy.local.api_import import import_api
from deploy.local.context import arrival_context
from deploy.local.exchange import Parameters, Request, RoutedRequest
from deploy.local.stages.routing import parameters_of

MOCK = {
    "type": "mock",
    "requestTemplates": {"application/json": '{"statusCode": 200}'},
    "responses": {"default": {"statusCode": "200"}},
}


@pytest.fixture
def method_of() -> Callable[..., Method]:
    """Return a function that imports one operation, by default of a mock."""

    def make(integration: Mapping[str, Any] = MOCK, root: Any = None, **operation: Any) -> Method:
        document = {
            "openapi": "3.0.1",
            "info": {"title": "t"},
            "paths": {
                "/x/{id}": {
                    "post": {
                        "responses": {"200": {"description": "ok"}},
                        "x-amazon-apigateway-integration": integration,
                        **operation,
                    }
                }
            },
            **(root or {}),
        }
        return import_api(document).methods[0]

    return make


@pytest.fixture
def request_of() -> Callable[..., Request]:
    """Return a function that makes a request."""

    def make(
        headers: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        body: bytes = b"",
        query: str = "",
        path: str = "/dev/x/1",
        http_method: str = "POST",
    ) -> Request:
        sent = headers.items() if isinstance(headers, Mapping) else headers or ()
        all_headers = [("Host", "h.example:8000"), *sent]
        return Request(http_method, path, query, all_headers, body, "192.0.2.7", "1.1")

    return make


@pytest.fixture
def routed_of(
    method_of: Callable[..., Method], request_of: Callable[..., Request]
) -> Callable[..., RoutedRequest]:
    """Return a function that makes a routed request; arguments are those of `request_of`."""

    def make(method: Method | None = None, **request_arguments: Any) -> RoutedRequest:
        request = request_of(**request_arguments)
        context = arrival_context(
            request, account_id="1" * 12, api_id="a1b2c3d4e5", stage="dev", now=1_795_000_000.0
        )
        parameters: Parameters = parameters_of(
            request, {"id": "1"}, trace="Root=1-6afd0000-" + "0" * 24, drop_authorization=False
        )
        chosen = method or method_of()
        return RoutedRequest(request, chosen, parameters, "/x/1", context, {"speed": "fast"})

    return make
