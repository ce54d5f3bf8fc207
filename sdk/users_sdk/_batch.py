"""
Many accepted requests at once: what the methods of the clients are that take an iterable.

1. Memory is bounded by `max_concurrency`, however long the input is.
2. One item's failure is that item's outcome.
3. Each item has an idempotency key of its own, which its outcome tells.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from ._batch_plan import Job, Outcome, Plan, plan
from ._batch_run import Blocking, outcomes
from ._handle import Handle
from ._http import CONNECTIONS
from ._operation import AsyncOperation

__all__ = ["AsyncMany", "AsyncManyCall", "Many", "ManyCall", "Outcome"]

I = TypeVar("I")  # noqa: E741  # an item, beside T, its result
T = TypeVar("T")


@dataclass(frozen=True)
class Many(Generic[I, T]):
    """A method of a blocking client: an asynchronous operation for each item of an iterable."""

    chain: AsyncOperation[T]

    @overload
    def __get__(self, client: None, owner: type) -> Many[I, T]: ...
    @overload
    def __get__(self, client: Any, owner: type) -> ManyCall[I, T]: ...
    def __get__(self, client: Any, owner: type) -> Many[I, T] | ManyCall[I, T]:
        """Return what is called with the items."""
        return self if client is None else ManyCall(self.chain, client)


@dataclass(frozen=True)
class ManyCall(Generic[I, T]):
    """An asynchronous operation of a client, for each item of an iterable."""

    chain: AsyncOperation[T]
    client: Any

    def __call__(
        self,
        items: Iterable[I],
        *,
        max_concurrency: int = CONNECTIONS,
        in_order: bool = False,
        raise_errors: bool = False,
        idempotency_key: Callable[[I], str] | None = None,
        progress: bool = False,
        timeout: float | None = None,
        **shared: object,
    ) -> Generator[Outcome[I, T], None, None]:
        """
        Start the operation for each item, and yield each outcome.

        Args:
            items: Bodies; for an operation without a body, mappings of its parameters. Read as
                there is room.
            max_concurrency: How many are submitted, and not settled and taken, at most.
            in_order: Yield in the order of the items instead of that of their completion.
            raise_errors: Raise the first item's error, and stop, instead of yielding it.
            idempotency_key: Returns an item's key; by default each gets a random one. With keys
                that a second run makes again, it makes nothing twice.
            progress: Show a progress bar; needs the extra `progress`.
            timeout: Seconds for the acceptance of one item; `None` takes the client's.
            shared: The operation's other parameters, the same for all items.

        Raises:
            InvalidArgumentError: An option makes no sense.
            ConfigurationError: The progress bar cannot be shown.
            ClientClosed: The client was closed meanwhile.
        """
        client, chain = self.client, self.chain
        planned: Plan[I, T] = plan(
            chain,
            client._endpoint,
            items,
            idempotency_key=idempotency_key,
            shared=shared,
            max_concurrency=max_concurrency,
            in_order=in_order,
            raise_errors=raise_errors,
            progress=progress,
        )

        def start(job: Job[I]) -> Handle[T]:
            handle: Handle[T] = client._start(
                chain, arguments=job.arguments, body=job.body, timeout=timeout
            )
            return handle

        return Blocking(planned, start).run(items, client._background.clock)


@dataclass(frozen=True)
class AsyncMany(Generic[I, T]):
    """A method of an asynchronous client: an operation for each item of an iterable."""

    chain: AsyncOperation[T]

    @overload
    def __get__(self, client: None, owner: type) -> AsyncMany[I, T]: ...
    @overload
    def __get__(self, client: Any, owner: type) -> AsyncManyCall[I, T]: ...
    def __get__(self, client: Any, owner: type) -> AsyncMany[I, T] | AsyncManyCall[I, T]:
        """Return what is called with the items."""
        return self if client is None else AsyncManyCall(self.chain, client)


@dataclass(frozen=True)
class AsyncManyCall(Generic[I, T]):
    """An asynchronous operation of an asynchronous client, for each item of an iterable."""

    chain: AsyncOperation[T]
    client: Any

    def __call__(
        self,
        items: Iterable[I] | AsyncIterable[I],
        *,
        max_concurrency: int = CONNECTIONS,
        in_order: bool = False,
        raise_errors: bool = False,
        idempotency_key: Callable[[I], str] | None = None,
        progress: bool = False,
        timeout: float | None = None,
        **shared: object,
    ) -> AsyncGenerator[Outcome[I, T], None]:
        """Start the operation for each item, and yield each outcome. See `ManyCall`."""
        client, chain = self.client, self.chain
        planned: Plan[I, T] = plan(
            chain,
            client._endpoint,
            items,
            idempotency_key=idempotency_key,
            shared=shared,
            max_concurrency=max_concurrency,
            in_order=in_order,
            raise_errors=raise_errors,
            progress=progress,
        )

        def start(job: Job[I]) -> Any:
            return client._start(chain, arguments=job.arguments, body=job.body, timeout=timeout)

        return outcomes(planned, items, start)
