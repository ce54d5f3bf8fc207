"""
Literals, operators and conditions as closures.

Source: Velocity 1.7's evaluation rules (facts), checked against its jar.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

from ._java import compare, compute, is_number, limited, loose_equals, text_of
from ._keys import box
from ._methods import call
from ._references import Locate
from ._scope import DefinedBlock, Render, Scope, Value
from .errors import VtlError, VtlRenderError

__all__ = [
    "Test",
    "arithmetic",
    "both",
    "comparison",
    "constant",
    "either",
    "interpolated",
    "list_of",
    "map_of",
    "negation",
    "never",
    "number_range",
    "ordered",
    "truth",
    "truth_of",
]

Test = Callable[[Scope], bool]

_MAX_RANGE = 1_000_000
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def comparison(symbol: str, left: Value, right: Value) -> Test:
    """
    Compare two values.

    Args:
        symbol: One of `== != < > <= >=`.
        left: Computes one value.
        right: Computes the other.

    Returns:
        The closure.
    """
    if symbol in _COMPARISONS:
        return _order(symbol, left, right)
    equal = symbol == "=="

    def test(scope: Scope) -> bool:
        one, other = left(scope), right(scope)
        if type(one) is str and type(other) is str:
            return (one == other) is equal
        return loose_equals(one, other) is equal

    return test


def _order(symbol: str, left: Value, right: Value) -> Test:
    holds = _COMPARISONS[symbol]

    def test(scope: Scope) -> bool:
        one, other = left(scope), right(scope)
        if type(one) is int and type(other) is int:
            return holds(one, other)
        return ordered(symbol, one, other)

    return test


def ordered(symbol: str, one: object, other: object) -> bool:
    """
    Tell the order of two values.

    Args:
        symbol: One of `< > <= >=`.
        one: Any value.
        other: Any value.

    Returns:
        Whether it holds; False for what is no number.
    """
    if not is_number(one) or not is_number(other):
        return False
    return _COMPARISONS[symbol](compare(one, other), 0)


def arithmetic(
    symbol: str,
    left: Value,
    right: Value,
    sources: tuple[Callable[[], str], Callable[[], str]],
    locate: Locate,
) -> Value:
    """
    Compute, or join texts.

    Args:
        symbol: One of `+ - * / %`.
        left: Computes one operand.
        right: Computes the other.
        sources: Return how the operands are written, which a null among texts prints.
        locate: Locates an error.

    Returns:
        The closure; its value is null for what is no number.
    """
    joins = symbol == "+"

    def value(scope: Scope) -> object:
        one, other = left(scope), right(scope)
        if joins and (isinstance(one, str) or isinstance(other, str)):
            first = sources[0]() if one is None else text_of(one)
            second = sources[1]() if other is None else text_of(other)
            return limited(first + second)
        if not is_number(one) or not is_number(other):
            return None
        try:
            return compute(symbol, one, other)
        except VtlError as error:
            raise locate(error) from None

    return value


def number_range(start: Value, stop: Value, locate: Locate) -> Value:
    """
    List the numbers from one to another, downwards if need be.

    Args:
        start: Computes the first.
        stop: Computes the last.
        locate: Locates the error of a list that would be too long.

    Returns:
        The closure; its value is null for what is no number.
    """

    def value(scope: Scope) -> object:
        low, high = start(scope), stop(scope)
        if not is_number(low) or not is_number(high):
            return None
        first, last = call(low, "intValue", []), call(high, "intValue", [])
        assert isinstance(first, int)
        assert isinstance(last, int)
        if abs(last - first) >= _MAX_RANGE:
            raise locate(VtlRenderError(f"a range of more than {_MAX_RANGE} numbers"))
        return list(range(first, last + 1) if first <= last else range(first, last - 1, -1))

    return value


def list_of(items: Sequence[Value]) -> Value:
    """Make a list."""
    return lambda scope: [item(scope) for item in items]


def map_of(entries: Sequence[tuple[Value, Value]]) -> Value:
    """Make a map."""
    return lambda scope: {box(key(scope)): item(scope) for key, item in entries}


def constant(value: object) -> Value:
    """Yield the value of a literal."""
    return lambda scope: value


def interpolated(source: str, compiled: Callable[[str], Render]) -> Value:
    """
    Render a string as a template.

    Args:
        source: The string.
        compiled: Compiles a text.

    Returns:
        The closure.
    """
    # Velocity appends a space for its parser and takes one character off again.
    commented = "##" in source
    render = compiled(source if commented else source + " ")

    def value(scope: Scope) -> object:
        parts: list[str] = []
        render(scope, parts.append)
        result = limited("".join(parts))
        return result if commented else result[:-1]

    return value


def truth(value: object) -> bool:
    """
    Tell the truth of a value in a condition.

    Args:
        value: Any value.

    Returns:
        False for null, false and a block that prints null; all else is true.
    """
    if value is None or value is False:
        return False
    return not isinstance(value, DefinedBlock) or value.vtl_string() is not None


def truth_of(value: Value) -> Test:
    """Tell the truth of a reference in a condition."""

    def test(scope: Scope) -> bool:
        found = value(scope)
        return found is True or truth(found)

    return test


def negation(test: Test) -> Test:
    """Turn a truth round."""
    return lambda scope: not test(scope)


def both(left: Test, right: Test) -> Test:
    """Join conditions by `&&`."""
    return lambda scope: left(scope) and right(scope)


def either(left: Test, right: Test) -> Test:
    """Join conditions by `||`."""
    return lambda scope: left(scope) or right(scope)


def never(scope: Scope) -> bool:
    """Decide what has no truth: literals other than `true`, and arithmetic."""
    return False
