"""
Sets of code points: what a character class of a regular expression stands for.

A set is a sorted tuple of ranges that neither touch nor overlap, both ends included.

Source: the API documentation of java.util.regex.Pattern on its classes and properties; categories
are those of Python's unicodedata.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

__all__ = [
    "ALL",
    "EMPTY",
    "TERMINATORS",
    "CodePoints",
    "case_variants",
    "complement",
    "intersection",
    "of_chars",
    "of_property",
    "of_range",
    "pattern_of",
    "predefined",
    "union",
    "with_cases",
]

CodePoints = tuple[tuple[int, int], ...]

EMPTY: CodePoints = ()
ALL: CodePoints = ((0, sys.maxunicode),)


def of_range(low: int, high: int) -> CodePoints:
    """Return the code points from one to another."""
    return ((low, high),)


def of_chars(chars: str) -> CodePoints:
    """Return the code points of a text; `a-z` stands for a range, `-` at its end for itself."""
    ranges = re.findall(r"(.)-(.)|(.)", chars, re.DOTALL)
    return _normal((ord(low or one), ord(high or one)) for low, high, one in ranges)


def _normal(ranges: Iterable[tuple[int, int]]) -> CodePoints:
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return tuple(found)


def union(*sets: CodePoints) -> CodePoints:
    """Return what is in any of the sets."""
    return _normal(part for one in sets for part in one)


def complement(points: CodePoints) -> CodePoints:
    """Return what is not in the set."""
    found: list[tuple[int, int]] = []
    begin = 0
    for low, high in points:
        if low > begin:
            found.append((begin, low - 1))
        begin = high + 1
    if begin <= sys.maxunicode:
        found.append((begin, sys.maxunicode))
    return tuple(found)


def intersection(one: CodePoints, other: CodePoints) -> CodePoints:
    """Return what is in both sets."""
    return complement(union(complement(one), complement(other)))


def pattern_of(points: CodePoints) -> str:
    """Return a regular expression of Python's that matches one of the code points."""
    if not points:
        return "(?!)"
    if points == ALL:
        return "(?s:.)"
    if len(points) == 1 and points[0][0] == points[0][1]:
        return _escaped(points[0][0])
    others = complement(points)
    if len(others) < len(points):
        return f"[^{_ranges(others)}]"
    return f"[{_ranges(points)}]"


def _ranges(points: CodePoints) -> str:
    parts = (_escaped(a) if a == b else f"{_escaped(a)}-{_escaped(b)}" for a, b in points)
    return "".join(parts)


def _escaped(code: int) -> str:
    if code < 128:
        return re.escape(chr(code)) if chr(code).isprintable() else f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


# Case


def case_variants(code: int, *, unicode: bool) -> CodePoints:
    """Return a code point and those that are the same but for case, of ASCII or of all."""
    if unicode:
        return _normal((one, one) for one in _by_folding().get(_folded(code), ()) or (code,))
    if code < 128 and chr(code).isalpha():
        return _normal((one, one) for one in {code, code ^ 32})
    return of_range(code, code)


def with_cases(points: CodePoints, *, unicode: bool) -> CodePoints:
    """Return a range and all that differs from a member of it by case."""
    if not unicode:
        letters = intersection(points, of_chars("a-zA-Z"))
        return union(points, *(of_range(a ^ 32, b ^ 32) for a, b in _by_case(letters)))
    added = {
        other
        for others in _by_folding().values()
        if any(_contains(points, one) for one in others)
        for other in others
    }
    return _normal([*points, *((one, one) for one in added)])


def _by_case(letters: CodePoints) -> CodePoints:
    return intersection(letters, of_chars("a-z")) + intersection(letters, of_chars("A-Z"))


def _contains(points: CodePoints, code: int) -> bool:
    return any(low <= code <= high for low, high in points)


def _folded(code: int) -> int:
    upper = chr(code).upper()
    lower = (upper if len(upper) == 1 else chr(code)).lower()
    # Java maps a character to one; the dotted capital I has two in Python.
    return ord(lower[0])


