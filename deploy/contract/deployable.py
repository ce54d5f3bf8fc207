"""
The deployable copy: what API Gateway imports, and what the local gateway runs.

The import knows a part of OpenAPI 3.0 only ("Amazon API Gateway important notes" in the Developer
Guide): of a parameter it keeps name, place, type, description and whether it is required, shared
responses are not supported, and of `links`, `callbacks` and `servers` nothing is documented. Each
kind of object therefore has a list of what is kept; all else is dropped.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from deploy.contract.document import METHODS, Contract, ContractError, without_extensions
from deploy.contract.finding import Finding, Problem, located
from deploy.contract.lint import lint
from deploy.contract.placeholders import (
    PLACEHOLDERS,
    PSEUDO_PARAMETERS,
    filled,
    placeholders_in,
)

# Values for these may be given whether they are used or not.
_OPTIONAL: Final = PLACEHOLDERS | PSEUDO_PARAMETERS
_EXTENSION: Final = "x-amazon-apigateway-"
_ROOT: Final = ("openapi", "info", "paths", "components")
_INFO: Final = ("title", "version", "description")
_OPERATION: Final = (
    "operationId",
    "summary",
    "description",
    "parameters",
    "requestBody",
    "responses",
    "security",
)
_PARAMETER: Final = ("name", "in", "required", "description", "schema")
_REQUEST_BODY: Final = ("description", "required", "content")
_RESPONSE: Final = ("description", "headers", "content")
_SCHEMA: Final = (
    "$ref",
    "title",
    "description",
    "type",
    "format",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "multipleOf",
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
)
_IGNORED_FORMATS: Final = ("int32", "int64", "decimal")


def deployable(contract: Contract, placeholders: Mapping[str, str]) -> dict[str, Any]:
    """
    Derive the copy of this project's contract that is deployed; no rule may be broken.

    Args:
        contract: The contract; left as it is.
        placeholders: Name to value for every `${Name}` that the contract uses. Values are put in as
            they are, so they may be CDK tokens.

    Returns:
        An OpenAPI 3.0 document for API Gateway's import: references to shared responses, headers,
        parameters and request bodies written out, references to schemas kept.

    Raises:
        ContractError: The contract breaks a rule, a placeholder has no value, or a value is given
            for a placeholder that there is not. The text names every one.
    """
    if findings := lint(contract):
        raise ContractError("\n".join(map(str, findings)))
    return derive(contract, placeholders)


def derive(contract: Contract, placeholders: Mapping[str, str]) -> dict[str, Any]:
    """
    Derive the copy of any document of API Gateway: `deployable` without this project's rules.

    Args:
        contract: A document in which `imports.refused` finds nothing; left as it is.
        placeholders: As for `deployable`.

    Returns:
        As for `deployable`.

    Raises:
        ContractError: As for `deployable`, but for the rules.
    """
    document, findings = draft(contract, placeholders)
    if findings:
        raise ContractError("\n".join(str(finding) for finding in findings))
    return document


def draft(
    contract: Contract, placeholders: Mapping[str, str]
) -> tuple[dict[str, Any], list[Finding]]:
    """
    Derive the copy as far as it can be, and return with it what is wrong with the placeholders.

    Args:
        contract: As for `derive`.
        placeholders: As for `deployable`; one without a value stays as it is written.
    """
    copy = _Copy(contract).document()
    used = placeholders_in(copy)
    problems = _placeholder_problems(contract, used, placeholders)
    findings = [located(contract, "placeholder", problem) for problem in problems]
    return dict(filled(copy, {**_as_written(used), **placeholders})), findings


def _placeholder_problems(
    contract: Contract, used: Mapping[str, str], placeholders: Mapping[str, str]
) -> Iterator[Problem]:
    if missing := sorted(used.keys() - placeholders.keys()):
        first = min((used[name] for name in missing), key=contract.line)
        yield Problem(first, f"no value for {_names(missing)}", "Give one for each")
    if unknown := sorted(placeholders.keys() - used.keys() - _OPTIONAL):
        message = f"values for unknown placeholders {_names(unknown)}"
        yield Problem("", message, "Leave them out, or use them")


def _as_written(names: Iterable[str]) -> dict[str, str]:
    return {name: f"${{{name}}}" for name in names}


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"${{{name}}}" for name in names)


def _kept(node: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Return the named members and API Gateway's own, in the order of the original."""
    return {key: node[key] for key in node if key in keys or key.startswith(_EXTENSION)}


