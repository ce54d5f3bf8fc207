"""What answers become: selection patterns, statuses, templates, gateway responses."""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias, get_args

from deploy.contract.document import Contract, Operation, join
from deploy.contract.finding import Problem
from deploy.contract.operations import INTEGRATION

_STATUSES: Final = range(100, 600)
_GATEWAY_RESPONSES: Final = "x-amazon-apigateway-gateway-responses"
# Source: botocore, the enumeration `GatewayResponseType` of API Gateway.
GatewayResponseType: TypeAlias = Literal[
    "ACCESS_DENIED",
    "API_CONFIGURATION_ERROR",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "AUTHORIZER_FAILURE",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "EXPIRED_TOKEN",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "INVALID_API_KEY",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
]
_GATEWAY_RESPONSE_TYPES: Final = frozenset(get_args(GatewayResponseType))


def response_status(contract: Contract) -> Iterator[Problem]:
    """Mapped statuses are declared, `default` is a 5xx, and one pattern matches each status."""
    for operation in contract.operations():
        at = join(operation.pointer, INTEGRATION, "responses")
        responses = operation.node[INTEGRATION].get("responses", {})
        yield from _default(at, responses.get("default"))
        for pattern, response in responses.items():
            pointer = join(at, pattern)
            yield from _declared(operation, pointer, response)
            if pattern != "default":
                yield from _pattern(pointer, pattern, str(response.get("statusCode", "")))
        yield from _disjoint(at, [pattern for pattern in responses if pattern != "default"])


def _default(at: str, default: Mapping[str, Any] | None) -> Iterator[Problem]:
    remedy = "Write `default` with statusCode '500'"
    if default is None:
        yield Problem(at, "there is no `default` for statuses that no pattern matches", remedy)
    elif not str(default.get("statusCode", "")).startswith("5"):
        pointer = join(at, "default")
        yield Problem(pointer, "`default` makes every unforeseen answer a success", remedy)


def _declared(operation: Operation, pointer: str, response: Mapping[str, Any]) -> Iterator[Problem]:
    status = str(response.get("statusCode", ""))
    if not status:
        yield Problem(pointer, "`statusCode` is missing", "Add it")
    elif status not in operation.node["responses"]:
        yield undeclared(operation, join(pointer, "statusCode"), status)


def undeclared(
    operation: Operation, pointer: str, status: str, text_line: int | None = None
) -> Problem:
    """Return what to say of a status that the operation does not declare."""
    message = f"status {status} is not in the `responses` of {operation.name}"
    return Problem(pointer, message, "Declare it there, or map to one that is", text_line)


def _pattern(pointer: str, pattern: str, status: str) -> Iterator[Problem]:
    try:
        matched = _matches(pattern)
    except re.error as error:
        yield Problem(pointer, f"not a regular expression: {error}", r"Write one such as 4\d{2}")
        return
    if not matched:
        yield Problem(pointer, f"`{pattern}` matches no status", r"Write one such as 4\d{2}")
    if status.startswith("2") and any(not 200 <= code < 300 for code in matched):
        message = f"`{pattern}` makes errors of the backend a {status}"
        yield Problem(pointer, message, r"Match successes only: 2\d{2}")


def _matches(pattern: str) -> set[int]:
    """Return the statuses that API Gateway selects by a pattern: the whole status must match."""
    compiled = re.compile(pattern)
    return {status for status in _STATUSES if compiled.fullmatch(str(status))}


def _disjoint(at: str, patterns: list[str]) -> Iterator[Problem]:
    matched = {}
    for pattern in patterns:
        try:
            matched[pattern] = _matches(pattern)
        except re.error:
            continue
    for first, second in itertools.combinations(matched, 2):
        if both := matched[first] & matched[second]:
            message = f"`{first}` and `{second}` both match {min(both)}; which wins is undocumented"
            yield Problem(join(at, second), message, "Make them disjoint")


def response_template(contract: Contract) -> Iterator[Problem]:
    """Every response mapping has a template: without one the backend's text is passed through."""
    for operation in contract.operations():
        at = join(operation.pointer, INTEGRATION, "responses")
        for pattern, response in operation.node[INTEGRATION].get("responses", {}).items():
            if not response.get("responseTemplates"):
                message = "without a template the client gets the backend's own text"
                yield Problem(
                    join(at, pattern), message, "Add `responseTemplates` with one template"
                )


def gateway_response(contract: Contract) -> Iterator[Problem]:
    """Gateway responses have known types; the two defaults leave the status as it is."""
    for name, node in contract.document.get(_GATEWAY_RESPONSES, {}).items():
        at = join("", _GATEWAY_RESPONSES, name)
        if name not in _GATEWAY_RESPONSE_TYPES:
            message = f"there is no gateway response type {name}"
            yield Problem(at, message, "Name one from the Developer Guide, in capitals")
        if name.startswith("DEFAULT_") and "statusCode" in node:
            message = f"this replaces the status of every type that {name} stands for"
            yield Problem(join(at, "statusCode"), message, "Remove it")
        for media_type, text in node.get("responseTemplates", {}).items():
            if re.search(r"#\w+\s*\(|\$(input|util)\b", text):
                pointer = join(at, "responseTemplates", media_type)
                message = "gateway responses substitute variables only, they are not VTL"
                yield Problem(pointer, message, "Use $context and $stageVariables alone")
