"""
The functions at the end of a path.

Source: observed behaviour of json-path 2.10.0; arguments that are lists count as their elements.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from deploy.local.vtl import double_string

from ._document import JsonArray
from ._syntax import JsonPathError

__all__ = ["AbsentError", "call"]


class AbsentError(Exception):
    """A definite part of a path is missing."""


def call(name: str, value: object, arguments: list[object]) -> object:
    """
    Call a function.

    Args:
        name: One that the grammar knows.
        value: What the path before it has found.
        arguments: The values of its arguments.

    Returns:
        The result; None where the function does not apply to the value.

    Raises:
        AbsentError: There is no such element.
        JsonPathError: Numbers are aggregated, and there are none.
    """
    if name in ("length", "size"):
        return len(value) if isinstance(value, list | dict) else None
    if name == "keys":
        # Jayway answers a set, which does not print as JSON.
        return list(value) if isinstance(value, dict) else None
    if name == "concat":
        return "".join(_texts(value, arguments))
    if name == "append":
        return JsonArray([*value, *arguments]) if isinstance(value, list) else value
    if name in ("first", "last", "index"):
        return _pick(name, value if isinstance(value, list) else [], arguments)
    numbers = [
        float(item)
        for item in _flat([value, *arguments])
        if isinstance(item, int | float | Decimal) and not isinstance(item, bool)
    ]
    if not numbers:
        raise JsonPathError("Aggregation function attempted to calculate value using empty array")
    return _AGGREGATES[name](numbers)


def _flat(values: Iterable[object]) -> Iterator[object]:
    for value in values:
        if isinstance(value, list):
            yield from value
        else:
            yield value


def _texts(value: object, arguments: list[object]) -> Iterator[str]:
    """Yield the texts that are joined: of lists that are arguments also the numbers."""
    for item in [*(value if isinstance(value, list) else []), *arguments]:
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            yield from (_text(one) for one in item if one is not None)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return double_string(value) if isinstance(value, float) else str(value)


def _pick(name: str, items: list[object], arguments: list[object]) -> object:
    at = {"first": 0, "last": -1}.get(name)
    if at is None:
        at = arguments[0] if arguments and isinstance(arguments[0], int) else 0
    if not -len(items) <= at < len(items):
        raise AbsentError
    return items[at]


def _deviation(numbers: list[float]) -> float:
    mean = sum(numbers) / len(numbers)
    return math.sqrt(sum(number * number for number in numbers) / len(numbers) - mean * mean)


_AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "min": min,
    "max": max,
    "sum": sum,
    "avg": lambda numbers: sum(numbers) / len(numbers),
    "stddev": _deviation,
}
