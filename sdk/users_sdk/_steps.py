"""What a flow asks its driver to do. Flows are generators of steps; drivers perform them."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from ._http import Request

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request, and go on with its `Response`; `TransportError` if there is none in time."""

    request: Request
    timeout: float


@dataclass(frozen=True, slots=True)
class Sleep:
    """Go on after some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """Call a function that may block, and go on with what it returns."""

    function: Callable[[], T]


@dataclass(frozen=True, slots=True)
class Invoke:
    """
    Call a function that does not block, in place, and go on with what it returns.

    In an event loop, what can be awaited is awaited.
    """

    function: Callable[[], object]


Step: TypeAlias = Send | Sleep | Call[Any] | Invoke
Flow: TypeAlias = Generator[Step, Any, T]