@lru_cache(maxsize=1)
def _by_folding() -> dict[int, tuple[int, ...]]:
    groups: dict[int, tuple[int, ...]] = {}
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        if char.lower() != char or char.upper() != char:
            folded = _folded(code)
            groups[folded] = (*groups.get(folded, ()), code)
    return {folded: codes for folded, codes in groups.items() if len(codes) > 1}


# Names

TERMINATORS = of_chars("\n\r\x85\u2028\u2029")

_PREDEFINED = {
    "d": of_chars("0-9"),
    "s": of_chars(" \t\n\x0b\f\r"),
    "w": of_chars("a-zA-Z0-9_"),
    "h": of_chars(" \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000"),
    "v": of_chars("\n\x0b\f\r\x85\u2028\u2029"),
}
_POSIX = {
    "Lower": of_chars("a-z"),
    "Upper": of_chars("A-Z"),
    "ASCII": of_range(0, 127),
    "Alpha": of_chars("a-zA-Z"),
    "Digit": of_chars("0-9"),
    "Alnum": of_chars("a-zA-Z0-9"),
    "Punct": of_chars("!-/:-@[-`{-~"),
    "Graph": of_chars("!-~"),
    "Print": of_chars(" -~"),
    "Blank": of_chars(" \t"),
    "Cntrl": of_chars("\x00-\x1f\x7f"),
    "XDigit": of_chars("0-9a-fA-F"),
    "Space": of_chars(" \t\n\x0b\f\r"),
}
_WHITE_SPACE = of_chars("\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000")
_JOIN_CONTROL = of_chars("\u200c\u200d")
_MAJOR = frozenset("LMNZCPS")
# Letters by Other_Alphabetic are the marks; the few that are not are left out of account.
_ALPHABETIC = "L Nl Mc"


def predefined(name: str, *, unicode: bool) -> CodePoints:
    r"""Return what `\d`, `\s`, `\w`, `\h` or `\v` stands for; with the flag U, of all scripts."""
    if unicode and name in "dsw":
        return _of_unicode_name({"d": "DIGIT", "s": "WHITE_SPACE", "w": "WORD"}[name]) or EMPTY
    return _PREDEFINED[name]


@lru_cache(maxsize=128)
def of_property(name: str, *, unicode: bool, ignore_case: bool) -> CodePoints | None:
    r"""
    Return what `\p{name}` stands for.

    Args:
        name: What is in the braces.
        unicode: Whether POSIX names are of all scripts.
        ignore_case: Whether the three cases of letters are one.

    Returns:
        The set; None where the name is unknown, as those of scripts and blocks are.
    """
    key, equals, value = name.partition("=")
    if equals:
        category = key.lower() in ("gc", "general_category")
        return _of_name(value, ignore_case=ignore_case) if category else None
    if name.startswith("Is"):
        short = name[2:]
        found = _of_unicode_name(short.upper(), ignore_case=ignore_case)
        return _of_name(short, ignore_case=ignore_case) if found is None else found
    if unicode and name in _POSIX:
        found = _of_unicode_name(_OF_POSIX.get(name, name.upper()), ignore_case=ignore_case)
        return _POSIX[name] if found is None else found
    return _of_name(name, ignore_case=ignore_case)


def _of_name(name: str, *, ignore_case: bool) -> CodePoints | None:
    if ignore_case and name in ("Lower", "Upper"):
        return _POSIX["Alpha"]
    if ignore_case and name in ("Lu", "Ll", "Lt", "javaLowerCase", "javaUpperCase"):
        return _categories("Lu", "Ll", "Lt")
    if name in _POSIX:
        return _POSIX[name]
    make = _SPECIAL.get(name)
    if make is not None:
        return make()
    if name in _MAJOR or (len(name) == 2 and name[0] in _MAJOR):
        return _categories(name) or None
    return None


def _of_unicode_name(name: str, *, ignore_case: bool = False) -> CodePoints | None:
    if ignore_case and name in ("LOWERCASE", "UPPERCASE", "TITLECASE"):
        return union(*(_UNICODE[case]() for case in ("LOWERCASE", "UPPERCASE", "TITLECASE")))
    make = _UNICODE.get(name)
    return make() if make is not None else None


def _categories(*prefixes: str) -> CodePoints:
    found = [points for name, points in _by_category().items() if name.startswith(prefixes)]
    return union(*found)


