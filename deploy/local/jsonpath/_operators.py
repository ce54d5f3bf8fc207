"""The operators of filters."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from deploy.local.vtl import compile_regex, double_string

from ._document import MISSING

__all__ = ["OPERATORS"]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _equal(left: object, right: object) -> bool:
    if left is MISSING or right is MISSING:
        return left is right
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
    return value if isinstance(value, list) else []


def _in(left: object, right: object) -> bool:
    return any(_equal(left, item) for item in _members(right))


def _matches(left: object, right: object) -> bool:
    if not isinstance(left, str) or not isinstance(right, str):
        return False
    return compile_regex(right).fullmatch(left) is not None


def _contains(left: object, right: object) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and right in left
    return _in(right, left)


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
    "subsetof": lambda left, right: isinstance(left, list) and all(_in(one, right) for one in left),
    "anyof": lambda left, right: isinstance(left, list) and any(_in(one, right) for one in left),
    "noneof": lambda left, right: (
        isinstance(left, list) and not any(_in(one, right) for one in left)
    ),
    # Only Java can name a class to compare with.
    "type": lambda left, right: False,
}
