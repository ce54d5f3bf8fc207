"""
Import of integrations: `x-amazon-apigateway-integration` of one operation.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html
"""

import re
from collections.abc import Iterator
from typing import get_args

from deploy.local.api import (
    HeaderMapping,
    Integration,
    IntegrationResponse,
    IntegrationType,
    ParameterLocation,
    PassthroughBehavior,
    RequestMapping,
)
from deploy.local.content_handling import ContentHandling
from deploy.local.definition import Node, Refusals
from deploy.local.integration_uri import IntegrationUri, import_uri
from deploy.local.parameters import referred_parameter, request_source, response_source
from deploy.local.vtl import Template, VtlError, compile_regex

_INTEGRATION = "x-amazon-apigateway-integration"
# Source: AWS documentation, "x-amazon-apigateway-integration object"; more needs a quota increase.
_TIMEOUT_RANGE_MS = range(50, 29_001)
_DEFAULT_TIMEOUT_MS = 29_000
_CALLING = ("aws", "http", "http_proxy")
# Source: API Gateway API Reference, "PutIntegration"; ANY takes the client's.
_HTTP_METHODS = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def import_integration(
    operation: Node, parameters: frozenset[tuple[ParameterLocation, str]]
) -> Integration:
    """
    Import the integration of an operation.

    Args:
        operation: The operation in the document.
        parameters: Locations and names of its parameters; mappings may read no others.

    Raises:
        ApiImportError: API Gateway would refuse it; the reason is AWS's text where that is known.
    """
    node = operation.child(_INTEGRATION)
    if node.value is None:
        raise operation.refusal(f"No integration defined for method: add {_INTEGRATION}")
    refusals = Refusals()
    with refusals.collected():
        integration_type = _integration_type(node)
    with refusals.collected():
        http_method = _http_method(node)
    with refusals.collected():
        uri = _uri(node)
    with refusals.collected():
        passthrough_behavior = _passthrough_behavior(node.child("passthroughBehavior"))
    with refusals.collected():
        timeout = _timeout(node.child("timeoutInMillis"))
    with refusals.collected():
        content_handling = _content_handling(node.child("contentHandling"))
    with refusals.collected():
        responses = refusals.each(
            node.child("responses").items(),
            lambda key, entry: _import_response(key, entry, operation),
        )
    with refusals.collected():
        mappings = refusals.each(
            _texts(node.child("requestParameters")),
            lambda key, entry: _request_mapping(key, entry, parameters),
        )
    with refusals.collected():
        templates = _templates(node.child("requestTemplates"), refusals)
    refusals.raise_any()
    return Integration(
        pointer=node.pointer,
        type=integration_type,
        http_method=http_method,
        uri=uri,
        passthrough_behavior=passthrough_behavior,
        parameters=mappings,
        templates=templates,
        responses=[response for response in responses if response.pattern is not None],
        default=next((response for response in responses if response.pattern is None), None),
        timeout=timeout,
        content_handling=content_handling,
    )


def _integration_type(node: Node) -> IntegrationType:
    text = str(node.child("type").value).lower()
    if text == "aws_proxy":
        uri = str(node.child("uri").value)
        if ":lambda:path/" not in uri and ":firehose:" not in uri:
            raise node.refusal(
                "Integrations of type 'AWS_PROXY' currently only supports Lambda function and "
                "Firehose stream invocations."
            )
        raise node.child("type").refusal(
            "the local gateway runs no aws_proxy integrations (Lambda functions, Firehose). "
            "Use aws, http, http_proxy or mock, or try it on AWS"
        )
    for known in get_args(IntegrationType):
        if text == known:
            return known  # type: ignore[no-any-return]
    raise node.child("type").refusal(
        f"Invalid integration type {text!r}: aws, http, http_proxy, mock"
    )


def _http_method(node: Node) -> str | None:
    http_method = node.child("httpMethod").value
    integration_type = str(node.child("type").value).lower()
    # A type that is refused needs a method only if it was to call something.
    called = integration_type in _CALLING or node.child("uri").value is not None
    if not http_method and called and integration_type not in ("mock", "aws_proxy"):
        raise node.refusal("Enumeration value for HttpMethod must be non-empty")
    if http_method and str(http_method).upper() not in _HTTP_METHODS:
        raise node.child("httpMethod").refusal(
            f"Invalid HTTP method {http_method!r}: {', '.join(_HTTP_METHODS)}"
        )
    return str(http_method).upper() if http_method else None


def _uri(node: Node) -> IntegrationUri | None:
    """Return the URI of an integration; none where the type, which is refused, tells no form."""
    integration_type = str(node.child("type").value).lower()
    if integration_type not in _CALLING:
        return None
    return import_uri(node.child("uri"), integration_type)


