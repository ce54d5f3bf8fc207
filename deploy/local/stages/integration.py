"""Integration: the call to the backend."""

from collections.abc import Mapping

from deploy.local.api import IntegrationType
from deploy.local.exchange import BackendRequest, BackendResponse, RoutedRequest
from deploy.local.integrations.aws import AwsIntegration, Backend
from deploy.local.integrations.client import BackendClient
from deploy.local.integrations.http import HttpIntegration
from deploy.local.integrations.mock import MockIntegration


class Integrations:
    """
    The integrations of one API.

    Args:
        backends: Endpoints of AWS services by service name.
        client: What sends to backends.
        api_id: Identifier of the API, which backends see.
    """

    def __init__(self, backends: Mapping[str, Backend], client: BackendClient, api_id: str) -> None:
        http = HttpIntegration(client, api_id)
        self._by_type: Mapping[
            IntegrationType, AwsIntegration | HttpIntegration | MockIntegration
        ] = {
            "aws": AwsIntegration(backends, client, api_id),
            "http": http,
            "http_proxy": http,
            "mock": MockIntegration(),
        }

    async def call(self, routed: RoutedRequest, request: BackendRequest) -> BackendResponse:
        """
        Call the backend of a method.

        Args:
            routed: The request that is being answered.
            request: What to send.

        Raises:
            GatewayError: The backend is out of reach or too slow.
            ConfigurationError: The integration's URI has no value for a placeholder, or the request
                to a mock says no status.
        """
        return await self._by_type[routed.method.integration.type].call(routed, request)
