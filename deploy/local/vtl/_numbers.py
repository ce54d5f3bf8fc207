"""
The methods of java.lang.Integer, Long, Short, Byte, Double, Float and Boolean.

Static methods are reachable through any value of the class, which is how templates parse numbers:
`#set($i = 0)$i.parseInt("12")`.

Source: the API documentation of the classes, Java 17.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from decimal import Decimal

from ._digits import hex_string
from ._equality import equals, hash_code
from ._java import compare, compare_doubles, double_order, text_of
from ._signatures import Forms, Table, class_cast, null_argument
from ._values import INT_MAX, INT_MIN, LONG_MAX, LONG_MIN, Byte, Float, Long, Short, wrapped
from .errors import VtlRenderError

__all__ = [
    "BOOLEAN_METHODS",
    "BYTE_METHODS",
    "COMMON",
    "DOUBLE_METHODS",
    "FLOAT_METHODS",
    "INTEGER_METHODS",
    "LONG_METHODS",
    "SHORT_METHODS",
    "as_long",
    "compare_values",
    "in_radix",
    "int_value",
]

_INTEGER = re.compile(r"[+-]?[0-9a-zA-Z]+")
_FLOAT = re.compile(r"[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)")
_DECODED = re.compile(r"([+-]?)(0[xX]|#|0(?=.)|)([0-9a-zA-Z]+)")
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


def _whole(value: float | Decimal, bits: int) -> int:
    if value != value:
        return 0
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    if value >= high:
        return high
    return low if value <= low else int(value)


def int_value(value: int | float | Decimal) -> int:
    """
    Do `intValue()`.

    Args:
        value: A number.

    Returns:
        The lower 32 bits of an integer, the nearest Integer to a float.
    """
    if isinstance(value, int):
        return wrapped(int(value), 32)
    return _whole(value, 32) if isinstance(value, float) else wrapped(int(value), 32)


def _long_value(value: int | float | Decimal) -> int:
    if isinstance(value, int):
        return as_long(wrapped(int(value), 64))
    return as_long(_whole(value, 64) if isinstance(value, float) else wrapped(int(value), 64))


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


def _decode(text: str, low: int, high: int) -> int:
    match = _DECODED.fullmatch(text)
    if match is None:
        raise VtlRenderError(f'NumberFormatException: For input string: "{text}"')
    sign, prefix, digits = match.groups()
    radix = {"": 10, "0": 8}.get(prefix, 16)
    return _parse_integer(sign.replace("+", "") + digits, radix, low, high)


def _parse_part(
    text: str, begin: int, end: int, radix: int, bounds: tuple[int, int], signed: bool = True
) -> int:
    if not 0 <= begin <= end <= len(text):
        raise VtlRenderError("IndexOutOfBoundsException")
    part = text[begin:end]
    if not signed and part.startswith("-"):
        raise VtlRenderError(f'NumberFormatException: Illegal leading minus sign "{part}"')
    return _parse_integer(part, radix, *bounds)


def _parse_int(number: object, text: str, radix: int = 10) -> int:
    return _parse_integer(text, radix, INT_MIN, INT_MAX)


def _parse_long(number: object, text: str, radix: int = 10) -> int:
    return as_long(_parse_integer(text, radix, LONG_MIN, LONG_MAX))


def _parse_int_part(number: object, text: str, begin: int, end: int, radix: int) -> int:
    return _parse_part(text, begin, end, radix, (INT_MIN, INT_MAX))


def _parse_long_part(number: object, text: str, begin: int, end: int, radix: int) -> int:
    return as_long(_parse_part(text, begin, end, radix, (LONG_MIN, LONG_MAX)))


def _parse_double(number: object, text: str) -> float:
    if text is None:
        raise VtlRenderError("NullPointerException")
    stripped = text.strip()
    if not _FLOAT.fullmatch(stripped):
        raise VtlRenderError(f'NumberFormatException: For input string: "{text}"')
    return float(stripped.rstrip("fFdD") if stripped[-1] in "fFdD" else stripped)


def in_radix(value: int, radix: int) -> str:
    """
    Write an integer in another base.

    Args:
        value: Any integer.
        radix: The base, from 2 to 36; 10 is taken for any other.

    Returns:
        Its digits.
    """
    radix = radix if 2 <= radix <= 36 else 10
    digits = ""
    rest = abs(value)
    while rest or not digits:
        rest, digit = divmod(rest, radix)
        digits = _DIGITS[digit] + digits
    return "-" + digits if value < 0 else digits


def compare_values(number: object, other: object) -> int:
    """
    Do `compareTo` of a number of the same class.

    Args:
        number: A number.
        other: A number, or null.

    Returns:
        -1, 0 or 1.

    Raises:
        VtlRenderError: The other is null.
    """
    if other is None:
        raise VtlRenderError("NullPointerException")
    return compare(number, other)


def _compare_doubles(number: object, one: float, other: float) -> int:
    return compare_doubles(float(one), float(other))


def _compare_double(number: float, other: float | None) -> int:
    if other is None:
        raise VtlRenderError("NullPointerException")
    return _compare_doubles(None, number, other)


COMMON: dict[str, Forms] = {
    "intValue": (("", int_value),),
    "longValue": (("", _long_value),),
    "doubleValue": (("", float),),
    "floatValue": (("", Float),),
    "shortValue": (("", lambda number: Short(wrapped(int_value(number), 16))),),
    "byteValue": (("", lambda number: Byte(wrapped(int_value(number), 8))),),
    "equals": (("O", equals),),
    "hashCode": (("", hash_code),),
}


def _bitwise(bits: int, letter: str, make: Callable[[int], int]) -> dict[str, Forms]:
    """Methods that Integer and Long share, on their own number of bits."""
    mask = (1 << bits) - 1

    def reverse(number: object, value: int) -> int:
        digits = f"{value & mask:0{bits}b}"
        return make(wrapped(int(digits[::-1], 2), bits))

    def trailing(number: object, value: int) -> int:
        return ((value & -value).bit_length() - 1) if value else bits

    def rotate(value: int, distance: int) -> int:
        distance %= bits
        rotated = (value & mask) << distance | (value & mask) >> (bits - distance)
        return make(wrapped(rotated, bits))

    def unsigned(value: int) -> int:
        return value & mask

    def divide(number: object, one: int, other: int) -> int:
        return make(wrapped(unsigned(one) // _divisor(unsigned(other)), bits))

    def remainder(number: object, one: int, other: int) -> int:
        return make(wrapped(unsigned(one) % _divisor(unsigned(other)), bits))

    def reverse_bytes(number: object, value: int) -> int:
        data = unsigned(value).to_bytes(bits // 8, "little")
        return make(wrapped(int.from_bytes(data, "big"), bits))

    def parse_unsigned(number: object, text: str, radix: int = 10) -> int:
        return make(wrapped(_parse_part(text, 0, len(text), radix, (0, mask), False), bits))

    def parse_unsigned_part(number: object, text: str, begin: int, end: int, radix: int) -> int:
        return make(wrapped(_parse_part(text, begin, end, radix, (0, mask), False), bits))

    def decode(number: object, text: str) -> int:
        return make(_decode(text, -mask // 2, mask // 2))

    name = {32: "Int", 64: "Long"}[bits]
    return {
        f"parseUnsigned{name}": (
            ("S", lambda number, text: parse_unsigned(number, _digits_of(text))),
            ("Si", lambda number, text, radix: parse_unsigned(number, _digits_of(text), radix)),
            ("siii", parse_unsigned_part),
        ),
        "decode": (("s", decode),),
        "divideUnsigned": ((letter * 2, divide),),
        "remainderUnsigned": ((letter * 2, remainder),),
        "reverseBytes": ((letter, reverse_bytes),),
        "hashCode": (("", hash_code), (letter, lambda number, value: hash_code(make(value)))),
        "rotateLeft": ((letter + "i", lambda number, value, by: rotate(value, by)),),
        "rotateRight": ((letter + "i", lambda number, value, by: rotate(value, -by)),),
        "highestOneBit": (
            (letter, lambda number, value: make(wrapped(_highest(value & mask), bits))),
        ),
        "lowestOneBit": ((letter, lambda number, value: make(wrapped(value & -value, bits))),),
        "toUnsignedString": (
            (letter, lambda number, value: str(unsigned(value))),
            (letter + "i", lambda number, value, radix: in_radix(unsigned(value), radix)),
        ),
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
        "sum": ((letter * 2, lambda number, one, other: make(wrapped(one + other, bits))),),
        "compare": ((letter * 2, lambda number, one, other: _order(one, other)),),
    }


def _digits_of(text: str | None) -> str:
    if text is None:
        raise VtlRenderError("NumberFormatException: null")
    return text


def _divisor(value: int) -> int:
    if value == 0:
        raise VtlRenderError("ArithmeticException: / by zero")
    return value


def _highest(value: int) -> int:
    return 1 << (value.bit_length() - 1) if value else 0


def _order(one: int, other: int) -> int:
    return (one > other) - (one < other)


def _no_setting(number: object, name: str) -> None:
    """Do `Integer.getInteger` and its like, which read properties of the JVM: there are none."""


def _default(number: object, name: str, value: object) -> object:
    return value


INTEGER_METHODS: Table = {
    **COMMON,
    **_bitwise(32, "i", int),
    "compareTo": (("I", compare_values), ("O", class_cast)),
    "toString": (
        ("", text_of),
        ("i", lambda number, value: text_of(value)),
        ("ii", lambda number, value, radix: in_radix(value, radix)),
    ),
    "parseInt": (
        ("S", _parse_int),
        ("Si", _parse_int),
        ("siii", _parse_int_part),
    ),
    "valueOf": (
        ("i", lambda number, value: int(value)),
        ("S", _parse_int),
        ("Si", _parse_int),
    ),
    "toUnsignedLong": (("i", lambda number, value: as_long(value & 0xFFFFFFFF)),),
    "getInteger": (("S", _no_setting), ("SI", _default), ("Si", _default)),
}

LONG_METHODS: Table = {
    **COMMON,
    **_bitwise(64, "l", as_long),
    "compareTo": (("L", compare_values), ("O", class_cast)),
    "toString": (
        ("", text_of),
        ("l", lambda number, value: text_of(value)),
        ("li", lambda number, value, radix: in_radix(value, radix)),
    ),
    "parseLong": (
        ("S", _parse_long),
        ("Si", _parse_long),
        ("siii", _parse_long_part),
    ),
    "getLong": (
        ("S", _no_setting),
        ("SL", _default),
        ("Sl", lambda number, name, value: as_long(value)),
    ),
    "valueOf": (
        ("l", lambda number, value: as_long(value)),
        ("S", _parse_long),
        ("Si", _parse_long),
    ),
}


def _small(bits: int, boxed: str, make: Callable[[int], int], name: str) -> Table:
    """Methods of Short and Byte."""
    bounds = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)

    def parse(number: object, text: str, radix: int = 10) -> int:
        return make(_parse_integer(text, radix, *bounds))

    def difference(number: int, other: int) -> int:
        return int(number) - int(other)

    return {
        **COMMON,
        "compareTo": ((boxed, difference), ("O", class_cast)),
        "toString": (("", text_of),),
        "toUnsignedInt": ((boxed, lambda number, value: value & ((1 << bits) - 1)),),
        f"parse{name}": (("S", parse), ("Si", parse)),
        "valueOf": (("S", parse), ("Si", parse), (boxed, lambda number, value: value)),
        "decode": (("s", lambda number, text: make(_decode(text, *bounds))),),
    }


SHORT_METHODS = _small(16, "P", Short, "Short")
BYTE_METHODS = _small(8, "Y", Byte, "Byte")


def _hex_string(number: object, value: float) -> str:
    return hex_string(float(value))


def _smaller(one: float, other: float) -> float:
    return min(one, other, key=double_order) if one == one and other == other else math.nan


def _larger(one: float, other: float) -> float:
    return max(one, other, key=double_order) if one == one and other == other else math.nan


def _floating(letter: str, boxed: str, make: Callable[[float], float]) -> dict[str, Forms]:
    """Methods that Double and Float share."""
    return {
        **COMMON,
        "hashCode": (("", hash_code), (letter, lambda number, value: hash_code(make(value)))),
        "compareTo": ((boxed, _compare_double), ("O", class_cast)),
        "compare": ((letter * 2, _compare_doubles),),
        "isNaN": (
            ("", lambda number: number != number),
            (letter, lambda number, value: value != value),
        ),
        "isInfinite": (("", math.isinf), (letter, lambda number, value: math.isinf(value))),
        "isFinite": ((letter, lambda number, value: math.isfinite(value)),),
        "toString": (("", text_of), (letter, lambda number, value: text_of(make(value)))),
        "toHexString": ((letter, _hex_string),),
        "valueOf": (
            (letter, lambda number, value: make(value)),
            ("S", lambda number, text: make(_parse_double(number, text))),
        ),
        "max": ((letter * 2, lambda number, one, other: _larger(make(one), make(other))),),
        "min": ((letter * 2, lambda number, one, other: _smaller(make(one), make(other))),),
        "sum": ((letter * 2, lambda number, one, other: make(make(one) + make(other))),),
    }


def _bits(number: object, value: float) -> int:
    return as_long(struct.unpack(">q", struct.pack(">d", value))[0])


DOUBLE_METHODS: Table = {
    **_floating("d", "D", float),
    "parseDouble": (("S", _parse_double),),
    "doubleToLongBits": (("d", _bits),),
    "doubleToRawLongBits": (("d", _bits),),
    "longBitsToDouble": (
        ("l", lambda number, bits: struct.unpack(">d", struct.pack(">q", bits))[0]),
    ),
}


def _float_bits(number: object, value: float) -> int:
    return hash_code(Float(value))


FLOAT_METHODS: Table = {
    **_floating("f", "F", Float),
    "parseFloat": (("S", lambda number, text: Float(_parse_double(number, text))),),
    "floatToIntBits": (("f", _float_bits),),
    "floatToRawIntBits": (("f", _float_bits),),
    "intBitsToFloat": (
        ("i", lambda number, bits: Float(struct.unpack(">f", struct.pack(">i", bits))[0])),
    ),
}


def _compare_booleans(one: bool, other: bool) -> int:
    return int(one) - int(other)


BOOLEAN_METHODS: Table = {
    "booleanValue": (("", bool),),
    "compareTo": (("b", _compare_booleans), ("N", null_argument), ("O", class_cast)),
    "compare": (("bb", lambda one, left, right: int(left) - int(right)),),
    "equals": (("O", equals),),
    "hashCode": (("", hash_code), ("b", lambda one, value: hash_code(value))),
    "getBoolean": (("S", lambda one, name: False),),
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
