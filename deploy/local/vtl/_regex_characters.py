"""
Characters and classes of Java's regular expressions, read from where the parser stands.

Source: as of `_regex_parser`, which reads the rest.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple, NoReturn

from ._code_points import (
    EMPTY,
    CodePoints,
    case_variants,
    complement,
    intersection,
    of_property,
    of_range,
    predefined,
    union,
    with_cases,
)

__all__ = ["CharacterReader", "JavaPatternError"]

_COMMENT = re.compile(r"(?:[ \t\n\x0b\f\r]|#[^\n\r\x85\u2028\u2029]*)*")
_OCTAL = re.compile("[0-3][0-7]{2}|[0-7]{1,2}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{2}|\{([0-9A-Fa-f]+)\}")
_FOUR_DIGITS = re.compile("[0-9A-Fa-f]{4}")
_SECOND_HALF = re.compile(r"\\u([dD][c-fC-F][0-9A-Fa-f]{2})")
_CONTROL = {"a": 7, "e": 27, "f": 12, "n": 10, "r": 13, "t": 9}


class JavaPatternError(Exception):
    """
    Java throws PatternSyntaxException.

    Args:
        description: As Java has it.
        index: Where, counted from 0.
        hint: What is to be done about it.
    """

    def __init__(self, description: str, index: int, hint: str = "") -> None:
        super().__init__(f"{description} near index {index}{hint and f': {hint}'}")


class _Member(NamedTuple):
    """A part of a character class: a set, or a single character that may begin a range."""

    points: CodePoints
    code: int | None = None


class CharacterReader:
    """
    Reads sets of code points: characters, escapes, properties, classes.

    Args:
        source: The pattern, without quotations.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._flags = frozenset[str]()

    # Reading

    def _error(
        self, description: str, index: int | None = None, *, hint: str = ""
    ) -> JavaPatternError:
        return JavaPatternError(description, self._at if index is None else index, hint)

    def _unsupported(self, what: str) -> NoReturn:
        raise self._error(f"{what}: not supported here")

    def _peek(self) -> str:
        """Return the next character, past spaces and comments where they are allowed."""
        if "x" in self._flags:
            match = _COMMENT.match(self._source, self._at)
            self._at = match.end() if match else self._at
        return self._source[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._peek()
        self._at += 1
        return char

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._source, self._at)
        if match is not None:
            self._at = match.end()
        return match

    # Characters

    def _single(self, code: int) -> CodePoints:
        if "i" not in self._flags:
            return of_range(code, code)
        return case_variants(code, unicode="u" in self._flags)

    def _escaped(self) -> _Member:
        """Read what follows a backslash, of what classes may have too."""
        char = self._source[self._at : self._at + 1]
        self._at += 1
        if char in ("p", "P"):
            return _Member(self._property(inverted=char == "P"))
        if char and char in "dDsSwWhHvV":
            points = predefined(char.lower(), unicode="U" in self._flags)
            return _Member(complement(points) if char.isupper() else points)
        if char in _CONTROL:
            return _Member(EMPTY, _CONTROL[char])
        if char in ("0", "x", "u", "c", "N"):
            return _Member(EMPTY, self._numeric(char))
        if not char:
            raise self._error("Unexpected internal error")
        if char.isascii() and char.isalnum():
            raise self._error("Illegal/unsupported escape sequence", self._at - 1)
        return _Member(EMPTY, ord(char))

    def _numeric(self, char: str) -> int:
        if char == "0":
            match = self._match(_OCTAL)
            if match is None:
                raise self._error("Illegal octal escape sequence")
            return int(match[0], 8)
        if char == "x":
            match = self._match(_HEXADECIMAL)
            if match is None:
                raise self._error("Illegal hexadecimal escape sequence")
            code = int(match[1] or match[0], 16)
            if code > 0x10FFFF:
                raise self._error("Hexadecimal codepoint is too big")
            return code
        if char == "u":
            return self._unicode()
        if char == "N":
            return self._by_name()
        self._at += 1
        if self._at > len(self._source):
            raise self._error("Illegal control escape sequence")
        return ord(self._source[self._at - 1]) ^ 64

    def _unicode(self) -> int:
        match = self._match(_FOUR_DIGITS)
        if match is None:
            raise self._error("Illegal Unicode escape sequence")
        code = int(match[0], 16)
        if 0xD800 <= code <= 0xDBFF:
            second = self._match(_SECOND_HALF)
            if second is not None:
                return 0x10000 + ((code - 0xD800) << 10) + int(second[1], 16) - 0xDC00
        return code

    def _by_name(self) -> int:
        end = self._source.find("}", self._at)
        if not self._source.startswith("{", self._at) or end < 0:
            raise self._error("Illegal character name escape sequence")
        name = self._source[self._at + 1 : end]
        self._at = end + 1
        try:
            return ord(unicodedata.lookup(name))
        except (KeyError, TypeError):
            raise self._error(f"Unknown character name [{name}]") from None

    def _property(self, *, inverted: bool) -> CodePoints:
        if self._next() != "{":
            name = self._source[self._at - 1 : self._at]
        else:
            end = self._source.find("}", self._at)
            if end < 0:
                raise self._error("Unclosed character family", len(self._source) - 1)
            name = self._source[self._at : end]
            self._at = end + 1
            if not name:
                raise self._error("Empty character family")
        flags = self._flags
        points = of_property(name, unicode="U" in flags, ignore_case="i" in flags)
        if points is None:
            if name.startswith(("Is", "In")) or "=" in name:
                self._unsupported(f"the script or block {name}")
            raise self._error(f"Unknown character property name {{{name}}}")
        return complement(points) if inverted else points

    # Character classes

    def _class(self, *, consume: bool) -> CodePoints:
        """
        Read a class, its bracket or the first character of the right side of `&&` already read.

        Single characters and ranges join what is before them; `&&` takes all that is before it.
        """
        inverted = consume and self._peek() == "^"
        self._at += inverted
        found: CodePoints | None = None
        while True:
            char = self._peek()
            if char == "":
                raise self._error("Unclosed character class", len(self._source) - 1)
            if char == "]" and found is not None:
                self._at += consume
                return complement(found) if inverted else found
            if char == "[":
                self._at += 1
                part = self._class(consume=True)
            elif char == "&" and self._both_ahead():
                found = self._intersected(found)
                continue
            else:
                part = self._range()
            found = part if found is None else union(found, part)

    def _both_ahead(self) -> bool:
        """Read `&&`, if that is what follows."""
        before = self._at
        self._at += 1
        if self._peek() == "&":
            self._at += 1
            return True
        self._at = before
        return False

    def _intersected(self, left: CodePoints | None) -> CodePoints:
        right: CodePoints | None = None
        while (char := self._peek()) not in ("]", "&"):
            bracket = char == "["
            self._at += bracket
            part = self._class(consume=bracket)
            right = part if right is None else union(right, part)
        if left is None:
            if right is None:
                raise self._error("Bad class syntax")
            return right
        return left if right is None else intersection(left, right)

    def _range(self) -> CodePoints:
        first = self._class_member()
        if first.code is None:
            return first.points
        if self._peek() != "-" or self._source[self._at + 1 : self._at + 2] in ("[", "]"):
            return self._single(first.code)
        self._at += 1
        last = self._class_member()
        if last.code is None or last.code < first.code:
            raise self._error("Illegal character range")
        points = of_range(first.code, last.code)
        return with_cases(points, unicode="u" in self._flags) if "i" in self._flags else points

    def _class_member(self) -> _Member:
        char = self._peek()
        if not char:
            raise self._error("Unclosed character class", len(self._source) - 1)
        self._at += 1
        if char != "\\":
            return _Member(EMPTY, ord(char))
        # Before a range `\v` is the vertical tabulator, as it was in Java 7.
        if self._source.startswith("v-", self._at):
            self._at += 1
            return _Member(EMPTY, 11)
        return self._escaped()
