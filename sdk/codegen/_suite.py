"""What the test-suite of a package expects of each operation."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from codegen._docstrings import Docstrings
from codegen._ir import Api, Chain, Operation
from codegen._schemas import Shape, annotation, is_enumeration, is_object

# The statuses of errors; first one that no client treats in its own way.
_STATUSES: Final = tuple(
    sorted((int(it) for it in HTTPStatus if it >= 300), key=lambda it: (it != 418, it))
)


@dataclass(frozen=True, slots=True)
class Case:
    """
    What is expected of an operation.

    Attributes:
        operation: The operation.
        chain: Its chain, if it is asynchronous.
        after: The asynchronous operation that makes what this one asks for, if there is one.
        kinds: The classes of its results, as source.
        errors: Each status that raises, with the name of the error's class.
    """

    operation: Operation
    chain: Chain | None
    after: Chain | None
    kinds: tuple[str, ...]
    errors: tuple[tuple[int, str], ...]

    @property
    def pending(self) -> str | None:
        """A state that means that it goes on, if the document lists one."""
        return next(iter(sorted(self.chain.states.pending)), None) if self.chain else None

    @property
    def is_repeatable(self) -> bool:
        """Whether a repeated start is the same start."""
        return self.operation.idempotency_header is not None


class Suite:
    """Reads the cases of an API."""

    def __init__(self, api: Api, shapes: Mapping[str, Shape], docstrings: Docstrings) -> None:
        self._chains = {chain.start.name: chain for chain in api.chains}
        self._shapes = shapes
        self._docstrings = docstrings
        self._makers: dict[str, Chain] = {}
        for chain in api.chains:
            made = [chain.status, getattr(chain.result, "operation", chain.status)]
            for operation in made:
                self._makers.setdefault(operation.name, chain)

    def case(self, operation: Operation) -> Case:
        """What is expected of an operation."""
        chain = self._chains.get(operation.name)
        returned = operation.returns if chain is None else chain.result.type
        kinds = self._kinds(ast.parse(returned, mode="eval").body)
        return Case(
            operation,
            chain,
            self._makers.get(operation.name),
            tuple(dict.fromkeys(kinds)),
            tuple(self._errors(operation)),
        )

    def _errors(self, operation: Operation) -> Iterator[tuple[int, str]]:
        declared = {it.status for it in operation.responses}
        for response in operation.errors:
            status = response.status
            if not status.isdecimal():
                free = (it for it in _STATUSES if _stands_for(it, status, declared))
                status = str(next(free, ""))
            if status and int(status) in _STATUSES:
                yield int(status), self._docstrings.error(status)

    def _kinds(self, kind: ast.expr) -> Iterator[str]:
        """The classes that a value of a type can have."""
        match kind:
            case ast.BinOp(left=left, right=right):
                yield from (*self._kinds(left), *self._kinds(right))
            case ast.Constant():
                yield "NoneType"
            case ast.Subscript(value=ast.Name(id=name)):
                yield name
            case ast.Attribute(attr=name):
                yield from self._kinds_of(name)
            case ast.Name(id=name):
                yield name

    def _kinds_of(self, name: str) -> Iterator[str]:
        schema = self._shapes[name].schema
        parts = schema.get("oneOf") or schema.get("anyOf")
        if is_enumeration(schema) or is_object(schema):
            yield f"models.{name}"
        elif parts:
            yield "object"
        else:
            yield from self._kinds(ast.parse(annotation(schema), mode="eval").body)


def _stands_for(status: int, declared: str, others: Collection[str]) -> bool:
    """Whether an answer with a status is described by `4XX`, or by `default`, and by no other."""
    its_class = f"{status // 100}XX"
    if str(status) in others:
        return False
    return its_class == declared if declared != "default" else its_class not in others
