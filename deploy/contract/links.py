"""Links: the operation that each leads to, and where the parameters for it come from."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from deploy.contract.document import ANY_METHOD, Contract, Operation, join, without_extensions
from deploy.contract.finding import Problem

# A runtime expression that reads a body, alone or in braces within a text.
# Source: OpenAPI Specification 3.0.3, "Runtime Expressions".
_BODY: Final = re.compile(r"\$(request|response)\.body#((?:/[^\s{}]*)?)")
_COMBINATIONS: Final = ("allOf", "anyOf", "oneOf")
# Schemas may refer to themselves.
_MAX_DEPTH: Final = 32


class _Link(NamedTuple):
    pointer: str
    node: Mapping[str, Any]
    request: Mapping[str, Any]
    response: Mapping[str, Any]


def links(contract: Contract) -> Iterator[Problem]:
    """Links lead to operations that exist, by parameters that they have; IDs are unique."""
    operations = list(contract.operations())
    names = Counter(operation.node.get("operationId") for operation in operations)
    targets = {operation.node.get("operationId"): operation for operation in operations}
    for operation in operations:
        if "operationId" not in operation.node:
            if operation.method != ANY_METHOD:
                yield Problem(operation.pointer, "there is no `operationId`", "Add one")
        elif names[operation.node["operationId"]] > 1:
            at = join(operation.pointer, "operationId")
            yield Problem(at, f"`{operation.name}` is the ID of two operations", "Rename one")
        for link in _links_of(contract, operation):
            yield from _target_problems(contract, targets, link)
            yield from _source_problems(contract, link)


def _links_of(contract: Contract, operation: Operation) -> Iterator[_Link]:
    request = contract.resolve(operation.node.get("requestBody", {}))
    for status, node in without_extensions(operation.node["responses"]).items():
        response = contract.resolve(node)
        for name, link in response.get("links", {}).items():
            pointer = join(operation.pointer, "responses", status, "links", name)
            yield _Link(pointer, contract.resolve(link), request, response)


def _target_problems(
    contract: Contract, targets: Mapping[Any, Operation], link: _Link
) -> Iterator[Problem]:
    target = targets.get(link.node.get("operationId"))
    if target is None:
        message = f"there is no operation `{link.node.get('operationId')}`"
        yield Problem(link.pointer, message, "Name the `operationId` of one")
        return
    nodes = [*target.shared_parameters, *target.node.get("parameters", [])]
    known = {contract.resolve(node)["name"] for node in nodes}
    for name in link.node.get("parameters", {}):
        if name.rpartition(".")[2] not in known:
            message = f"`{target.name}` has no parameter `{name}`"
            yield Problem(join(link.pointer, "parameters", name), message, "Name one that it has")


def _source_problems(contract: Contract, link: _Link) -> Iterator[Problem]:
    for name, expression in link.node.get("parameters", {}).items():
        for side, pointer in _BODY.findall(str(expression)):
            content = (link.request if side == "request" else link.response).get("content", {})
            schemas = [media["schema"] for media in content.values() if "schema" in media]
            parts = [_unescaped(part) for part in pointer.split("/")[1:]]
            if not any(_has(contract, schema, parts) for schema in schemas):
                message = f"the body of the {side} has no `{pointer}`"
                at = join(link.pointer, "parameters", name)
                yield Problem(at, message, "Point to a member that its schema has")


def _unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")


def _has(
    contract: Contract, written: Mapping[str, Any], parts: Sequence[str], depth: int = 0
) -> bool:
    """Tell whether a schema has a member, or says too little to tell."""
    if not parts or depth > _MAX_DEPTH:
        return not parts
    schema = contract.resolve(written)
    combined = [part for key in _COMBINATIONS for part in schema.get(key, [])]
    members = schema.get("properties", {})
    if any(_has(contract, part, parts, depth + 1) for part in combined):
        return True
    if parts[0] in members:
        return _has(contract, members[parts[0]], parts[1:], depth + 1)
    others = schema.get("items" if parts[0].isdecimal() else "additionalProperties")
    if isinstance(others, Mapping):
        return _has(contract, others, parts[1:], depth + 1)
    return not (combined or members or "items" in schema or others is False)
