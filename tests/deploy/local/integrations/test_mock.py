"""The mock integration."""

from collections.abc import Callable

import pytest

from deploy.local.exchange import BackendRequest, ConfigurationError, RoutedRequest
from deploy.local.integrations.mock import MockIntegration

Routed = Callable[..., RoutedRequest]


def request(body: str) -> BackendRequest:
    """Return a rendered request template."""
    return BackendRequest("POST", {}, {}, {}, body)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"statusCode": 200}', 200),
        ('\n {"a": 1, "statusCode": 404}\n', 404),
        ("{statusCode: 503}", 503),
        ("{ 'statusCode' : 201, }", 201),
        ("{statusCode: 200, a}: [b c]}", 200),
        ("{statusCode: 200, }a: [b c]}", 200),
        ("{statusCode: 200,a{ b}c: [d e]}", 200),
        ('{"statusCode": 200 ,, null: null }', 200),
        ('{"statusCode": 0}', 0),
        ('{"statusCode": -1000}', -1000),
    ],
)
async def test_template_says_the_status(routed_to: Routed, body: str, status: int) -> None:
    """The status is that of the template, which need not be quite JSON; the body is empty."""
    answer = await MockIntegration().call(routed_to(type="mock"), request(body))
    assert (answer.status, answer.selection, answer.body) == (status, str(status), b"")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "[200]",
        "statusCode: 200",
        '{"statusCode": "200"}',
        '{"statusCode": true}',
        '{"statusCode": 200.0}',
        '{"statusCode": 99999999999}',
        '{"statusCode": 200',
        "{\"statusCode': 200 }",
        "{'statusCode: 200 }",
        "{statusCode: 200, {a: [b c]}",
        "{statusCode: 200, a:{}b: [c d]}}",
        "{" * 50_000,
    ],
)
async def test_no_status_is_a_configuration_error(routed_to: Routed, body: str) -> None:
    """A template that says no status, or none that is an integer, is the API's fault."""
    with pytest.raises(ConfigurationError):
        await MockIntegration().call(routed_to(type="mock"), request(body))
