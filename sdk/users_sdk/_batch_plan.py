"""What becomes of each item of a batch: how it is sent, and what is told of it."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Generic, TypedDict, TypeVar

from pydantic import BaseModel

from ._config import seconds
from ._endpoint import Endpoint
from ._handle import AsyncHandle, Handle
from ._http import CONNECTIONS
from ._json import is_object
from ._meter import Meter, meter
from ._operation import AsyncOperation, Operation
from .errors import ClientClosed, InvalidArgumentError

I = TypeVar("I")  # noqa: E741  # an item, beside T, its result
T = TypeVar("T")


class KeylessBatchOptions(TypedDict, total=False):
    """How a batch is done of an operation that takes no idempotency key: see `BatchOptions`."""

    max_concurrency: int
    in_order: bool
    raise_errors: bool
    progress: bool
    timeout: float | None


class BatchOptions(KeylessBatchOptions, Generic[I], total=False):
    """
    How a batch is done: the keyword arguments of a method for many items.

    Attributes:
        max_concurrency: How many items are submitted, and not settled and taken, at most; 32 by
            default.
        in_order: Yield in the order of the items instead of that of their completion.
        raise_errors: Raise the first item's error, and stop, instead of yielding it; its note says
            which item it was.
        progress: Show a progress bar; needs the extra `progress`.
        timeout: Seconds for the acceptance of one item; `None` takes the client's.
        idempotency_key: Returns an item's key, if the operation takes one; by default each gets a
            random one. With keys that a second run makes again, it makes nothing twice.
    """

    idempotency_key: Callable[[I], str] | None


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
    """An item, its place in the input, and the key that it is sent with."""

    index: int
    item: I
    key: str | None


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
    timeout: float | None
    meter: Meter

    def job(self, index: int, item: I) -> Job[I]:
        key = None
        if self.chain.start.idempotency_header is not None:
            key = self.endpoint.new_key() if self.key is None else self.key(item)
        return Job(index, item, key)

    def call(self, job: Job[I]) -> dict[str, Any]:
        """Return what an item's operation is started with."""
        operation = self.chain.start
        arguments = dict(self.shared)
        if operation.body is None:
            arguments |= _parameters(operation, job.item)
        if job.key is not None:
            arguments[_key_name(operation)] = job.key
        body = None if operation.body is None else job.item
        return {"arguments": arguments, "body": body, "timeout": self.timeout}

    def outcome(
        self,
        job: Job[I],
        handle: Handle[T] | AsyncHandle[T] | None,
        error: BaseException | None,
        value: tuple[T] | None = None,
    ) -> Outcome[I, T]:
        self.meter.settled(failed=error is not None)
        if isinstance(error, ClientClosed):
            error.idempotency_key = error.idempotency_key or job.key
        if error is not None and self.raise_errors:
            known = "" if job.key is None else f", idempotency key {job.key}"
            error.add_note(f"It is the error of item {job.index} of the input{known}")
            raise error
        return Outcome(job.index, job.item, job.key, handle, error, value)


def plan(
    chain: AsyncOperation[T],
    endpoint: Endpoint,
    items: object,
    shared: Mapping[str, object],
    options: BatchOptions[I],
    *,
    takes_async: bool = False,
) -> Plan[I, T]:
    """
    Return how a batch is done.

    Raises:
        InvalidArgumentError: An option makes no sense.
        ConfigurationError: A progress bar is wanted and cannot be shown.
    """
    operation = chain.start
    _check_items(items, takes_async=takes_async)
    _check_options(operation, options)
    return Plan(
        chain,
        endpoint,
        options.get("idempotency_key"),
        shared,
        options.get("max_concurrency", CONNECTIONS),
        options.get("in_order", False),
        options.get("raise_errors", False),
        options.get("timeout"),
        meter(operation.name, items, progress=options.get("progress", False)),
    )


def _check_options(operation: Operation[Any], options: BatchOptions[Any]) -> None:
    known = BatchOptions if operation.idempotency_header is not None else KeylessBatchOptions
    _check_names(f"A batch of {operation.name} has no option", options, known.__annotations__)
    most = options.get("max_concurrency", CONNECTIONS)
    if type(most) is not int or most < 1:
        raise InvalidArgumentError(
            f"max_concurrency must be a whole number, 1 or more, not {most!r}"
        )
    for name in ("in_order", "raise_errors", "progress"):
        value = options.get(name, False)
        if type(value) is not bool:
            raise InvalidArgumentError(f"{name} must be True or False, not {value!r}")
    timeout = options.get("timeout")
    if timeout is not None:
        seconds(timeout)
    key = options.get("idempotency_key")
    if key is not None and not callable(key):
        raise InvalidArgumentError(
            "idempotency_key must be a function that returns an item's key: one key for all items "
            "would make them one request"
        )


def _check_names(said: str, given: Iterable[str], known: Iterable[str]) -> None:
    for name in sorted(map(str, set(given) - set(known))):
        near = get_close_matches(name, known, 1)
        meant = f": did you mean {near[0]}?" if near else ""
        raise InvalidArgumentError(f"{said} {name}{meant}")


def _check_items(items: Any, *, takes_async: bool) -> None:
    kind = type(items).__qualname__
    # Of these an iterator would be had as well: of its characters, bytes, or names.
    is_one = isinstance(items, str | bytes | Mapping | BaseModel)
    many = isinstance(items, Iterable) or (takes_async and isinstance(items, AsyncIterable))
    if is_one or not many:
        wanted = "an iterable, or an asynchronous one," if takes_async else "an iterable"
        hint = ": put it into a list" if is_one else ""
        raise InvalidArgumentError(
            f"items must be {wanted} of what is sent, not a value of type {kind}{hint}"
        )


def _parameters(operation: Operation[Any], item: object) -> Mapping[str, object]:
    if not is_object(item):
        raise InvalidArgumentError(
            f"{operation.name} has no body: an item must be a mapping of its parameters, by Python "
            f"name, not a value of type {type(item).__qualname__}"
        )
    known = [parameter.name for parameter in operation.parameters]
    _check_names(f"{operation.name} has no parameter", item, known)
    return item


def _key_name(operation: Operation[Any]) -> str:
    wanted = (operation.idempotency_header or "").lower()
    names = (p.name for p in operation.parameters if p.wire_name.lower() == wanted)
    return next(names, "idempotency_key")
