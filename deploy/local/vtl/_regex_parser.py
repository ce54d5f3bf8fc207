r"""
The grammar of java.util.regex, read as OpenJDK 17 reads it, and written again for Python.

What a class, an escape or a letter stands for under the flags in force is worked out here as a set
of code points, so that none of Java's flags is left for Python.

Not the same, because Python has nothing like it: `\G`, `\X`, the flag c, scripts and blocks as
`\p{IsGreek}`, and a look-behind of several lengths are refused; a reference to a group that is
still open, or further on, matches nowhere.

Source: the API documentation of java.util.regex.Pattern; its refusals and its reading of what the
documentation leaves open were observed on OpenJDK 17.
"""

from __future__ import annotations

import re

from ._code_points import ALL, TERMINATORS, CodePoints, complement, of_chars, pattern_of
from ._regex_characters import CharacterReader, JavaPatternError

__all__ = ["JavaPatternError", "translated"]

_MAX_REPETITION = 2**31 - 1
_MAX_DEPTH = 100
_FLAGS = "idmsuxU"
_FLAGS_OF_LITERALS = frozenset("ix")
_LITERAL = re.compile(r"[^\\\[\](){}.*+?^$|]+(?![*+?{])")
_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|\Z)|\\.", re.DOTALL)
_NAME = re.compile(r"([a-zA-Z][a-zA-Z0-9]*)>")
_REPETITION = re.compile(r"\{([0-9]+)(?:(,)([0-9]*))?")
_LINE_END = "\n\r\x85\u2028\u2029"
# Of letters and digits of all scripts, as until Java 19; to Python such as ½ is a digit too.
_BOUNDARY = r"(?u:\b)"
# Not as Python has it, where it fails in an empty text.
_NO_BOUNDARY = r"(?!(?u:\b))"
_LINE_BREAK = rf"(?:\r\n|[\x0b\f{_LINE_END}])"


def translated(source: str) -> str:
    """
    Translate a pattern of Java's to one of Python's.

    Args:
        source: The pattern as Java writes it.

    Raises:
        JavaPatternError: Java refuses it, or Python has nothing like it.
    """
    return _Parser(_QUOTED.sub(_escaped_quotation, source)).pattern()


def _escaped_quotation(match: re.Match[str]) -> str:
    quoted = match[1]
    if quoted is None:
        return match[0]
    escaped = "".join(
        f"\\{char}" if char.isascii() and not char.isalnum() else char for char in quoted
    )
    # A digit must not become part of a reference in front of it.
    return f"\\x3{escaped}" if escaped[:1].isdecimal() and escaped[:1].isascii() else escaped


