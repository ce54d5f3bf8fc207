"""
The methods of java.lang.Integer, Long, Double, Float, Boolean and java.math.BigInteger.

Static methods are reachable through any value of the class, which is how templates parse numbers:
`#set($i = 0)$i.parseInt("12")`.

Source: the API documentation of the classes, Java 17.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal

from ._java import MAX_BITS, compare, double_string, text_of
from ._signatures import Forms, Table, class_cast
from ._values import (
    INT_MAX,
    INT_MIN,
    LONG_MAX,
    LONG_MIN,
    BigInteger,
    Float,
    Long,
    equals,
    hash_code,
)
from .errors import VtlRenderError

__all__ = [
    "BIG_INTEGER_METHODS",
    "BOOLEAN_METHODS",
    "DECIMAL_METHODS",
    "DOUBLE_METHODS",
    "FLOAT_METHODS",
    "INTEGER_METHODS",
    "LONG_METHODS",
    "as_long",
]

_INTEGER = re.compile(r"[+-]?[0-9a-zA-Z]+")
_FLOAT = re.compile(r"[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def as_long(value: int) -> int:
    """
    Make a Long.

    Args:
        value: An integer within the range of a Long.

    Returns:
        The number, marked where it is small enough for an Integer.
    """
    return Long(value) if INT_MIN <= value <= INT_MAX else int(value)


def _as_big(value: int) -> int:
    return BigInteger(value) if LONG_MIN <= value <= LONG_MAX else int(value)


def _wrapped(value: int, bits: int) -> int:
    half = 1 << (bits - 1)
    return (value + half) % (half * 2) - half


def _whole(value: float | Decimal, bits: int) -> int:
    if value != value:
        return 0
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    if value >= high:
        return high
    return low if value <= low else int(value)


def _int_value(value: int | float | Decimal) -> int:
    if isinstance(value, int):
        return _wrapped(int(value), 32)
    return _whole(value, 32) if isinstance(value, float) else _wrapped(int(value), 32)


def _long_value(value: int | float | Decimal) -> int:
    if isinstance(value, int):
        return as_long(_wrapped(int(value), 64))
    return as_long(_whole(value, 64) if isinstance(value, float) else _wrapped(int(value), 64))


def _parse_integer(text: str | None, radix: int, low: int, high: int) -> int:
    try:
        if text is None or not _INTEGER.fullmatch(text) or not 2 <= radix <= 36:
            raise ValueError
        value = int(text, radix)
    except ValueError:
        raise VtlRenderError(f'NumberFormatException: For input string: "{text}"') from None
    if not low <= value <= high:
        raise VtlRenderError(f'NumberFormatException: For input string: "{text}"')
    return value


def _parse_int(number: object, text: str, radix: int = 10) -> int:
    return _parse_integer(text, radix, INT_MIN, INT_MAX)


def _parse_long(number: object, text: str, radix: int = 10) -> int:
    return as_long(_parse_integer(text, radix, LONG_MIN, LONG_MAX))


def _parse_double(number: object, text: str) -> float:
    if text is None:
        raise VtlRenderError("NullPointerException")
    stripped = text.strip()
    if not _FLOAT.fullmatch(stripped):
        raise VtlRenderError(f'NumberFormatException: For input string: "{text}"')
    return float(stripped.rstrip("fFdD") if stripped[-1] in "fFdD" else stripped)


def _in_radix(value: int, radix: int) -> str:
    radix = radix if 2 <= radix <= 36 else 10
    digits = ""
    rest = abs(value)
    while rest or not digits:
        rest, digit = divmod(rest, radix)
        digits = _DIGITS[digit] + digits
    return "-" + digits if value < 0 else digits


def _compare_values(number: object, other: object) -> int:
    if other is None:
        raise VtlRenderError("NullPointerException")
    return compare(number, other)


def _nan_order(value: float) -> tuple[bool, float, float]:
    return (value != value, 0.0 if value != value else value, math.copysign(1.0, value))


def _compare_doubles(number: object, one: float, other: float) -> int:
    left, right = _nan_order(float(one)), _nan_order(float(other))
    return (left > right) - (left < right)


def _compare_double(number: float, other: float | None) -> int:
    if other is None:
        raise VtlRenderError("NullPointerException")
    return _compare_doubles(None, number, other)


_COMMON: dict[str, Forms] = {
    "intValue": (("", _int_value),),
    "longValue": (("", _long_value),),
    "doubleValue": (("", float),),
    "floatValue": (("", Float),),
    "shortValue": (("", lambda number: _wrapped(_int_value(number), 16)),),
    "byteValue": (("", lambda number: _wrapped(_int_value(number), 8)),),
    "equals": (("O", equals),),
    "hashCode": (("", hash_code),),
}


def _bitwise(bits: int, letter: str, make: Callable[[int], int]) -> dict[str, Forms]:
    """Methods that Integer and Long share, on their own number of bits."""
    mask = (1 << bits) - 1

    def reverse(number: object, value: int) -> int:
        digits = f"{value & mask:0{bits}b}"
        return make(_wrapped(int(digits[::-1], 2), bits))

    def trailing(number: object, value: int) -> int:
        return ((value & -value).bit_length() - 1) if value else bits

    def rotate(value: int, distance: int) -> int:
        distance %= bits
        rotated = (value & mask) << distance | (value & mask) >> (bits - distance)
        return make(_wrapped(rotated, bits))

    def unsigned(value: int) -> int:
        return value & mask

    return {
        "hashCode": (("", hash_code), (letter, lambda number, value: hash_code(make(value)))),
        "rotateLeft": ((letter + "i", lambda number, value, by: rotate(value, by)),),
        "rotateRight": ((letter + "i", lambda number, value, by: rotate(value, -by)),),
        "highestOneBit": (
            (letter, lambda number, value: make(_wrapped(_highest(value & mask), bits))),
        ),
        "lowestOneBit": ((letter, lambda number, value: make(_wrapped(value & -value, bits))),),
        "toUnsignedString": ((letter, lambda number, value: str(unsigned(value))),),
        "compareUnsigned": (
            (letter * 2, lambda number, one, other: _order(unsigned(one), unsigned(other))),
        ),
        "toHexString": ((letter, lambda number, value: f"{value & mask:x}"),),
        "toBinaryString": ((letter, lambda number, value: f"{value & mask:b}"),),
        "toOctalString": ((letter, lambda number, value: f"{value & mask:o}"),),
        "bitCount": ((letter, lambda number, value: (value & mask).bit_count()),),
        "reverse": ((letter, reverse),),
        "numberOfLeadingZeros": (
            (letter, lambda number, value: bits - (value & mask).bit_length()),
        ),
        "numberOfTrailingZeros": ((letter, trailing),),
        "signum": ((letter, lambda number, value: (value > 0) - (value < 0)),),
        "max": ((letter * 2, lambda number, one, other: make(max(one, other))),),
        "min": ((letter * 2, lambda number, one, other: make(min(one, other))),),
        "sum": ((letter * 2, lambda number, one, other: make(_wrapped(one + other, bits))),),
        "compare": ((letter * 2, lambda number, one, other: _order(one, other)),),
    }


def _highest(value: int) -> int:
    return 1 << (value.bit_length() - 1) if value else 0


def _order(one: int, other: int) -> int:
    return (one > other) - (one < other)


INTEGER_METHODS: Table = {
    **_COMMON,
    **_bitwise(32, "i", int),
    "compareTo": (("I", _compare_values), ("O", class_cast)),
    "toString": (
        ("", text_of),
        ("i", lambda number, value: text_of(value)),
        ("ii", lambda number, value, radix: _in_radix(value, radix)),
    ),
    "parseInt": (("S", _parse_int), ("Si", _parse_int)),
    "valueOf": (("i", lambda number, value: value), ("S", _parse_int), ("Si", _parse_int)),
    "decode": (("S", _parse_int),),
}

LONG_METHODS: Table = {
    **_COMMON,
    **_bitwise(64, "l", as_long),
    "compareTo": (("L", _compare_values), ("O", class_cast)),
    "toString": (
        ("", text_of),
        ("l", lambda number, value: text_of(value)),
        ("li", lambda number, value, radix: _in_radix(value, radix)),
    ),
    "parseLong": (("S", _parse_long), ("Si", _parse_long)),
    "valueOf": (
        ("l", lambda number, value: as_long(value)),
        ("S", _parse_long),
        ("Si", _parse_long),
    ),
}

DOUBLE_METHODS: Table = {
    **_COMMON,
    "hashCode": (("", hash_code), ("d", lambda number, value: hash_code(float(value)))),
    "compareTo": (("D", _compare_double), ("O", class_cast)),
    "compare": (("dd", _compare_doubles),),
    "isNaN": (
        ("", lambda number: number != number),
        ("d", lambda number, value: value != value),
    ),
    "isInfinite": (("", math.isinf), ("d", lambda number, value: math.isinf(value))),
    "isFinite": (("d", lambda number, value: math.isfinite(value)),),
    "toString": (
        ("", text_of),
        ("d", lambda number, value: double_string(float(value))),
    ),
    "parseDouble": (("S", _parse_double),),
    "valueOf": (("d", lambda number, value: float(value)), ("S", _parse_double)),
    "max": (("dd", lambda number, one, other: max(float(one), float(other))),),
    "min": (("dd", lambda number, one, other: min(float(one), float(other))),),
    "sum": (("dd", lambda number, one, other: float(one) + float(other)),),
}

FLOAT_METHODS: Table = {
    **_COMMON,
    "compareTo": (("F", _compare_double), ("O", class_cast)),
    "isNaN": (("", lambda number: number != number),),
    "isInfinite": (("", math.isinf),),
    "toString": (("", text_of),),
    "parseFloat": (("S", lambda number, text: Float(_parse_double(number, text))),),
}

BOOLEAN_METHODS: Table = {
    "booleanValue": (("", bool),),
    "compareTo": (("B", lambda one, other: int(one) - int(other)), ("O", class_cast)),
    "equals": (("O", equals),),
    "hashCode": (("", hash_code),),
    "toString": (("", text_of), ("b", lambda one, value: text_of(value))),
    "parseBoolean": (("S", lambda one, text: text is not None and text.lower() == "true"),),
    "valueOf": (
        ("b", lambda one, value: value),
        ("S", lambda one, text: text is not None and text.lower() == "true"),
    ),
    "logicalAnd": (("bb", lambda one, left, right: left and right),),
    "logicalOr": (("bb", lambda one, left, right: left or right),),
    "logicalXor": (("bb", lambda one, left, right: left != right),),
}


def _big_divide(number: int, other: int) -> int:
    if other == 0:
        raise VtlRenderError("ArithmeticException: BigInteger divide by zero")
    quotient = abs(number) // abs(other)
    return _as_big(-quotient if (number < 0) != (other < 0) else quotient)


def _big_multiply(number: int, other: int) -> int:
    return _as_big(_sized(number.bit_length() + other.bit_length()) and number * other)


def _big_modulus(number: int, other: int) -> int:
    if other <= 0:
        raise VtlRenderError("ArithmeticException: BigInteger: modulus not positive")
    return _as_big(number % other)


def _big_power(number: int, exponent: int) -> int:
    if exponent < 0:
        raise VtlRenderError("ArithmeticException: Negative exponent")
    return _as_big(_sized(number.bit_length() * exponent) and int(number**exponent))


def _big_root(number: int) -> int:
    if number < 0:
        raise VtlRenderError("ArithmeticException: Negative BigInteger")
    return _as_big(math.isqrt(number))


def _big_shift(number: int, by: int) -> int:
    if by < 0:
        return _as_big(number >> -by)
    return _as_big(_sized(number.bit_length() + by) and number << by)


def _sized(bits: int) -> bool:
    """Refuse numbers that could not be printed; Python refuses beyond 4,300 digits."""
    if bits > MAX_BITS:
        raise VtlRenderError("an integer of too many digits")
    return True


BIG_INTEGER_METHODS: Table = {
    **_COMMON,
    "compareTo": (("G", _compare_values), ("O", class_cast)),
    "toString": (("", text_of), ("i", lambda number, radix: _in_radix(number, radix))),
    "add": (("G", lambda number, other: _as_big(number + other)),),
    "subtract": (("G", lambda number, other: _as_big(number - other)),),
    "multiply": (("G", _big_multiply),),
    "divide": (("G", _big_divide),),
    "remainder": (
        ("G", lambda number, other: _as_big(number - _big_divide(number, other) * other)),
    ),
    "mod": (("G", _big_modulus),),
    "pow": (("i", _big_power),),
    "gcd": (("G", lambda number, other: _as_big(math.gcd(number, other))),),
    "max": (("G", lambda number, other: _as_big(max(number, other))),),
    "min": (("G", lambda number, other: _as_big(min(number, other))),),
    "sqrt": (("", _big_root),),
    "shiftLeft": (("i", lambda number, by: _big_shift(number, by)),),
    "shiftRight": (("i", lambda number, by: _big_shift(number, -by)),),
    "testBit": (("i", lambda number, bit: bool(number >> bit & 1)),),
    "bitCount": (("", lambda number: (number if number >= 0 else ~number).bit_count()),),
    "negate": (("", lambda number: _as_big(-number)),),
    "abs": (("", lambda number: _as_big(abs(number))),),
    "signum": (("", lambda number: (number > 0) - (number < 0)),),
    "bitLength": (("", lambda number: number.bit_length()),),
}

DECIMAL_METHODS: Table = {
    **_COMMON,
    "compareTo": (("E", _compare_values), ("O", class_cast)),
    "toString": (("", text_of),),
    "toPlainString": (("", lambda number: f"{number:f}"),),
    "signum": (("", lambda number: (number > 0) - (number < 0)),),
    "scale": (("", lambda number: -number.as_tuple().exponent),),
    "negate": (("", lambda number: -number),),
    "abs": (("", abs),),
}
