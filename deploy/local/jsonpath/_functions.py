"""
The functions at the end of a path.

Source: observed behaviour of json-path 2.10.0; arguments that are lists count as their elements.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import TypeGuard

from deploy.local.vtl import text_of

from ._document import JsonArray
from ._syntax import JsonPathError

__all__ = ["AbsentError", "call"]


class AbsentError(Exception):
    """A definite part of a path is missing."""


def call(name: str, value: object, arguments: list[object]) -> object:
    """
    Call a function, `length` with arguments excepted.

    Args:
        name: One that the grammar knows.
        value: What the path before it has found.
        arguments: The values of its arguments.

    Returns:
        The result; None where the function does not apply to the value.

    Raises:
        JsonPathError: Numbers are aggregated and there are none, or there is no such element.
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
        return _pick(name, value, arguments)
    # Of what the path has found only the elements of a list count, of arguments also a number.
    elements = value if isinstance(value, list) else []
    numbers = [float(item) for item in (*elements, *_flat(arguments)) if _is_number(item)]
    if not numbers:
        raise _no_elements()
    return _AGGREGATES[name](numbers)


def _is_number(value: object) -> TypeGuard[float | Decimal]:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _no_elements() -> JsonPathError:
    return JsonPathError("Aggregation function attempted to calculate value using empty array")


def _flat(values: Iterable[object]) -> Iterator[object]:
    for value in values:
        if isinstance(value, list):
            yield from value
        else:
            yield value


def _texts(value: object, arguments: list[object]) -> Iterator[str]:
    """Yield the texts that are joined: of lists that are arguments all elements count as texts."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))
    for argument in arguments:
        if isinstance(argument, str):
            yield argument
        elif isinstance(argument, list):
            yield from (text_of(item) for item in argument if item is not None)


def _pick(name: str, value: object, arguments: list[object]) -> object:
    if not isinstance(value, list):
        raise _no_elements()
    size = len(value)
    at = _index(arguments) if name == "index" else {"first": 0, "last": -1}[name]
    # Counted from the end the first element cannot be reached, not even by `last()`.
    if at >= size or (at < 0 and size + at <= 0):
        raise JsonPathError(f"Target index:{at} larger than object count:{size}")
    return value[at]


def _index(arguments: list[object]) -> int:
    numbers = [item for item in _flat(arguments) if _is_number(item)]
    if not numbers:
        raise JsonPathError("index() needs a number")
    return int(numbers[0])


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
