"""
Header fields as they may go over the wire, checked before anything is sent.

1. No message shows a value, as it may be a secret; of what is no name, it shows the beginning only.
2. Every message says where the field comes from, and nothing was sent when it is raised.

Source: RFC 9110, 5.1 (names), 5.5 (values) and 5.6.2 (tokens)
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping

from ._json import is_object
from .errors import ConfigurationError

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]*")


def flaw(value: object) -> str | None:
    """Say why something cannot be the value of a header field; `None` if it can."""
    if not isinstance(value, str):
        return f"is of type {type(value).__qualname__}, not a text"
    if value.strip() != value:
        return "begins or ends with a space or a line break"
    if not (value.isascii() and value.isprintable()):
        return "has a character other than printable ASCII, such as a line break"
    return None


def checked(fields: object, source: str) -> Mapping[str, str]:
    """
    Return header fields that can be sent.

    Args:
        fields: Names and values.
        source: Where they come from, as the beginning of a message.

    Raises:
        ConfigurationError: They are no mapping, or one of them cannot be sent.
    """
    if not is_object(fields):
        _never_await(fields, source)
        raise ConfigurationError(
            f"{source} must return a mapping of header fields, not a {type(fields).__qualname__}"
        )
    for name, value in fields.items():
        _check_name(name, source)
        reason = flaw(value)
        if reason is not None:
            raise ConfigurationError(
                f"{source} returned a header field {name!r} that cannot be sent: its value {reason}"
            )
    return fields


def checked_text(value: object, source: str, header: str) -> str:
    """
    Return what a function returned to be a part of a header field's value.

    Args:
        value: What it returned.
        source: The function, as the beginning of a message.
        header: The field's name.

    Raises:
        ConfigurationError: It cannot be sent.
    """
    _never_await(value, source)
    reason = flaw(value) or (None if value else "is empty")
    if reason is not None:
        raise ConfigurationError(f"{source} returned what cannot be sent as {header}: it {reason}")
    return str(value)


def _check_name(name: object, source: str) -> None:
    if not isinstance(name, str):
        raise ConfigurationError(
            f"{source} returned a header field whose name is of type {type(name).__qualname__}, "
            "not a text"
        )
    token = _TOKEN.match(name)
    if not name or token is None or token.end() != len(name):
        shown = token.group() if token else ""
        raise ConfigurationError(
            f"{source} returned a header field whose name cannot be sent, {shown!r} and what comes "
            "after it: a name is made of letters, digits and hyphens"
        )


def _never_await(value: object, source: str) -> None:
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise ConfigurationError(
            f"{source} returned what is to be awaited, which nobody does here: pass a plain "
            "function, which may block"
        )
