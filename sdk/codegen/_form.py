"""The form of a document: what OpenAPI 3.0 asks of it, and where its references lead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend, validator_for
from openapi_schema_validator import OAS30WriteValidator

from codegen._diagnostics import DocumentError, Problem
from codegen._document import Document, Json, Node, described, join, read
from codegen._patterns import is_pattern

_DEFINITIONS: Final = "#/definitions/"
_SPECIFICATION: Final = "write it as the specification says (https://spec.openapis.org/oas/v3.0.3)"


def load(path: Path) -> Document:
    """
    Read a document, YAML or JSON, and validate it as OpenAPI 3.0.

    Args:
        path: The file, which problems are reported by.

    Raises:
        DocumentError: The file cannot be read, is no YAML, or is no valid OpenAPI 3.0 document.
    """
    document, problems = examine(path)
    if problems:
        raise DocumentError(document.source, problems)
    return document


def examine(path: Path) -> tuple[Document, list[Problem]]:
    """
    Read a document, and tell the faults of its form instead of raising them.

    Raises:
        DocumentError: There is nothing to read on: no file, or no YAML object.
    """
    document, problems = read(path)
    problems.extend(_check_version(document))
    problems.extend(_check_references(document))
    problems.extend(_check_paths(document))
    # What follows references reports a missing one without its place, and is left out then; it
    # cannot read a document without paths either.
    follow = not problems and isinstance(document.root.get("paths"), dict)
    problems.extend(_validate(document, follow=follow))
    return document, problems


def _check_version(document: Document) -> Iterator[Problem]:
    version = document.root.get("openapi")
    if not (isinstance(version, str) and version.startswith("3.0.")):
        yield document.problem(
            "#/openapi",
            f"this is OpenAPI {version}" if version else "there is no `openapi`",
            "API Gateway imports 3.0.x, and links are read by its rules",
            "write `openapi: 3.0.1`",
        )


def _check_references(document: Document) -> Iterator[Problem]:
    for owner, place in described(document.root, "#"):
        if not isinstance(owner.get("$ref"), str):
            continue
        reference, pointer = owner["$ref"], join(place, "$ref")
        if not reference.startswith("#"):
            what, why = f"`{reference}` is in another file", "a document stands alone"
        elif document.find(reference) is None:
            what, why = f"there is no `{reference}`", "the reference leads nowhere"
        elif any(_is_circle(document, place, keywords) for keywords in _CIRCLES):
            what, why = f"`{reference}` leads back here", "it never comes to a value"
        else:
            continue
        yield document.problem(pointer, what, why, "point to a place in this document: `#/…`")


# A schema that is a part, or an alternative, of itself. A base whose alternatives take it up by
# `allOf` is neither: it is the usual form of a `discriminator`.
_CIRCLES: Final = (("allOf",), ("oneOf", "anyOf"))


def _is_circle(document: Document, pointer: str, keywords: tuple[str, ...]) -> bool:
    """Whether what stands at a pointer is itself again, by references and what it is made of."""
    seen: set[str] = set()
    waiting = [pointer]
    while waiting:
        found = document.find(waiting.pop())
        node, place = found or ({}, "")
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            steps = [node["$ref"]]
        else:
            steps = [
                join(place, keyword, index)
                for keyword in keywords
                for index in range(len(node.get(keyword, ()) if isinstance(node, dict) else ()))
            ]
        if pointer in steps:
            return True
        waiting += [step for step in steps if step not in seen]
        seen.update(steps)
    return False


def _check_paths(document: Document) -> Iterator[Problem]:
    """Paths that differ by the names of their parameters only are one (OpenAPI 3.0, 4.7.8)."""
    paths = document.root.get("paths")
    owners: dict[str, str] = {}
    for path in paths if isinstance(paths, dict) else ():
        pointer, form = join("#/paths", path), re.sub(r"\{[^{}]*\}", "{}", path)
        owner = owners.setdefault(form, pointer)
        if owner != pointer:
            yield document.problem(
                pointer,
                f"this and {owner} are the same path",
                "names of parameters do not tell one path from another",
                "put the operations under one of them",
            )
        if re.search(r"[{}]", form.replace("{}", "")):
            yield document.problem(
                pointer,
                "a brace is left alone",
                f"`{path}` could not be filled",
                "write parameters as `{name}`",
            )


def _validate(document: Document, *, follow: bool) -> Iterator[Problem]:
    from openapi_spec_validator import OpenAPIV30SpecValidator
    from openapi_spec_validator.schemas import schema_v30
    from openapi_spec_validator.schemas.backend.jsonschema import create_validator
    from openapi_spec_validator.validation.exceptions import (
        DuplicateOperationIDError,
        ParameterDuplicateError,
        UnresolvableParameterError,
    )

    class Validator(OpenAPIV30SpecValidator):
        # The schema of OpenAPI was checked before, by `_Kinds`: here all that is beyond it.
        schema_validator = create_validator({})

    kinds = _Kinds(document, schema_v30)
    faults = list(kinds.faults())
    yield from faults
    if faults or not follow:
        return
    yield from kinds.values()
    # These come without their place, and are found again where operations are read.
    known = DuplicateOperationIDError | ParameterDuplicateError | UnresolvableParameterError
    for error in Validator(document.root).iter_errors():
        # Others are a keyword's, without a place too: what can be wrong with values is told above.
        if not (isinstance(error, known) or isinstance(error.validator, str)):
            text = " ".join(str(error.message).split())[:200]
            yield document.problem("#", text, "OpenAPI 3.0 asks for another form", _SPECIFICATION)


class _Kinds:
    """
    Checks a document by the schema of OpenAPI, and that references lead to what is wanted.

    Args:
        document: What is checked.
        schema: The schema of OpenAPI 3.0, as JSON schema.
    """

    def __init__(self, document: Document, schema: Node) -> None:
        self._document = document
        self._found: dict[str, dict[int, Node]] = {}
        self._wanted: list[tuple[Node, str]] = []
        kind: Any = extend(validator_for(schema), {"oneOf": self._choose})  # type: ignore[no-untyped-call]
        self._validator = kind(schema)
        self._choices: Any = validator_for(schema).VALIDATORS["oneOf"]

    def _choose(
        self, validator: Any, branches: list[Node], node: Json, schema: Node
    ) -> Iterator[ValidationError]:
        """Where a reference may stand, its presence tells which is meant."""
        names = [branch.get("$ref", "").removeprefix(_DEFINITIONS) for branch in branches]
        if "Reference" not in names or not isinstance(node, dict):
            yield from self._choices(validator, branches, node, schema)
            return
        name = next(name for name in names if name != "Reference")
        if isinstance(node.get("$ref"), str):
            self._wanted.append((node, name))
        else:
            self._found.setdefault(name, {})[id(node)] = node
            yield from validator.descend(node, {"$ref": _DEFINITIONS + name})

    def faults(self) -> Iterator[Problem]:
        """What is not of OpenAPI's form."""
        for error in self._validator.iter_errors(self._document.root):
            yield _problem(self._document, _leaf(error))
        places = {id(node): pointer for node, pointer in described(self._document.root, "#")}
        for node, name in self._wanted:
            if self._is_misled(node, name):
                yield self._document.problem(
                    join(places.get(id(node), "#"), "$ref"),
                    f"`{node['$ref']}` is no {name}",
                    f"a reference that stands here leads to a {name} Object",
                    "point to one: `#/components/…`",
                )

    def _is_misled(self, node: Node, name: str) -> bool:
        target, _ = self._document.follow(node, "")
        kinds = {kind for kind, nodes in self._found.items() if id(target) in nodes}
        if kinds:
            return name not in kinds
        if target == {} or (isinstance(target, dict) and "$ref" in target):
            return False  # it is not there, or a circle, which is told where references are read
        wanted = self._validator.evolve(schema={"$ref": _DEFINITIONS + name})
        return not wanted.is_valid(target)

    def values(self) -> Iterator[Problem]:
        """What schemas say that cannot be: defaults of another type, patterns that are none."""
        checker = OAS30WriteValidator(self._document.root)
        for node, pointer in described(self._document.root, "#"):
            if id(node) not in self._found.get("Schema", {}):
                continue
            values = node.get("enum", ())
            for index in (it for it, value in enumerate(values) if value in values[:it]):
                where, what = join(pointer, "enum", index), f"`{values[index]}` is there twice"
                yield self._document.problem(where, what, "only one can count", "remove one")
            if "pattern" in node and not is_pattern(node["pattern"]):
                yield self._document.problem(
                    join(pointer, "pattern"),
                    f"`{node['pattern']}` is no regular expression",
                    "no text could be checked by it",
                    "write one (ECMA-262)",
                )
            elif "default" in node and not (node["default"] is None and node.get("nullable")):
                for error in checker.evolve(schema=node).iter_errors(node["default"]):
                    where = join(pointer, "default", *error.absolute_path)
                    what, why = str(error.message), "a default is a value that its schema allows"
                    yield self._document.problem(where, what, why, "write another default")


