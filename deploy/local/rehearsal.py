"""
One operation of a contract with one event: what would be sent to the backend, and answered.

The stages are the gateway's own; only nothing is sent. The event is a JSON object:

    {
      "body": the payload; a text as it is, anything else is written as JSON,
      "params": {"path": {}, "querystring": {}, "header": {}},
      "context": members that replace those of `$context`, such as {"identity": {"accountId": "1"}},
      "stageVariables": {},
      "response": {"status": 200, "headers": {}, "body": as above}
    }

Every member may be left out.
"""

import asyncio
import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlencode

from deploy.local.api import Api, Method
from deploy.local.context import arrival_context
from deploy.local.exchange import (
    BackendRequest,
    BackendResponse,
    Request,
    Response,
    RoutedRequest,
)
from deploy.local.integrations.aws import AwsIntegration, Backend
from deploy.local.integrations.client import BackendClient
from deploy.local.integrations.http import HttpIntegration, endpoint_url
from deploy.local.integrations.mock import MockIntegration
from deploy.local.stages import integration_request, integration_response, method_response, routing

_MEMBERS = {"body", "params", "context", "stageVariables", "response"}
_PLACES = {"path", "querystring", "header"}
_RESPONSE_MEMBERS = {"status", "headers", "body"}
# Any time will do, but always the same: a rendering is to be compared with the one before.
_NOW = 1_700_000_000.0
_TRACE = "Root=1-6553f100-000000000000000000000000"


class EventError(ValueError):
    """The event is not of the form that is documented."""


@dataclass(frozen=True, slots=True)
class Event:
    """
    What a rehearsal starts from.

    Args:
        body: The payload.
        params: Values by name, by `path`, `querystring` and `header`.
        context: Members that replace those of `$context`, nested ones too.
        stage_variables: Added to those of the command line.
        response: What the backend answers.
    """

    body: str
    params: Mapping[str, Mapping[str, str]]
    context: Mapping[str, object]
    stage_variables: Mapping[str, str]
    response: BackendResponse

    @classmethod
    def parse(cls, text: str) -> "Event":
        """
        Read an event.

        Raises:
            EventError: It is not JSON, or not of the form that is documented.
        """
        try:
            document = json.loads(text)
        except ValueError as error:
            raise EventError(f"not JSON: {error}") from error
        event = _members(document, "the event", _MEMBERS)
        params = _members(event.get("params", {}), "params", _PLACES)
        answer = _members(event.get("response", {}), "response", _RESPONSE_MEMBERS)
        status = answer.get("status", 200)
        if not isinstance(status, int) or not 100 <= status <= 599:
            raise EventError("response.status must be a number from 100 to 599")
        headers = _texts(answer.get("headers", {}), "response.headers")
        return cls(
            body=_payload(event.get("body", "")),
            params={place: _texts(params.get(place, {}), f"params.{place}") for place in _PLACES},
            context=_members(event.get("context", {}), "context"),
            stage_variables=_texts(event.get("stageVariables", {}), "stageVariables"),
            response=BackendResponse(
                status,
                str(status),
                tuple(headers.items()),
                _payload(answer.get("body", "")).encode(),
            ),
        )


