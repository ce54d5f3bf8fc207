"""
`String.format`: the conversions of java.util.Formatter for the values a template can have.

Source: the API documentation of java.util.Formatter; the locale is that of the United States.
Dates and times (`%t`) are not covered, for a template has no dates.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext

from ._digits import float_digits, hex_string
from ._equality import hash_code
from ._java import text_of
from ._values import Character, Float, class_name, is_integral
from .errors import VtlRenderError

__all__ = ["format_string"]

_SPECIFIER = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(<]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])")
_MAX_WIDTH = 10_000
_BITS = {"java.lang.Byte": 8, "java.lang.Short": 16, "java.lang.Integer": 32, "java.lang.Long": 64}


@dataclass(frozen=True, slots=True)
class _Specifier:
    flags: str
    width: int | None
    precision: int | None
    conversion: str


def format_string(pattern: str, arguments: list[object]) -> str:
    """
    Do `String.format(pattern, arguments)`.

    Args:
        pattern: The format.
        arguments: Any values.

    Returns:
        The formatted text.

    Raises:
        VtlRenderError: The format is invalid or does not fit its arguments.
    """
    parts: list[str] = []
    at = 0
    ordinary = -1
    last = -1
    while True:
        percent = pattern.find("%", at)
        if percent < 0:
            return "".join(parts) + pattern[at:]
        parts.append(pattern[at:percent])
        match = _SPECIFIER.match(pattern, percent)
        if match is None:
            raise VtlRenderError("UnknownFormatConversionException", text=pattern[percent:])
        at = match.end()
        specifier = _specifier(match)
        if specifier.conversion in "n%":
            parts.append("\n" if specifier.conversion == "n" else _pad("%", specifier))
            continue
        if "<" in specifier.flags:
            index = last
        elif match.group(1):
            index = int(match.group(1)) - 1
        else:
            ordinary += 1
            index = ordinary
        if not 0 <= index < len(arguments):
            raise VtlRenderError(f"MissingFormatArgumentException: {match.group()}")
        last = index
        parts.append(_convert(specifier, arguments[index]))


def _specifier(match: re.Match[str]) -> _Specifier:
    width = int(match.group(3)) if match.group(3) else None
    precision = int(match.group(4)) if match.group(4) else None
    if (width or 0) > _MAX_WIDTH or (precision or 0) > _MAX_WIDTH:
        raise VtlRenderError("a format wider than ten thousand characters", text=match.group())
    specifier = _Specifier(match.group(2), width, precision, match.group(5))
    _check(specifier, match.group())
    return specifier


def _check(specifier: _Specifier, source: str) -> None:
    flags, conversion = specifier.flags, specifier.conversion
    if specifier.width is None and ("-" in flags or "0" in flags):
        raise VtlRenderError(f"MissingFormatWidthException: {source}")
    if len(set(flags)) != len(flags):
        raise VtlRenderError(f"DuplicateFormatFlagsException: {flags}")
    if {"-", "0"} <= set(flags) or {"+", " "} <= set(flags):
        raise VtlRenderError(f"IllegalFormatFlagsException: {flags}")
    wrong = sorted(set(flags) & _REFUSED.get(conversion.lower(), frozenset()))
    if wrong:
        raise VtlRenderError(f"FormatFlagsConversionMismatchException: {conversion}, {wrong[0]}")
    if specifier.precision is not None and conversion.lower() in "cdoxn%":
        raise VtlRenderError(f"IllegalFormatPrecisionException: {specifier.precision}")
    if specifier.width is not None and conversion == "n":
        raise VtlRenderError(f"IllegalFormatWidthException: {specifier.width}")


# The flags that a conversion does not take.
_REFUSED = {
    **dict.fromkeys("sbhc", frozenset("#+ 0,(")),
    "d": frozenset("#"),
    "o": frozenset(","),
    "x": frozenset(","),
    "e": frozenset(","),
    "g": frozenset("#"),
    "a": frozenset("(,"),
    "n": frozenset("-#+ 0,(<"),
    "%": frozenset("#+ 0,("),
}


def _convert(specifier: _Specifier, value: object) -> str:
    lower = specifier.conversion.lower()
    converter = _CONVERTERS.get(lower)
    if converter is None or (specifier.conversion in "DFN"):
        raise VtlRenderError(f"UnknownFormatConversionException: {specifier.conversion}")
    text = converter(specifier, value)
    return text.upper() if specifier.conversion.isupper() else text


def _pad(text: str, specifier: _Specifier) -> str:
    if specifier.width is None:
        return text
    if "-" in specifier.flags:
        return text.ljust(specifier.width)
    return text.rjust(specifier.width)


def _mismatch(specifier: _Specifier, value: object) -> VtlRenderError:
    name = type(value).__name__
    return VtlRenderError(f"IllegalFormatConversionException: {specifier.conversion} != {name}")


def _string(specifier: _Specifier, value: object) -> str:
    return _pad(text_of(value)[: specifier.precision], specifier)


def _boolean(specifier: _Specifier, value: object) -> str:
    truth = value if isinstance(value, bool) else value is not None
    return _pad(("true" if truth else "false")[: specifier.precision], specifier)


def _hash(specifier: _Specifier, value: object) -> str:
    text = "null" if value is None else f"{hash_code(value) & 0xFFFFFFFF:x}"
    return _pad(text[: specifier.precision], specifier)


def _character(specifier: _Specifier, value: object) -> str:
    if value is None:
        return _pad("null", specifier)
    if isinstance(value, Character):
        return _pad(value.value, specifier)
    if is_integral(value) and isinstance(value, int) and 0 <= value <= 0x10FFFF:
        return _pad(chr(value), specifier)
    raise _mismatch(specifier, value)


def _signed(digits: str, negative: bool, specifier: _Specifier) -> str:
    flags = specifier.flags
    if "," in flags:
        whole, dot, fraction = digits.partition(".")
        digits = f"{int(whole):,}" + dot + fraction
    opening, closing = "", ""
    if negative:
        opening, closing = ("(", ")") if "(" in flags else ("-", "")
    elif "+" in flags:
        opening = "+"
    elif " " in flags:
        opening = " "
    if "0" in flags and specifier.width is not None:
        digits = digits.rjust(specifier.width - len(opening) - len(closing), "0")
    return _pad(opening + digits + closing, specifier)


def _decimal(specifier: _Specifier, value: object) -> str:
    if value is None:
        return _pad("null", specifier)
    if not is_integral(value) or not isinstance(value, int):
        raise _mismatch(specifier, value)
    return _signed(str(abs(int(value))), value < 0, specifier)


def _radix(specifier: _Specifier, value: object) -> str:
    if value is None:
        return _pad("null", specifier)
    if not is_integral(value) or not isinstance(value, int):
        raise _mismatch(specifier, value)
    number = int(value)
    if class_name(value) == "java.math.BigInteger":
        return _big_radix(specifier, number)
    if set(specifier.flags) & set("+ ("):
        raise VtlRenderError(f"FormatFlagsConversionMismatchException: {specifier.conversion}")
    if number < 0:
        number += 2 ** _BITS[class_name(value)]
    hexadecimal = specifier.conversion in "xX"
    digits = f"{number:x}" if hexadecimal else f"{number:o}"
    prefix = ("0x" if hexadecimal else "0") if "#" in specifier.flags else ""
    if "0" in specifier.flags and specifier.width is not None:
        digits = digits.rjust(specifier.width - len(prefix), "0")
    return _pad(prefix + digits, specifier)


def _big_radix(specifier: _Specifier, number: int) -> str:
    """A BigInteger has a sign in every base."""
    hexadecimal = specifier.conversion in "xX"
    prefix = ("0x" if hexadecimal else "0") if "#" in specifier.flags else ""
    digits = f"{abs(number):x}" if hexadecimal else f"{abs(number):o}"
    return _signed(prefix + digits, number < 0, specifier)


def _hexadecimal(specifier: _Specifier, value: object) -> str:
    if value is None:
        return _null(specifier)
    if not isinstance(value, float) or isinstance(value, Float):
        raise _mismatch(specifier, value)
    if value != value or math.isinf(value):
        return _pad(hex_string(value), specifier)
    return _signed(hex_string(abs(value)), math.copysign(1, value) < 0, specifier)


def _null(specifier: _Specifier) -> str:
    return _pad("null"[: specifier.precision], specifier)


def _float(specifier: _Specifier, value: object) -> str:
    if value is None:
        return _null(specifier)
    if not isinstance(value, float | Decimal):
        raise _mismatch(specifier, value)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        name = "NaN" if value != value else "Infinity"
        return _pad("-" + name if value < 0 else name, specifier)
    exact = _exact(value) if isinstance(value, float) else value
    precision = 6 if specifier.precision is None else specifier.precision
    with localcontext() as context:
        context.prec = 5000
        digits = _digits(abs(exact), precision, specifier.conversion.lower())
    if "#" in specifier.flags and precision == 0:
        digits = digits.replace("e", ".e") if "e" in digits else f"{digits}."
    return _signed(digits, exact.is_signed(), specifier)


def _exact(value: float) -> Decimal:
    """Take the digits that Java prints."""
    if value == 0:
        return Decimal(value)
    digits, exponent = float_digits(value)
    sign = "-" if value < 0 else ""
    return Decimal(f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}")


def _digits(value: Decimal, precision: int, conversion: str) -> str:
    if conversion == "g":
        precision = precision or 1
        if value and not Decimal("0.0001") <= value < Decimal(10) ** precision:
            return _scientific(value, precision - 1)
        adjusted = value.adjusted() if value else 0
        return _fixed(value, max(precision - adjusted - 1, 0))
    if conversion == "e":
        return _scientific(value, precision)
    return _fixed(value, precision)


def _fixed(value: Decimal, precision: int) -> str:
    return f"{value.quantize(Decimal(1).scaleb(-precision), rounding=ROUND_HALF_UP):f}"


def _scientific(value: Decimal, precision: int) -> str:
    exponent = value.adjusted() if value else 0
    mantissa = _fixed(value.scaleb(-exponent), precision)
    if mantissa.startswith("10"):
        exponent += 1
        mantissa = _fixed(value.scaleb(-exponent), precision)
    return f"{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


_CONVERTERS = {
    "s": _string,
    "b": _boolean,
    "h": _hash,
    "c": _character,
    "d": _decimal,
    "x": _radix,
    "o": _radix,
    "f": _float,
    "e": _float,
    "g": _float,
    "a": _hexadecimal,
}
