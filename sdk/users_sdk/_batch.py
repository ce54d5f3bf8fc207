"""
Many accepted requests at once: what the methods of the clients do that take an iterable.

1. Memory is bounded by `max_concurrency`, however long the input is.
2. One item's failure is that item's outcome.
3. Each item has an idempotency key of its own, which its outcome tells.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar, Unpack

from ._batch_plan import BatchOptions, Job, KeylessBatchOptions, Outcome, Plan, plan
from ._batch_run import Blocking, outcomes
from ._handle import Handle
from ._operation import AsyncOperation

__all__ = ["AnyIterable", "BatchOptions", "KeylessBatchOptions", "Outcome", "many", "many_async"]

I = TypeVar("I")  # noqa: E741  # an item, beside T, its result
T = TypeVar("T")

AnyIterable: TypeAlias = Iterable[I] | AsyncIterable[I]
"""What an asynchronous client reads items from."""


def many(
    client: Any,
    chain: AsyncOperation[T],
    items: Iterable[I],
    shared: Mapping[str, object],
    **options: Unpack[BatchOptions[I]],
) -> Generator[Outcome[I, T], None, None]:
    """
    Start an operation of a blocking client for each item, and yield each outcome.

    Args:
        client: The client.
        chain: The operation.
        items: Bodies; for an operation without a body, mappings of its parameters. Read as there is
            room.
        shared: The operation's other parameters, the same for all items, by Python name.
        options: How.

    Raises:
        InvalidArgumentError: An option makes no sense.
        ConfigurationError: The progress bar cannot be shown.
        ClientClosed: The client was closed, and items are left that were not started.
    """
    planned: Plan[I, T] = plan(chain, client._endpoint, items, shared, options)

    def start(job: Job[I]) -> Handle[T]:
        handle: Handle[T] = client._start(chain, **planned.call(job))
        return handle

    return Blocking(planned, start).run(items, client._background)


def many_async(
    client: Any,
    chain: AsyncOperation[T],
    items: AnyIterable[I],
    shared: Mapping[str, object],
    **options: Unpack[BatchOptions[I]],
) -> AsyncGenerator[Outcome[I, T], None]:
    """Start an operation of an asynchronous client for each item. See `many`."""
    planned: Plan[I, T] = plan(chain, client._endpoint, items, shared, options, takes_async=True)

    def start(job: Job[I]) -> Any:
        return client._start(chain, **planned.call(job))

    return outcomes(planned, items, start)
