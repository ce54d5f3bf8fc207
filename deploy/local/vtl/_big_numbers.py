"""
The methods of java.math.BigInteger and BigDecimal.

Source: the API documentation of the classes, Java 17.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ._java import MAX_BITS, text_of
from ._numbers import COMMON, as_long, compare_values, in_radix
from ._signatures import Table, class_cast
from ._values import LONG_MAX, LONG_MIN, BigInteger, Byte, JavaArray, Short, wrapped
from .errors import VtlRenderError

__all__ = ["BIG_INTEGER_METHODS", "DECIMAL_METHODS"]


def _as_big(value: int) -> int:
    return BigInteger(value) if LONG_MIN <= value <= LONG_MAX else int(value)


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


def _exactly(bits: int, make: Callable[[int], int]) -> Callable[[int], int]:
    def value(number: int) -> int:
        if wrapped(int(number), bits) != number:
            raise VtlRenderError("ArithmeticException: BigInteger out of range")
        return make(int(number))

    return value


def _power_modulus(number: int, exponent: int, modulus: int) -> int:
    if modulus <= 0:
        raise VtlRenderError("ArithmeticException: BigInteger: modulus not positive")
    return _as_big(_inverse(lambda: pow(int(number), int(exponent), int(modulus))))


def _inverse(compute: Callable[[], int]) -> int:
    try:
        return compute()
    except ValueError:
        raise VtlRenderError("ArithmeticException: BigInteger not invertible.") from None


def _bit(change: Callable[[int, int], int]) -> Callable[[int, int], int]:
    def changed(number: int, bit: int) -> int:
        if bit < 0:
            raise VtlRenderError("ArithmeticException: Negative bit address")
        return _as_big(_sized(bit) and change(int(number), 1 << bit))

    return changed


def _test_bit(number: int, bit: int) -> bool:
    if bit < 0:
        raise VtlRenderError("ArithmeticException: Negative bit address")
    return bool(number >> bit & 1)


def _bytes(number: int) -> JavaArray:
    length = (number if number >= 0 else ~number).bit_length() // 8 + 1
    data = int(number).to_bytes(length, "big", signed=True)
    return JavaArray([Byte(wrapped(byte, 8)) for byte in data], "B")


def _pair(one: int, other: int) -> JavaArray:
    return JavaArray([_as_big(one), _as_big(other)], "Ljava.math.BigInteger;")


def _remainder(number: int, other: int) -> int:
    return number - _big_divide(number, other) * other


def _root_and_rest(number: int) -> JavaArray:
    root = _big_root(number)
    return _pair(root, number - root * root)


def _prime(number: int, certainty: int) -> bool:
    return certainty <= 0 or _is_prime(abs(int(number)))


def _next_prime(number: int) -> int:
    if number < 0:
        raise VtlRenderError(f"ArithmeticException: start < 0: {number}")
    candidate = int(number) + 1
    while not _is_prime(candidate):
        candidate += 1
    return _as_big(candidate)


def _is_prime(number: int) -> bool:
    """Do the test of Miller and Rabin, for the bases that decide all numbers below 2 ** 81."""
    if number < 2:
        return False
    for prime in _BASES:
        if number % prime == 0:
            return number == prime
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(_passes(pow(base, odd, number), number, twos) for base in _BASES)


def _passes(power: int, number: int, twos: int) -> bool:
    if power in (1, number - 1):
        return True
    for _ in range(twos - 1):
        power = power * power % number
        if power == number - 1:
            return True
    return False


_BASES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)


BIG_INTEGER_METHODS: Table = {
    **COMMON,
    "compareTo": (("G", compare_values), ("O", class_cast)),
    "toString": (("", text_of), ("i", lambda number, radix: in_radix(number, radix))),
    "valueOf": (("l", lambda number, value: _as_big(value)),),
    "add": (("g", lambda number, other: _as_big(number + other)),),
    "subtract": (("g", lambda number, other: _as_big(number - other)),),
    "multiply": (("g", _big_multiply),),
    "divide": (("g", _big_divide),),
    "remainder": (("g", lambda number, other: _as_big(_remainder(number, other))),),
    "divideAndRemainder": (
        (
            "g",
            lambda number, other: _pair(_big_divide(number, other), _remainder(number, other)),
        ),
    ),
    "mod": (("g", _big_modulus),),
    "modPow": (("gg", _power_modulus),),
    "modInverse": (("g", lambda number, modulus: _power_modulus(number, -1, modulus)),),
    "pow": (("i", _big_power),),
    "gcd": (("g", lambda number, other: _as_big(math.gcd(number, other))),),
    "max": (("g", lambda number, other: _as_big(max(number, other))),),
    "min": (("g", lambda number, other: _as_big(min(number, other))),),
    "sqrt": (("", _big_root),),
    "sqrtAndRemainder": (("", _root_and_rest),),
    "and": (("g", lambda number, other: _as_big(int(number) & int(other))),),
    "or": (("g", lambda number, other: _as_big(int(number) | int(other))),),
    "xor": (("g", lambda number, other: _as_big(int(number) ^ int(other))),),
    "andNot": (("g", lambda number, other: _as_big(int(number) & ~int(other))),),
    "not": (("", lambda number: _as_big(~int(number))),),
    "shiftLeft": (("i", lambda number, by: _big_shift(number, by)),),
    "shiftRight": (("i", lambda number, by: _big_shift(number, -by)),),
    "testBit": (("i", _test_bit),),
    "setBit": (("i", _bit(lambda number, mask: number | mask)),),
    "clearBit": (("i", _bit(lambda number, mask: number & ~mask)),),
    "flipBit": (("i", _bit(lambda number, mask: number ^ mask)),),
    "getLowestSetBit": (("", lambda number: (number & -number).bit_length() - 1),),
    "bitCount": (("", lambda number: (number if number >= 0 else ~number).bit_count()),),
    "bitLength": (("", lambda number: (number if number >= 0 else ~number).bit_length()),),
    "negate": (("", lambda number: _as_big(-number)),),
    "abs": (("", lambda number: _as_big(abs(number))),),
    "signum": (("", lambda number: (number > 0) - (number < 0)),),
    "isProbablePrime": (("i", _prime),),
    "nextProbablePrime": (("", _next_prime),),
    "toByteArray": (("", _bytes),),
    "intValueExact": (("", _exactly(32, int)),),
    "longValueExact": (("", _exactly(64, as_long)),),
    "shortValueExact": (("", _exactly(16, Short)),),
    "byteValueExact": (("", _exactly(8, Byte)),),
}

DECIMAL_METHODS: Table = {
    **COMMON,
    "compareTo": (("E", compare_values), ("O", class_cast)),
    "toString": (("", text_of),),
    "toPlainString": (("", lambda number: f"{number:f}"),),
    "signum": (("", lambda number: (number > 0) - (number < 0)),),
    "scale": (("", lambda number: -number.as_tuple().exponent),),
    "negate": (("", lambda number: -number),),
    "abs": (("", abs),),
}
