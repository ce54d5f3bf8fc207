"""
The digits of floating-point numbers, as Java up to version 18 finds them.

They are not always the fewest: 2.0E-3 prints so, yet 2.2E-322 and 9.2233720268547758E18 have a
digit too many (JDK-4511638). Numbers are taken apart into `fraction * 2 ** exponent`, digits are
divided off until what is left is less than half a unit of the last binary place.

Source: observed behaviour of Java 17 (24 November 2026, a million random numbers); the method is
that of G. L. Steele and J. L. White, "How to Print Floating-Point Numbers Accurately".
"""

from __future__ import annotations

import math
from functools import lru_cache

from ._values import Float, wrapped

__all__ = ["float_digits", "hex_string"]

_FRACTION = 52
# Numbers of so many binary digits before the point are whole and printed as integers.
_LARGEST_WHOLE = 62
# How many bits a power of five has is tabulated up to here, and estimated beyond.
_FIVES = [(5**power).bit_length() for power in range(27)]


def float_digits(value: float) -> tuple[str, int]:
    """
    Tell the digits of a Double or a Float.

    Args:
        value: A finite number that is not zero; its sign does not matter.

    Returns:
        The digits, and the power of ten of the first of them.
    """
    return _digits(abs(float(value)), 24 if isinstance(value, Float) else 53)


@lru_cache(maxsize=1024)
def _digits(value: float, precision: int) -> tuple[str, int]:
    fraction, exponent, significant = _parts(value, precision)
    used = _FRACTION + 1 - ((fraction & -fraction).bit_length() - 1)
    behind = max(0, used - exponent - 1)
    if behind == 0 and exponent <= _LARGEST_WHOLE:
        return _whole(fraction, exponent, significant)
    return _divided(fraction, exponent, significant, used, behind)


def _parts(value: float, precision: int) -> tuple[int, int, int]:
    """Return 53 bits, the power of two of the first, and how many of them are significant."""
    mantissa, exponent = math.frexp(value)
    fraction = int(mantissa * 2 ** (_FRACTION + 1))
    smallest = -1022 if precision == 53 else -126
    missing = max(0, smallest - (exponent - 1))
    return fraction, exponent - 1, precision - missing


def _whole(fraction: int, exponent: int, significant: int) -> tuple[str, int]:
    number = fraction << exponent >> _FRACTION
    dropped = 0
    if exponent > significant:
        dropped = int((exponent - significant - 1) * math.log10(2))
    if dropped:
        number, rest = divmod(number, 10**dropped)
        number += rest >= 10**dropped // 2
    text = str(number)
    return text.rstrip("0"), len(text) - 1 + dropped


def _divided(
    fraction: int, exponent: int, significant: int, used: int, behind: int
) -> tuple[str, int]:
    decimal = _estimate(fraction, exponent)
    fives, scale_fives = max(0, -decimal), max(0, decimal)
    twos = fives + behind + exponent
    unit = twos - significant
    twos -= used - 1
    scale_twos = scale_fives + behind
    shift = min(twos, scale_twos)
    # Below a power of two the next number is half as far away.
    unit -= shift + (used == 1)
    twos, scale_twos = twos - shift, scale_twos - shift
    if unit < 0:
        twos, scale_twos, unit = twos - unit, scale_twos - unit, 0
    bits = used + twos + _bits_of_five(fives)
    tens_bits = scale_twos + 1 + _bits_of_five(scale_fives + 1)
    width = next((width for width in (32, 64) if bits < width and tens_bits < width), 0)
    return _generated(
        (fraction >> (_FRACTION + 1 - used)) * 5**fives << twos,
        5**scale_fives << scale_twos,
        5**fives << unit,
        decimal,
        width,
    )


def _bits_of_five(power: int) -> int:
    if power == 0:
        return 0
    return _FIVES[power] if power < len(_FIVES) else power * 3


def _estimate(fraction: int, exponent: int) -> int:
    """Estimate the power of ten, one too high at most."""
    mantissa: float = fraction / 2**_FRACTION
    return math.floor((mantissa - 1.5) * 0.289529654 + 0.176091259 + exponent * 0.301029995663981)


def _generated(rest: int, scale: int, unit: int, decimal: int, width: int) -> tuple[str, int]:
    """
    Divide the digits off.

    Java does so in integers of `width` bits and lets them overflow; 0 stands for any size, and then
    a tie counts as high.
    """
    tens = scale * 10
    digit, rest = divmod(rest, scale)
    rest, unit = rest * 10, unit * 10
    low, high = _close(rest, unit, tens, width)
    digits = [digit] if digit or high else []
    decimal -= not digits
    if not -3 <= decimal < 8:
        # There is to be a digit behind the point.
        low = high = False
    while not low and not high:
        digit, rest = divmod(rest, scale)
        rest, unit = rest * 10, unit * 10
        overflows = width and wrapped(unit, width) <= 0
        low, high = (True, True) if overflows else _close(rest, unit, tens, width)
        digits.append(digit)
    excess = rest * 2 - tens
    return _rounded(digits, low, high, wrapped(excess, width) if width else excess, decimal)


def _close(rest: int, unit: int, tens: int, width: int) -> tuple[bool, bool]:
    """Say whether the digits so far, or the next higher ones, are close enough."""
    if width:
        return rest < unit, wrapped(rest + unit, width) > tens
    return rest < unit, rest + unit >= tens


def _rounded(
    digits: list[int], low: bool, high: bool, excess: int, decimal: int
) -> tuple[str, int]:
    if high and (not low or excess > 0 or (excess == 0 and digits[-1] % 2)):
        number = str(int("".join(map(str, digits))) + 1)
        return number.rstrip("0"), decimal + len(number) - len(digits)
    return "".join(map(str, digits)).rstrip("0"), decimal


def hex_string(value: float) -> str:
    """
    Do `Double.toHexString`.

    Args:
        value: Any float.

    Returns:
        `0x1.8p0`, `NaN`, `-Infinity`.
    """
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    mantissa, _, exponent = value.hex().partition("p")
    whole, _, fraction = mantissa.partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}p{int(exponent)}"
