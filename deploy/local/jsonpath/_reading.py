r"""
JSON text to values, as json-smart's permissive mode reads it, which also takes what is not JSON.

A text that begins with neither bracket nor quote is a string, whatever it holds: that is why
templates read form bodies with `$input.path('$').split('&')`. Within brackets quotes may be single
or missing, commas may be doubled or trail, numbers may have leading zeros, control characters need
no escape, and what follows the end of an object, a list or a quoted string is not looked at.

    a=1&b=2  ->  "a=1&b=2"        {a: 'b', n: 007,}  ->  {"a": "b", "n": 7}        {"a"  ->  refused

Source: json-smart 2.6.0, which Jayway's JsonPath uses by default; compared with it text by text on
2026-11-24. That API Gateway reads bodies so was observed by third parties, without the cases at the
edges.
"""

from __future__ import annotations

import json
import re
import sys
from decimal import Decimal, InvalidOperation

from ._document import JsonArray

__all__ = ["BrokenJsonError", "parse"]

# A number of more characters than a Double can tell apart is a BigDecimal.
_DOUBLE_LENGTH = 18

_MAX_DEPTH = 400
# Of a BigDecimal.
_MAX_EXPONENT = 2**31 - 1
# The end of the text; the character itself ends it too.
_END = "\x1a"
_JAVA_WHITESPACE = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
_JAVA_WHITESPACE += "\u2008\u2009\u200a\u2028\u2029\u205f\u3000"
_SPACES = re.compile(r"[ \r\n\t]*")
# Behind keys, numbers and values every control character counts as space.
_CONTROLS = re.compile(r"[\x00-\x19\x1b-\x20]*")
_NUMBER = re.compile(
    r"[-0-9][0-9]*(?P<fraction>\.[0-9]*)?(?P<exponent>[eE](?P<digits>[+-]?[0-9]*))?"
)
_WORDS = {"null": None, "true": True, "false": False, "NaN": float("nan")}
_UNTIL_COLON = re.compile(r"[^:\x1a]*")
_UNTIL = {
    "object": re.compile(r"[^,}\x1a]*"),
    "list": re.compile(r"[^,\]\x1a]*"),
    "document": re.compile(r"[^\x1a]*"),
}
_STOPS = {"object": ",}", "list": ",]", "document": ""}
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "b": "\b"}
_ESCAPES |= {char: char for char in "\\/'\""}
_ESCAPED = re.compile(
    r"\\u(?P<four>[0-9A-Fa-f]{4})|\\x(?P<two>[0-9A-Fa-f]{2})|\\(?P<bad>[ux])|\\(?P<one>.)"
    r"|(?P<dropped>[\x00-\x1f\x7f])",
    re.DOTALL,
)


class BrokenJsonError(ValueError):
    """A text that begins as JSON and does not go on so."""


def parse(text: str) -> object:
    """
    Read a text.

    Args:
        text: JSON text, or another.

    Returns:
        dicts in document order, `JsonArray` for arrays, integers of any size, floats, and Decimals
        for numbers too long for a float; a string for a text that is not JSON at all.

    Raises:
        BrokenJsonError: A bracket or a quote is not closed, a character stands where none may, or
            the nesting is too deep.
    """
    try:
        # The same for what is JSON, and many times faster; but that json-smart drops a DEL from a
        # string with escapes. Whether AWS does is not known, and nothing is lost here.
        return _wrapped(json.loads(text, parse_float=_decimal, parse_constant=_refused))
    except (ValueError, RecursionError):
        pass
    return _Reader(text).document()


def _decimal(text: str) -> float | Decimal:
    try:
        if len(text) <= _DOUBLE_LENGTH:
            return float(text)
        decimal = Decimal(text)
    except (ValueError, InvalidOperation):
        raise BrokenJsonError(f"{text!r} is no number") from None
    exponent = decimal.as_tuple().exponent
    if isinstance(exponent, int) and abs(exponent) > _MAX_EXPONENT:
        raise BrokenJsonError(f"{text!r} is out of range")
    return decimal


def _refused(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _wrapped(value: object, depth: int = 0) -> object:
    if not isinstance(value, dict | list):
        return value
    if depth == _MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, list):
        return JsonArray([_wrapped(item, depth + 1) for item in value])
    for key, item in value.items():
        if isinstance(item, dict | list):
            value[key] = _wrapped(item, depth + 1)
    return value


def _too_deep() -> BrokenJsonError:
    return BrokenJsonError(f"nested more than {_MAX_DEPTH} deep")


