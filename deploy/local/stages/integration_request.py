"""Integration request: what is sent to the backend, by mappings, template and overrides."""

from collections.abc import Mapping, Sequence

from deploy.local.api import Integration, IntegrationType
from deploy.local.exchange import (
    BackendRequest,
    ConfigurationError,
    Context,
    GatewayError,
    RoutedRequest,
)
from deploy.local.headers import overlay
from deploy.local.stages.request_validation import JSON, content_type
from deploy.local.templates import MappingResult, PayloadError, render_mapping
from deploy.local.vtl import VtlError

# Setting one of these fails the invocation (observed by third parties).
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


def build(routed: RoutedRequest) -> BackendRequest:
    """
    Make the request for the backend.

    Args:
        routed: The request; `requestOverride` and `responseOverride` of its context become what the
            template made of them.

    Raises:
        GatewayError: 415 for a media type that passes neither a template nor the passthrough
            behaviour; 400 for a payload that the template takes for JSON and that is none.
        ConfigurationError: The template fails, or a mapping is not allowed.
    """
    integration = routed.method.integration
    path, querystring, headers = _mapped(routed)
    if integration.type == "http_proxy":
        querystring = {**routed.parameters.multi_querystring, **querystring}
        headers = overlay(_forwarded(routed), headers)
        body = routed.text
    else:
        body = _body(routed)
        headers = overlay({"Content-Type": _content_type(routed)}, headers)
    override = _overrides(routed.context)
    path.update(override["path"])
    querystring = {**querystring, **{k: [v] for k, v in override["querystring"].items()}}
    headers = overlay(headers, override["header"])
    return BackendRequest(
        method=_http_method(integration, routed),
        path=path,
        querystring=querystring,
        headers=_legal(headers, integration),
        body=body,
    )


def _mapped(
    routed: RoutedRequest,
) -> tuple[dict[str, str], Mapping[str, Sequence[str]], dict[str, str]]:
    path: dict[str, str] = {}
    querystring: dict[str, Sequence[str]] = {}
    headers: dict[str, str] = {}
    for mapping in routed.method.integration.parameters:
        values = mapping.source(routed)
        if not values:
            continue
        if mapping.location == "querystring":
            querystring[mapping.name] = values
        elif mapping.location == "path":
            path[mapping.name] = values[-1]
        else:
            headers[mapping.name] = ",".join(values)
    return path, querystring, headers


def _forwarded(routed: RoutedRequest) -> dict[str, str]:
    skipped = ("host", "x-amzn-trace-id")
    return {
        name: ",".join(values)
        for name, values in routed.parameters.multi_header.items()
        if name.lower() not in skipped
    }


def _body(routed: RoutedRequest) -> str:
    """Return the payload for the backend: rendered, or as it is where that is allowed."""
    integration = routed.method.integration
    media_type = content_type(routed)
    template = integration.templates.get(media_type)
    if template is not None:
        try:
            result = render_mapping(
                template,
                phase="request",
                body=routed.text,
                params=routed.parameters.as_input(),
                context=routed.context,
                stage_variables=routed.stage_variables,
            )
        except PayloadError as error:
            message = error.message
            raise GatewayError("BAD_REQUEST_BODY", message, "BadRequestException") from error
        except VtlError as error:
            raise ConfigurationError(
                f"{integration.pointer}/requestTemplates, {media_type}: {error}"
            ) from error
        _keep_overrides(routed.context, result)
        return result.output
    behavior = integration.passthrough_behavior
    if behavior == "never" or (behavior == "when_no_templates" and integration.templates):
        raise GatewayError(
            "UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type", "UnsupportedMediaTypeException"
        )
    return routed.text


def _keep_overrides(context: Context, result: MappingResult) -> None:
    """Let the response template read what the request template set."""
    context["requestOverride"] = result.request_override
    context["responseOverride"] = result.response_override


def _content_type(routed: RoutedRequest) -> str:
    return routed.parameters.header_value("Content-Type") or JSON


def _overrides(context: Context) -> dict[str, dict[str, str]]:
    override = context["requestOverride"]
    members = override if isinstance(override, Mapping) else {}
    return {
        location: {str(name): str(value) for name, value in (members.get(location) or {}).items()}
        for location in ("path", "querystring", "header")
    }


def _http_method(integration: Integration, routed: RoutedRequest) -> str:
    if integration.http_method in (None, "ANY"):
        return routed.request.method
    return str(integration.http_method)


def _legal(headers: Mapping[str, str], integration: Integration) -> dict[str, str]:
    illegal = _ILLEGAL_FOR_AWS if integration.type == "aws" else _ILLEGAL
    dropped = _DROPPED[integration.type]
    legal = {}
    for name, value in headers.items():
        lower = name.lower()
        if lower in illegal and not (
            integration.type == "http_proxy" and lower == "content-length"
        ):
            raise ConfigurationError(
                f"{integration.pointer}/requestParameters: the header {name} cannot be set"
            )
        if lower not in dropped:
            legal[name] = value
    return legal
