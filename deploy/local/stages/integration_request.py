"""Integration request: what is sent to the backend, by mappings, template and overrides."""

from collections.abc import Mapping, Sequence

from deploy.local import overrides
from deploy.local.api import Integration, IntegrationType
from deploy.local.content_handling import request_payload
from deploy.local.exchange import (
    BackendRequest,
    ConfigurationError,
    Context,
    GatewayError,
    RoutedRequest,
)
from deploy.local.headers import one_line, overlay
from deploy.local.jsonpath import BrokenJsonError
from deploy.local.stages.request_validation import JSON, content_type
from deploy.local.templates import MappingResult, PayloadError, render_mapping
from deploy.local.vtl import VtlError

# Setting one of these fails the invocation (recorded).
_ILLEGAL = frozenset(
    {"content-length", "transfer-encoding", "x-amzn-trace-id", "x-amzn-apigateway-api-id"}
)
_ILLEGAL_FOR_AWS = _ILLEGAL | {"authorization", "connection", "expect", "proxy-authenticate", "te"}
_DROPPED: Mapping[IntegrationType, frozenset[str]] = {
    "aws": frozenset({"expect", "proxy-authenticate", "te", "referer"}),
    "http": frozenset({"expect", "proxy-authenticate", "te", "via"}),
    "http_proxy": frozenset({"expect", "proxy-authenticate", "te", "via"}),
    "mock": frozenset(),
}
# What http_proxy does not pass on by itself (recorded), or has of its own.
_NOT_FORWARDED = frozenset(
    {"content-encoding", "host", "x-amzn-apigateway-api-id", "x-amzn-trace-id"}
)
# Of these requests the Content-Type does not reach the backend (recorded for GET).
_UNTYPED = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_TEMPLATE = "$default"


def build(routed: RoutedRequest) -> BackendRequest:
    """
    Make the request for the backend.

    Args:
        routed: The request; `requestOverride` and `responseOverride` of its context become what the
            template made of them.

    Raises:
        GatewayError: 415 for a media type that passes neither a template nor the passthrough
            behaviour; 400 for a payload that a template or mapping reads and that is broken JSON.
        ConfigurationError: The template fails, or a mapping is not allowed.
    """
    integration = routed.method.integration
    path, querystring, headers = _mapped(routed)
    forwarded: Mapping[str, str]
    if integration.type == "http_proxy":
        querystring = _merged(routed.parameters.multi_querystring, querystring)
        forwarded = _forwarded(routed)
        payload = _payload(routed)
    else:
        forwarded = _content_type(routed)
        payload = _body(routed)
    override = routed.context["requestOverride"]
    path.update(overrides.path_parameters(override))
    querystring = {**querystring, **overrides.query_parameters(override)}
    headers = overlay(headers, overrides.header_fields(override, integration.pointer))
    _check_legal(headers, integration)
    return BackendRequest(
        method=_http_method(integration, routed),
        path=path,
        querystring=querystring,
        headers=_kept(overlay(forwarded, headers), integration.type),
        body=payload if isinstance(payload, str) else "",
        binary=None if isinstance(payload, str) else payload,
    )


def _mapped(
    routed: RoutedRequest,
) -> tuple[dict[str, str], Mapping[str, Sequence[str]], dict[str, str]]:
    path: dict[str, str] = {}
    querystring: dict[str, Sequence[str]] = {}
    headers: dict[str, str] = {}
    for mapping in routed.method.integration.parameters:
        try:
            values = mapping.source(routed)
        except BrokenJsonError as error:
            raise _broken_body() from error
        if not values:
            continue
        if mapping.location == "querystring":
            querystring[mapping.name] = values
        elif mapping.location == "path":
            path[mapping.name] = values[-1]
        else:
            # A text of the client's may have line breaks, and must not be another header.
            headers[mapping.name] = one_line(",".join(values))
    return path, querystring, headers


def _broken_body() -> GatewayError:
    # Status and text as LocalStack's developers saw them; the response type is not known. That of
    # the body is for validators, says AWS's list of types.
    return GatewayError(
        "DEFAULT_4XX", "Invalid JSON in request body", "BadRequestException", status=400
    )


def _forwarded(routed: RoutedRequest) -> dict[str, str]:
    return {
        name: ",".join(values)
        for name, values in routed.parameters.multi_header.items()
        if name.lower() not in _NOT_FORWARDED
    }


def _merged(
    sent: Mapping[str, Sequence[str]], mapped: Mapping[str, Sequence[str]]
) -> dict[str, Sequence[str]]:
    """Add mapped query parameters behind those that the client sent (observed by third parties)."""
    return {**sent, **{name: (*sent.get(name, ()), *values) for name, values in mapped.items()}}


def _payload(routed: RoutedRequest) -> str | bytes:
    """Return what the client sent, as text unless it is binary."""
    handling = routed.method.integration.content_handling
    sent = routed.parameters.header_value("Content-Type") or JSON
    binary = routed.method.binary_media_types.match(sent)
    try:
        return request_payload(routed.request.body, handling, binary=binary)
    except ValueError as error:
        pointer = routed.method.integration.pointer
        raise ConfigurationError(f"{pointer}/contentHandling: no Base64: {error}") from error


def _body(routed: RoutedRequest) -> str | bytes:
    """Return the payload for the backend: rendered, or as it is where that is allowed."""
    integration = routed.method.integration
    payload = _payload(routed)
    media_type = content_type(routed)
    templates = integration.templates
    template = templates.get(media_type, templates.get(_DEFAULT_TEMPLATE))
    if template is not None:
        if not isinstance(payload, str):
            raise ConfigurationError(
                f"{integration.pointer}/requestTemplates, {media_type}: Unable to transform "
                "request: the payload is binary. Write contentHandling: CONVERT_TO_TEXT"
            )
        try:
            result = render_mapping(
                template,
                phase="request",
                body=payload,
                params=routed.parameters.as_input(),
                context=routed.context,
                stage_variables=routed.stage_variables,
            )
        except PayloadError as error:
            raise _broken_body() from error
        except VtlError as error:
            raise ConfigurationError(
                f"{integration.pointer}/requestTemplates, {media_type}: {error}"
            ) from error
        _keep_overrides(routed.context, result)
        return result.output
    behavior = integration.passthrough_behavior
    if behavior == "never" or (behavior == "when_no_templates" and integration.templates):
        # The error type is what LocalStack's developers have for it.
        raise GatewayError(
            "UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type", "BadRequestException"
        )
    return payload


def _keep_overrides(context: Context, result: MappingResult) -> None:
    """Let the response template read what the request template set."""
    context["requestOverride"] = result.request_override
    context["responseOverride"] = result.response_override


def _content_type(routed: RoutedRequest) -> dict[str, str]:
    value = routed.parameters.header_value("Content-Type")
    return {} if value is None or routed.request.method in _UNTYPED else {"Content-Type": value}


def _http_method(integration: Integration, routed: RoutedRequest) -> str:
    if integration.http_method in (None, "ANY"):
        return routed.request.method
    return str(integration.http_method)


def _check_legal(headers: Mapping[str, str], integration: Integration) -> None:
    illegal = _ILLEGAL_FOR_AWS if integration.type == "aws" else _ILLEGAL
    wrong = next((name for name in headers if name.lower() in illegal), None)
    if wrong is not None:
        raise ConfigurationError(
            f"{integration.pointer}/requestParameters: the header {wrong} cannot be set"
        )


def _kept(headers: Mapping[str, str], integration_type: IntegrationType) -> dict[str, str]:
    dropped = _DROPPED[integration_type]
    return {name: value for name, value in headers.items() if name.lower() not in dropped}
