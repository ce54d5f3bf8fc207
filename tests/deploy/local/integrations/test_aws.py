"""The aws integration."""

from collections.abc import Callable
from typing import Any

import pytest

from deploy.local.exchange import BackendRequest, ConfigurationError, RoutedRequest
from deploy.local.integrations.aws import AwsIntegration, Backend
from deploy.local.integrations.client import BackendClient

Routed = Callable[..., RoutedRequest]


def request(body: str = "{}", **headers: str) -> BackendRequest:
    """Return a request for a service."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return BackendRequest("POST", {}, {}, {"Content-Type": "application/json", **named}, body)


def routed_to_service(routed_to: Routed, target: str) -> RoutedRequest:
    """Return a request routed to a service's path or action."""
    return routed_to(type="aws", httpMethod="POST", uri=f"arn:aws:apigateway:eu-west-1:{target}")


async def test_action_of_a_json_protocol(
    endpoint: Any, client: BackendClient, routed_to: Routed
) -> None:
    """An action of DynamoDB is its target; content type and signature are the service's."""
    backends = {"dynamodb": Backend(endpoint.url, "AK", "secret", "token")}
    routed = routed_to_service(routed_to, "dynamodb:action/GetItem")
    await AwsIntegration(backends, client, "api1").call(routed, request())
    headers = endpoint.received[0]["headers"]
    assert endpoint.received[0]["target"] == "/"
    assert headers["x-amz-target"] == "DynamoDB_20120810.GetItem"
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert headers["x-amz-security-token"] == "token"
    assert "Credential=AK/" in headers["authorization"]
    assert "/eu-west-1/dynamodb/aws4_request" in headers["authorization"]


async def test_action_of_the_query_protocol(
    endpoint: Any, client: BackendClient, routed_to: Routed
) -> None:
    """An action of another service is a query parameter, with parameters of the URI."""
    backends = {"sqs": Backend(endpoint.url, "AK", "secret")}
    routed = routed_to_service(routed_to, "sqs:action/ListQueues&QueueNamePrefix=a")
    await AwsIntegration(backends, client, "api1").call(routed, request())
    target = endpoint.received[0]["target"]
    assert target.startswith("/?Action=ListQueues")
    assert "Version=2012-11-05" in target


async def test_path_of_a_service(endpoint: Any, client: BackendClient, routed_to: Routed) -> None:
    """A path is appended to the endpoint; XML becomes JSON because JSON was asked for."""
    endpoint.text = "<ErrorResponse><Error><Code>C</Code></Error></ErrorResponse>"
    backends = {"sqs": Backend(f"{endpoint.url}/", "AK", "secret")}
    routed = routed_to_service(routed_to, "sqs:path/000000000000/q")
    answer = await AwsIntegration(backends, client, "api1").call(routed, request())
    assert endpoint.received[0]["target"] == "/000000000000/q"
    assert answer.body.startswith(b'{"Error": {"Code": "C"')


@pytest.mark.parametrize(
    ("text", "selection"),
    [('"fine"', ""), ('{"errorMessage": "bad", "errorType": "E"}', "bad"), ("nothing", "")],
)
async def test_lambda_is_selected_by_its_error(
    endpoint: Any, client: BackendClient, routed_to: Routed, text: str, selection: str
) -> None:
    """Patterns are matched against a function's errorMessage, not against the status."""
    endpoint.text = text
    backends = {"lambda": Backend(endpoint.url, "AK", "secret")}
    routed = routed_to_service(routed_to, "lambda:path/2015-03-31/functions/f/invocations")
    answer = await AwsIntegration(backends, client, "api1").call(routed, request())
    assert answer.selection == selection


async def test_service_without_endpoint_is_a_configuration_error(
    client: BackendClient, routed_to: Routed
) -> None:
    """A service that has no endpoint is not called, least of all at AWS."""
    routed = routed_to_service(routed_to, "sns:action/Publish")
    with pytest.raises(ConfigurationError):
        await AwsIntegration({}, client, "api1").call(routed, request())
