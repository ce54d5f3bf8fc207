"""What becomes of each item of a batch: how it is sent, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

from ._flows import Endpoint
from ._handle import AsyncHandle, Handle
from ._json import is_object
from ._meter import Meter, meter
from ._operation import AsyncOperation, Operation
from .errors import ClientClosed, InvalidArgumentError

I = TypeVar("I")  # noqa: E741  # an item, beside T, its result
T = TypeVar("T")

_OPTIONS = frozenset(
    ("idempotency_key", "in_order", "max_concurrency", "progress", "raise_errors", "timeout")
)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[I, T]):
    """
    What became of one item.

    Attributes:
        index: Its place in the input, from 0.
        item: What was given.
        idempotency_key: The key that it was sent with, if the operation takes one.
        handle: Its handle; `None` if it was not accepted.
        error: Why there is no result, if there is none.
    """

    index: int
    item: I
    idempotency_key: str | None
    handle: Handle[T] | AsyncHandle[T] | None = None
    error: BaseException | None = None
    _value: tuple[T] | None = field(default=None, repr=False)

    @property
    def message_id(self) -> str | None:
        """The server's ID of the accepted request; `None` if it was not accepted."""
        return None if self.handle is None else self.handle.message_id

    @property
    def value(self) -> T:
        """The result; raises `error` if there is none."""
        if self._value is None:
            raise self.error or ClientClosed("The item has no result")
        return self._value[0]


@dataclass(frozen=True, slots=True)
class Job(Generic[I]):
    """An item, as it is sent."""

    index: int
    item: I
    key: str | None
    arguments: Mapping[str, object]
    body: object


@dataclass(frozen=True, slots=True)
class Plan(Generic[I, T]):
    """How the items of one batch are sent, and what is told of them."""

    chain: AsyncOperation[T]
    endpoint: Endpoint
    key: Callable[[I], str] | None
    shared: Mapping[str, object]
    most: int
    in_order: bool
    raise_errors: bool
    meter: Meter

    def job(self, index: int, item: I) -> Job[I]:
        operation = self.chain.start
        arguments = dict(self.shared)
        if operation.body is None:
            arguments |= _parameters(item)
        key = None
        if operation.idempotency_header is not None:
            key = self.endpoint.new_key() if self.key is None else self.key(item)
            arguments[_key_name(operation)] = key
        return Job(index, item, key, arguments, None if operation.body is None else item)

    def outcome(
        self,
        job: Job[I],
        handle: Handle[T] | AsyncHandle[T] | None,
        error: BaseException | None,
        value: tuple[T] | None = None,
    ) -> Outcome[I, T]:
        # A closed client refuses every item that is left: the input would be read to its end.
        if isinstance(error, ClientClosed):
            raise error
        self.meter.settled(failed=error is not None)
        if error is not None and self.raise_errors:
            raise error
        return Outcome(job.index, job.item, job.key, handle, error, value)


def plan(
    chain: AsyncOperation[T],
    endpoint: Endpoint,
    items: object,
    *,
    idempotency_key: Callable[[I], str] | None,
    shared: Mapping[str, object],
    max_concurrency: int,
    in_order: bool,
    raise_errors: bool,
    progress: bool,
) -> Plan[I, T]:
    """
    Return how a batch is done.

    Raises:
        InvalidArgumentError: An option makes no sense, or the operation has no such parameter.
        ConfigurationError: A progress bar is wanted and cannot be shown.
    """
    operation = chain.start
    if max_concurrency < 1:
        raise InvalidArgumentError(f"max_concurrency must be 1 or more, not {max_concurrency}")
    if idempotency_key is not None and not callable(idempotency_key):
        raise InvalidArgumentError(
            "idempotency_key must be a function that returns an item's key: one key for all items "
            "would make them one request"
        )
    if idempotency_key is not None and operation.idempotency_header is None:
        raise InvalidArgumentError(f"{operation.name} takes no idempotency key")
    known = {parameter.name for parameter in operation.parameters} - {_key_name(operation)}
    for name in sorted(shared.keys() - known):
        near = get_close_matches(name, known | _OPTIONS, 1)
        meant = f": did you mean {near[0]}?" if near else ""
        raise InvalidArgumentError(f"{operation.name} has no parameter {name}{meant}")
    shown = meter(operation.name, items, progress=progress)
    return Plan(
        chain,
        endpoint,
        idempotency_key,
        shared,
        max_concurrency,
        in_order,
        raise_errors,
        shown,
    )


def _parameters(item: object) -> Mapping[str, object]:
    if not is_object(item):
        raise InvalidArgumentError(
            "The operation has no body: an item must be a mapping of its parameters, by Python name"
        )
    return item


def _key_name(operation: Operation[Any]) -> str:
    wanted = (operation.idempotency_header or "").lower()
    names = (p.name for p in operation.parameters if p.wire_name.lower() == wanted)
    return next(names, "idempotency_key")
