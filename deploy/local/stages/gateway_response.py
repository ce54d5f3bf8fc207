"""
Gateway response: what API Gateway answers by itself when a stage cannot go on.

The templates are not VTL: variables are put in, nothing else.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, get_args

from deploy.contract.responses import GatewayResponseType
from deploy.local.definition import Node, Refusals
from deploy.local.exchange import Context, GatewayError, Request, Response
from deploy.local.headers import field_text, overlay
from deploy.local.parameters import lookup
from deploy.local.stages.method_response import gateway_headers
from deploy.local.stages.request_validation import JSON, media_type
from deploy.local.stages.routing import query_values
from deploy.local.vtl import text_of

DEFAULT_STATUSES: Mapping[GatewayResponseType, int | None] = {
    "ACCESS_DENIED": 403,
    "API_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_FAILURE": 500,
    "BAD_REQUEST_BODY": 400,
    "BAD_REQUEST_PARAMETERS": 400,
    "DEFAULT_4XX": None,
    "DEFAULT_5XX": None,
    "EXPIRED_TOKEN": 403,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "INVALID_API_KEY": 403,
    "INVALID_SIGNATURE": 403,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "QUOTA_EXCEEDED": 429,
    "REQUEST_TOO_LARGE": 413,
    "RESOURCE_NOT_FOUND": 404,
    "THROTTLED": 429,
    "UNAUTHORIZED": 401,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "WAF_FILTERED": 403,
}
_DEFAULT_TEMPLATE = '{"message":$context.error.messageString}'
# What is sent where nothing is defined differs from the documented template: the length of the body
# is recorded for API_CONFIGURATION_ERROR, and was seen by third parties for failed validations and
# integrations, as was the capital of IAM; UNSUPPORTED_MEDIA_TYPE is by analogy.
_SPACED_TEMPLATE = '{"message": $context.error.messageString}'
_BUILT_IN_TEMPLATES: Mapping[GatewayResponseType, str] = {
    "ACCESS_DENIED": '{"Message":$context.error.messageString}',
    "API_CONFIGURATION_ERROR": _SPACED_TEMPLATE,
    "BAD_REQUEST_BODY": _SPACED_TEMPLATE,
    "BAD_REQUEST_PARAMETERS": _SPACED_TEMPLATE,
    "INTEGRATION_FAILURE": _SPACED_TEMPLATE,
    "INTEGRATION_TIMEOUT": _SPACED_TEMPLATE,
    "UNSUPPORTED_MEDIA_TYPE": _SPACED_TEMPLATE,
}
# Too large a request is answered before the API is known, so it cannot be customised.
_FIXED: frozenset[GatewayResponseType] = frozenset({"REQUEST_TOO_LARGE"})

_VARIABLE = re.compile(
    r"\$(?:\{(?P<braced>[\w.-]+)\}"
    r"|(?P<bare>(?:context|stageVariables|method\.request\.\w+)(?:\.[\w-]+)*))"
)


@dataclass(frozen=True, slots=True)
class Failure:
    """
    What gateway responses are made of.

    Args:
        request: The request.
        context: `$context`, `error` included.
        stage_variables: `$stageVariables`.
        path: Path parameters, as far as routing came.
    """

    request: Request
    context: Context
    stage_variables: Mapping[str, str]
    path: Mapping[str, str]


_Source: TypeAlias = Callable[[Failure], str]


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """
    One gateway response, ready to render.

    Args:
        status: HTTP status; `None` on a DEFAULT that keeps that of the type.
        headers: Names and sources of the headers.
        templates: Parts of the template by media type: text, and sources for the variables.
    """

    status: int | None
    headers: Mapping[str, _Source]
    templates: Mapping[str, Sequence[str | _Source]]


def import_gateway_responses(
    document: Mapping[str, object],
) -> Mapping[GatewayResponseType, GatewayResponse]:
    """
    Return the effective gateway response of each type.

    A type that the document defines takes nothing of its DEFAULT; a type that it does not define
    takes all of it. Statuses and templates that are left out are the built-in ones.

    Args:
        document: The OpenAPI document.

    Raises:
        ApiImportError: A type, header or expression does not exist.
    """
    node = Node.root(document).child("x-amazon-apigateway-gateway-responses")
    refusals = Refusals()
    defined = {}
    for name, entry in node.items():
        with refusals.collected():
            defined[name] = _import(entry, refusals)
            if name not in get_args(GatewayResponseType):
                raise entry.refusal(f"Invalid gateway response type {name!r}")
    refusals.raise_any()
    effective: dict[GatewayResponseType, GatewayResponse] = {}
    for response_type, status in DEFAULT_STATUSES.items():
        default = "DEFAULT_5XX" if (status or 0) >= 500 else "DEFAULT_4XX"
        chosen = defined.get(response_type, defined.get(default))
        if chosen is None or response_type in _FIXED:
            template = _BUILT_IN_TEMPLATES.get(response_type, _DEFAULT_TEMPLATE)
            chosen = GatewayResponse(None, {}, {JSON: _template(template)})
        effective[response_type] = GatewayResponse(
            chosen.status or status, chosen.headers, chosen.templates
        )
    return effective


def build(response: GatewayResponse, error: GatewayError, failure: Failure) -> Response:
    """
    Make the response to a request that a stage gave up on.

    Args:
        response: The gateway response of the error's type.
        error: Why.
        failure: The request, and what is known of it.
    """
    failure.context["error"] = {
        "message": error.message,
        "messageString": json.dumps(error.message, ensure_ascii=False),
        "responseType": error.response_type,
        "validationErrorString": error.validation_error or "",
    }
    accept = failure.request.header("accept")
    wanted = media_type(accept) if accept else JSON
    chosen = wanted if wanted in response.templates else next(iter(response.templates))
    parts = response.templates[chosen]
    body = "".join(part if isinstance(part, str) else part(failure) for part in parts)
    headers = {name: field_text(source(failure)) for name, source in response.headers.items()}
    own = {"Content-Type": chosen, "x-amzn-ErrorType": error.error_type}
    return Response(
        response.status or error.status,
        (*overlay(own, headers).items(), *gateway_headers(failure.context)),
        body.encode("utf-8", "replace"),
    )


def _import(node: Node, refusals: Refusals) -> GatewayResponse:
    status = None
    with refusals.collected():
        status = _status(node.child("statusCode"))
    headers = refusals.each(node.child("responseParameters").items(), _header)
    templates = refusals.each(
        node.child("responseTemplates").items(),
        lambda name, template: (name.lower(), _template(template.text())),
    )
    return GatewayResponse(
        status=status,
        headers=dict(headers),
        templates=dict(templates) or {JSON: _template(_DEFAULT_TEMPLATE)},
    )


def _status(node: Node) -> int | None:
    if node.value is None:
        return None
    if not re.fullmatch(r"[2-5]\d\d", str(node.value)):
        raise node.refusal(f"Invalid status code {node.value!r}")
    return int(str(node.value))


def _header(key: str, node: Node) -> tuple[str, _Source]:
    name = key.removeprefix("gatewayresponse.header.")
    if not name or name == key:
        raise node.refusal(
            f"Invalid mapping expression specified: {key}: gatewayresponse.header.NAME"
        )
    text = node.text()
    if len(text) >= 2 and text[0] == text[-1] == "'":
        literal = text[1:-1]
        return name, lambda _: literal
    source = _source(text)
    if source is None:
        raise node.refusal(
            f"Invalid mapping expression specified: {text}. A literal stands in quotes"
        )
    return name, source


def _template(text: str) -> Sequence[str | _Source]:
    parts: list[str | _Source] = []
    end = 0
    for match in _VARIABLE.finditer(text):
        source = _source(match["braced"] or match["bare"])
        if source is not None:
            parts += [text[end : match.start()], source]
            end = match.end()
    return [*parts, text[end:]]


def _source(expression: str) -> _Source | None:
    """Return what a variable stands for; `None` if there is no such variable."""
    root, _, name = expression.partition(".")
    if root == "context" and name:
        return lambda failure: _text(lookup(failure.context, name))
    if root == "stageVariables" and name:
        return lambda failure: failure.stage_variables.get(name, "")
    match = re.fullmatch(r"method\.request\.(path|querystring|header|body)(?:\.(.+))?", expression)
    if match is None:
        return None
    location, parameter = match.groups()
    if location == "body":
        return lambda failure: failure.request.body.decode("utf-8", "replace")
    if location == "header":
        return lambda failure: failure.request.header(str(parameter).lower()) or ""
    if location == "path":
        return lambda failure: failure.path.get(str(parameter), "")
    return lambda failure: query_values(failure.request).get(str(parameter), [""])[-1]


def _text(value: object) -> str:
    # A map prints as nothing, as in a mapping template.
    return "" if value is None or isinstance(value, Mapping) else text_of(value)
