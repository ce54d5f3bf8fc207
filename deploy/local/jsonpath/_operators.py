"""The operators of filters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation

from deploy.local.vtl import double_string

from ._document import MISSING
from ._syntax import JsonPathError

__all__ = ["OPERATORS", "InapplicableError"]


class InapplicableError(Exception):
    """An operator stands between what it is not for: the whole filter does not hold."""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _equal(left: object, right: object) -> bool:
    if left is MISSING or right is MISSING:
        return False
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if _is_number(left) and isinstance(right, str):
        return _reads_as(right, left)
    if isinstance(left, str) and _is_number(right):
        return left == (double_string(right) if isinstance(right, float) else str(right))
    return left == right


def _reads_as(text: str, number: object) -> bool:
    """Say whether a text is the number; a number is compared as one, a text as text."""
    try:
        return Decimal(text) == Decimal(str(number))
    except InvalidOperation:
        return False


def _ordered(holds: Callable[[int], bool]) -> Callable[[object, object], bool]:
    def compare(left: object, right: object) -> bool:
        texts = isinstance(left, str) and isinstance(right, str)
        if not texts and not (_is_number(left) and _is_number(right)):
            return False
        return holds((left > right) - (left < right))  # type: ignore[operator]

    return compare


def _members(value: object) -> list[object]:
    if not isinstance(value, list):
        return []
    if any(isinstance(item, list | dict) for item in value):
        raise JsonPathError("Could not determine value type: of lists only scalars are compared")
    return value


def _in(left: object, right: object) -> bool:
    return any(_equal(left, item) for item in _members(_needed(right)))


def _needed(value: object) -> object:
    if not isinstance(value, list | dict):
        raise InapplicableError
    return value


def _among(quantifier: Callable[[Iterator[bool]], bool]) -> Callable[[object, object], bool]:
    def compare(left: object, right: object) -> bool:
        _needed(right)
        members = _members(_needed(left))
        if isinstance(left, dict) or isinstance(right, dict):
            return False
        return quantifier(_in(one, right) for one in members)

    return compare


def _matches(left: object, right: object) -> bool:
    if isinstance(left, re.Pattern):
        left, right = right, left
    if not isinstance(right, re.Pattern):
        return False
    candidates = _members(left) if isinstance(left, list) else [left]
    return any(right.fullmatch(_input(item)) is not None for item in candidates)


def _input(value: object) -> str:
    """Return what an expression is matched with; there is none of what is no scalar."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return double_string(value)
    return str(value) if isinstance(value, str | int | Decimal) else ""


def _contains(left: object, right: object) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and right in left
    return any(_equal(right, item) for item in _members(left))


def _size(left: object, right: object) -> bool:
    return isinstance(left, str | list) and _is_number(right) and len(left) == right


def _empty(left: object, right: object) -> bool:
    return isinstance(left, str | list) and (not left) is right


OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "==": _equal,
    "===": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "!==": lambda left, right: not _equal(left, right),
    "<": _ordered(lambda order: order < 0),
    "<=": _ordered(lambda order: order <= 0),
    ">": _ordered(lambda order: order > 0),
    ">=": _ordered(lambda order: order >= 0),
    "=~": _matches,
    "in": _in,
    "nin": lambda left, right: not _in(left, right),
    "contains": _contains,
    "size": _size,
    "empty": _empty,
    "subsetof": _among(all),
    "anyof": _among(any),
    "noneof": _among(lambda found: not any(found)),
    # Only Java can name a class to compare with.
    "type": lambda left, right: False,
}
