"""
Functions of the caller's that see each attempt: the request before it is signed, and the answer.

1. A request hook may add header fields; it replaces none. What it raises ends the call, as nothing
   was sent.
2. What a response hook raises is logged and goes no further: the request was carried out, and its
   answer must not be lost.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from ._fields import checked
from ._http import Request, Response
from ._log import logger
from ._steps import Flow, Invoke
from .errors import ConfigurationError

RequestHook: TypeAlias = Callable[[Request], Mapping[str, str] | None]
"""Called with each request before it is signed; returns header fields to add, or `None`."""

ResponseHook: TypeAlias = Callable[[Request, Response], object]
"""Called with each request as it was sent and its answer; what it returns is not used."""

AsyncRequestHook: TypeAlias = Callable[
    [Request], Mapping[str, str] | Awaitable[Mapping[str, str] | None] | None
]
"""A `RequestHook`, or the same as a coroutine function."""

AsyncResponseHook: TypeAlias = Callable[[Request, Response], object]
"""A `ResponseHook`, or the same as a coroutine function."""

_NOT_TO_BE_ADDED = frozenset({"host", "content-length", "transfer-encoding", "connection"})
"""What the HTTP client says by itself."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """
    The hooks of one client.

    Attributes:
        request: Called before each attempt is signed, in this order.
        response: Called after each answer, in this order.
    """

    request: tuple[Callable[[Request], Any], ...] = ()
    response: tuple[Callable[[Request, Response], Any], ...] = ()

    def before(self, request: Request, signed: Collection[str] = ()) -> Flow[Request]:
        """
        Return the request with what the hooks add.

        Args:
            request: The request, not yet signed.
            signed: Names, in lower case, of the fields that its signer adds.

        Raises:
            ConfigurationError: A hook returned what cannot be sent, or is not its to say.
        """
        for hook in self.request:
            added = yield Invoke(partial(hook, request))
            if added is not None:
                fields = _checked(hook, request, added, signed)
                headers = request.headers.merged(fields)
                request = Request(request.method, request.url, headers, request.body)
        return request

    def after(self, request: Request, response: Response) -> Flow[None]:
        """Show the answer to the hooks."""
        for hook in self.response:
            try:
                yield Invoke(partial(hook, request, response))
            except Exception:
                logger.exception("The response hook %s failed, and was passed over", _name(hook))


def hooks_of(
    request: Iterable[Callable[..., Any]],
    response: Iterable[Callable[..., Any]],
    *,
    blocking: bool,
) -> Hooks:
    """
    Return the hooks that a client was given.

    Args:
        request: The request hooks.
        response: The response hooks.
        blocking: Whether the client's methods block, so that no coroutine can be awaited.

    Raises:
        ConfigurationError: One is no function, or one of the wrong kind.
    """
    given = {"request_hooks": request, "response_hooks": response}
    hooks = {name: _functions(name, value, blocking=blocking) for name, value in given.items()}
    return Hooks(hooks["request_hooks"], hooks["response_hooks"])


def _functions(name: str, given: Any, *, blocking: bool) -> tuple[Callable[..., Any], ...]:
    try:
        functions: tuple[Any, ...] = tuple(given)
    except TypeError as error:
        raise ConfigurationError(
            f"{name} must be a list of functions, not of type {type(given).__name__}"
        ) from error
    for function in functions:
        if not callable(function):
            raise ConfigurationError(f"{name} must be functions, and {function!r} cannot be called")
        if blocking and inspect.iscoroutinefunction(function):
            raise ConfigurationError(
                f"{name}: {_name(function)} is a coroutine function, which this client cannot "
                "await: pass a plain function, or use the asynchronous client"
            )
    return functions


def _checked(
    hook: object, request: Request, added: object, signed: Collection[str]
) -> Mapping[str, str]:
    source = f"The request hook {_name(hook)}"
    fields = checked(added, source)
    for name in fields:
        lower = name.lower()
        if name in request.headers or lower in _NOT_TO_BE_ADDED or lower in signed:
            raise ConfigurationError(
                f"{source} returned the header field {name!r}, which is the client's own: "
                f"{'pass auth= instead' if lower in signed else 'leave it out'}"
            )
    return fields


def _name(hook: object) -> str:
    return getattr(hook, "__qualname__", None) or repr(hook)
