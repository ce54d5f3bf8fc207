"""The OpenAPI document: its values, its lines, its references."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias, cast
from urllib.parse import unquote

import yaml

from codegen._diagnostics import DocumentError, Problem

Json: TypeAlias = Any
Node: TypeAlias = dict[str, Any]


class _Loader(yaml.CSafeLoader):
    """YAML with JSON's values: `no` and `2026-01-31` are strings, as YAML 1.2 has it."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
    ]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)

# Two escapes for one character; a backslash that is escaped itself begins none.
_SURROGATES: Final = re.compile(
    rb"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
_MAX_VALUES: Final = 500_000
_STRING: Final = "tag:yaml.org,2002:str"
_MERGE: Final = "tag:yaml.org,2002:merge"


def escape(token: str) -> str:
    """A member's name as a token of a JSON pointer (RFC 6901)."""
    return token.replace("~", "~0").replace("/", "~1")


def tokens(pointer: str) -> list[str]:
    """The names that a JSON pointer goes through."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def join(pointer: str, *names: str | int) -> str:
    """The pointer to a member below `pointer`."""
    return "".join((pointer, *(f"/{escape(str(name))}" for name in names)))


def text_of(value: Json) -> str:
    """A value for people, and a state to compare: what is no text, as JSON writes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True)
class Document:
    """
    A document that has been read.

    Attributes:
        source: Its path, as it was given.
        sha256: Hex digest of its bytes.
        root: Its value; member names are strings.
        missing: The places of references that were followed and led nowhere.
    """

    source: str
    sha256: str
    root: Node
    _lines: dict[str, int] = field(repr=False)
    missing: list[str] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        """Its name without folders, which generated code may hold."""
        return Path(self.source).name

    def line(self, pointer: str) -> int:
        """The line, from 1, of the place or of the nearest one around it."""
        path = pointer.removeprefix("#")
        while path not in self._lines:
            path = path.rpartition("/")[0]
        return self._lines[path]

    def problem(self, pointer: str, what: str, why: str, remedy: str) -> Problem:
        """A problem at a place of this document."""
        return Problem(self.line(pointer), pointer, what, why, remedy)

    def find(self, reference: str) -> tuple[Json, str] | None:
        """
        What a local reference (`#/…`, percent-encoded or not) points to.

        Returns:
            The value and the pointer to it, with references on the way followed; `None` if there
            is no such place.
        """
        if not reference.startswith("#"):
            return None
        node, pointer = cast("Json", self.root), "#"
        for token in tokens(unquote(reference[1:])):
            node, pointer = self.follow(node, pointer)
            if isinstance(node, dict) and token in node:
                node = node[token]
            elif isinstance(node, list) and token.isdigit() and int(token) < len(node):
                node = node[int(token)]
            else:
                return None
            pointer = join(pointer, token)
        return node, pointer

    def owners_of(self, extension: str) -> Iterator[str]:
        """The pointers of the objects that have an extension, data and other extensions aside."""
        for node, pointer in described(self.root, "#"):
            if extension in node and not pointer.endswith("/properties"):
                yield pointer

    def follow(self, node: Json, pointer: str) -> tuple[Json, str]:
        """The value behind a chain of `$ref`, and the pointer to it."""
        seen = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str) and pointer not in seen:
            seen.add(pointer)
            found = self.find(node["$ref"])
            if found is None:
                self.missing.append(pointer)
                return {}, pointer
            node, pointer = found
        return node, pointer


def read(path: Path) -> tuple[Document, list[Problem]]:
    """
    Read a document, and tell the faults of its YAML.

    Raises:
        DocumentError: There is nothing to read on: no file, or no YAML object.
    """
    source = str(path)
    content = _read(path, source)
    root, lines, problems = _parse(content, source)
    return Document(source, hashlib.sha256(content).hexdigest(), root, lines), problems


