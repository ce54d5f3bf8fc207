"""What the page of an operation says: its signatures, tables of its models, how its chain runs."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from codegen import _names
from codegen._directions import Directed, flattened
from codegen._document import Node, text_of
from codegen._ir import Api, Binding, Chain, Embedded, Operation
from codegen._schemas import EXTRAS, Shape, annotation, is_enumeration, limits_text

_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_CLASS: Final = re.compile(r"\bmodels\.(\w+)")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: a field of a model."""

    name: str
    wire_name: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Table:
    """
    A class of the models.

    Attributes:
        rows: Its fields, if it has any.
        values: What it lists, if it is an enumeration.
        said: What it stands for, if it is another name of a type.
    """

    name: str
    description: str
    rows: tuple[Row, ...]
    values: tuple[str, ...]
    said: str


@dataclass(frozen=True, slots=True)
class Page:
    """
    What is made for the page of an operation.

    Attributes:
        sent: The classes of its request.
        received: The classes of its results, without those of the request.
        failed: The classes of its errors, without those before.
        bindings: Where the arguments come from, by the step of its chain.
    """

    sent: tuple[Table, ...]
    received: tuple[Table, ...]
    failed: tuple[Table, ...]
    bindings: Mapping[str, tuple[tuple[str, str], ...]]


class Reference:
    """Reads the pages of an API."""

    def __init__(self, api: Api, directed: Directed) -> None:
        self._api = api
        self._shapes = directed.shapes
        self._public = {form: name for name, form in directed.lenient.items()}

    def signatures(self, client: str) -> dict[str, tuple[str, ...]]:
        """
        The signatures of each operation's methods, synchronous ones first.

        Args:
            client: The source of the clients' module, formatted.
        """
        lines = client.splitlines()
        classes = [node for node in ast.parse(client).body if isinstance(node, ast.ClassDef)]
        found = [
            {
                node.name: _signature(node, lines)
                for node in each.body
                if isinstance(node, _FUNCTIONS)
            }
            for each in classes
        ]
        chained = {chain.start.name for chain in self._api.chains}
        return {
            it.name: tuple(
                "\n".join(methods[name] for name in _methods(it.name, it.name in chained))
                for methods in found
            )
            for it in self._api.operations
        }

    def page(self, operation: Operation, chain: Chain | None) -> Page:
        """What the page of an operation says of its models and its chain."""
        sent = [parameter.type for parameter in operation.parameters]
        sent += [operation.body.type] if operation.body is not None else []
        received = [operation.returns] if chain is None else [chain.result.type]
        failed = [response.type or "" for response in operation.errors]
        seen: set[str] = set()
        return Page(
            sent=tuple(self._tables(sent, seen)),
            received=tuple(self._tables(received, seen)),
            failed=tuple(self._tables(failed, seen)),
            bindings=_bindings(chain) if chain is not None else {},
        )

    def _tables(self, types: Iterable[str], seen: set[str]) -> Iterator[Table]:
        waiting = [name for kind in types for name in _CLASS.findall(kind)]
        while waiting:
            name = waiting.pop(0)
            name = self._public.get(name, name)
            if name not in seen:
                seen.add(name)
                waiting += self._shapes[name].references
                yield self._table(self._shapes[name])

    def _table(self, shape: Shape) -> Table:
        schema = flattened(shape.schema, self._shapes)
        values = tuple(schema["enum"]) if is_enumeration(schema) else ()
        rows = tuple(self._rows(schema))
        extras = [schema[EXTRAS]] if EXTRAS in schema else []
        parts = extras or schema.get("oneOf") or schema.get("anyOf") or [schema]
        said = " | ".join(dict.fromkeys(self.type(annotation(part)) for part in parts))
        description = _described(schema)
        return Table(shape.name, description, rows, values, said if extras or not rows else "")

    def _rows(self, schema: Node) -> Iterator[Row]:
        for wire_name, member in schema.get("properties", {}).items():
            yield Row(
                _names.field_name(wire_name),
                wire_name,
                self.type(annotation(member)),
                wire_name in schema.get("required", ()),
                _described(member),
            )

    def type(self, kind: str) -> str:
        """A type as users know it: classes by their public names."""
        return _CLASS.sub(lambda match: self._public.get(match[1], match[1]), kind)


def _described(schema: Node) -> str:
    """What a schema says of itself, and its limits."""
    limits = limits_text(schema)
    said = f"{limits[0].upper()}{limits[1:]}." if limits else ""
    text = str(schema.get("description", "")).strip()
    return " ".join(part for part in (text, said) if part)


def _methods(name: str, is_chained: bool) -> list[str]:
    return [name, f"{name}_and_wait", f"resume_{name}"] if is_chained else [name]


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]) -> str:
    head = "\n".join(lines[node.lineno - 1 : node.body[0].lineno - 1])
    return f"{textwrap.dedent(head)} ..."


def _bindings(chain: Chain) -> dict[str, tuple[tuple[str, str], ...]]:
    steps = {"status": _said(chain.status, chain.status_arguments)}
    if not isinstance(chain.result, Embedded):
        steps["result"] = _said(chain.result.operation, chain.result.arguments)
    return steps


def _said(target: Operation, arguments: Iterable[Binding]) -> tuple[tuple[str, str], ...]:
    """Wire names of a step's parameters, with the runtime expressions that give their values."""
    names = {parameter.name: parameter.wire_name for parameter in target.parameters}
    return tuple((names[it.parameter], _expression(it)) for it in arguments)


def _expression(binding: Binding) -> str:
    if binding.source == "constant":
        return text_of(binding.value)
    joint = "#" if binding.source.endswith(".body") else "."
    return f"${binding.source}{joint}{binding.value}"
