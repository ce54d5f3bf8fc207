"""
The methods of java.lang.String and java.lang.Character.

Indices count UTF-16 units, as in Java; texts without characters beyond U+FFFF need no conversion.

Source: the API documentation of java.lang.String, Java 17.
"""

from __future__ import annotations

from ._format import format_string
from ._java import limited, text_of
from ._regex import compile_regex, replace_all, split
from ._signatures import Table, class_cast
from ._values import MAX_LENGTH, Character, JavaArray, equals, hash_code
from .errors import VtlRenderError

__all__ = ["CHARACTER_METHODS", "STRING_METHODS", "units"]

_WHITE = "".join(map(chr, range(33)))


def units(text: str) -> str:
    """
    Spell a text in UTF-16 units.

    Args:
        text: Any text.

    Returns:
        The text with each character beyond U+FFFF as two surrogates.
    """
    if text.isascii() or max(text) <= "\uffff":
        return text
    data = text.encode("utf-16-be", "surrogatepass")
    pairs = zip(data[::2], data[1::2], strict=True)
    return "".join(chr(high << 8 | low) for high, low in pairs)


def _joined(text: str) -> str:
    """Join surrogates to characters again."""
    if text.isascii():
        return text
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")


def _bounds(what: str) -> VtlRenderError:
    return VtlRenderError(f"StringIndexOutOfBoundsException: {what}")


def _length(text: str) -> int:
    return len(units(text))


def _char_at(text: str, index: int) -> Character:
    spelled = units(text)
    if not 0 <= index < len(spelled):
        raise _bounds(f"index {index}, length {len(spelled)}")
    return Character(spelled[index])


def _code_point_at(text: str, index: int) -> int:
    spelled = units(text)
    if not 0 <= index < len(spelled):
        raise _bounds(f"index {index}, length {len(spelled)}")
    return ord(_joined(spelled[index : index + 2])[0])


def _substring(text: str, begin: int, end: int | None = None) -> str:
    spelled = units(text)
    end = len(spelled) if end is None else end
    if not 0 <= begin <= end <= len(spelled):
        raise _bounds(f"begin {begin}, end {end}, length {len(spelled)}")
    return _joined(spelled[begin:end])


def _index_of(text: str, part: str, begin: int = 0) -> int:
    return units(text).find(units(_needed(part)), max(begin, 0))


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


def _compare(text: str, other: str) -> int:
    one, two = units(text), units(_needed(other))
    for left, right in zip(one, two, strict=False):
        if left != right:
            return ord(left) - ord(right)
    return len(one) - len(two)


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


def _join(text: str, separator: str, *items: object) -> str:
    parts = items[0] if len(items) == 1 and isinstance(items[0], list) else list(items)
    if not all(part is None or isinstance(part, str) for part in parts):
        raise VtlRenderError("ClassCastException: only texts are joined")
    return limited(_needed(separator).join(text_of(part) for part in parts))


def _join_texts(text: str, separator: str, *items: object) -> object:
    plain = all(item is None or isinstance(item, str) for item in items)
    if not plain and not (len(items) == 1 and isinstance(items[0], list)):
        return None
    return _join(text, separator, *items)


def _bytes(text: str) -> JavaArray:
    return JavaArray([byte - 256 if byte > 127 else byte for byte in text.encode()], "B")


def _concat(text: str, other: str) -> str:
    return limited(text + _needed(other))


def _format(text: str, pattern: str, *arguments: object) -> str:
    return format_string(_needed(pattern), list(arguments))


STRING_METHODS: Table = {
    "length": (("", _length),),
    "charAt": (("i", _char_at),),
    "codePointAt": (("i", _code_point_at),),
    "compareTo": (("S", _compare), ("O", class_cast)),
    "compareToIgnoreCase": (("S", lambda text, other: _compare(_fold(text), _fold(other))),),
    "concat": (("S", _concat),),
    "contains": (("S", lambda text, part: _needed(part) in text),),
    "contentEquals": (("S", lambda text, other: text == _needed(other)),),
    "endsWith": (("S", lambda text, part: text.endswith(_needed(part))),),
    "equals": (("O", equals),),
    "equalsIgnoreCase": (("S", _equals_ignoring_case),),
    "format": (("S*", _format),),
    "formatted": (("*", lambda text, *arguments: format_string(text, list(arguments))),),
    "getBytes": (("", _bytes),),
    "hashCode": (("", hash_code),),
    "indexOf": (
        ("S", _index_of),
        ("Si", _index_of),
        ("i", _index_of_code),
        ("ii", _index_of_code),
    ),
    "intern": (("", str),),
    "isBlank": (("", lambda text: not text.strip()),),
    "isEmpty": (("", lambda text: not text),),
    "join": (("S*", _join_texts),),
    "lastIndexOf": (
        ("S", _last_index_of),
        ("Si", _last_index_of),
        ("i", _last_index_of_code),
        ("ii", _last_index_of_code),
    ),
    "matches": (("S", lambda text, source: bool(compile_regex(_needed(source)).fullmatch(text))),),
    "regionMatches": (("iSii", _region_matches), ("biSii", _region_matches_case)),
    "repeat": (("i", _repeat),),
    "replace": (
        ("SS", lambda text, old, new: limited(text.replace(_needed(old), _needed(new)))),
        ("cc", lambda text, old, new: text.replace(old.value, new.value)),
    ),
    "replaceAll": (
        ("SS", lambda text, source, new: limited(replace_all(text, _needed(source), _needed(new)))),
    ),
    "replaceFirst": (
        ("SS", lambda text, source, new: replace_all(text, _needed(source), _needed(new), 1)),
    ),
    "split": (("S", _split), ("Si", _split)),
    "startsWith": (("S", _starts_with), ("Si", _starts_with)),
    "strip": (("", lambda text: text.strip()),),
    "stripLeading": (("", lambda text: text.lstrip()),),
    "stripTrailing": (("", lambda text: text.rstrip()),),
    "subSequence": (("ii", _substring),),
    "substring": (("i", _substring), ("ii", _substring)),
    "toCharArray": (("", lambda text: JavaArray(map(Character, units(text)), "C")),),
    "toLowerCase": (("", lambda text: text.lower()),),
    "toString": (("", str),),
    "toUpperCase": (("", lambda text: text.upper()),),
    "trim": (("", lambda text: text.strip(_WHITE)),),
    "valueOf": (("O", lambda text, value: text_of(value)),),
}

CHARACTER_METHODS: Table = {
    "charValue": (("", lambda char: char),),
    "compareTo": (("H", lambda char, other: ord(char.value) - ord(other.value)), ("O", class_cast)),
    "equals": (("O", equals),),
    "hashCode": (("", hash_code),),
    "toString": (("", lambda char: char.value), ("c", lambda char, other: other.value)),
    "isDigit": (("c", lambda char, other: other.value.isdecimal()),),
    "isLetter": (("c", lambda char, other: other.value.isalpha()),),
    "isLetterOrDigit": (
        ("c", lambda char, other: other.value.isalpha() or other.value.isdecimal()),
    ),
    "isUpperCase": (("c", lambda char, other: other.value.isupper()),),
    "isLowerCase": (("c", lambda char, other: other.value.islower()),),
    "isWhitespace": (("c", lambda char, other: other.value.isspace()),),
    "toUpperCase": (("c", lambda char, other: Character(other.value.upper()[:1])),),
    "toLowerCase": (("c", lambda char, other: Character(other.value.lower()[:1])),),
    "valueOf": (("c", lambda char, other: other),),
}
