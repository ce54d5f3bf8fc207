"""Routing."""

from collections.abc import Callable
from typing import Any

import pytest

from deploy.local.api import Api
from deploy.local.api_import import import_api
from deploy.local.exchange import GatewayError, Request
from deploy.local.stages.routing import check_method_arn, parameters_of, route, stage_path


def api(*paths: str) -> Api:
    """Import an API with a GET mock at each path."""
    operation: dict[str, Any] = {
        "responses": {"200": {"description": "ok"}},
        "x-amazon-apigateway-integration": {"type": "mock"},
    }
    return import_api(
        {
            "openapi": "3.0.1",
            "info": {"title": "t"},
            "paths": {p: {"get": operation} for p in paths},
        }
    )


@pytest.mark.parametrize(
    ("path", "resource", "parameters"),
    [
        ("/users", "/users", {}),
        ("/users/", "/users", {}),
        ("/users/7", "/users/{id}", {"id": "7"}),
        ("/users/a%2Fb%20c", "/users/{id}", {"id": "a/b c"}),
        ("/users/%22%7D", "/users/{id}", {"id": '"}'}),
        ("/users/me", "/users/me", {}),
        ("/files/a/b/c", "/files/{rest+}", {"rest": "a/b/c"}),
    ],
)
def test_most_literal_resource_answers(
    path: str, resource: str, parameters: dict[str, str]
) -> None:
    """Literal parts win over parameters, parameters over greedy ones; values are decoded."""
    imported = api("/users", "/users/{id}", "/users/me", "/files/{rest+}")
    method, found = route(imported, "GET", path)
    assert method.resource_path == resource
    assert found == parameters


@pytest.mark.parametrize(
    ("http_method", "path"),
    [("GET", "/"), ("GET", "/users//7"), ("POST", "/users"), ("GET", "/a/b")],
)
def test_unknown_route_is_a_missing_token(http_method: str, path: str) -> None:
    """A path or method that does not exist is 403 Missing Authentication Token."""
    with pytest.raises(GatewayError) as raised:
        route(api("/users", "/users/{id}/x"), http_method, path)
    assert raised.value.response_type == "MISSING_AUTHENTICATION_TOKEN"


@pytest.mark.parametrize("path", ["/users", "/development/users", "/", "dev/users"])
def test_path_has_to_name_the_stage(request_of: Callable[..., Request], path: str) -> None:
    """Only paths below the stage's name are of the stage."""
    with pytest.raises(GatewayError):
        stage_path(request_of(path=path), "dev")


def test_stage_alone_is_the_root(request_of: Callable[..., Request]) -> None:
    """`/dev` and `/dev/` are the root resource."""
    assert stage_path(request_of(path="/dev"), "dev") == "/"
    assert stage_path(request_of(path="/dev/"), "dev") == "/"


def test_method_arn_is_bounded() -> None:
    """A method ARN of more than 1,600 bytes is 414, whatever the operation."""
    check_method_arn("a" * 1_600)
    with pytest.raises(GatewayError) as raised:
        check_method_arn("a" * 1_601)
    assert raised.value.status == 414


def test_parameters_are_decoded_and_last_wins(request_of: Callable[..., Request]) -> None:
    """Query parameters are percent-decoded; of several the last is the single value."""
    request = request_of(query="a=1&a=%C3%A9+x;b=&c", headers={"X-A": "1", "x-a": "2"})
    found = parameters_of(request, {}, trace="t", drop_authorization=False)
    assert found.querystring == {"a": "é x", "b": "", "c": ""}
    assert found.multi_querystring["a"] == ["1", "é x"]
    assert found.multi_header["X-A"] == ["1", "2"]
    assert found.header["X-A"] == "2"


def test_gateway_adds_and_drops_headers(request_of: Callable[..., Request]) -> None:
    """Trace and forwarding headers are the gateway's; Authorization goes where IAM has read it."""
    request = request_of(
        headers={"authorization": "x", "x-amzn-trace-id": "mine", "Connection": "close"}
    )
    found = parameters_of(request, {}, trace="ours", drop_authorization=True).header
    assert found == {
        "Host": "h.example:8000",
        "X-Amzn-Trace-Id": "ours",
        "X-Forwarded-For": "192.0.2.7",
        "X-Forwarded-Port": "8000",
        "X-Forwarded-Proto": "http",
    }
    assert "authorization" in parameters_of(request, {}, trace="t", drop_authorization=False).header