def _problem(document: Document, error: ValidationError) -> Problem:
    place = join("#", *error.absolute_path)
    message = " ".join(str(error.message).split())
    if error.validator == "not":
        rule: Any = error.validator_value
        message = str(rule.get("description", message))
    elif error.validator == "additionalProperties" and isinstance(error.instance, dict):
        unknown = (name for name in error.instance if repr(name) in message)
        place = join(place, *list(unknown)[:1])
    return document.problem(
        place, message[:200], "OpenAPI 3.0 asks for another form", _SPECIFICATION
    )


def _leaf(error: ValidationError) -> ValidationError:
    """The fault behind a choice that nothing matched: the one deepest in the document."""
    while error.context:
        branches: Any = error.validator_value
        listed = [cause for cause in error.context if cause.validator == "enum"]
        # A choice by a value: the part that has it is meant, and where none has it, that is wrong.
        place = next((cause.absolute_path for cause in listed), None)
        told: list[Any] = [cause for cause in listed if cause.absolute_path == place]
        others = {cause.schema_path[0] for cause in told}
        if told and len(others) == len(branches):
            values = [value for cause in told for value in cause.validator_value]
            told[0].message = f"{told[0].instance!r} is not one of {values}"
            return cast("ValidationError", told[0])
        meant = [cause for cause in error.context if cause.schema_path[0] not in others]
        error = max(meant or error.context, key=lambda cause: len(cause.absolute_path))
    return error
