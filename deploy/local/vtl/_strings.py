"""
The methods of java.lang.String.

Indices count UTF-16 units, as in Java; texts without characters beyond U+FFFF need no conversion.

Source: the API documentation of java.lang.String, Java 17.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ._characters import chars
from ._elements import elements
from ._equality import equals, hash_code
from ._format import format_string
from ._java import limited, text_of
from ._regex import compile_regex, replace_all, split
from ._signatures import Table, class_cast, null_argument
from ._streams import IntStream, Stream
from ._utf16 import (
    code_point_at,
    code_point_before,
    code_point_count,
    compare_units,
    joined,
    offset_by_code_points,
    printable,
    units,
)
from ._values import MAX_LENGTH, Byte, Character, JavaArray, wrapped
from .errors import VtlRenderError

__all__ = ["STRING_METHODS"]

_WHITE = "".join(map(chr, range(33)))


def _bounds(what: str) -> VtlRenderError:
    return VtlRenderError(f"StringIndexOutOfBoundsException: {what}")


def _length(text: str) -> int:
    return len(units(text))


def _char_at(text: str, index: int) -> Character:
    spelled = units(text)
    if not 0 <= index < len(spelled):
        raise _bounds(f"index {index}, length {len(spelled)}")
    return Character(spelled[index])


def _substring(text: str, begin: int, end: int | None = None) -> str:
    spelled = units(text)
    end = len(spelled) if end is None else end
    if not 0 <= begin <= end <= len(spelled):
        raise _bounds(f"begin {begin}, end {end}, length {len(spelled)}")
    return joined(spelled[begin:end])


def _index_of(text: str, part: str, begin: int = 0) -> int:
    spelled = units(text)
    return spelled.find(units(_needed(part)), min(max(begin, 0), len(spelled)))


def _index_of_code(text: str, code: int, begin: int = 0) -> int:
    return _index_of(text, chr(code), begin) if 0 <= code <= 0x10FFFF else -1


def _last_index_of(text: str, part: str, begin: int | None = None) -> int:
    spelled, wanted = units(text), units(_needed(part))
    if begin is None:
        return spelled.rfind(wanted)
    return spelled.rfind(wanted, 0, begin + len(wanted)) if begin >= 0 else -1


def _last_index_of_code(text: str, code: int, begin: int | None = None) -> int:
    return _last_index_of(text, chr(code), begin) if 0 <= code <= 0x10FFFF else -1


def _needed(text: str | None) -> str:
    if text is None:
        raise VtlRenderError("NullPointerException")
    return text


def _compare(text: str, other: str | None) -> int:
    return compare_units(text, _needed(other))


def _fold(text: str) -> str:
    if text.isascii():
        return text.lower()
    return "".join(char.upper().lower() if len(char.upper()) == 1 else char for char in text)


def _equals_ignoring_case(text: str, other: str | None) -> bool:
    return other is not None and _fold(text) == _fold(other)


def _starts_with(text: str, prefix: str, begin: int = 0) -> bool:
    return begin >= 0 and units(text).startswith(units(_needed(prefix)), begin)


def _region_matches(text: str, begin: int, other: str, at: int, length: int) -> bool:
    one, two = units(text), units(_needed(other))
    if at < 0 or begin < 0 or begin > len(one) - length or at > len(two) - length:
        return False
    return one[begin : begin + length] == two[at : at + length]


def _region_matches_case(
    text: str, ignore: bool, begin: int, other: str, at: int, length: int
) -> bool:
    if ignore:
        return _region_matches(_fold(text), begin, _fold(_needed(other)), at, length)
    return _region_matches(text, begin, other, at, length)


def _repeat(text: str, count: int) -> str:
    if count < 0:
        raise VtlRenderError(f"IllegalArgumentException: count is negative: {count}")
    if len(text) * count > MAX_LENGTH:
        raise VtlRenderError(f"a text of more than {MAX_LENGTH} characters")
    return text * count


def _split(text: str, source: str, limit: int = 0) -> JavaArray:
    return JavaArray(split(text, _needed(source), limit), "Ljava.lang.String;")


def _join(text: str, separator: str, *items: object) -> str | None:
    parts: list[object] | None = list(items)
    if items == (None,) or not all(item is None or isinstance(item, str) for item in items):
        # Java has two methods for a null, and Velocity does not know which is meant.
        parts = None if len(items) != 1 or isinstance(items[0], Mapping) else elements(items[0])
    if parts is None:
        return None
    if not all(part is None or isinstance(part, str) for part in parts):
        raise VtlRenderError("ClassCastException: only texts are joined")
    return limited(_needed(separator).join(text_of(part) for part in parts))


_LINE_END = re.compile("\r\n|\r|\n")


def _lines(text: str) -> list[str]:
    found = _LINE_END.split(text)
    return found[:-1] if not found[-1] else found


def _indent(text: str, count: int) -> str:
    if not text:
        return ""
    if count >= 0:
        return limited("".join(f"{' ' * count}{line}\n" for line in _lines(text)))
    return "".join(f"{_without_margin(line, -count)}\n" for line in _lines(text))


def _without_margin(line: str, count: int) -> str:
    return line[min(count, len(line) - len(_stripped_left(line))) :]


def _strip_indent(text: str) -> str:
    if not text:
        return ""
    lines = _LINE_END.split(text)
    measured = [line for line in lines[:-1] if _stripped_left(line)] + [lines[-1]]
    margin = min(len(line) - len(_stripped_left(line)) for line in measured)
    return "\n".join(
        _stripped_right(line[margin:] if _stripped_left(line) else "") for line in lines
    )


_ESCAPE = re.compile(r"\\(?:([btnfrs\"'\\])|([0-3][0-7]{0,2}|[4-7][0-7]?)|(\r\n|\n|\r)|)")
_ESCAPED = dict(zip("btnfrs\"'\\", "\b\t\n\f\r \"'\\", strict=True))


def _translate_escapes(text: str) -> str:
    def translated(match: re.Match[str]) -> str:
        letter, octal, line = match.groups()
        if letter:
            return _ESCAPED[letter]
        if octal:
            return chr(int(octal, 8))
        if line:
            return ""
        raise VtlRenderError("IllegalArgumentException: Invalid escape sequence", text=text)

    return _ESCAPE.sub(translated, text)


# Java's strip() knows the spaces of Unicode but those that do not break a line.
_SPACES = "".join(
    char
    for char in map(chr, range(0x3001))
    if char.isspace() and char not in "\x85\xa0\u2007\u202f"
)


def _stripped_left(text: str) -> str:
    return text.lstrip(_SPACES)


def _stripped_right(text: str) -> str:
    return text.rstrip(_SPACES)


def _of_chars(text: str, array: JavaArray | None, begin: int = 0, count: int | None = None) -> str:
    if array is None:
        raise VtlRenderError("NullPointerException")
    end = len(array) if count is None else begin + count
    if not 0 <= begin <= end <= len(array):
        raise _bounds(f"offset {begin}, count {count}, length {len(array)}")
    return joined("".join(text_of(char) for char in array[begin:end]))


def _value_of_chars(text: str, array: JavaArray | None) -> str:
    return "null" if array is None else _of_chars(text, array)


_CHARSETS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "ascii",
    "ascii": "ascii",
    "iso-8859-1": "latin-1",
    "latin1": "latin-1",
    "utf-16": "utf-16-be",
    "utf-16be": "utf-16-be",
    "utf-16le": "utf-16-le",
}


def _bytes_in(text: str, charset: str | None) -> JavaArray | None:
    if charset is None:
        # Java has two such methods, and Velocity does not know which is meant.
        return None
    name = charset.lower()
    if name not in _CHARSETS:
        raise VtlRenderError(f"UnsupportedEncodingException: {charset}")
    mark = "\ufeff" if name == "utf-16" and text else ""
    return _signed((mark + printable(text)).encode(_CHARSETS[name], "replace"))


def _signed(data: bytes) -> JavaArray:
    return JavaArray([Byte(wrapped(byte, 8)) for byte in data], "B")


def _bytes(text: str) -> JavaArray:
    return _signed(printable(text).encode())


def _code_units(text: str) -> IntStream:
    return IntStream(ord(char) for char in units(text))


def _code_points(text: str) -> IntStream:
    return IntStream(ord(char) for char in joined(text))


def _concat(text: str, other: str) -> str:
    return limited(text + _needed(other))


def _format(text: str, pattern: str | None, *arguments: object) -> str:
    if pattern is None and arguments and isinstance(arguments[0], str):
        # The null is a Locale.
        return format_string(arguments[0], list(arguments[1:]))
    return format_string(_needed(pattern), list(arguments))


STRING_METHODS: Table = {
    "length": (("", _length),),
    "charAt": (("i", _char_at),),
    "chars": (("", _code_units),),
    "codePointAt": (("i", code_point_at),),
    "codePointBefore": (("i", code_point_before),),
    "codePointCount": (("ii", code_point_count),),
    "codePoints": (("", _code_points),),
    "compare": (("ss", lambda text, one, other: compare_units(one, other)),),
    "compareTo": (("S", _compare), ("O", class_cast)),
    "compareToIgnoreCase": (("s", lambda text, other: _compare(_fold(text), _fold(other))),),
    "concat": (("S", _concat),),
    "contains": (("S", lambda text, part: _needed(part) in text),),
    "contentEquals": (("S", lambda text, other: text == _needed(other)),),
    "copyValueOf": (
        ("?", lambda text: ""),
        ("c", lambda text, char: char.value),
        ("X", _of_chars),
        ("Xii", _of_chars),
    ),
    "endsWith": (("S", lambda text, part: text.endswith(_needed(part))),),
    "equals": (("O", equals),),
    "equalsIgnoreCase": (("S", _equals_ignoring_case),),
    "format": (("S*", _format),),
    "formatted": (("*", lambda text, *arguments: format_string(text, list(arguments))),),
    "getBytes": (("", _bytes), ("S", _bytes_in)),
    "hashCode": (("", hash_code),),
    "indent": (("i", _indent),),
    "indexOf": (
        ("S", _index_of),
        ("Si", _index_of),
        ("i", _index_of_code),
        ("ii", _index_of_code),
    ),
    "intern": (("", str),),
    "isBlank": (("", lambda text: not text.strip(_SPACES)),),
    "isEmpty": (("", lambda text: not text),),
    "join": (("S*", _join),),
    "lastIndexOf": (
        ("S", _last_index_of),
        ("Si", _last_index_of),
        ("i", _last_index_of_code),
        ("ii", _last_index_of_code),
    ),
    "lines": (("", lambda text: Stream(_lines(text))),),
    "matches": (("S", lambda text, source: bool(compile_regex(_needed(source)).fullmatch(text))),),
    "offsetByCodePoints": (("ii", offset_by_code_points),),
    "regionMatches": (("iSii", _region_matches), ("biSii", _region_matches_case)),
    "repeat": (("i", _repeat),),
    "replace": (
        ("SS", lambda text, old, new: limited(text.replace(_needed(old), _needed(new)))),
        ("cc", lambda text, old, new: text.replace(old.value, new.value)),
    ),
    "replaceAll": (
        ("SS", lambda text, source, new: limited(replace_all(text, _needed(source), new))),
    ),
    "replaceFirst": (
        ("SS", lambda text, source, new: replace_all(text, _needed(source), _needed(new), 1)),
    ),
    "split": (("S", _split), ("Si", _split)),
    "startsWith": (("S", _starts_with), ("Si", _starts_with)),
    "strip": (("", lambda text: text.strip(_SPACES)),),
    "stripIndent": (("", _strip_indent),),
    "stripLeading": (("", _stripped_left),),
    "stripTrailing": (("", _stripped_right),),
    "subSequence": (("ii", _substring),),
    "substring": (("i", _substring), ("ii", _substring)),
    "toCharArray": (("", chars),),
    "toLowerCase": (("", lambda text: text.lower()),),
    "toString": (("", str),),
    "toUpperCase": (("", lambda text: text.upper()),),
    "transform": (("N", null_argument),),
    "translateEscapes": (("", _translate_escapes),),
    "trim": (("", lambda text: text.strip(_WHITE)),),
    "valueOf": (
        ("?", lambda text: ""),
        ("X", _value_of_chars),
        ("O", lambda text, value: text_of(value)),
        ("Xii", _of_chars),
    ),
}
