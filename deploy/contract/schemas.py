"""Schemas: what the import makes a model of, and what it would silently leave out."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from deploy.contract.document import Contract, join, without_extensions
from deploy.contract.finding import Problem
from deploy.contract.operations import suggestion

# Developer Guide, "Amazon API Gateway important notes". Members without a meaning for validation
# (`example`, `deprecated`, numeric formats) are not here: the deployable copy leaves them out.
_IGNORED: Final = {
    "nullable": "Leave the member out instead of sending null",
    "discriminator": "Tell the kinds apart by a member with an `enum`",
    "default": "Say the default in the description; the backend applies it",
    "readOnly": "Write a schema for requests and one for responses",
    "writeOnly": "Write a schema for requests and one for responses",
    "exclusiveMinimum": "Write the next allowed number as `minimum`",
    "exclusiveMaximum": "Write the next allowed number as `maximum`",
}
# Source: OpenAPI Specification 3.0.3, "Schema Object".
_KEYWORDS: Final = frozenset(
    {
        *("$ref", "title", "description", "type", "format", "enum", "pattern"),
        *("minLength", "maxLength", "minimum", "maximum", "multipleOf"),
        *("exclusiveMinimum", "exclusiveMaximum", "items", "minItems", "maxItems", "uniqueItems"),
        *("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
        *("allOf", "anyOf", "oneOf", "not", "nullable", "discriminator", "readOnly", "writeOnly"),
        *("default", "example", "deprecated", "xml", "externalDocs"),
    }
)
_COMBINATIONS: Final = ("allOf", "anyOf", "oneOf")


def schemas(contract: Contract) -> Iterator[Problem]:
    """Schemas keep their meaning when imported; their names are alphanumeric."""
    named = contract.document.get("components", {}).get("schemas", {})
    for name, schema in named.items():
        at = join("/components/schemas", name)
        if not (name.isascii() and name.isalnum()):
            remedy = "Write letters and digits only"
            yield Problem(at, f"`{name}` cannot be the name of a model", remedy)
        yield from _schema(at, schema)
    for pointer, node in _contents(contract):
        for media_type, member in node.items():
            at = join(pointer, media_type, "schema")
            yield from _schema(at, member.get("schema", {}))


def schema_keywords(contract: Contract) -> Iterator[Problem]:
    """Schemas have keywords that OpenAPI 3.0 knows: others are taken for nothing, silently."""
    components = contract.document.get("components", {})
    for name, schema in components.get("schemas", {}).items():
        yield from _keywords(join("/components/schemas", name), schema)
    for pointer, node in _contents(contract):
        for media_type, member in node.items():
            yield from _keywords(join(pointer, media_type, "schema"), member.get("schema", {}))
    for pointer, node in _parameters(contract):
        yield from _keywords(join(pointer, "schema"), node.get("schema", {}))


def _parameters(contract: Contract) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what has a name and a schema: parameters and headers, where they are written."""
    components = contract.document.get("components", {})
    for section in ("parameters", "headers"):
        for name, node in components.get(section, {}).items():
            yield join("/components", section, name), node
    for operation in contract.operations():
        for index, node in enumerate(operation.node.get("parameters", [])):
            yield join(operation.pointer, "parameters", index), node
        for index, node in enumerate(operation.shared_parameters):
            yield join("/paths", operation.path, "parameters", index), node


def _keywords(pointer: str, schema: Mapping[str, Any]) -> Iterator[Problem]:
    for keyword in schema:
        if keyword not in _KEYWORDS and not keyword.startswith("x-"):
            message = f"`{keyword}` is no keyword of a schema, and checks nothing"
            yield Problem(
                join(pointer, keyword), message, f"Remove it{suggestion(keyword, _KEYWORDS)}"
            )
    for path, member in _members(schema):
        yield from _keywords(join(pointer, *path), member)


def response_schemas(contract: Contract) -> Iterator[Problem]:
    """A response is an object or has a named schema: the import takes no bare scalar."""
    for pointer, node in _contents(contract):
        for media_type, member in node.items():
            schema = member.get("schema", {})
            if "/responses/" in pointer and schema.get("type", "object") not in ("object", "array"):
                at = join(pointer, media_type, "schema")
                remedy = "Wrap it in an object, or name the schema in `components`"
                yield Problem(at, f"a response cannot be a bare {schema['type']}", remedy)


def _contents(contract: Contract) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every `content`, shared ones where they are defined."""
    components = contract.document.get("components", {})
    for section in ("requestBodies", "responses"):
        for name, node in components.get(section, {}).items():
            yield join("/components", section, name, "content"), node.get("content", {})
    for operation in contract.operations():
        body = operation.node.get("requestBody", {})
        yield join(operation.pointer, "requestBody", "content"), body.get("content", {})
        for status, node in without_extensions(operation.node["responses"]).items():
            at = join(operation.pointer, "responses", status, "content")
            yield at, node.get("content", {})


def _schema(pointer: str, schema: Mapping[str, Any]) -> Iterator[Problem]:
    for key, remedy in _IGNORED.items():
        if key in schema:
            yield Problem(join(pointer, key), f"the import ignores `{key}`", remedy)
    yield from combined_references(pointer, schema)
    for path, member in _members(schema):
        yield from _schema(join(pointer, *path), member)


def combined_references(pointer: str, schema: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the references of a schema that the import does not take."""
    for key in _COMBINATIONS:
        for index, part in enumerate(schema.get(key, [])):
            if "$ref" in part:
                message = f"the import takes no `$ref` in `{key}`"
                yield Problem(join(pointer, key, index), message, "Write the schema out here")


def _members(
    schema: Mapping[str, Any],
) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, Any]]]:
    for name, member in schema.get("properties", {}).items():
        yield ("properties", name), member
    for key in _COMBINATIONS:
        for index, part in enumerate(schema.get(key, [])):
            yield (key, index), part
    for key in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(key), Mapping):
            yield (key,), schema[key]