@lru_cache(maxsize=1)
def _by_category() -> dict[str, CodePoints]:
    """Go through all code points once, which takes a moment."""
    ranges: dict[str, list[tuple[int, int]]] = {}
    begin, current = 0, unicodedata.category("\0")
    for code in range(1, sys.maxunicode + 2):
        category = unicodedata.category(chr(code)) if code <= sys.maxunicode else ""
        if category != current:
            ranges.setdefault(current, []).append((begin, code - 1))
            begin, current = code, category
    return {name: tuple(points) for name, points in ranges.items()}


def _where(holds: Callable[[str], bool]) -> CodePoints:
    found: list[tuple[int, int]] = []
    for code in range(sys.maxunicode + 1):
        if holds(chr(code)):
            if found and found[-1][1] == code - 1:
                found[-1] = (found[-1][0], code)
            else:
                found.append((code, code))
    return tuple(found)


def _without(points: CodePoints, *others: CodePoints) -> CodePoints:
    return intersection(points, complement(union(*others)))


def _graph() -> CodePoints:
    return _without(ALL, _WHITE_SPACE, _categories("Cc", "Cs", "Cn"))


def _blank() -> CodePoints:
    return union(_categories("Zs"), of_chars("\t"))


_SPECIAL: dict[str, Callable[[], CodePoints]] = {
    "LC": lambda: _categories("Lu", "Ll", "Lt"),
    "LD": lambda: _categories("L", "Nd"),
    "L1": lambda: of_range(0, 0xFF),
    "all": lambda: ALL,
    "javaLowerCase": lambda: _UNICODE["LOWERCASE"](),
    "javaUpperCase": lambda: _UNICODE["UPPERCASE"](),
    "javaTitleCase": lambda: _categories("Lt"),
    "javaAlphabetic": lambda: _UNICODE["ALPHABETIC"](),
    "javaDigit": lambda: _categories("Nd"),
    "javaDefined": lambda: complement(_categories("Cn")),
    "javaLetter": lambda: _categories("L"),
    "javaLetterOrDigit": lambda: _categories("L", "Nd"),
    "javaSpaceChar": lambda: _categories("Z"),
    "javaWhitespace": lambda: union(
        _without(_categories("Z"), of_chars("\xa0\u2007\u202f")), of_chars("\t-\r\x1c-\x1f")
    ),
    "javaISOControl": lambda: of_chars("\x00-\x1f\x7f-\x9f"),
    "javaMirrored": lambda: _where(lambda char: bool(unicodedata.mirrored(char))),
}
_OF_POSIX = {
    "Alpha": "ALPHABETIC",
    "Lower": "LOWERCASE",
    "Upper": "UPPERCASE",
    "Space": "WHITE_SPACE",
    "Punct": "PUNCTUATION",
    "XDigit": "HEX_DIGIT",
    "Cntrl": "CONTROL",
}
_UNICODE: dict[str, Callable[[], CodePoints]] = {
    "ALPHABETIC": lambda: _categories(*_ALPHABETIC.split()),
    "LETTER": lambda: _categories("L"),
    "LOWERCASE": lambda: _where(str.islower),
    "UPPERCASE": lambda: _where(str.isupper),
    "TITLECASE": lambda: _categories("Lt"),
    "WHITE_SPACE": lambda: _WHITE_SPACE,
    "CONTROL": lambda: _categories("Cc"),
    "PUNCTUATION": lambda: _categories("P"),
    "HEX_DIGIT": lambda: union(
        _categories("Nd"), of_chars("a-fA-F\uff10-\uff19\uff21-\uff26\uff41-\uff46")
    ),
    "ASSIGNED": lambda: complement(_categories("Cn")),
    "DIGIT": lambda: _categories("Nd"),
    "ALNUM": lambda: union(_UNICODE["ALPHABETIC"](), _categories("Nd")),
    "BLANK": _blank,
    "GRAPH": _graph,
    "PRINT": lambda: _without(union(_graph(), _blank()), _categories("Cc")),
    "WORD": lambda: union(_UNICODE["ALPHABETIC"](), _categories("M", "Nd", "Pc"), _JOIN_CONTROL),
    "JOIN_CONTROL": lambda: _JOIN_CONTROL,
}
