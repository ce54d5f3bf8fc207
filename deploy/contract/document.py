"""
The contract as a tree that knows its lines: `openapi.yaml` read, nothing judged.

Every node has a JSON pointer (RFC 6901) and the line where it is written. A node that is used
through a YAML alias has the line of its definition: that is where it can be mended.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

ANY_METHOD: Final = "x-amazon-apigateway-any-method"
METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace", ANY_METHOD)

_MERGE_TAG: Final = "tag:yaml.org,2002:merge"
_TIMESTAMP_TAG: Final = "tag:yaml.org,2002:timestamp"
_MAX_REFERENCES: Final = 32
# A document that API Gateway imports has 6 MB at most; aliases of aliases could make any number.
_MAX_VALUES: Final = 500_000


class ContractError(Exception):
    """The contract cannot be read or used; the text says where, what and how to mend it."""


@dataclass(frozen=True, slots=True)
class Operation:
    """
    One method of one path.

    Attributes:
        pointer: JSON pointer of the operation.
        path: Path as the contract writes it, with its `{parameters}`.
        method: HTTP method in lower case, or the extension that stands for all of them.
        node: The operation itself.
        shared_parameters: Parameters that the path item gives to all of its operations.
    """

    pointer: str
    path: str
    method: str
    node: Mapping[str, Any]
    shared_parameters: list[Any]

    @property
    def name(self) -> str:
        """What to call the operation in a message."""
        return str(self.node.get("operationId", f"{self.http_method} {self.path}"))

    @property
    def http_method(self) -> str:
        """The HTTP method in capitals, or `ANY`."""
        return "ANY" if self.method == ANY_METHOD else self.method.upper()


@dataclass(frozen=True, slots=True)
class Contract:
    """
    An OpenAPI document and where each of its nodes is written.

    Attributes:
        file: The file as it was named to `load`.
        document: Mappings with string keys, lists and scalars; YAML aliases are separate copies.
        lines: JSON pointer to line number, from 1.
        blocks: For literal block scalars (`|`), JSON pointer to the line where the text begins.
    """

    file: str
    document: dict[str, Any]
    lines: Mapping[str, int]
    blocks: Mapping[str, int] = field(default_factory=dict)

    def line(self, pointer: str) -> int:
        """Return the line of a node or, if there is no such node, of the nearest one above it."""
        while pointer and pointer not in self.lines:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 1)

    def text_line(self, pointer: str, line: int) -> int:
        """Return the line of the file where a line of a text stands, both from 1."""
        return self.blocks[pointer] + line - 1 if pointer in self.blocks else self.line(pointer)

    def operations(self) -> Iterator[Operation]:
        """Yield every operation in the order of the document."""
        for path, item in without_extensions(self.document.get("paths", {})).items():
            for method in METHODS:
                if method in item:
                    at = join("/paths", path, method)
                    yield Operation(at, path, method, item[method], item.get("parameters", []))

    def resolve(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """
        Return what a node refers to by `$ref`, or the node itself.

        Raises:
            ContractError: The reference leads out of the document, nowhere, or in a circle.
        """
        for _ in range(_MAX_REFERENCES):
            if not isinstance(node.get("$ref"), str):
                return node
            node = self._target(node["$ref"])
        raise ContractError(
            f"{self.file}: {node['$ref']} refers to itself. Name a definition instead"
        )

    def _target(self, reference: str) -> Mapping[str, Any]:
        target = value_at(self.document, reference[1:]) if reference.startswith("#/") else None
        if not isinstance(target, dict):
            raise ContractError(
                f"{self.file}: there is no {reference}. Define it, or mend the $ref"
            )
        return target


def join(pointer: str, *parts: str | int) -> str:
    """Return the JSON pointer of a member below another (RFC 6901, section 3)."""
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in parts)
    return "/".join((pointer, *escaped))


def value_at(node: Any, pointer: str) -> Any:
    """Return what a JSON pointer leads to from a node; `None` if that is nothing."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list):
            node = node[int(key)] if key.isdecimal() and int(key) < len(node) else None
        else:
            node = node.get(key) if isinstance(node, Mapping) else None
    return node


