"""
The form of the document: kinds of objects, references and paths.

The other rules rely on `structure`: where it finds nothing, every member that they read has the
type that OpenAPI gives it and every `$ref` leads to an object of its kind. The deployable copy
needs the types only, `types`: what is not there cannot be of a wrong one.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from deploy.contract.document import (
    METHODS,
    Contract,
    ContractError,
    Operation,
    join,
    without_extensions,
)
from deploy.contract.finding import Problem

# Developer Guide, "Amazon API Gateway important notes": letters, digits and these.
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_.,:-]*")
_PARAMETER_SEGMENT: Final = re.compile(r"\{([A-Za-z0-9_.-]+)\+?\}")


@dataclass(frozen=True, slots=True)
class _Kind:
    """
    A kind of object.

    Attributes:
        members: Name to shape, where `*` stands for every other name. A shape is a kind, a list of
            one shape, or the type of a scalar.
        required: Names that must be there.
        section: Section of the components for objects of this kind, where `$ref` may lead.
        extensible: Whether names that start with `x-` are extensions where `*` is.
    """

    members: dict[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    section: str = ""
    extensible: bool = False

    def member(self, name: str) -> Any:
        """Return the shape of a member; `None` if any will do."""
        extension = self.extensible and name.startswith("x-")
        return self.members.get(name, None if extension else self.members.get("*"))


_TEXTS: Final = _Kind({"*": str})
_SCHEMA: Final = _Kind(section="schemas")
_SCHEMA.members.update(
    {name: [_SCHEMA] for name in ("allOf", "anyOf", "oneOf")}
    | dict.fromkeys(("items", "not"), _SCHEMA)
    | {"properties": _Kind({"*": _SCHEMA}), "required": [str], "format": str, "type": str | list}
)
_HEADER: Final = _Kind({"schema": _SCHEMA}, section="headers")
_PARAMETER: Final = _Kind(
    {"name": str, "in": str, "schema": _SCHEMA}, ("name", "in"), section="parameters"
)
_CONTENT: Final = _Kind({"*": _Kind({"schema": _SCHEMA})})
_REQUEST_BODY: Final = _Kind({"content": _CONTENT}, ("content",), section="requestBodies")
_LINK: Final = _Kind({"operationId": str, "parameters": _Kind()}, section="links")
_RESPONSE: Final = _Kind(
    {"headers": _Kind({"*": _HEADER}), "content": _CONTENT, "links": _Kind({"*": _LINK})},
    ("description",),
    section="responses",
)
_MAPPED_RESPONSE: Final = _Kind({"responseParameters": _TEXTS, "responseTemplates": _TEXTS})
_INTEGRATION: Final = _Kind(
    {
        "type": str,
        "httpMethod": str,
        "uri": str,
        "passthroughBehavior": str,
        "requestParameters": _Kind(),
        "requestTemplates": _TEXTS,
        "responses": _Kind({"*": _MAPPED_RESPONSE}),
    },
    ("type",),
)
_OPERATION: Final = _Kind(
    {
        "operationId": str,
        "parameters": [_PARAMETER],
        "requestBody": _REQUEST_BODY,
        "responses": _Kind({"*": _RESPONSE}, extensible=True),
        "security": [_Kind()],
        "x-amazon-apigateway-auth": _Kind({"type": str}),
        "x-amazon-apigateway-integration": _INTEGRATION,
        "x-amazon-apigateway-request-validator": str,
    },
    ("responses", "x-amazon-apigateway-integration"),
)
_PATH: Final = _Kind({"parameters": [_PARAMETER]} | dict.fromkeys(METHODS, _OPERATION))
_DOCUMENT: Final = _Kind(
    {
        "openapi": str,
        "info": _Kind({"title": str, "version": str | int | float}, ("title", "version")),
        "paths": _Kind({"*": _PATH}, extensible=True),
        "components": _Kind(
            {
                kind.section: _Kind({"*": kind})
                for kind in (_SCHEMA, _HEADER, _PARAMETER, _REQUEST_BODY, _LINK, _RESPONSE)
            }
            | {"securitySchemes": _Kind({"*": _Kind({"type": str, "name": str, "in": str})})}
        ),
        "x-amazon-apigateway-request-validator": str,
        "x-amazon-apigateway-request-validators": _Kind({"*": _Kind()}),
        "x-amazon-apigateway-gateway-responses": _Kind({"*": _MAPPED_RESPONSE}),
    },
    ("openapi", "info", "paths"),
)


def structure(contract: Contract) -> Iterator[Problem]:
    """Every object has the form that OpenAPI gives it; references lead to their own kind."""
    yield from types(contract)
    yield from _missing(contract.document, _DOCUMENT, "")


def types(contract: Contract) -> Iterator[Problem]:
    """What is there has the type that OpenAPI gives it; references lead to their own kind."""
    return _check(contract, contract.document, _DOCUMENT, "")


def _missing(node: object, shape: Any, pointer: str) -> Iterator[Problem]:
    if isinstance(shape, list) and isinstance(node, list):
        for index, item in enumerate(node):
            yield from _missing(item, shape[0], join(pointer, index))
    if not isinstance(shape, _Kind) or not isinstance(node, Mapping):
        return
    if shape.section and "$ref" in node:
        return
    for name in shape.required:
        if name not in node:
            yield Problem(pointer, f"`{name}` is missing", f"Add `{name}`")
    for name, member in node.items():
        yield from _missing(member, shape.member(name), join(pointer, name))


def _check(contract: Contract, node: object, shape: Any, pointer: str) -> Iterator[Problem]:
    if isinstance(shape, _Kind):
        if isinstance(node, Mapping):
            yield from _check_object(contract, node, shape, pointer)
        else:
            yield Problem(pointer, f"{_shown(node)} where a mapping belongs", "Write a mapping")
    elif isinstance(shape, list):
        if isinstance(node, list):
            for index, item in enumerate(node):
                yield from _check(contract, item, shape[0], join(pointer, index))
        else:
            yield Problem(pointer, f"{_shown(node)} where a list belongs", "Write a list")
    elif shape is not None and not isinstance(node, shape):
        yield Problem(pointer, f"{_shown(node)} where a text belongs", "Write a text, in quotes")


def _check_object(
    contract: Contract, node: Mapping[str, Any], kind: _Kind, pointer: str
) -> Iterator[Problem]:
    if kind.section and "$ref" in node:
        yield from _check_reference(contract, node, kind, pointer)
        return
    for name, member in node.items():
        yield from _check(contract, member, kind.member(name), join(pointer, name))


def _check_reference(
    contract: Contract, node: Mapping[str, Any], kind: _Kind, pointer: str
) -> Iterator[Problem]:
    at, prefix = join(pointer, "$ref"), f"#/components/{kind.section}/"
    if not str(node["$ref"]).startswith(prefix):
        yield Problem(
            at, f"{_shown(node['$ref'])} is of another kind or file", f"Refer to {prefix}…"
        )
        return
    try:
        contract.resolve(node)
    except ContractError:
        yield Problem(at, f"{node['$ref']} leads nowhere", "Define it, or mend the reference")


def _shown(node: object) -> str:
    text = str(node)
    return f"`{text}`" if len(text) <= 40 and "\n" not in text else f"a {type(node).__name__}"


def openapi_version(contract: Contract) -> Iterator[Problem]:
    """The document is OpenAPI 3.0.x: the import documents nothing newer."""
    version = contract.document["openapi"]
    if not re.fullmatch(r"3\.0\.\d+", version):
        yield Problem("/openapi", f"OpenAPI {version} is not imported", "Write it as 3.0.1")


def paths(contract: Contract) -> Iterator[Problem]:
    """Segments have characters that API Gateway knows; a parameter is a whole, declared segment."""
    for path, item in without_extensions(contract.document["paths"]).items():
        at = join("/paths", path)
        if not path.startswith("/"):
            yield Problem(at, f"`{path}` does not start with a slash", "Add one")
        for segment in path.split("/"):
            if not (_SEGMENT.fullmatch(segment) or _PARAMETER_SEGMENT.fullmatch(segment)):
                remedy = "Use letters, digits and _-.,: or one {parameter} as the whole segment"
                yield Problem(at, f"API Gateway does not know the segment `{segment}`", remedy)
        if "$ref" in item:
            yield Problem(join(at, "$ref"), "a path item cannot be shared", "Write it out")
    for operation in contract.operations():
        yield from _path_parameters(contract, operation)


def _path_parameters(contract: Contract, operation: Operation) -> Iterator[Problem]:
    nodes = [*operation.shared_parameters, *operation.node.get("parameters", [])]
    resolved = (contract.resolve(node) for node in nodes)
    declared = {node["name"]: node for node in resolved if node["in"] == "path"}
    used = set(_PARAMETER_SEGMENT.findall(operation.path))
    for name in sorted(used - declared.keys()):
        remedy = "Add it to `parameters`, in path, required"
        yield Problem(operation.pointer, f"path parameter `{name}` is not declared", remedy)
    for name in sorted(declared.keys() - used):
        remedy = f"Write {{{name}}} in the path, or remove the parameter"
        yield Problem(operation.pointer, f"there is no `{name}` in the path", remedy)
    for name in sorted(used & declared.keys()):
        if declared[name].get("required") is not True:
            at = f"path parameter `{name}` is not required"
            yield Problem(operation.pointer, at, "Add `required: true`")
