"""Reads the operations of a document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, cast

from codegen import _names
from codegen._diagnostics import Problem
from codegen._document import Document, Json, Node, join, text_of
from codegen._ir import Body, Location, Operation, Parameter, Response
from codegen._limits import limited_type
from codegen._schemas import Schemas, limits_of, limits_text

_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# OpenAPI 3.0, 4.7.12.1: header parameters of these names are ignored.
_IGNORED_HEADERS: Final = frozenset(("accept", "content-type", "authorization"))
_FORM: Final = "application/x-www-form-urlencoded"
# OpenAPI 3.0, 4.7.12.2: the default of `style` by place.
_STYLES: Final = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}


class OperationReader:
    """
    Reads a document's operations, and through them which schemas are sent and received.

    Attributes:
        problems: What is wrong with the operations.
    """

    def __init__(self, document: Document, schemas: Schemas) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._schemas = schemas

    def read(self) -> tuple[Operation, ...]:
        """The operations, in the document's order."""
        self._check_security(self._document.root, "#")
        operations = tuple(self._operations())
        self._check_names(operations)
        return operations

    def _operations(self) -> Iterator[Operation]:
        paths = self._document.root.get("paths", {})
        for path, item in paths.items():
            if path.startswith("x-"):
                continue
            item, place = self._document.follow(item, join("#/paths", path))
            for method in _METHODS:
                if method in item:
                    shared = (item.get("parameters", []), join(place, "parameters"))
                    yield self._operation(path, method, item[method], join(place, method), shared)

    def _operation(
        self, path: str, method: str, node: Node, pointer: str, shared: tuple[list[Json], str]
    ) -> Operation:
        operation_id = node.get("operationId")
        name = _names.method_name(operation_id, method, path)
        title = _names.class_name(operation_id or f"{method} {path}")
        parameters = tuple(self._parameters(node, pointer, shared, title))
        self._check_path(path, pointer, parameters)
        self._check_security(node, pointer)
        body, body_schema = self._body(node, pointer, title)
        return Operation(
            pointer=pointer,
            name=name,
            constant=_names.constant_name(name),
            operation_id=operation_id or f"{method.upper()} {path}",
            method=method.upper(),
            path=path,
            summary=_text(node.get("summary")),
            description=_text(node.get("description")),
            deprecated=bool(node.get("deprecated")),
            # An empty requirement asks for nothing; beside another one it makes that optional.
            authenticated=any(node.get("security", self._document.root.get("security")) or ()),
            parameters=parameters,
            body=body,
            body_schema=body_schema,
            responses=tuple(self._responses(node, pointer, title)),
        )

    def _parameters(
        self, node: Node, pointer: str, shared: tuple[list[Json], str], title: str
    ) -> Iterator[Parameter]:
        found: dict[tuple[str, str], tuple[Node, str]] = {}
        for nodes, place in (shared, (node.get("parameters", []), join(pointer, "parameters"))):
            seen: set[tuple[str, str]] = set()
            for index, item in enumerate(nodes):
                item, where = self._document.follow(item, join(place, index))
                identity = item["in"], item["name"]
                if identity in seen:
                    self.problems.append(
                        self._document.problem(
                            join(place, index),
                            f"the {item['in']} parameter `{item['name']}` is there twice",
                            "only one can count",
                            "remove one",
                        )
                    )
                seen.add(identity)
                if item["in"] != "header" or item["name"].lower() not in _IGNORED_HEADERS:
                    found[identity] = (item, where)
        owners: dict[str, str] = {}
        for item, where in found.values():
            parameter = self._parameter(item, where, title)
            owner = owners.setdefault(parameter.name, where)
            if owner != where:
                self._collision(where, owner, parameter.name, "parameters")
            yield parameter

    def _parameter(self, node: Node, pointer: str, title: str) -> Parameter:
        schema, place = node.get("schema", {}), join(pointer, "schema")
        for media_type, media in node.get("content", {}).items():
            schema, place = media.get("schema", {}), join(pointer, "content", media_type, "schema")
        kind = self._schemas.sent_type(schema, place, f"{title} {node['name']}")
        style = "json" if "content" in node else node.get("style", _STYLES[node["in"]])
        # What a path names, the server knows or not; an ID of a newer form is not for us to refuse.
        bound = node["in"] != "path"
        limited = limited_type(self._document, schema, place, kind) if bound else None
        return Parameter(
            pointer=pointer,
            name=_names.parameter_name(node["name"]),
            wire_name=node["name"],
            location=cast("Location", node["in"]),
            required=bool(node.get("required")),
            style=style,
            explode=bool(node.get("explode", style == "form")),
            type=kind,
            # What is a text in Python, too, must be given as one: no number is taken for it.
            limited_type=limited or ("str" if kind in ("str", "str | None") else None),
            limits=limits_of(self._document.follow(schema, place)[0]) if limited else {},
            description=self._described(node, schema, place),
        )

    def _described(self, node: Node, schema: Json, pointer: str) -> str:
        schema = self._document.follow(schema, pointer)[0]
        text = _text(node.get("description")) or _text(schema.get("description"))
        limits = limits_text(schema)
        said = f"{limits[0].upper()}{limits[1:]}." if limits else ""
        if "default" in schema:
            said = f"{said} Default of the server: `{text_of(schema['default'])}`.".strip()
        return " ".join(part for part in (text, said) if part)

    def _body(
        self, node: Node, pointer: str, title: str
    ) -> tuple[Body | None, tuple[Json, str] | None]:
        if "requestBody" not in node:
            return None, None
        body, place = self._document.follow(node["requestBody"], join(pointer, "requestBody"))
        media_type = _media_type(body.get("content", {}))
        if media_type is None:
            return None, None
        plain, media = _plain_media_type(media_type), body["content"][media_type]
        schema, where = media.get("schema", {}), join(place, "content", media_type, "schema")
        if plain.startswith("multipart/"):
            self._check_parts(schema, where)
        if _is_json(media_type) or plain == _FORM or plain.startswith("multipart/"):
            kind = self._schemas.sent_type(schema, where, f"{title} request")
        else:
            kind = _content_type(media_type)
        encoding = {
            name: said["contentType"]
            for name, said in media.get("encoding", {}).items()
            if "contentType" in said
        }
        description = _text(body.get("description"))
        required = bool(body.get("required"))
        return Body(place, kind, required, media_type, description, encoding), (schema, where)

    def _check_parts(self, schema: Json, pointer: str) -> None:
        target, place = self._document.follow(schema, pointer)
        if not isinstance(target, dict) or not {"properties", "allOf"} & target.keys():
            self.problems.append(
                self._document.problem(
                    place,
                    "a body of several parts is no object with properties",
                    "each property is a part, and there is none",
                    "describe the parts by `properties`; a file is `type: string, format: binary`",
                )
            )

    def _responses(self, node: Node, pointer: str, title: str) -> Iterator[Response]:
        for status, item in node.get("responses", {}).items():
            if status.startswith("x-"):
                continue
            item, place = self._document.follow(item, join(pointer, "responses", status))
            status = status if status == "default" else status.upper()
            kind, schema = self._response_type(item, place, f"{title} {status} response")
            links = (
                self._document.follow(link, join(place, "links", name))
                for name, link in item.get("links", {}).items()
            )
            yield Response(
                pointer=place,
                status=status,
                description=_text(item.get("description")),
                type=kind,
                schema=schema,
                headers=frozenset(name.lower() for name in item.get("headers", {})),
                links=tuple(links),
            )

    def _response_type(
        self, node: Node, pointer: str, name: str
    ) -> tuple[str | None, tuple[Any, str] | None]:
        content = node.get("content", {})
        media_type = _media_type(content)
        if media_type is None:
            return None, None
        if not _is_json(media_type):
            return _content_type(media_type), None
        if "schema" not in content[media_type]:
            return "object", None
        schema, place = (
            content[media_type]["schema"],
            join(pointer, "content", media_type, "schema"),
        )
        return self._schemas.received_type(schema, place, name), (schema, place)

    def _report(self, pointer: str, what: str, why: str, remedy: str) -> None:
        self.problems.append(self._document.problem(pointer, what, why, remedy))

    def _check_security(self, owner: Node, pointer: str) -> None:
        """What is required must be described (OpenAPI 3.0, 4.7.30)."""
        known = self._document.root.get("components", {}).get("securitySchemes", {})
        for index, requirement in enumerate(owner.get("security", ())):
            for name in requirement:
                if name not in known:
                    self._report(
                        join(pointer, "security", index, name),
                        f"there is no security scheme `{name}`",
                        "how a request is authenticated is not said",
                        "describe it in `components.securitySchemes`",
                    )

    def _check_path(self, path: str, pointer: str, parameters: tuple[Parameter, ...]) -> None:
        given = {p.wire_name: p.pointer for p in parameters if p.location == "path"}
        wanted = dict.fromkeys(re.findall(r"\{([^{}]*)\}", path), pointer)
        for name in given.keys() ^ wanted.keys():
            missing = name in wanted
            self.problems.append(
                self._document.problem(
                    wanted[name] if missing else given[name],
                    f"{'no path parameter is' if missing else 'the path has no place'} "
                    f"{'called' if missing else 'for'} `{name}`",
                    f"`{path}` could not be filled",
                    "describe each `{name}` of the path by one parameter that is `in: path`",
                )
            )

    def _check_names(self, operations: tuple[Operation, ...]) -> None:
        owners: dict[str, tuple[str, str]] = {}
        for operation in operations:
            owner = owners.setdefault(operation.name, (operation.pointer, operation.path))
            if owner != (operation.pointer, operation.path):
                self._collision(operation.pointer, owner[0], operation.name, "methods")

    def _collision(self, pointer: str, owner: str, name: str, kind: str) -> None:
        self.problems.append(
            self._document.problem(
                pointer,
                f"this and {owner} are both called `{name}` in Python",
                f"two {kind} cannot have one name",
                "rename one of them" if kind != "methods" else "give one another `operationId`",
            )
        )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _plain_media_type(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def _content_type(media_type: str) -> str:
    """The type of a body that is not JSON."""
    return "str" if media_type.lower().startswith("text/") else "bytes"


def _is_json(media_type: str) -> bool:
    name = _plain_media_type(media_type)
    return name == "application/json" or name.endswith("+json")


def _media_type(content: Node) -> str | None:
    """The media type that is spoken: JSON where it is offered."""
    kinds = sorted(content, key=lambda name: (name != "application/json", not _is_json(name)))
    return kinds[0] if kinds else None