@dataclass(frozen=True, slots=True)
class Sent:
    """
    What would be sent.

    Args:
        method: HTTP method; empty for mock.
        url: Where; for a mock a word that says so.
        headers: Names and values, before AWS services' signatures.
        body: Payload.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: str


class Rehearsal:
    """
    One operation with one event.

    Args:
        api: An API that has the operation's method only.
        event: The event.
        stage: Name of the stage.
        stage_variables: `$stageVariables`; those of the event win.
        region: Region of the API.
        account_id: Account of the API.
    """

    def __init__(
        self,
        api: Api,
        event: Event,
        *,
        stage: str,
        stage_variables: Mapping[str, str],
        region: str,
        account_id: str,
    ) -> None:
        self.method: Method = api.methods[0]
        self._api, self._event, self._region = api, event, region
        self._request: BackendRequest | None = None
        self.routed = self._routed(stage, {**stage_variables, **event.stage_variables}, account_id)

    @property
    def answer(self) -> BackendResponse:
        """What the backend answers; a mock by itself, with the status of its request template."""
        if self.method.integration.type == "mock" and self._request is not None:
            return asyncio.run(MockIntegration().call(self.routed, self._request))
        return self._event.response

    def request(self) -> Sent:
        """
        Run the integration request stage.

        Raises:
            GatewayError: The stage gives up, as it would for a client.
        """
        self._request = request = integration_request.build(self.routed)
        integration = self.method.integration
        client = BackendClient()
        if integration.type == "mock":
            return Sent("", "mock: nothing is sent", {}, request.body)
        if integration.type == "aws":
            aws = AwsIntegration(self._aws(), client, self._api.id)
            call = aws.service_call(self.routed, request)
            return Sent(call.method, call.url, call.headers, call.body.decode())
        headers = HttpIntegration(client, self._api.id).headers(self.routed, request)
        return Sent(request.method, endpoint_url(self.routed, request), headers, request.body)

    def response(self) -> Response:
        """
        Run the response stages on what the event says that the backend answers.

        Raises:
            GatewayError: As `request`, which is to be called before: its template may override
                what the response has.
        """
        response = integration_response.build(self.routed, self.answer)
        return method_response.finish(self.routed, response)

    def _aws(self) -> dict[str, Backend]:
        """Return AWS's own endpoint of the service that is called."""
        uri = self.method.integration.uri
        if uri is None:
            return {}
        url = f"https://{uri.service}.{uri.region}.amazonaws.com"
        return {uri.service: Backend(url, "unused", "unused")}

    def _routed(
        self, stage: str, stage_variables: Mapping[str, str], account_id: str
    ) -> RoutedRequest:
        event, method = self._event, self.method
        path = method.resource_path
        for name, value in event.params["path"].items():
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
            path = path.replace(f"{{{name}+}}", quote(value))
        http_method = "POST" if method.http_method == "ANY" else method.http_method
        request = Request(
            method=http_method,
            raw_path=f"/{stage}{path}",
            raw_query=urlencode(event.params["querystring"]),
            headers=[
                ("Host", f"{self._api.id}.execute-api.{self._region}.amazonaws.com"),
                *event.params["header"].items(),
            ],
            body=event.body.encode(),
            source_ip="127.0.0.1",
            http_version="1.1",
        )
        context = arrival_context(
            request, account_id=account_id, api_id=self._api.id, stage=stage, now=_NOW
        )
        context |= {"requestId": "request-id", "extendedRequestId": "extended-request-id"}
        context |= {"resourceId": method.resource_id, "resourcePath": method.resource_path}
        parameters = routing.parameters_of(
            request, dict(event.params["path"]), trace=_trace(event), drop_authorization=method.iam
        )
        merged = cast(dict[str, object], _merged(context, event.context))
        return RoutedRequest(request, method, parameters, path, merged, stage_variables)


def _trace(event: Event) -> str:
    headers = {name.lower(): value for name, value in event.params["header"].items()}
    return headers.get("x-amzn-trace-id", _TRACE)


def _merged(below: object, above: object) -> object:
    """Return an object with another laid over it, member by member."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return copy.deepcopy(above)
    return {**below, **{name: _merged(below.get(name), value) for name, value in above.items()}}


def _members(node: object, name: str, known: set[str] | None = None) -> dict[str, Any]:
    if not isinstance(node, dict):
        raise EventError(f"{name} must be an object")
    unknown = sorted(node.keys() - known) if known else []
    if unknown:
        raise EventError(f"{name} has {unknown[0]!r}; it can have {', '.join(sorted(known or ()))}")
    return node


def _texts(node: object, name: str) -> dict[str, str]:
    for key, value in _members(node, name).items():
        if not isinstance(value, str):
            raise EventError(f"{name}.{key} must be a text, in quotes")
    return cast(dict[str, str], node)


def _payload(node: object) -> str:
    return node if isinstance(node, str) else json.dumps(node, ensure_ascii=False)
