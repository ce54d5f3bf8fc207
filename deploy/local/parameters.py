"""
Parameter mapping: the right-hand sides of `requestParameters` and `responseParameters`.

An expression is parsed once, at import, to a source, and the source is called for each request. A
source yields the values that it finds, none where there is nothing, and raises `BrokenJsonError`
for a body that is broken JSON. Of several values of one name the last counts (observed by third
parties). Names of a client's headers are those that it sent, in this very case ("Amazon API Gateway
important notes": header names are processed in a case-sensitive way); those of a backend's in any,
because emulators write them otherwise than AWS's services.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/request-response-data-mappings.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from deploy.local.definition import Node
from deploy.local.jsonpath import MISSING, JsonPathError, dump, find, parse
from deploy.local.surrogates import well_formed

if TYPE_CHECKING:
    from deploy.local.exchange import BackendResponse, RoutedRequest

RequestSource: TypeAlias = "Callable[[RoutedRequest], Sequence[str]]"
ResponseSource: TypeAlias = "Callable[[RoutedRequest, BackendResponse], Sequence[str]]"

_REQUEST_LOCATIONS = ("path", "querystring", "header", "multivaluequerystring", "multivalueheader")


def request_source(node: Node) -> RequestSource:
    """
    Compile the right-hand side of a request parameter mapping.

    Args:
        node: The expression in the document.

    Raises:
        ApiImportError: No such expression exists.
    """
    text = node.text()
    prefix, _, rest = text.partition("method.request.")
    if prefix == "" and rest:
        return _method_request_source(rest, node)
    return _shared_source(text, node)


def response_source(node: Node) -> ResponseSource:
    """
    Compile the right-hand side of a response parameter mapping.

    Args:
        node: The expression in the document.

    Raises:
        ApiImportError: No such expression exists.
    """
    text = node.text()
    prefix, _, rest = text.partition("integration.response.")
    if prefix == "" and rest:
        return _integration_response_source(rest, node)
    shared = _shared_source(text, node)
    return lambda routed, _: shared(routed)


def referred_parameter(expression: str) -> tuple[str, str] | None:
    """Return location and name of the method request parameter that an expression reads, if any."""
    parts = expression.split(".", 3)
    if len(parts) < 4 or parts[:2] != ["method", "request"] or parts[2] == "body":
        return None
    return parts[2].removeprefix("multivalue"), parts[3]


def lookup(context: Mapping[str, object], path: str) -> object:
    """Return a member of `$context` by its dotted path, or `None`."""
    value: object = context
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _shared_source(text: str, node: Node) -> RequestSource:
    if len(text) >= 2 and text[0] == text[-1] == "'":
        literal = (text[1:-1],)
        return lambda _: literal
    root, _, name = text.partition(".")
    if name and root == "context":
        return lambda routed: _of_context(lookup(routed.context, name))
    if name and root == "stageVariables":
        return lambda routed: _printed(routed.stage_variables.get(name))
    raise node.refusal(
        f"Invalid mapping expression specified: {text}. A literal stands in single quotes"
    )


def _method_request_source(rest: str, node: Node) -> RequestSource:
    location, _, name = rest.partition(".")
    if location == "body":
        path = _json_path(name, node) if name else None
        return lambda routed: _from_body(routed.text, path)
    if location not in _REQUEST_LOCATIONS or not name:
        raise node.refusal(f"Invalid mapping expression specified: {node.text()}")
    return {
        "path": lambda routed: _printed(routed.parameters.path.get(name)),
        "querystring": lambda routed: _printed(routed.parameters.querystring.get(name)),
        "header": lambda routed: _printed(routed.parameters.header.get(name)),
        "multivaluequerystring": lambda routed: routed.parameters.multi_querystring.get(name, ()),
        "multivalueheader": lambda routed: routed.parameters.multi_header.get(name, ()),
    }[location]


def _integration_response_source(rest: str, node: Node) -> ResponseSource:
    location, _, name = rest.partition(".")
    if location == "body":
        path = _json_path(name, node) if name else None
        return lambda _, answer: _from_body(answer.body.decode("utf-8", "replace"), path)
    if location == "header" and name:
        return lambda _, answer: answer.values(name)[-1:]
    if location == "multivalueheader" and name:
        return lambda _, answer: answer.values(name)
    raise node.refusal(f"Invalid mapping expression specified: {node.text()}")


def _json_path(expression: str, node: Node) -> str:
    try:
        find({}, expression)
    except JsonPathError as error:
        text = f"Invalid mapping expression specified: {node.text()} ({error})"
        raise node.refusal(text) from error
    return expression


def _from_body(body: str, path: str | None) -> Sequence[str]:
    # Broken JSON is refused also where the whole body is mapped (LocalStack's note of a test).
    document = parse(body or "{}")
    if path is None:
        return (body or "{}",)
    try:
        return _printed(find(document, path))
    except JsonPathError:
        return ()


def _of_context(value: object) -> Sequence[str]:
    # In a template a map of $context prints as nothing (recorded); here by analogy.
    return () if isinstance(value, Mapping) else _printed(value)


def _printed(value: object) -> Sequence[str]:
    if value is None or value is MISSING:
        return ()
    return (well_formed(value if isinstance(value, str) else dump(value)),)
