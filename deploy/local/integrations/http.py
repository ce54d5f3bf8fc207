"""The `http` and `http_proxy` integrations: any HTTP endpoint."""

from urllib.parse import quote, urlencode

from deploy.local.exchange import (
    BackendRequest,
    BackendResponse,
    ConfigurationError,
    RoutedRequest,
)
from deploy.local.headers import overlay
from deploy.local.integration_uri import UndefinedVariableError
from deploy.local.integrations.client import BackendClient


class HttpIntegration:
    """
    Calls HTTP endpoints.

    Args:
        client: What sends.
        api_id: Identifier of the API, which endpoints see.
    """

    def __init__(self, client: BackendClient, api_id: str) -> None:
        self._client = client
        self._api_id = api_id

    async def call(self, routed: RoutedRequest, request: BackendRequest) -> BackendResponse:
        """
        Call the endpoint.

        Raises:
            GatewayError: The endpoint is out of reach or too slow.
            ConfigurationError: A placeholder of the URI has no value.
        """
        return await self._client.send(
            request.method,
            endpoint_url(routed, request),
            self.headers(routed, request),
            request.payload,
            routed.method.integration.timeout,
        )

    def headers(self, routed: RoutedRequest, request: BackendRequest) -> dict[str, str]:
        """Return the headers that are sent: those of the request, and the gateway's own."""
        own = {
            "Accept": "application/json",
            "User-Agent": f"AmazonAPIGateway_{self._api_id}",
            "X-Amzn-Apigateway-Api-Id": self._api_id,
            "X-Amzn-Trace-Id": routed.parameters.header["X-Amzn-Trace-Id"],
        }
        return overlay(own, request.headers)


def endpoint_url(routed: RoutedRequest, request: BackendRequest) -> str:
    """
    Return the URI of the integration with its placeholders filled and the query string added.

    Raises:
        ConfigurationError: A placeholder has no value.
    """
    integration = routed.method.integration
    if integration.uri is None:
        raise ConfigurationError(f"{integration.pointer}: the integration has no URI")
    try:
        url = integration.uri.expand(request.path, routed.stage_variables)
    except UndefinedVariableError as error:
        raise ConfigurationError(f"{integration.pointer}/uri: {error}") from error
    if not request.querystring:
        return url
    # A space as %20: signatures cover it so, and + means a space in forms only.
    added = urlencode(request.querystring, doseq=True, quote_via=quote)
    return f"{url}{'&' if '?' in url else '?'}{added}"