def _read(path: Path, source: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        problem = Problem(
            1, "#", "the document cannot be read", str(error.strerror), "name an existing file"
        )
        raise DocumentError(source, [problem]) from error


def _parse(content: bytes, source: str) -> tuple[Node, dict[str, int], list[Problem]]:
    remedy = "write it as one YAML or JSON object"
    try:
        # The graph of nodes; no object is made of it.
        tree = yaml.compose(_as_yaml(content), Loader=_Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        why = str(getattr(error, "problem", None) or error)
        problem = Problem(mark.line + 1 if mark else 1, "#", "this is no YAML", why, remedy)
        raise DocumentError(source, [problem]) from error
    if not isinstance(tree, yaml.MappingNode):
        raise DocumentError(
            source, [Problem(1, "#", "this is no object", "OpenAPI is one", remedy)]
        )
    walk = _Walk()
    try:
        root = walk.value(tree, "")
    except RecursionError:
        what, why = "this is nested too deeply", "it cannot be read"
        problem = Problem(1, "#", what, why, "write what is repeated once, and refer to it")
        raise DocumentError(source, [problem]) from None
    return root, walk.lines, walk.problems


def _as_yaml(content: bytes) -> bytes:
    """
    JSON as YAML reads it, on the same lines.

    YAML 1.1 takes no tabs as white space, and no character in two escapes (RFC 8259, section 7).
    """
    try:
        json.loads(content)
    except ValueError:
        return content

    def character(match: re.Match[bytes]) -> bytes:
        return match[1] + str(json.loads(b'"%s"' % match[2])).encode("utf-8")

    return _SURROGATES.sub(character, content.replace(b"\t", b" "))


class _Walk:
    """Turns the YAML graph into JSON values and remembers the line of each."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []
        self._scalars = _Loader("")
        self._open: set[int] = set()

    def value(self, node: yaml.Node, pointer: str, line: int | None = None) -> Json:
        if len(self.lines) > _MAX_VALUES:
            self._report_size()
            return None
        self.lines[pointer] = line or node.start_mark.line + 1
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, pointer)
        if id(node) in self._open:
            self._report(
                pointer, "an alias contains itself", "the value has no end", "write it out"
            )
            return None
        self._open.add(id(node))
        value = (
            self._mapping(node, pointer)
            if isinstance(node, yaml.MappingNode)
            else [self.value(item, f"{pointer}/{index}") for index, item in enumerate(node.value)]
        )
        self._open.discard(id(node))
        return value

    def _report_size(self) -> None:
        what, why = f"this has more than {_MAX_VALUES:,} values", "aliases of aliases make them"
        problem = Problem(1, "#", what, why, "use fewer aliases")
        if problem not in self.problems:
            self.problems.append(problem)

    def _scalar(self, node: yaml.ScalarNode, pointer: str) -> Json:
        try:
            return self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            why = str(getattr(error, "problem", None) or error)
            self._report(pointer, "this is no value of JSON", why, "write it in quotes")
            return None

    def _mapping(self, node: yaml.MappingNode, pointer: str) -> Node:
        members: Node = {}
        merged: Node = {}
        for key, item in node.value:
            name, place = str(key.value), join(pointer, str(key.value))
            if key.tag == _MERGE:
                merged = self._merged(item, pointer) | merged
                continue
            twice = name in members
            members[name] = self.value(item, place, key.start_mark.line + 1)
            if twice:
                self._report(place, f"`{name}` is there twice", "only one can count", "remove one")
        return merged | members

    def _merged(self, node: yaml.Node, pointer: str) -> Node:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: Node = {}
        for part in parts:
            value = self.value(part, pointer)
            merged = (value if isinstance(value, dict) else {}) | merged
        return merged

    def _report(self, pointer: str, what: str, why: str, remedy: str) -> None:
        self.problems.append(Problem(self.lines.get(pointer, 1), f"#{pointer}", what, why, remedy))


def described(node: Json, pointer: str) -> Iterator[tuple[Node, str]]:
    """
    The objects that describe the API, with their pointers.

    Left out is what examples hold, which is data, and what extensions hold, which is their owners'.
    """
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from described(item, join(pointer, index))
    elif isinstance(node, dict):
        yield node, pointer
        for name, item in node.items():
            is_data = name in ("example", "examples") and not pointer.endswith("/properties")
            if not is_data and not name.startswith("x-"):
                yield from described(item, join(pointer, name))