class _Reader:
    """Reads values; containers are kept on a stack of its own, so that depth is no recursion."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def document(self) -> object:
        self._skip(_SPACES)
        if self._ahead() in ":}]":
            raise self._unexpected()
        return self._containers() if self._ahead() in "{[" else self._scalar("document")

    def _containers(self) -> object:
        stack = [self._opened()]
        keys: list[str] = []
        while True:
            container = stack[-1]
            key = self._key() if isinstance(container, dict) else self._item_follows()
            if key is None:
                value: object = stack.pop()
                if not stack:
                    return value
                self._store(stack[-1], keys, value)
            else:
                keys.append(key)
                self._begin_value()
                if self._ahead() in "{[":
                    if len(stack) == _MAX_DEPTH:
                        raise _too_deep()
                    stack.append(self._opened())
                else:
                    kind = "object" if isinstance(container, dict) else "list"
                    self._store(container, keys, self._scalar(kind))

    def _store(
        self, container: dict[str, object] | JsonArray, keys: list[str], value: object
    ) -> None:
        key = keys.pop()
        if isinstance(container, JsonArray):
            container.append(value)
            return
        container[key] = value
        self._skip(_CONTROLS)
        if self._ahead() not in ",}":
            raise self._unexpected()

    def _opened(self) -> dict[str, object] | JsonArray:
        opened: dict[str, object] | JsonArray = {} if self._ahead() == "{" else JsonArray()
        self._at += 1
        return opened

    def _key(self) -> str | None:
        """Read a key and its colon; nothing where the object ends."""
        while self._ahead() in " \r\n\t,":
            self._at += 1
        char = self._ahead()
        if char == "}":
            self._at += 1
            return None
        if char in ":][{":
            raise self._unexpected()
        key = self._quoted() if char in "\"'" else self._bare(_UNTIL_COLON)
        self._skip(_CONTROLS)
        if self._ahead() != ":":
            raise self._unexpected()
        self._at += 1
        return key

    def _item_follows(self) -> str | None:
        """Go to the next item; nothing where the list ends."""
        while self._ahead() in " \r\n\t,":
            self._at += 1
        if self._ahead() == "]":
            self._at += 1
            return None
        return ""

    def _begin_value(self) -> None:
        self._skip(_SPACES)
        if self._ahead() in ":}]" or self._ahead() == _END:
            raise self._unexpected()

    def _scalar(self, kind: str) -> object:
        char = self._ahead()
        if char in "\"'":
            return self._quoted()
        if char in "-0123456789":
            return self._number(kind)
        word = self._bare(_UNTIL[kind])
        return _WORDS.get(word, word) if word.startswith(char) else word

    def _number(self, kind: str) -> object:
        begin = self._at
        match = _NUMBER.match(self._text, begin)
        assert match is not None
        self._at = match.end()
        self._skip(_CONTROLS)
        char = self._ahead()
        unfinished = match["exponent"] is not None and not match["digits"]
        # What is beyond ASCII ends a number, other characters make a string of it.
        if unfinished or not (char == _END or char >= "~" or char in _STOPS[kind]):
            self._at = begin
            return self._bare(_UNTIL[kind])
        if match["fraction"] is None and match["exponent"] is None:
            if len(match[0]) > sys.get_int_max_str_digits():
                raise BrokenJsonError("a number of too many digits")
            return int(match[0]) if match[0] != "-" else 0
        return _decimal(match[0])

    def _bare(self, pattern: re.Pattern[str]) -> str:
        """Read text without quotes; space around it is not part of it."""
        match = pattern.match(self._text, self._at)
        assert match is not None
        self._at = match.end()
        return match[0].strip(_JAVA_WHITESPACE) or match[0][-1:]

    def _quoted(self) -> str:
        quote = self._ahead()
        begin = self._at + 1
        end = self._text.find(quote, begin)
        if end < 0:
            raise self._unexpected()
        if "\\" not in self._text[begin:end]:
            self._at = end + 1
            return self._text[begin:end]
        match = re.compile(rf"(?:\\[^\x1a]|[^\\\x1a{quote}])*{quote}").match(self._text, begin)
        if match is None:
            raise self._unexpected()
        self._at = match.end()
        return _joined(_ESCAPED.sub(_unescaped, match[0][:-1]))

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        assert match is not None
        self._at = match.end()

    def _ahead(self) -> str:
        return self._text[self._at] if self._at < len(self._text) else _END

    def _unexpected(self) -> BrokenJsonError:
        if self._ahead() == _END:
            return BrokenJsonError("unexpected end of the text")
        return BrokenJsonError(f"unexpected {self._ahead()!r} at character {self._at + 1}")


def _unescaped(match: re.Match[str]) -> str:
    if match["bad"]:
        raise BrokenJsonError(f"\\{match['bad']} needs hexadecimal digits")
    digits = match["four"] or match["two"]
    if digits:
        return chr(int(digits, 16))
    return _ESCAPES.get(match["one"] or "", "")


def _joined(text: str) -> str:
    """Make one character of the two halves that were escaped apart."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
