"""
The values that JSON is read into, and how they print.

Source: json-smart 2.6.0, which Jayway's JsonPath uses by default (observed on 2026-11-23).
"""

from __future__ import annotations

import re
from decimal import Decimal

from deploy.local.vtl import PrintedList, double_string

__all__ = ["MISSING", "JsonArray", "dump"]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()
"""A definite path found nothing."""


class JsonArray(PrintedList):
    """A JSON array: a list that prints as compact JSON, `/` escaped, as json-smart's does."""

    __slots__ = ()

    def vtl_text(self) -> str:
        """Return the array as JSON text."""
        return _text(self, _ESCAPED_FOR_WEB)


def dump(value: object) -> str:
    """
    Print a value as JSON.

    Args:
        value: What `parse` or a template made.

    Returns:
        Compact JSON text; decimal numbers as Java prints them.
    """
    return _text(value, _ESCAPED)


# Control characters and some signs of punctuation and currency are escaped, other text is not.
_ESCAPED = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u2000-\u20ff]')
_ESCAPED_FOR_WEB = re.compile('["\\\\/\x00-\x1f\x7f-\x9f\u2000-\u20ff]')
_SHORT = {
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    '"': '\\"',
    "\\": "\\\\",
    "/": "\\/",
}


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    return _SHORT.get(char) or f"\\u{ord(char):04X}"


def _text(value: object, escaped: re.Pattern[str]) -> str:
    if isinstance(value, str):
        return f'"{escaped.sub(_escape, value)}"'
    if isinstance(value, dict):
        members = (
            f'"{escaped.sub(_escape, str(key))}":{_text(item, escaped)}'
            for key, item in value.items()
        )
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join([_text(item, escaped) for item in value]) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return double_string(value) if abs(value) < float("inf") else "null"
    if isinstance(value, int):
        return int.__repr__(value)
    return str(value) if isinstance(value, Decimal) else f'"{escaped.sub(_escape, str(value))}"'
