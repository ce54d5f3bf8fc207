"""
Texts as Java has them: in units of UTF-16.

A Python text may hold a character beyond U+FFFF or its two surrogates; what is printed holds the
character.

Source: the API documentation of java.lang.String, Java 17.
"""

from __future__ import annotations

import re

from .errors import VtlRenderError

__all__ = [
    "code_point_at",
    "code_point_before",
    "code_point_count",
    "compare_units",
    "joined",
    "offset_by_code_points",
    "printable",
    "units",
]

_SURROGATES = re.compile("[\ud800-\udfff]")


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


def joined(text: str) -> str:
    """
    Join surrogates to characters again.

    Args:
        text: Any text.

    Returns:
        The text; a surrogate without its other half stays.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")


def printable(text: str) -> str:
    """
    Make a text that can be encoded, as Java does when it encodes.

    Args:
        text: Any text.

    Returns:
        The text; a surrogate without its other half is a question mark.
    """
    if text.isascii() or _SURROGATES.search(text) is None:
        return text
    return _SURROGATES.sub("?", joined(text))


def compare_units(one: str, other: str) -> int:
    """
    Do `String.compareTo`.

    Args:
        one: A text.
        other: A text.

    Returns:
        The difference of the first units that differ, else of the lengths.
    """
    left, right = units(one), units(other)
    for first, second in zip(left, right, strict=False):
        if first != second:
            return ord(first) - ord(second)
    return len(left) - len(right)


def _bounds(what: str) -> VtlRenderError:
    return VtlRenderError(f"StringIndexOutOfBoundsException: {what}")


def code_point_at(text: str, index: int) -> int:
    """
    Do `String.codePointAt`.

    Args:
        text: Any text.
        index: The index of a unit.

    Returns:
        The code point that begins there.

    Raises:
        VtlRenderError: An index is out of bounds.
    """
    spelled = units(text)
    if not 0 <= index < len(spelled):
        raise _bounds(f"index {index}, length {len(spelled)}")
    return ord(joined(spelled[index : index + 2])[0])


def code_point_before(text: str, index: int) -> int:
    """
    Do `String.codePointBefore`.

    Args:
        text: Any text.
        index: The index behind a unit.

    Returns:
        The code point that ends there.

    Raises:
        VtlRenderError: An index is out of bounds.
    """
    spelled = units(text)
    if not 1 <= index <= len(spelled):
        raise _bounds(f"Index {index} out of bounds for length {len(spelled)}")
    return ord(joined(spelled[max(index - 2, 0) : index])[-1])


def code_point_count(text: str, begin: int, end: int) -> int:
    """
    Do `String.codePointCount`.

    Args:
        text: Any text.
        begin: The index of the first unit.
        end: The index behind the last.

    Returns:
        How many code points they are.

    Raises:
        VtlRenderError: An index is out of bounds.
    """
    spelled = units(text)
    if not 0 <= begin <= end <= len(spelled):
        raise _bounds(f"begin {begin}, end {end}, length {len(spelled)}")
    return len(joined(spelled[begin:end]))


def offset_by_code_points(text: str, index: int, count: int) -> int:
    """
    Do `String.offsetByCodePoints`.

    Args:
        text: Any text.
        index: The index to begin at.
        count: How many code points to go on, or back.

    Returns:
        The index there.

    Raises:
        VtlRenderError: An index is out of bounds.
    """
    spelled = units(text)
    if not 0 <= index <= len(spelled):
        raise _bounds(f"index {index}, length {len(spelled)}")
    ahead = joined(spelled[index:]) if count >= 0 else joined(spelled[:index])
    if abs(count) > len(ahead):
        raise _bounds(f"{count} code points from index {index}")
    if count >= 0:
        return index + len(units(ahead[:count]))
    return index - len(units(ahead[count:]))
