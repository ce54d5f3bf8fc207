"""
Where a handle comes from, so that another process can go on with it.

What is pickled is plain data: the client's class and settings, the operation's name, and the
handle's token. Neither credentials nor signers nor HTTP clients are: the other process finds
credentials of its own, where boto3 would.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ._config import Settings
from .errors import InvalidArgumentError

CLIENTS = 16
"""Clients that one process keeps for the handles that it was sent."""


def revived(client_type: Callable[..., Any], settings: Settings, operation: str, token: str) -> Any:
    """
    Return the handle that was pickled, of a client that is shared with others like it.

    Raises:
        ConfigurationError: No client can be made here from these settings.
    """
    return resume(_client(client_type, settings), operation, token)


def resume(client: Any, operation: str, token: str) -> Any:
    """
    Return the handle of a client for an operation's token.

    Raises:
        InvalidArgumentError: It is no client with this operation.
    """
    method = getattr(client, f"resume_{operation}", None)
    if method is None:
        raise InvalidArgumentError(
            f"client must be one with the method resume_{operation}, not a value of type "
            f"{type(client).__qualname__}"
        )
    return method(token)


@lru_cache(maxsize=CLIENTS)
def _client(client_type: Callable[..., Any], settings: Settings) -> Any:
    return client_type(
        base_url=settings.base_url,
        region=settings.region,
        timeout=settings.timeout,
        attempt_timeout=settings.attempt_timeout,
        max_retries=settings.max_retries,
        polling=settings.polling,
    )
