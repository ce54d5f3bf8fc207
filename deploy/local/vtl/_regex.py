r"""
java.util.regex patterns and replacements, translated to Python's.

Covered: quoting with `\Q..\E`, POSIX and Unicode classes, class unions and intersections, named
groups, Java's anchors, line ends and flags. Not covered: what Python cannot express, such as `\G`,
`\X` and look-behind of variable length; those raise.

Source: the API documentation of java.util.regex.Pattern and Matcher.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import lru_cache

from ._values import MAX_LENGTH
from .errors import VtlRenderError

__all__ = ["compile_regex", "replace_all", "split"]

_POSIX = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7F",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-~",
    "Graph": "!-~",
    "Print": " -~",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1F\x7F",
    "XDigit": "0-9a-fA-F",
    "Space": r" \t\n\x0B\f\r",
}
_SPACES = {
    "h": r" \t\xA0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000",
    "v": r"\n\x0B\f\r\x85\u2028\u2029",
}
_TERMINATORS = r"\n\r\x85\u2028\u2029"
_ESCAPES = {"a": r"\x07", "e": r"\x1B"}
_ANCHORS = {
    "z": r"\Z",
    "Z": rf"(?=(?:\r\n|[{_TERMINATORS}])?\Z)",
    "R": rf"(?:\r\n|[\x0B\f{_TERMINATORS}])",
}

_QUOTED = re.compile(r"\\Q.*?(?:\\E|$)|\\.|\[(?:\\.|[^\]])*\]", re.DOTALL)
_GROUP = re.compile(r"\((?!\?)|\(\?<[A-Za-z]")
_REPETITION = re.compile(r"\d+(?:,\d*)?\}")
# Where a line begins and ends; not at the end of the text, and not between \r and \n.
_LINE_ANCHORS = {
    "^": rf"(?:(?:\A|(?<=[{_TERMINATORS}])(?<!\r(?=\n)))(?!\Z))",
    "$": rf"(?:(?=[{_TERMINATORS}]|\Z)(?<!\r(?=\n)))",
}

# Patterns may come from a request; longer ones are not kept.
_MAX_KEPT = 1_024


def compile_regex(source: str) -> re.Pattern[str]:
    """
    Compile a Java pattern; short ones seen recently are not compiled again.

    Args:
        source: The pattern as Java writes it.

    Returns:
        The pattern for Python.

    Raises:
        VtlRenderError: It is no pattern, or uses what Python lacks.
    """
    return (_compiled if len(source) <= _MAX_KEPT else _compiled.__wrapped__)(source)


@lru_cache(maxsize=512)
def _compiled(source: str) -> re.Pattern[str]:
    try:
        return re.compile(_Translator(source).translate(), re.ASCII)
    except (re.error, OverflowError, RecursionError, IndexError) as error:
        raise VtlRenderError(f"PatternSyntaxException: {error}", text=source) from None


class _Translator:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._groups = len(_GROUP.findall(_QUOTED.sub("", source)))
        self._dotall = re.search(r"\(\?[a-z]*s", source) is not None
        self._multiline = re.search(r"\(\?[a-z]*m", source) is not None

    def translate(self) -> str:
        parts: list[str] = []
        while self._at < len(self._source):
            parts.append(self._one())
        return "".join(parts)

    def _one(self) -> str:
        char = self._source[self._at]
        self._at += 1
        if char == "\\":
            return self._escape()
        if char == "[":
            return self._class()
        if char == "." and not self._dotall:
            return f"[^{_TERMINATORS}]"
        if char in "^$" and self._multiline:
            return _LINE_ANCHORS[char]
        if char == "$":
            return _ANCHORS["Z"]
        if char == "{":
            return self._repetition()
        if char == "(" and self._source.startswith("?<", self._at):
            following = self._source[self._at + 2 : self._at + 3]
            if following.isalpha():
                self._at += 2
                return "(?P<"
        if char == "(" and self._source.startswith("?", self._at):
            return self._flags()
        return char

    def _repetition(self) -> str:
        match = _REPETITION.match(self._source, self._at)
        if match is None or self._at == 1:
            raise re.error("illegal repetition")
        self._at = match.end()
        return "{" + match.group()

    def _flags(self) -> str:
        """Move `(?i)` to where Python accepts it: a group over all that follows."""
        match = re.compile(r"\?([a-zA-Z]*)(?:-([a-zA-Z]+))?\)").match(self._source, self._at)
        if match is None:
            return "("
        self._at = match.end()
        on = "".join(flag for flag in match.group(1) if flag in "imsx")
        off = "".join(flag for flag in match.group(2) or "" if flag in "imsx")
        if not on and not off:
            return ""
        flags = on + (f"-{off}" if off else "")
        rest = self.translate_group()
        return f"(?{flags}:{rest})"

    def translate_group(self) -> str:
        """Translate up to the parenthesis that closes the group around."""
        parts: list[str] = []
        depth = 0
        while self._at < len(self._source):
            char = self._source[self._at]
            if char == ")" and depth == 0:
                break
            depth += {"(": 1, ")": -1}.get(char, 0)
            parts.append(self._one())
        return "".join(parts)

    def _escape(self) -> str:
        char = self._source[self._at : self._at + 1]
        self._at += 1
        if char == "Q":
            end = self._source.find("\\E", self._at)
            end = len(self._source) if end < 0 else end
            quoted = self._source[self._at : end]
            self._at = end + 2
            return re.escape(quoted)
        if char == "k":
            end = self._source.index(">", self._at)
            name = self._source[self._at + 1 : end]
            self._at = end + 1
            return f"(?P={name})"
        if char in _ANCHORS and char:
            return _ANCHORS[char]
        members = self._members(char)
        if members is not None:
            inverted, inner = members
            return f"[{'^' if inverted else ''}{inner}]"
        return self._plain(char)

    def _plain(self, char: str) -> str:
        if char in _ESCAPES and char:
            return _ESCAPES[char]
        if char == "x" and self._source.startswith("{", self._at):
            end = self._source.index("}", self._at)
            code = int(self._source[self._at + 1 : end], 16)
            self._at = end + 1
            return re.escape(chr(code))
        if char == "c":
            self._at += 1
            return re.escape(chr(ord(self._source[self._at - 1]) ^ 64))
        if char == "0":
            match = re.compile("[0-3]?[0-7]{1,2}").match(self._source, self._at)
            if match is None:
                raise re.error("illegal octal escape")
            self._at = match.end()
            return re.escape(chr(int(match.group(), 8)))
        if char.isdecimal() and char != "0":
            return self._back_reference(char)
        return "\\" + char if char.isalnum() or char == "" else re.escape(char)

    def _back_reference(self, char: str) -> str:
        """Translate a reference; more digits belong to it as long as there is such a group."""
        number = int(char)
        while self._source[self._at : self._at + 1].isdecimal():
            longer = number * 10 + int(self._source[self._at])
            if longer > self._groups:
                break
            number, self._at = longer, self._at + 1
        # A group that does not exist matches nowhere.
        return f"(?:\\{number})" if number <= self._groups else "(?!)"

    def _members(self, char: str) -> tuple[bool, str] | None:
        r"""Return what `\p{..}`, `\h` and `\v` stand for, and whether it is inverted."""
        if char and char in "hHvV":
            return char.isupper(), _SPACES[char.lower()]
        if not char or char not in "pP":
            return None
        if self._source.startswith("{", self._at):
            end = self._source.index("}", self._at)
            name = self._source[self._at + 1 : end]
            self._at = end + 1
        else:
            name = self._source[self._at]
            self._at += 1
        name = name.removeprefix("Is") if name.startswith("Is") else name
        if name in _POSIX:
            return char == "P", _POSIX[name]
        return char == "P", _category(_ALIASES.get(name, name))

    def _class(self) -> str:
        """Translate a class, `[` already read; unions flatten, intersections look ahead."""
        inverted = self._source.startswith("^", self._at)
        self._at += inverted
        sides: list[list[str]] = [[]]
        nested: list[str] = []
        begin = self._at
        while True:
            char = self._source[self._at]
            if char == "]" and self._at > begin:
                self._at += 1
                break
            self._at += 1
            if char == "&" and self._source.startswith("&", self._at):
                self._at += 1
                sides.append([])
            elif char == "[":
                sides[-1].append(self._class())
                nested.append(char)
            else:
                sides[-1].append(self._class_member(char))
        combined = [_alternatives(side) for side in sides if side]
        if len(combined) == 1 and not nested:
            inner = "".join(sides[0])
            return f"[{'^' if inverted else ''}{inner}]"
        ahead = "".join(f"(?={one})" for one in combined)
        return f"(?:(?!{ahead})[\\s\\S])" if inverted else f"(?:{ahead}[\\s\\S])"

    def _class_member(self, char: str) -> str:
        if char == "\\":
            char = self._source[self._at]
            self._at += 1
            members = self._members(char)
            if members is None:
                return self._plain(char)
            inverted, inner = members
            if inverted:
                raise re.error("an inverted class inside a class")
            return inner
        return re.escape(char) if char in "[~|&^" else char


def _alternatives(side: list[str]) -> str:
    plain = "".join(one for one in side if not one.startswith(("[", "(?:")))
    groups = [one for one in side if one.startswith(("[", "(?:"))]
    return "(?:" + "|".join([*groups, *([f"[{plain}]"] if plain else [])]) + ")"


_ALIASES = {
    "Alphabetic": "L",
    "Letter": "L",
    "Lowercase": "Ll",
    "Uppercase": "Lu",
    "Punctuation": "P",
    "White_Space": "Z",
    "javaLowerCase": "Ll",
    "javaUpperCase": "Lu",
}


@lru_cache(maxsize=64)
def _category(name: str) -> str:
    ranges: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)).startswith(name):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    if not ranges:
        raise re.error(f"unknown character property name {{{name}}}")
    return "".join(f"{re.escape(chr(low))}-{re.escape(chr(high))}" for low, high in ranges)


def replace_all(text: str, source: str, replacement: str | None, count: int = 0) -> str:
    r"""
    Do `String.replaceAll` or `replaceFirst`.

    Args:
        text: The text.
        source: The Java pattern.
        replacement: The replacement, in which `$1`, `${name}` and `\` are special.
        count: How many matches to replace; 0 replaces all.

    Returns:
        The new text.

    Raises:
        VtlRenderError: The pattern or the replacement is invalid.
    """
    length = 0

    def expand(match: re.Match[str]) -> str:
        nonlocal length
        if replacement is None:
            raise VtlRenderError("NullPointerException: replacement")
        expanded = _expand(match, replacement)
        length += len(expanded)
        if length > MAX_LENGTH:
            raise VtlRenderError(f"a text of more than {MAX_LENGTH} characters")
        return expanded

    return compile_regex(source).sub(expand, text, count=count)


def _expand(match: re.Match[str], replacement: str) -> str:
    parts: list[str] = []
    at = 0
    while at < len(replacement):
        char = replacement[at]
        at += 1
        if char == "\\":
            if at == len(replacement):
                raise VtlRenderError("character to be escaped is missing")
            parts.append(replacement[at])
            at += 1
        elif char == "$":
            group, at = _group(match, replacement, at)
            parts.append(group)
        else:
            parts.append(char)
    return "".join(parts)


def _group(match: re.Match[str], replacement: str, at: int) -> tuple[str, int]:
    named = re.compile(r"\{([A-Za-z][A-Za-z0-9]*)\}").match(replacement, at)
    if named is not None:
        try:
            return match.group(named.group(1)) or "", named.end()
        except IndexError:
            raise VtlRenderError(f"No group with name {named.group()}") from None
    if not replacement[at : at + 1].isdecimal():
        raise VtlRenderError("Illegal group reference")
    number = int(replacement[at])
    groups = match.re.groups
    if number > groups:
        raise VtlRenderError(f"IndexOutOfBoundsException: No group {number}")
    at += 1
    while replacement[at : at + 1].isdecimal():
        longer = number * 10 + int(replacement[at])
        if longer > groups:
            break
        number, at = longer, at + 1
    return match.group(number) or "", at


def split(text: str, source: str, limit: int = 0) -> list[str]:
    """
    Do `String.split`.

    Args:
        text: The text.
        source: The Java pattern.
        limit: At most so many parts; 0 drops empty parts at the end, below 0 keeps all.

    Returns:
        The parts.

    Raises:
        VtlRenderError: The pattern is invalid.
    """
    parts: list[str] = []
    at = 0
    for match in compile_regex(source).finditer(text):
        if 0 < limit <= len(parts) + 1:
            break
        if match.end() == 0:
            # An empty match at the beginning separates nothing.
            continue
        parts.append(text[at : match.start()])
        at = match.end()
    if not parts and at == 0:
        return [text]
    parts.append(text[at:])
    if limit == 0:
        while parts and parts[-1] == "":
            parts.pop()
    return parts
