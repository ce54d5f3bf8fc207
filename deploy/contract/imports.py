"""
What API Gateway's import makes of any document: what it refuses, and what it leaves out.

These are facts about AWS. What this project demands of its own contract beyond them is in `lint`.

Source: Developer Guide, "Amazon API Gateway important notes", where nothing else is said.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from deploy.contract.document import Contract, join, without_extensions
from deploy.contract.finding import Finding, Problem, located
from deploy.contract.operations import integration_keys
from deploy.contract.schemas import combined_references
from deploy.contract.sound import integrated, sound
from deploy.contract.structure import openapi_version, types

# Keyword of a schema and what becomes of it; the remedy is the same for all.
_LOST_KEYWORDS: Final = {
    "default": "is not applied",
    "deprecated": "is left out",
    "discriminator": "is left out",
    "example": "is left out",
    "exclusiveMinimum": "is left out, so that the minimum itself is allowed",
    "exclusiveMaximum": "is left out, so that the maximum itself is allowed",
    "externalDocs": "is left out",
    "format": "is not checked",
    "maxItems": "is not checked",
    "minItems": "is not checked",
    "nullable": "is left out, so that null is refused",
    "readOnly": "is left out, so that clients may send the member",
    "writeOnly": "is left out, so that answers may have the member",
    "xml": "is left out",
}
_KEPT_OF_PARAMETERS: Final = ("$ref", "type", "description", "title")
_LOST_OF_OPERATIONS: Final = ("callbacks", "servers", "externalDocs")
_SHARED: Final = ("parameters", "requestBodies", "responses", "headers")


def refused(contract: Contract) -> list[Finding]:
    """
    Return what keeps a document from being imported at all, in the order of the file.

    Operations are not looked into: `deploy.local.api_import` does that, when it compiles them.
    """
    return sorted(set(_wrong_types(contract)) | set(_not_imported(readable(contract))))


def readable(contract: Contract) -> Contract:
    """Return the part of a document in which every member has the type that OpenAPI gives it."""
    return sound(contract, (finding.pointer for finding in _wrong_types(contract)))


def ignored(contract: Contract) -> list[Finding]:
    """
    Return what the import takes without a word and leaves out, in the order of the file.

    Args:
        contract: A document in which `refused` finds nothing, or the readable part of one.
    """
    rules = {
        "schema": _schemas,
        "parameter": _parameters,
        "operation": _operations,
        "reference": _references,
        "integration-key": _keys,
    }
    findings = (
        located(contract, rule, problem)
        for rule, problems in rules.items()
        for problem in problems(contract)
    )
    return sorted({(each.line, each.message): each for each in findings}.values())


def _wrong_types(contract: Contract) -> list[Finding]:
    return [located(contract, "structure", problem) for problem in types(contract)]


def _not_imported(contract: Contract) -> list[Finding]:
    return [
        *(located(contract, "openapi-version", problem) for problem in _version(contract)),
        *(located(contract, "schema", problem) for problem in _model_names(contract)),
    ]


def _version(contract: Contract) -> Iterator[Problem]:
    if "swagger" in contract.document:
        remedy = "Write it as OpenAPI 3.0.1; AWS exports either"
        yield Problem("/swagger", "Swagger 2.0 is imported by AWS, but not run here", remedy)
    elif not isinstance(contract.document.get("openapi"), str):
        yield Problem(
            "/openapi", "`openapi` is missing", "Begin the document with `openapi: 3.0.1`"
        )
    else:
        yield from openapi_version(contract)


def _model_names(contract: Contract) -> Iterator[Problem]:
    for name in contract.document.get("components", {}).get("schemas", {}):
        if not (name.isascii() and name.isalnum()):
            message = f"Model name must be alphanumeric: `{name}`"
            yield Problem(join("/components/schemas", name), message, "Write letters and digits")


def _schemas(contract: Contract) -> Iterator[Problem]:
    """Only schemas that become models of requests or answers have a meaning to lose."""
    for name, schema in contract.document.get("components", {}).get("schemas", {}).items():
        yield from _schema(join("/components/schemas", name), schema)
    for operation in contract.operations():
        body = operation.node.get("requestBody", {})
        contents = {"requestBody": body.get("content", {})}
        for status, response in without_extensions(operation.node.get("responses", {})).items():
            contents[f"responses/{status}"] = response.get("content", {})
        for place, content in contents.items():
            for media_type, media in content.items():
                at = join(f"{operation.pointer}/{place}/content", media_type, "schema")
                yield from _schema(at, media.get("schema", {}))


def _schema(pointer: str, schema: Any) -> Iterator[Problem]:
    if not isinstance(schema, Mapping):
        return
    yield from combined_references(pointer, schema)
    for key, fate in _LOST_KEYWORDS.items():
        if key in schema:
            yield Problem(join(pointer, key), f"`{key}` {fate}", "Do not rely on it")
    for name, member in schema.get("properties", {}).items():
        yield from _schema(join(pointer, "properties", name), member)
    for key in ("items", "additionalProperties", "not"):
        yield from _schema(join(pointer, key), schema.get(key))
    for key in ("allOf", "anyOf", "oneOf"):
        for index, part in enumerate(schema.get(key, [])):
            yield from _schema(join(pointer, key, index), part)


def _parameters(contract: Contract) -> Iterator[Problem]:
    for pointer, written in _parameter_nodes(contract):
        node = contract.resolve(written)
        if node.get("in") == "cookie":
            yield Problem(pointer, "cookie parameters are left out", "Read the header `Cookie`")
            continue
        lost = [key for key in node.get("schema", {}) if key not in _KEPT_OF_PARAMETERS]
        if lost:
            message = "parameters are checked for presence only: their schemas are left out"
            yield Problem(pointer, message, "Check values in the template or the backend")


def _parameter_nodes(contract: Contract) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, item in without_extensions(contract.document.get("paths", {})).items():
        for index, node in enumerate(item.get("parameters", [])):
            yield join("/paths", path, "parameters", index), node
    for operation in contract.operations():
        for index, node in enumerate(operation.node.get("parameters", [])):
            yield join(operation.pointer, "parameters", index), node


def _operations(contract: Contract) -> Iterator[Problem]:
    for operation in contract.operations():
        if operation.method == "trace":
            yield Problem(operation.pointer, "there is no method TRACE", "Use another method")
        for key in _LOST_OF_OPERATIONS:
            if key in operation.node:
                at = join(operation.pointer, key)
                yield Problem(at, f"`{key}` is left out", "Do not rely on it")
        for status, node in without_extensions(operation.node.get("responses", {})).items():
            if contract.resolve(node).get("links"):
                at = join(operation.pointer, "responses", status, "links")
                yield Problem(at, "`links` are left out", "They are for generators of clients")


def _references(contract: Contract) -> Iterator[Problem]:
    """The import documents references to schemas only; the deployable copy has the others out."""
    for operation in contract.operations():
        nodes = {
            **{f"parameters/{i}": n for i, n in enumerate(operation.node.get("parameters", []))},
            "requestBody": operation.node.get("requestBody", {}),
            **{f"responses/{s}": n for s, n in operation.node.get("responses", {}).items()},
        }
        for place, node in nodes.items():
            reference = node.get("$ref", "") if isinstance(node, Mapping) else ""
            if any(reference.startswith(f"#/components/{section}/") for section in _SHARED):
                message = "only references to schemas are documented to work"
                remedy = (
                    "Write it out, or deploy what `python -m deploy.contract --deployable` prints"
                )
                yield Problem(f"{operation.pointer}/{place}", message, remedy)


def _keys(contract: Contract) -> Iterator[Problem]:
    return integration_keys(integrated(contract))
