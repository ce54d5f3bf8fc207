"""
How Java prints values and computes with numbers.

Sources: java.lang.Double.toString, java.util.AbstractCollection.toString and
java.util.AbstractMap.toString; for arithmetic Velocity 1.7's rules: integers widen on overflow
(Integer, Long, BigInteger), division and remainder by zero give null.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_DOWN, Decimal, localcontext

from ._digits import float_digits
from ._equality import Work, equals
from ._foreign import adopted
from ._keys import PrintedMap, unbox
from ._values import (
    INT_MAX,
    INT_MIN,
    LONG_MAX,
    LONG_MIN,
    MAX_LENGTH,
    BigInteger,
    Byte,
    Character,
    Float,
    JavaArray,
    Long,
    PrintedList,
    Short,
    VtlObject,
    class_name,
    identity,
)
from .errors import VtlRenderError

__all__ = [
    "MAX_BITS",
    "MAX_LENGTH",
    "compare",
    "compare_doubles",
    "compute",
    "double_order",
    "double_string",
    "is_number",
    "limited",
    "loose_equals",
    "text_of",
    "to_string",
]

# Python refuses to print integers beyond 4,300 digits.
MAX_BITS = 14_000
_RANKS = {
    "java.lang.Byte": -2,
    "java.lang.Short": -1,
    "java.lang.Integer": 0,
    "java.lang.Long": 1,
    "java.math.BigInteger": 2,
}


def to_string(value: object) -> str | None:
    """
    Do `value.toString()`.

    Args:
        value: Any value.

    Returns:
        The text, "null" for null; None for an object of the protocol whose text is null.
    """
    if type(value) is str:
        return value
    if type(value) is int:
        return repr(value)
    try:
        return _to_string(value, Work())
    except RecursionError:
        raise VtlRenderError("StackOverflowError: a value in itself, or too deep") from None


def _to_string(value: object, work: Work) -> str | None:
    if type(value) is str:
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return double_string(value)
    if isinstance(value, VtlObject):
        return value.vtl_string()
    if isinstance(value, Mapping | list):
        work.step()
        return _collection_string(value, work)
    if isinstance(value, Character):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    return _to_string(adopted(value), work)


def _collection_string(value: Mapping[object, object] | list[object], work: Work) -> str:
    if isinstance(value, JavaArray):
        return f"[{value.element}@{identity(value):x}"
    if isinstance(value, PrintedList | PrintedMap):
        return value.vtl_text()
    if isinstance(value, list):
        items = ("(this Collection)" if one is value else _part(one, work) for one in value)
        return limited("[" + ", ".join(items) + "]")
    entries = (
        f"{_part(unbox(key), work)}={'(this Map)' if item is value else _part(item, work)}"
        for key, item in value.items()
    )
    return limited("{" + ", ".join(entries) + "}")


def _part(value: object, work: Work) -> str:
    text = _to_string(value, work)
    return "null" if text is None else text


def text_of(value: object) -> str:
    """
    Print a value where text is needed in any case.

    Args:
        value: Any value.

    Returns:
        The text; "null" where the text is null.
    """
    text = to_string(value)
    return "null" if text is None else text


def limited(text: str) -> str:
    """
    Let a text pass unless it has outgrown all reason.

    Args:
        text: A text that was just made from others.

    Returns:
        The same text.

    Raises:
        VtlRenderError: It is longer than `MAX_LENGTH`.
    """
    if len(text) > MAX_LENGTH:
        raise VtlRenderError(f"a text of more than {MAX_LENGTH} characters")
    return text


def double_string(value: float) -> str:
    """
    Print a Double or a Float.

    Args:
        value: Any float.

    Returns:
        Java's text: `0.1`, `1.0E8`, `NaN`, `-Infinity`.
    """
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if value == 0:
        return sign + "0.0"
    digits, exponent = float_digits(value)
    if -3 <= exponent < 7:
        if exponent < 0:
            return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
        digits = digits.ljust(exponent + 2, "0")
        return f"{sign}{digits[: exponent + 1]}.{digits[exponent + 1 :]}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def double_order(value: float) -> tuple[bool, float, float]:
    """
    Tell where a number stands in the order of `Double.compareTo`.

    Args:
        value: Any float.

    Returns:
        What compares as the numbers do: -0.0 below 0.0, and NaN above all.
    """
    return (value != value, 0.0 if value != value else value, math.copysign(1.0, value))


def compare_doubles(one: float, other: float) -> int:
    """
    Do `Double.compare`.

    Args:
        one: Any float.
        other: Any float.

    Returns:
        -1, 0 or 1.
    """
    left, right = double_order(one), double_order(other)
    return (left > right) - (left < right)


def is_number(value: object) -> bool:
    """
    Say whether a value is a java.lang.Number.

    Args:
        value: Any value.

    Returns:
        False for booleans, as in Java.
    """
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def loose_equals(left: object, right: object) -> bool:
    """
    Do Velocity's `==`.

    Args:
        left: Any value.
        right: Any value.

    Returns:
        Numbers are compared by value, values of one class by `equals`, all others by their text.
    """
    if type(left) is str and type(right) is str:
        return left == right
    if is_number(left) and is_number(right):
        return compare(left, right) == 0
    left, right = adopted(left), adopted(right)
    if (left == "" and isinstance(right, list | dict)) or (
        right == "" and isinstance(left, list | dict)
    ):
        # The way in which templates ask whether something is there; a collection prints brackets.
        return False
    if left is not None and right is not None:
        maps = isinstance(left, Mapping) and isinstance(right, Mapping)
        if maps or class_name(left) == class_name(right):
            return equals(left, right)
    texts = [None if value is None else to_string(value) for value in (left, right)]
    return texts[0] == texts[1]


def compare(left: object, right: object) -> int:
    """
    Compare two numbers.

    Args:
        left: A number.
        right: A number.

    Returns:
        -1, 0 or 1; 0 also where either is no number (NaN).
    """
    one, other = _operands(left, right)
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return int(one.compare(other))
    return (one > other) - (one < other)


def compute(operator: str, left: object, right: object) -> object:
    """
    Do arithmetic.

    Args:
        operator: One of `+ - * / %`.
        left: A number.
        right: A number.

    Returns:
        The result in the wider class of the two, widened on overflow; None for a division by zero.

    Raises:
        VtlRenderError: Java throws, as for the remainder of a BigDecimal.
    """
    # What two Integers give is an Integer or a Long by its size alone.
    if (
        type(left) is int
        and type(right) is int
        and operator in _SIMPLE
        and INT_MIN <= left <= INT_MAX
        and INT_MIN <= right <= INT_MAX
    ):
        return _SIMPLE[operator](left, right)
    if operator in "/%" and right == 0:
        return None
    one, other = _operands(left, right)
    if isinstance(one, int) and isinstance(other, int):
        return _integer(operator, one, other)
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return _decimal(operator, one, other)
    result = _float(operator, float(one), float(other))
    return Float(result) if isinstance(one, Float) and isinstance(other, Float) else result


_SIMPLE: dict[str, Callable[[int, int], int]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
}


def _operands(left: object, right: object) -> tuple[int | float | Decimal, int | float | Decimal]:
    """Bring two numbers to the class in which Velocity calculates."""
    assert isinstance(left, int | float | Decimal)
    assert isinstance(right, int | float | Decimal)
    if isinstance(left, int) and isinstance(right, int):
        return left, right
    big = any(class_name(value) == "java.math.BigInteger" for value in (left, right))
    if big or isinstance(left, Decimal) or isinstance(right, Decimal):
        return _exact(left), _exact(right)
    if not all(isinstance(value, int | Float) for value in (left, right)):
        return float(left), float(right)
    return Float(float(left)), Float(float(right))


def _exact(value: int | float | Decimal) -> Decimal:
    if isinstance(value, float) and not math.isfinite(value):
        raise VtlRenderError("NumberFormatException: Infinite or NaN")
    if isinstance(value, int) and class_name(value) != "java.math.BigInteger":
        value = float(value)
    return Decimal(value)


def _integer(operator: str, left: int, right: int) -> int:
    rank = max(_RANKS[class_name(left)], _RANKS[class_name(right)])
    if rank == 2:
        return _typed(_big(operator, int(left), int(right)), 2)
    if operator in _SIMPLE:
        result = _SIMPLE[operator](int(left), int(right))
        # Velocity's overflow check misses this one product.
        if operator == "*" and left == LONG_MIN and right == -1:
            result = LONG_MIN
        return _typed(result, rank)
    quotient = abs(left) // abs(right)
    if (left < 0) != (right < 0):
        quotient = -quotient
    if operator == "%":
        return _typed(int(left) - quotient * int(right), rank)
    return _typed(LONG_MIN if quotient > LONG_MAX else quotient, rank)


def _big(operator: str, left: int, right: int) -> int:
    if operator in _SIMPLE:
        if left.bit_length() + right.bit_length() > MAX_BITS:
            raise VtlRenderError("an integer of too many digits")
        return _SIMPLE[operator](left, right)
    if operator == "%":
        if right < 0:
            raise VtlRenderError("ArithmeticException: BigInteger: modulus not positive")
        return left % right
    quotient = abs(left) // abs(right)
    return -quotient if (left < 0) != (right < 0) else quotient


def _typed(value: int, rank: int) -> int:
    if rank < 0:
        return _small(value, rank)
    if rank == 0 or (rank == 1 and not INT_MIN <= value <= INT_MAX):
        return value
    if rank == 1:
        return Long(value)
    return BigInteger(value) if LONG_MIN <= value <= LONG_MAX else value


def _small(value: int, rank: int) -> int:
    if rank == _RANKS["java.lang.Byte"] and -128 <= value <= 127:
        return Byte(value)
    return Short(value) if -(2**15) <= value < 2**15 else value


def _float(operator: str, left: float, right: float) -> float:
    if operator == "/":
        return left / right
    if operator == "%":
        return math.fmod(left, right) if math.isfinite(left) else math.nan
    if operator == "+":
        return left + right
    return left - right if operator == "-" else left * right


def _decimal(operator: str, left: Decimal, right: Decimal) -> Decimal:
    if operator == "%":
        raise VtlRenderError("ArithmeticException: Cannot calculate the modulo of BigDecimals.")
    with localcontext() as context:
        context.prec = 5000
        if operator == "+":
            return left + right
        if operator == "-":
            return left - right
        if operator == "*":
            # A BigDecimal has no negative zero.
            return left * right + 0
        return (left / right).quantize(left, rounding=ROUND_HALF_DOWN)