def without_extensions(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return paths or responses without what starts with `x-`."""
    return {name: member for name, member in node.items() if not name.startswith("x-")}


def load(path: str | Path) -> Contract:
    """
    Read a contract.

    YAML 1.1 as `yaml.safe_load` reads it, with anchors, aliases and merge keys, except that keys
    are made strings (an unquoted status code is a number in YAML) and dates stay text, as in JSON.

    Raises:
        ContractError: The file cannot be read, is not YAML, has a key twice, or is not a mapping.
    """
    file, text = str(path), _read(path)
    if file.endswith(".json"):
        # YAML has no tabs between its tokens, JSON has them nowhere else.
        text = text.replace("\t", " ")
    try:
        return _load(file, text)
    except RecursionError as error:
        raise ContractError(f"{file}:1: nested too deeply. Write the document flatter") from error


def _load(file: str, text: str) -> Contract:
    root, loader = _compose(file, text)
    if not isinstance(root, yaml.MappingNode):
        raise ContractError(f"{file}:1: not a mapping. Begin the document with `openapi: 3.0.1`")
    reader = _Reader(file, loader)
    return Contract(file, reader.value(root, ""), reader.lines, reader.blocks)


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or error
        raise ContractError(f"{path}: cannot be read: {reason}. Name a readable file") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ContractError(f"{path}:{line}: not UTF-8. Save the file as UTF-8") from error


def _compose(file: str, text: str) -> tuple[yaml.Node | None, Any]:
    """Parse with libyaml where PyYAML has it: ten times as fast, same nodes."""
    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        return loader.get_single_node(), loader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        raise ContractError(f"{file}:{line}: not YAML: {reason}. Mend the YAML here") from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ContractError(f"{file}:1: not YAML: {reason}. Mend the YAML") from error


class _Reader:
    """Turns YAML nodes into values and notes the line of each."""

    def __init__(self, file: str, loader: Any) -> None:
        self.lines: dict[str, int] = {}
        self.blocks: dict[str, int] = {}
        self._file = file
        self._loader = loader
        self._flattened: set[int] = set()
        self._open: set[int] = set()

    def value(self, node: yaml.Node, pointer: str, key: yaml.Node | None = None) -> Any:
        """Return the value of a node. The line is that of its key, unless it is an alias."""
        aliased = key is not None and _position(node) < _position(key)
        self.lines[pointer] = (node if key is None or aliased else key).start_mark.line + 1
        if len(self.lines) > _MAX_VALUES:
            raise self._error(node, f"aliases make more than {_MAX_VALUES:,} values. Use fewer")
        if isinstance(node, yaml.ScalarNode):
            if node.style == "|":
                self.blocks[pointer] = node.start_mark.line + 2
            return self._scalar(node)
        if id(node) in self._open:
            raise self._error(node, "contains itself through an alias. Write the inner part out")
        self._open.add(id(node))
        members = self._mapping if isinstance(node, yaml.MappingNode) else self._sequence
        value = members(node, pointer)
        self._open.remove(id(node))
        return value

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        if node.tag == _TIMESTAMP_TAG:
            return node.value
        try:
            return self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            raise self._error(node, f"not a plain value: {node.value!r}. Quote it") from error

    def _sequence(self, node: Any, pointer: str) -> list[Any]:
        return [self.value(item, join(pointer, index)) for index, item in enumerate(node.value)]

    def _mapping(self, node: Any, pointer: str) -> dict[str, Any]:
        self._flatten(node)
        return {
            self._key(key): self.value(value, join(pointer, self._key(key)), key)
            for key, value in node.value
        }

    def _flatten(self, node: yaml.MappingNode) -> None:
        """Refuse a key that is written twice, then resolve merge keys; once for each node."""
        if id(node) in self._flattened:
            return
        self._flattened.add(id(node))
        seen: dict[str, int] = {}
        for key, _ in node.value:
            name = self._key(key)
            if name in seen:
                message = f"{name!r} is here and in line {seen[name]}. Remove or rename one of them"
                raise self._error(key, message)
            seen[name] = key.start_mark.line + 1
        try:
            self._loader.flatten_mapping(node)
        except yaml.MarkedYAMLError as error:
            raise self._error(node, f"{error.problem}. Merge mappings only") from error

    def _key(self, node: yaml.Node) -> str:
        if node.tag == _MERGE_TAG:
            return "<<"
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, "a key must be plain text. Quote it")
        return str(node.value)

    def _error(self, node: yaml.Node, message: str) -> ContractError:
        return ContractError(f"{self._file}:{node.start_mark.line + 1}: {message}")


def _position(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line, node.start_mark.column
