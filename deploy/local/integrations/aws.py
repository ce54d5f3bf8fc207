"""The `aws` integration: a signed call to a service's path or action."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlencode, urlsplit

from deploy.local import quirks
from deploy.local.exchange import (
    BackendRequest,
    BackendResponse,
    ConfigurationError,
    RoutedRequest,
)
from deploy.local.headers import overlay
from deploy.local.integration_uri import IntegrationUri
from deploy.local.integrations.client import BackendClient
from deploy.local.integrations.http import endpoint_url
from deploy.local.quirks import ServiceAnswer, ServiceCall
from deploy.local.sigv4 import SignedRequest, authorization, sha256

# Services whose actions are called by a JSON protocol: content type, and prefix of X-Amz-Target.
# Source: botocore's service models, `jsonVersion`, `targetPrefix` and `apiVersion`.
_JSON_PROTOCOLS = {
    "dynamodb": ("application/x-amz-json-1.0", "DynamoDB_20120810"),
    "events": ("application/x-amz-json-1.1", "AWSEvents"),
    "kinesis": ("application/x-amz-json-1.1", "Kinesis_20131202"),
    "states": ("application/x-amz-json-1.0", "AWSStepFunctions"),
}
_API_VERSIONS = {"sns": "2010-03-31", "sqs": "2012-11-05"}


@dataclass(frozen=True, slots=True)
class Backend:
    """
    The endpoint of an AWS service.

    Args:
        url: Base URL, without trailing slash.
        access_key: Access key ID to sign with.
        secret_key: Secret access key to sign with.
        session_token: Of temporary credentials.
        quirks: Which emulator answers there; `None` for AWS and for what behaves like it.
    """

    url: str
    access_key: str
    secret_key: str
    session_token: str | None = None
    quirks: Literal["ministack"] | None = None


class AwsIntegration:
    """
    Calls AWS services.

    Args:
        backends: Endpoints by service name.
        client: What sends.
        api_id: Identifier of the API.
    """

    def __init__(self, backends: Mapping[str, Backend], client: BackendClient, api_id: str) -> None:
        self._backends = backends
        self._client = client
        self._api_id = api_id

    async def call(self, routed: RoutedRequest, request: BackendRequest) -> BackendResponse:
        """
        Call the service.

        Raises:
            GatewayError: The service is out of reach or too slow.
            ConfigurationError: A placeholder of the URI has no value.
        """
        uri = self._uri(routed)
        call = self.service_call(routed, request)
        answer = await self._send(call, uri, routed.method.integration.timeout)
        return _backend_response(uri.service, answer)

    def service_call(self, routed: RoutedRequest, request: BackendRequest) -> ServiceCall:
        """
        Return the call that is made, before it is signed.

        Raises:
            ConfigurationError: A placeholder of the URI has no value.
        """
        uri = self._uri(routed)
        headers = {
            "Accept": "application/json",
            "User-Agent": f"AmazonAPIGateway_{self._api_id}",
            "X-Amzn-Apigateway-Api-Id": self._api_id,
            "X-Amzn-Trace-Id": routed.parameters.header["X-Amzn-Trace-Id"],
        }
        headers = overlay(headers, request.headers)
        path = endpoint_url(routed, request)
        if uri.target == "action":
            path = _action(uri.service, path, headers, typed="content-type" in _mapped(routed))
        base = self._backends[uri.service].url.rstrip("/")
        return ServiceCall(request.method, f"{base}{path}", headers, request.payload)

    def _uri(self, routed: RoutedRequest) -> IntegrationUri:
        integration = routed.method.integration
        if integration.uri is None or integration.uri.service not in self._backends:
            raise ConfigurationError(f"{integration.pointer}/uri: no endpoint for the service")
        return integration.uri

    async def _send(self, call: ServiceCall, uri: IntegrationUri, timeout: float) -> ServiceAnswer:
        resent = None
        if uri.service == "sqs" and self._backends["sqs"].quirks == "ministack":
            resent = quirks.json_protocol_call(call)
        chosen = resent or call
        headers = self._signed(chosen, uri)
        received = await self._client.send(chosen.method, chosen.url, headers, chosen.body, timeout)
        answer = ServiceAnswer(received.status, received.headers, received.body)
        if resent is not None:
            return quirks.query_protocol_answer(answer)
        if uri.service == "sqs" and quirks.wants_json(call.headers):
            return quirks.json_answer(answer)
        return answer

    def _signed(self, call: ServiceCall, uri: IntegrationUri) -> dict[str, str]:
        backend = self._backends[uri.service]
        parts = urlsplit(call.url)
        added = {"X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())}
        if backend.session_token is not None:
            added["X-Amz-Security-Token"] = backend.session_token
        if uri.service == "s3":
            # Source: S3 API Reference, "Authenticating Requests": S3 alone demands the header.
            added["X-Amz-Content-Sha256"] = sha256(call.body)
        covered = {n: v for n, v in call.headers.items() if _is_signed(n.lower())} | added
        request = SignedRequest(
            call.method,
            parts.path,
            parts.query,
            [("Host", parts.netloc), *covered.items()],
            call.body,
        )
        added["Authorization"] = authorization(
            request,
            access_key_id=backend.access_key,
            secret=backend.secret_key,
            region=uri.region,
            service=uri.service,
        )
        return {**call.headers, **added}


def _is_signed(name: str) -> bool:
    # What proxies leave alone; of SigV4's headers all have to be signed.
    return name == "content-type" or name.startswith("x-amz-")


def _mapped(routed: RoutedRequest) -> set[str]:
    mappings = routed.method.integration.parameters
    return {mapping.name.lower() for mapping in mappings if mapping.location == "header"}


def _action(service: str, target: str, headers: dict[str, str], *, typed: bool) -> str:
    """
    Return the path of a call to an action; headers of a JSON protocol are added.

    Args:
        service: Name of the service.
        target: The action, perhaps with a query string.
        headers: Headers of the call; changed.
        typed: Whether the content type is mapped, and stays.
    """
    action, _, query = target.partition("?")
    suffix = f"?{query}" if query else ""
    if service in _JSON_PROTOCOLS:
        content_type, prefix = _JSON_PROTOCOLS[service]
        if not typed:
            headers["Content-Type"] = content_type
        headers["X-Amz-Target"] = f"{prefix}.{action}"
        return f"/{suffix}"
    parameters = urlencode({"Action": action, "Version": _API_VERSIONS.get(service, "")})
    return f"/?{parameters}{'&' + query if query else ''}"


def _backend_response(service: str, answer: ServiceAnswer) -> BackendResponse:
    response = BackendResponse(answer.status, str(answer.status), answer.headers, answer.body)
    if service != "lambda":
        return response
    # Patterns are matched against the function's errorMessage; a success has none.
    return replace(response, selection=_error_message(answer.body))


def _error_message(body: bytes) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    message = document.get("errorMessage") if isinstance(document, dict) else None
    return message if isinstance(message, str) else ""
