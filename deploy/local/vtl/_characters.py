"""
The methods of java.lang.Character, most of which are static and take a char or a code point.

Source: the API documentation of java.lang.Character, Java 17. Its Unicode is 13, Python 3.11's is
14: a few hundred new characters differ.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from ._equality import equals, hash_code
from ._signatures import Table, class_cast
from ._utf16 import (
    code_point_at,
    code_point_before,
    code_point_count,
    joined,
    offset_by_code_points,
    units,
)
from ._values import Character, JavaArray
from .errors import VtlRenderError

__all__ = ["CHARACTER_METHODS", "chars"]

_TYPES = {
    "Cn": 0,
    "Lu": 1,
    "Ll": 2,
    "Lt": 3,
    "Lm": 4,
    "Lo": 5,
    "Mn": 6,
    "Me": 7,
    "Mc": 8,
    "Nd": 9,
    "Nl": 10,
    "No": 11,
    "Zs": 12,
    "Zl": 13,
    "Zp": 14,
    "Cc": 15,
    "Cf": 16,
    "Co": 18,
    "Cs": 19,
    "Pd": 20,
    "Ps": 21,
    "Pe": 22,
    "Pc": 23,
    "Po": 24,
    "Sm": 25,
    "Sc": 26,
    "Sk": 27,
    "So": 28,
    "Pi": 29,
    "Pf": 30,
}
_NO_BREAK = "\u00a0\u2007\u202f"
_JAVA_SPACES = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f"
_LAST = 0x10FFFF
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def chars(text: str) -> JavaArray:
    """
    Make a char[] of a text.

    Args:
        text: Any text.

    Returns:
        Its UTF-16 units.
    """
    return JavaArray(map(Character, units(text)), "C")


def _text(value: object) -> str:
    """Return the character of a Character or a code point; empty for what is none."""
    if isinstance(value, Character):
        return value.value
    return chr(value) if isinstance(value, int) and 0 <= value <= _LAST else ""


def _category(value: object) -> str:
    text = _text(value)
    return unicodedata.category(text) if text else "Cn"


def _is(categories: str) -> Callable[[object, object], bool]:
    wanted = frozenset(categories.split())
    return lambda char, value: _category(value) in wanted


def _whitespace(value: object) -> bool:
    text = _text(value)
    if not text:
        return False
    return text in _JAVA_SPACES or (_category(value).startswith("Z") and text not in _NO_BREAK)


def _ignorable(value: object) -> bool:
    text = _text(value)
    if not text:
        return False
    code = ord(text)
    return _category(value) == "Cf" or code < 9 or 14 <= code < 28 or 127 <= code < 160


def _identifier_start(value: object) -> bool:
    return _category(value) in _IDENTIFIER_STARTS


def _identifier_part(value: object) -> bool:
    return _category(value) in _IDENTIFIER_PARTS or _ignorable(value)


_LETTERS = "Lu Ll Lt Lm Lo"
_IDENTIFIER_STARTS = frozenset(f"{_LETTERS} Nl Sc Pc".split())
_IDENTIFIER_PARTS = _IDENTIFIER_STARTS | {"Nd", "Mc", "Mn"}


def _changed(change: Callable[[str], str]) -> Callable[[object, object], object]:
    def changed(char: object, value: object) -> object:
        text = _text(value)
        result = change(text) if text else text
        # What becomes two characters stays as it is.
        result = result if len(result) == 1 else text
        if isinstance(value, Character):
            return Character(result)
        return ord(result) if result else value

    return changed


def _digit(char: object, value: object, radix: int) -> int:
    text = _text(value)
    if not text or not 2 <= radix <= 36:
        return -1
    digit = unicodedata.decimal(text, -1)
    if digit < 0:
        digit = _letter_value(text)
    return digit if 0 <= digit < radix else -1


def _letter_value(text: str) -> int:
    plain = unicodedata.normalize("NFKC", text) if "\uff21" <= text <= "\uff5a" else text
    return _DIGITS.find(plain.lower()) if plain.isascii() and plain.isalpha() else -1


def _numeric_value(char: object, value: object) -> int:
    text = _text(value)
    if not text:
        return -1
    number = unicodedata.numeric(text, -1)
    if number < 0:
        return _letter_value(text)
    return int(number) if number == int(number) else -2


def _for_digit(char: object, digit: int, radix: int) -> Character:
    inside = 2 <= radix <= 36 and 0 <= digit < radix
    return Character(_DIGITS[digit] if inside else "\0")


def _valid(code: int) -> str:
    if not 0 <= code <= _LAST:
        raise VtlRenderError(f"IllegalArgumentException: Not a valid Unicode code point: {code:#X}")
    return chr(code)


def _name(char: object, code: int) -> str | None:
    return unicodedata.name(_valid(code), None)


def _surrogates(char: object, code: int) -> tuple[int, int]:
    return (0xD800 - (0x10000 >> 10) + (code >> 10)) & 0xFFFF, 0xDC00 | code & 0x3FF


def _between(low: str, high: str) -> Callable[[object, Character], bool]:
    return lambda char, value: low <= value.value <= high


def _pair(char: object, one: Character, other: Character) -> bool:
    return "\ud800" <= one.value <= "\udbff" and "\udc00" <= other.value <= "\udfff"


def _code_point(char: object, one: Character, other: Character) -> int:
    return (ord(one.value) << 10) + ord(other.value) + 0x10000 - (0xD800 << 10) - 0xDC00


def _reverse(char: object, value: Character) -> Character:
    code = ord(value.value)
    return Character(chr((code & 0xFF) << 8 | code >> 8))


def _order(one: Character, other: Character) -> int:
    return ord(one.value) - ord(other.value)


CHARACTER_METHODS: Table = {
    "charValue": (("", lambda char: char),),
    "compareTo": (("c", _order), ("O", class_cast)),
    "compare": (("cc", lambda char, one, other: _order(one, other)),),
    "equals": (("O", equals),),
    "hashCode": (("", hash_code), ("c", lambda char, other: hash_code(other))),
    "toString": (
        ("", lambda char: char.value),
        ("c", lambda char, other: other.value),
        ("i", lambda char, code: _valid(code)),
    ),
    "valueOf": (("c", lambda char, other: other),),
    "isDigit": (("p", _is("Nd")),),
    "isLetter": (("p", _is(_LETTERS)),),
    "isLetterOrDigit": (("p", _is(f"{_LETTERS} Nd")),),
    "isAlphabetic": (("i", _is(f"{_LETTERS} Nl")),),
    "isUpperCase": (("p", lambda char, value: _text(value).isupper()),),
    "isLowerCase": (("p", lambda char, value: _text(value).islower()),),
    "isTitleCase": (("p", _is("Lt")),),
    "isWhitespace": (("p", lambda char, value: _whitespace(value)),),
    "isSpaceChar": (("p", _is("Zs Zl Zp")),),
    "isSpace": (("c", lambda char, value: value.value in "\t\n\f\r "),),
    "isISOControl": (("p", _is("Cc")),),
    "isDefined": (("p", lambda char, value: _category(value) != "Cn"),),
    "isMirrored": (
        ("p", lambda char, value: bool(_text(value)) and unicodedata.mirrored(_text(value)) == 1),
    ),
    "isIdentifierIgnorable": (("p", lambda char, value: _ignorable(value)),),
    "isJavaIdentifierStart": (("p", lambda char, value: _identifier_start(value)),),
    "isJavaIdentifierPart": (("p", lambda char, value: _identifier_part(value)),),
    "isJavaLetter": (("c", lambda char, value: _identifier_start(value)),),
    "isJavaLetterOrDigit": (("c", lambda char, value: _identifier_part(value)),),
    "isUnicodeIdentifierStart": (("p", _is(f"{_LETTERS} Nl")),),
    "isUnicodeIdentifierPart": (
        (
            "p",
            lambda char, value: _is(f"{_LETTERS} Nl Nd Mc Mn Pc")(char, value) or _ignorable(value),
        ),
    ),
    "isIdeographic": (
        ("i", lambda char, code: "CJK UNIFIED" in unicodedata.name(_text(code) or "\0", "")),
    ),
    "isValidCodePoint": (("i", lambda char, code: 0 <= code <= _LAST),),
    "isBmpCodePoint": (("i", lambda char, code: 0 <= code <= 0xFFFF),),
    "isSupplementaryCodePoint": (("i", lambda char, code: 0x10000 <= code <= _LAST),),
    "isSurrogate": (("c", _between("\ud800", "\udfff")),),
    "isHighSurrogate": (("c", _between("\ud800", "\udbff")),),
    "isLowSurrogate": (("c", _between("\udc00", "\udfff")),),
    "isSurrogatePair": (("cc", _pair),),
    "toCodePoint": (("cc", _code_point),),
    "highSurrogate": (("i", lambda char, code: Character(chr(_surrogates(char, code)[0]))),),
    "lowSurrogate": (("i", lambda char, code: Character(chr(_surrogates(char, code)[1]))),),
    "codePointAt": (("si", lambda char, text, index: code_point_at(text, index)),),
    "codePointBefore": (("si", lambda char, text, index: code_point_before(text, index)),),
    "codePointCount": (("sii", lambda char, *given: code_point_count(*given)),),
    "offsetByCodePoints": (("sii", lambda char, *given: offset_by_code_points(*given)),),
    "charCount": (("i", lambda char, code: 2 if code >= 0x10000 else 1),),
    "toChars": (("i", lambda char, code: chars(joined(_valid(code)))),),
    "getNumericValue": (("p", _numeric_value),),
    "getType": (("p", lambda char, value: _TYPES[_category(value)]),),
    "getName": (("i", _name),),
    "digit": (("pi", _digit),),
    "forDigit": (("ii", _for_digit),),
    "reverseBytes": (("c", _reverse),),
    "toUpperCase": (("p", _changed(str.upper)),),
    "toLowerCase": (("p", _changed(str.lower)),),
    "toTitleCase": (("p", _changed(str.title)),),
}
