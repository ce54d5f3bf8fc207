"""What answers become: selection patterns, statuses, templates, gateway responses."""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias, get_args

from deploy.contract.document import Contract, Operation, join
from deploy.contract.finding import Problem
from deploy.contract.operations import INTEGRATION
from deploy.local.vtl import VtlError, compile_regex

_STATUSES: Final = range(100, 600)
_EXAMPLE: Final = r"Write one such as 4\d{2}"
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
    yield from unmapped_statuses(contract)
    for operation in contract.operations():
        at = join(operation.pointer, INTEGRATION, "responses")
        for pattern, response in operation.node[INTEGRATION].get("responses", {}).items():
            yield from _selected(join(at, pattern), pattern, str(response.get("statusCode", "")))


def unmapped_statuses(contract: Contract) -> Iterator[Problem]:
    """Every answer is mapped to a status that is declared, and by one pattern."""
    for operation in contract.operations():
        at = join(operation.pointer, INTEGRATION, "responses")
        responses = operation.node[INTEGRATION].get("responses", {})
        if "default" not in responses:
            message = "there is no `default` for statuses that no pattern matches: they become 500"
            yield Problem(at, message, "Write `default` with statusCode '500'")
        for pattern, response in responses.items():
            yield from _declared(operation, join(at, pattern), response)
        patterns = {name: _matches(name) for name in responses if name != "default"}
        yield from _patterns(at, patterns)


def _selected(pointer: str, pattern: str, status: str) -> Iterator[Problem]:
    """Yield what makes a success of what may be none, or selects by what is no pattern."""
    if pattern == "default":
        if not status.startswith("5"):
            message = "`default` makes every unforeseen answer a success"
            yield Problem(pointer, message, "Write `default` with statusCode '500'")
        return
    matched = _matches(pattern)
    if matched is None:
        yield Problem(pointer, f"`{pattern}` is not a regular expression of Java", _EXAMPLE)
    elif status.startswith("2") and any(not 200 <= code < 300 for code in matched):
        message = f"`{pattern}` makes errors of the backend a {status}"
        yield Problem(pointer, message, r"Match successes only: 2\d{2}")


def _declared(operation: Operation, pointer: str, response: Mapping[str, Any]) -> Iterator[Problem]:
    status = str(response.get("statusCode", ""))
    if not status:
        yield Problem(pointer, "`statusCode` is missing", "Add it")
    elif status not in operation.node["responses"]:
        problem = undeclared(operation, join(pointer, "statusCode"), status)
        yield problem._replace(message=f"{problem.message}: the answer becomes a 500")


def undeclared(
    operation: Operation, pointer: str, status: str, text_line: int | None = None
) -> Problem:
    """Return what to say of a status that the operation does not declare."""
    message = f"status {status} is not in the `responses` of {operation.name}"
    return Problem(pointer, message, "Declare it there, or map to one that is", text_line)


def _matches(pattern: str) -> set[int] | None:
    """Return the statuses that a pattern selects, matched whole; `None` if it is no pattern."""
    try:
        compiled = compile_regex(pattern)
    except VtlError:
        return None
    return {status for status in _STATUSES if compiled.fullmatch(str(status))}


def _patterns(at: str, patterns: Mapping[str, set[int] | None]) -> Iterator[Problem]:
    for pattern, matched in patterns.items():
        if matched == set():
            yield Problem(join(at, pattern), f"`{pattern}` matches no status", _EXAMPLE)
    for first, second in itertools.combinations(patterns, 2):
        if both := (patterns[first] or set()) & (patterns[second] or set()):
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
    yield from unsubstituted(contract)
    for name, node in contract.document.get(_GATEWAY_RESPONSES, {}).items():
        at = join("", _GATEWAY_RESPONSES, name)
        if name not in _GATEWAY_RESPONSE_TYPES:
            message = f"there is no gateway response type {name}"
            yield Problem(at, message, "Name one from the Developer Guide, in capitals")
        if name.startswith("DEFAULT_") and "statusCode" in node:
            message = f"this replaces the status of every type that {name} stands for"
            yield Problem(join(at, "statusCode"), message, "Remove it")


def unsubstituted(contract: Contract) -> Iterator[Problem]:
    """The templates of gateway responses have nothing of VTL: it is printed as it is written."""
    for name, node in contract.document.get(_GATEWAY_RESPONSES, {}).items():
        at = join("", _GATEWAY_RESPONSES, name, "responseTemplates")
        for media_type, text in node.get("responseTemplates", {}).items():
            if re.search(r"#\w+\s*\(|\$(input|util)\b", text):
                message = "gateway responses substitute variables only, they are not VTL"
                remedy = "Use $context and $stageVariables alone"
                yield Problem(join(at, media_type), message, remedy)
