"""How operations are called in programs and tests: their arguments as source, by examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from codegen._examples import ExampleError, Examples, has
from codegen._ir import Api, Chain, Operation, Parameter
from codegen._literals import Literals


@dataclass(frozen=True, slots=True)
class Usage:
    """
    How an operation is called in an example.

    Attributes:
        arguments: What stands between the parentheses, the body as a model where it has one.
        plain_arguments: The same, the body as a mapping.
        least_arguments: The same, with the least body that its schema allows.
        reason: Why there is no example; empty if there is one.
    """

    operation: Operation
    chain: Chain | None
    arguments: str
    plain_arguments: str
    least_arguments: str
    reason: str

    @property
    def name(self) -> str:
        """Of its programs."""
        return self.operation.name


def read_usages(api: Api, examples: Examples, literals: Literals) -> list[Usage]:
    """How each operation is called, in the document's order."""
    chains = {chain.start.name: chain for chain in api.chains}
    return [_usage(it, chains.get(it.name), examples, literals) for it in api.operations]


def _usage(
    operation: Operation, chain: Chain | None, examples: Examples, literals: Literals
) -> Usage:
    try:
        arguments = list(_arguments(operation, chain, examples, literals))
        bodies = _bodies(operation, chain, examples, literals)
    except ExampleError as error:
        return Usage(operation, chain, "", "", "", str(error))
    model, plain, least = (", ".join(filter(None, [it, *arguments])) for it in bodies)
    return Usage(operation, chain, model, plain, least, "")


def _bodies(
    operation: Operation, chain: Chain | None, examples: Examples, literals: Literals
) -> tuple[str, str, str]:
    """The body as a model where it has one, as a mapping, and the least one."""
    if operation.body is None:
        return "", "", ""
    kind, value = operation.body.type, examples.body(operation)
    least = examples.least_body(operation)
    needed = _linked(chain, "request.body", required=True)
    for pointer in _linked(chain, "request.body"):
        if pointer in needed and not has(value, pointer):
            raise ExampleError(f"a link needs `$request.body#{pointer}`: give the body an example")
        least = least if has(least, pointer) else value
    plain = literals.body(kind, value)
    return literals.model(kind, value) or plain, plain, literals.body(kind, least)


def _arguments(
    operation: Operation, chain: Chain | None, examples: Examples, literals: Literals
) -> Iterator[str]:
    for parameter in operation.parameters:
        linked = _linked(chain, f"request.{parameter.location}", required=True)
        named = parameter.wire_name.lower() in map(str.lower, linked)
        if named or is_demanded(parameter, operation):
            value = examples.argument(parameter)
            yield f"{parameter.name}={literals.argument(parameter.type, value)}"


def _linked(chain: Chain | None, source: str, *, required: bool = False) -> list[str]:
    """
    What a start's link takes from a part of the request.

    Args:
        chain: The chain, if there is one.
        source: The part of the request.
        required: Only what the status operation cannot be called without.
    """
    if chain is None:
        return []
    demanded = {it.name for it in chain.status.parameters if it.required}
    taken = (it for it in chain.status_arguments if it.source == source)
    return [str(it.value) for it in taken if it.parameter in demanded or not required]


def is_key(parameter: Parameter, operation: Operation) -> bool:
    """Whether it gives the operation's idempotency key."""
    header = (operation.idempotency_header or "").lower()
    return parameter.location == "header" and parameter.wire_name.lower() == header


def is_demanded(parameter: Parameter, operation: Operation) -> bool:
    """Whether the caller must give it: the runtime makes an idempotency key itself."""
    return parameter.required and parameter.wire_name != operation.idempotency_header