class _Copy:
    """One method for each kind of object; every one returns what the import knows of it."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def document(self) -> dict[str, Any]:
        root = _kept(self._contract.document, _ROOT)
        root["info"] = _kept(root.get("info", {}), _INFO)
        root["paths"] = self._each(without_extensions(root.get("paths", {})), self._path)
        components = root.get("components", {})
        root["components"] = {
            "securitySchemes": components.get("securitySchemes", {}),
            "schemas": self._each(components.get("schemas", {}), self._schema),
        }
        return root

    def _each(
        self, nodes: Mapping[str, Any], copy: Callable[[Mapping[str, Any]], dict[str, Any]]
    ) -> dict[str, Any]:
        return {name: copy(node) for name, node in nodes.items()}

    def _path(self, item: Mapping[str, Any]) -> dict[str, Any]:
        kept = _kept(item, ("parameters", *METHODS))
        if "parameters" in kept:
            kept["parameters"] = [self._parameter(node) for node in kept["parameters"]]
        return kept | {name: self._operation(kept[name]) for name in METHODS if name in kept}

    def _operation(self, node: Mapping[str, Any]) -> dict[str, Any]:
        kept = _kept(node, _OPERATION)
        if "parameters" in kept:
            kept["parameters"] = [self._parameter(parameter) for parameter in kept["parameters"]]
        if "requestBody" in kept:
            kept["requestBody"] = self._with_content(kept["requestBody"], _REQUEST_BODY)
        responses = without_extensions(kept.get("responses", {}))
        kept["responses"] = self._each(responses, self._response)
        return kept

    def _parameter(self, node: Mapping[str, Any]) -> dict[str, Any]:
        return self._header(node, _PARAMETER)

    def _header(
        self, node: Mapping[str, Any], keys: Iterable[str] = ("description", "schema")
    ) -> dict[str, Any]:
        kept = _kept(self._contract.resolve(node), keys)
        if "schema" in kept:
            schema = self._contract.resolve(kept["schema"])
            kept["schema"] = {"type": schema.get("type", "string")}
        return kept

    def _response(self, node: Mapping[str, Any]) -> dict[str, Any]:
        kept = self._with_content(node, _RESPONSE)
        if "headers" in kept:
            kept["headers"] = self._each(kept["headers"], self._header)
        return kept

    def _with_content(self, node: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
        kept = _kept(self._contract.resolve(node), keys)
        if "content" in kept:
            kept["content"] = self._each(kept["content"], self._media_type)
        return kept

    def _media_type(self, node: Mapping[str, Any]) -> dict[str, Any]:
        return {"schema": self._schema(node["schema"])} if "schema" in node else {}

    def _schema(self, node: Mapping[str, Any]) -> dict[str, Any]:
        if "$ref" in node:
            return {"$ref": node["$ref"]}
        kept = _kept(node, _SCHEMA)
        if kept.get("format") in _IGNORED_FORMATS:
            del kept["format"]
        if "properties" in kept:
            kept["properties"] = self._each(kept["properties"], self._schema)
        for key in ("items", "additionalProperties", "not"):
            if isinstance(kept.get(key), Mapping):
                kept[key] = self._schema(kept[key])
        for key in ("allOf", "anyOf", "oneOf"):
            if key in kept:
                kept[key] = [self._schema(part) for part in kept[key]]
        return kept