def _passthrough_behavior(node: Node) -> PassthroughBehavior:
    text = str(node.value or "when_no_match").lower()
    for known in get_args(PassthroughBehavior):
        if text == known:
            return known  # type: ignore[no-any-return]
    raise node.refusal(
        f"Invalid passthrough behavior {text!r}: never, when_no_match, when_no_templates"
    )


def _content_handling(node: Node) -> ContentHandling | None:
    if node.value is None:
        return None
    for known in get_args(ContentHandling):
        if str(node.value).upper() == known:
            return known  # type: ignore[no-any-return]
    raise node.refusal(
        f"Invalid content handling {node.value!r}: CONVERT_TO_BINARY, CONVERT_TO_TEXT"
    )


def _timeout(node: Node) -> float:
    milliseconds = _DEFAULT_TIMEOUT_MS if node.value is None else node.value
    if not isinstance(milliseconds, int) or milliseconds not in _TIMEOUT_RANGE_MS:
        raise node.refusal("Timeout should be between 50 ms and 29000 ms")
    return milliseconds / 1000


def _texts(node: Node) -> Iterator[tuple[str, Node]]:
    """Yield the members that are texts; of the others the import warns, and leaves them out."""
    return ((key, entry) for key, entry in node.items() if isinstance(entry.value, str))


def _request_mapping(
    key: str, node: Node, parameters: frozenset[tuple[ParameterLocation, str]]
) -> RequestMapping:
    for location in get_args(ParameterLocation):
        name = key.removeprefix(f"integration.request.{location}.")
        if name and name != key:
            break
    else:
        raise node.refusal(f"Invalid mapping expression specified: {key}")
    referred = referred_parameter(node.text())
    if referred is not None and not _declared(referred, parameters):
        raise node.refusal(
            f"Invalid mapping expression parameter specified: {node.text()}. "
            "Declare the parameter on the operation"
        )
    return RequestMapping(location, name, request_source(node))


def _declared(
    referred: tuple[str, str], parameters: frozenset[tuple[ParameterLocation, str]]
) -> bool:
    location, name = referred
    if location != "header":
        return referred in parameters
    return any(at == "header" and known.lower() == name.lower() for at, known in parameters)


def _templates(node: Node, refusals: Refusals) -> dict[str, Template]:
    return dict(
        refusals.each(node.items(), lambda name, text: (str(name).lower(), _template(text)))
    )


def _template(node: Node) -> Template:
    try:
        return Template(node.text())
    except VtlError as error:
        message = f"the mapping template does not parse: {error}"
        raise node.refusal(message, error.line) from error


def _import_response(key: str, node: Node, operation: Node) -> IntegrationResponse:
    refusals = Refusals()
    with refusals.collected():
        status = _status(node.child("statusCode"))
        names = _declared_headers(operation, status)
        headers = refusals.each(
            node.child("responseParameters").items(),
            lambda name, entry: _header_mapping(name, entry, names),
        )
    with refusals.collected():
        templates = _templates(node.child("responseTemplates"), refusals)
    with refusals.collected():
        content_handling = _content_handling(node.child("contentHandling"))
    with refusals.collected():
        pattern = None if key == "default" else _pattern(key, node)
    refusals.raise_any()
    return IntegrationResponse(
        pointer=node.pointer,
        pattern=pattern,
        status=status,
        headers=headers,
        templates=templates,
        content_handling=content_handling,
    )


def _status(node: Node) -> int:
    text = str(node.value)
    if not re.fullmatch(r"[1-5]\d\d", text):
        raise node.refusal(f"Invalid status code {text!r}: three digits, quoted")
    return int(text)


def _declared_headers(operation: Node, status: int) -> set[str]:
    # In YAML a status may be a number; the names of `items` are texts (recorded: AWS takes both).
    response = dict(operation.child("responses").items()).get(str(status))
    declared = response.child("headers").mapping() if response else ()
    return {str(name).lower() for name in declared}


def _pattern(text: str, node: Node) -> re.Pattern[str]:
    try:
        return compile_regex(text)
    except VtlError as error:
        raise node.refusal(f"Invalid selection pattern {text!r}: {error.message}") from error


def _header_mapping(key: str, node: Node, declared: set[str]) -> HeaderMapping:
    name = key.removeprefix("method.response.header.")
    if not name or name == key:
        raise node.refusal(f"Invalid mapping expression specified: {key}")
    if name.lower() not in declared:
        raise node.refusal(
            f"Invalid mapping expression parameter specified: {key}. "
            "Declare the header on the response of the operation"
        )
    return HeaderMapping(name, response_source(node))