class _Parser(CharacterReader):
    def __init__(self, source: str) -> None:
        super().__init__(source)
        self._groups = 0
        self._open: list[int] = []
        self._names: dict[str, int] = {}
        self._depth = 0
        self._behind = 0

    # Sequences

    def pattern(self) -> str:
        translation = self._alternatives()
        if self._at < len(self._source):
            raise self._error("Unmatched closing ')'", self._at - 1)
        return "|".join(translation)

    def _alternatives(self) -> list[str]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            self._unsupported("such deep nesting")
        found = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            found.append(self._sequence())
        self._depth -= 1
        return found

    def _sequence(self) -> str:
        parts: list[str] = []
        while True:
            parts.append(self._literal())
            char = self._peek()
            if char in ("", "|", ")"):
                return "".join(parts)
            if char in "*+?":
                raise self._error(
                    f"Dangling meta character '{char}'",
                    hint=f"there is nothing to repeat; write \\{char} for {char}",
                )
            atom = self._atom(char)
            if atom is not None:
                parts.append(self._repeated(atom))

    def _literal(self) -> str:
        """Translate plain text, up to what a repetition may belong to, in one go."""
        if self._flags & _FLAGS_OF_LITERALS:
            return ""
        match = self._match(_LITERAL)
        return re.escape(match[0]) if match is not None else ""

    def _atom(self, char: str) -> str | None:
        """Translate what a repetition can follow; nothing for flags."""
        if char == "{":
            return ""
        self._at += 1
        if char == "(":
            return self._group()
        if char == "[":
            return pattern_of(self._class(consume=True))
        if char == "\\":
            return self._escape()
        if char == ".":
            return pattern_of(ALL if "s" in self._flags else complement(self._terminators()))
        if char == "^":
            return self._caret()
        if char == "$":
            return self._dollar() if "m" in self._flags else self._last_dollar()
        return pattern_of(self._single(ord(char)))

    def _repeated(self, atom: str) -> str:
        char = self._peek()
        if char in ("?", "*", "+"):
            self._at += 1
            count = char
        elif char == "{":
            count = self._counted()
        else:
            return atom
        if self._behind and count in ("*", "+"):
            raise self._error("Look-behind group does not have an obvious maximum length")
        mode = self._peek()
        if mode in ("?", "+"):
            self._at += 1
        else:
            mode = ""
        return f"(?:{atom}){count}{mode}"

    def _counted(self) -> str:
        match = self._match(_REPETITION)
        if match is None:
            raise self._error("Illegal repetition")
        if self._peek() != "}":
            raise self._error("Unclosed counted closure")
        self._at += 1
        low = int(match[1])
        high = int(match[3]) if match[3] else (None if match[2] else low)
        if max(low, high or 0) > _MAX_REPETITION or (high is not None and high < low):
            raise self._error("Illegal repetition range")
        if self._behind and high is None:
            raise self._error("Look-behind group does not have an obvious maximum length")
        return f"{{{low},{'' if high is None else high}}}"

    # Anchors

    def _terminators(self) -> CodePoints:
        return of_chars("\n") if "d" in self._flags else TERMINATORS

    def _caret(self) -> str:
        if "m" not in self._flags:
            return r"\A"
        if "d" in self._flags:
            return r"(?:(?:\A|(?<=\n))(?!\Z))"
        return rf"(?:(?:\A|(?<=[{_LINE_END}])(?<!\r(?=\n)))(?!\Z))"

    def _dollar(self) -> str:
        if "d" in self._flags:
            return r"(?:(?=\n|\Z))"
        return rf"(?:(?=[{_LINE_END}]|\Z)(?<!\r(?=\n)))"

    def _last_dollar(self) -> str:
        if "d" in self._flags:
            return r"(?=\n?\Z)"
        return rf"(?:(?=(?:\r\n|[{_LINE_END}])?\Z)(?<!\r(?=\n)))"

    # Groups

    def _group(self) -> str | None:
        flags = self._flags
        if self._peek() != "?":
            return self._captured("(", flags)
        self._at += 1
        char = self._source[self._at : self._at + 1]
        self._at += 1
        if char in (":", "=", "!", ">") and char:
            return self._closed(f"(?{char}", flags)
        if char == "<":
            return self._named_or_behind(flags)
        self._at -= 1
        if char in ("$", "@"):
            raise self._error("Unknown group type")
        self._read_flags()
        char = self._next()
        if char == ")":
            return None
        if char != ":":
            raise self._error("Unknown inline modifier", self._at - 1)
        return self._closed("(?:", flags)

    def _closed(self, begin: str, flags: frozenset[str]) -> str:
        translation = f"{begin}{'|'.join(self._alternatives())})"
        self._close(flags)
        return translation

    def _close(self, flags: frozenset[str]) -> None:
        if self._peek() != ")":
            raise self._error("Unclosed group", hint="a ) is missing")
        self._at += 1
        self._flags = flags

    def _captured(self, begin: str, flags: frozenset[str]) -> str:
        self._groups += 1
        self._open.append(self._groups)
        translation = self._closed(begin, flags)
        self._open.pop()
        return translation

    def _named_or_behind(self, flags: frozenset[str]) -> str:
        char = self._source[self._at : self._at + 1]
        if char in ("=", "!"):
            self._at += 1
            return self._look_behind(char, flags)
        name = self._group_name()
        if name in self._names:
            raise self._error(f"Named capturing group <{name}> is already defined")
        self._names[name] = self._groups + 1
        return self._captured(f"(?P<{name}>", flags)

    def _group_name(self) -> str:
        match = self._match(_NAME)
        if match is not None:
            return match[1]
        char = self._source[self._at : self._at + 1]
        if char.isascii() and char.isalpha():
            raise self._error("named capturing group is missing trailing '>'")
        raise self._error("capturing group name does not start with a Latin letter")

    def _look_behind(self, kind: str, flags: frozenset[str]) -> str:
        self._behind += 1
        branches = self._alternatives()
        self._behind -= 1
        self._close(flags)
        # Python wants one length; each branch may have one of its own.
        each = [f"(?<{kind}{branch})" for branch in branches]
        return f"(?:{'|'.join(each) if kind == '=' else ''.join(each)})"

    def _read_flags(self) -> None:
        on = True
        while True:
            char = self._peek()
            if char == "-" and on:
                on = False
            elif char == "c" and char:
                self._unsupported("the flag c")
            elif not char or char not in _FLAGS:
                return
            elif on:
                self._flags |= {char} | ({"u"} if char == "U" else set())
            else:
                self._flags -= {char} | ({"u"} if char == "U" else set())
            self._at += 1

    # Escapes that are no characters

    def _escape(self) -> str:
        char = self._source[self._at : self._at + 1]
        anchor = {"A": r"\A", "z": r"\Z", "R": _LINE_BREAK}.get(char)
        if anchor is not None or char in ("Z", "b", "B", "k", "G", "X"):
            self._at += 1
            return anchor or self._special(char)
        if char.isdecimal() and char.isascii() and char != "0":
            self._at += 1
            return self._reference(int(char))
        part = self._escaped()
        return pattern_of(part.points if part.code is None else self._single(part.code))

    def _special(self, char: str) -> str:
        if char == "Z":
            return self._last_dollar()
        if char == "k":
            return self._named_reference()
        if char in ("G", "X"):
            self._unsupported(f"\\{char}")
        if self._source.startswith("{g}", self._at):
            self._unsupported("\\b{g}")
        return _NO_BOUNDARY if char == "B" else _BOUNDARY

    def _reference(self, number: int) -> str:
        """Translate a reference; more digits belong to it as long as there is such a group."""
        while True:
            digit = self._source[self._at : self._at + 1]
            longer = number * 10 + int(digit) if digit.isdecimal() and digit.isascii() else 0
            if not digit or longer == 0 or longer > self._groups:
                return self._back_reference(number)
            number = longer
            self._at += 1

    def _named_reference(self) -> str:
        if self._source[self._at : self._at + 1] != "<":
            raise self._error("\\k is not followed by '<' for named capturing group")
        self._at += 1
        name = self._group_name()
        if name not in self._names:
            raise self._error(f"named capturing group <{name}> does not exist")
        return self._back_reference(self._names[name])

    def _back_reference(self, number: int) -> str:
        if self._behind:
            raise self._error("Look-behind group does not have an obvious maximum length")
        if number > self._groups or number in self._open:
            return "(?!)"
        if "i" not in self._flags:
            return f"(?:\\{number})"
        return f"(?{'iu' if 'u' in self._flags else 'i'}:\\{number})"
