r"""
Regular expressions of java.util.regex: compiled, and what String does with them.

Source: the API documentation of java.util.regex.Pattern and Matcher; compared with OpenJDK 17,
pattern by pattern, on 2026-11-24.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from ._regex_parser import JavaPatternError, translated
from ._values import MAX_LENGTH
from .errors import VtlRenderError

__all__ = ["compile_regex", "replace_all", "split"]

_GROUP_NAME = re.compile(r"\{([a-zA-Z0-9]*)(\}?)")

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
        return re.compile(translated(source), re.ASCII)
    except JavaPatternError as error:
        raise VtlRenderError(f"PatternSyntaxException: {error}", text=source) from None
    except (re.error, OverflowError, RecursionError) as error:
        text = f"PatternSyntaxException: {error}: not supported here"
        raise VtlRenderError(text, text=source) from None


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Yield one match after the other; behind an empty one Java goes on with the next character."""
    at = 0
    while at <= len(text):
        for match in pattern.finditer(text, at):
            yield match
            if match.end() == match.start():
                at = match.end() + 1
                break
        else:
            return


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
    special = replacement is not None and ("$" in replacement or "\\" in replacement)
    parts: list[str] = []
    length = at = 0
    for done, match in enumerate(_matches(compile_regex(source), text)):
        if 0 < count <= done:
            break
        if replacement is None:
            raise VtlRenderError("NullPointerException: replacement")
        parts += (text[at : match.start()], _expand(match, replacement) if special else replacement)
        at = match.end()
        length += len(parts[-1])
        if length > MAX_LENGTH:
            raise VtlRenderError(f"a text of more than {MAX_LENGTH} characters")
    return "".join((*parts, text[at:]))


def _expand(match: re.Match[str], replacement: str) -> str:
    parts: list[str] = []
    at = 0
    while at < len(replacement):
        char = replacement[at]
        at += 1
        if char == "\\":
            if at == len(replacement):
                raise VtlRenderError("IllegalArgumentException: character to be escaped is missing")
            parts.append(replacement[at])
            at += 1
        elif char == "$":
            group, at = _group(match, replacement, at)
            parts.append(group)
        else:
            parts.append(char)
    return "".join(parts)


def _group(match: re.Match[str], replacement: str, at: int) -> tuple[str, int]:
    named = _GROUP_NAME.match(replacement, at)
    if named is not None:
        return _named_group(match, named), named.end()
    digit = replacement[at : at + 1]
    if not (digit.isascii() and digit.isdecimal()):
        raise VtlRenderError("IllegalArgumentException: Illegal group reference")
    number = int(digit)
    groups = match.re.groups
    if number > groups:
        raise VtlRenderError(f"IndexOutOfBoundsException: No group {number}")
    at += 1
    while (digit := replacement[at : at + 1]).isascii() and digit.isdecimal():
        longer = number * 10 + int(digit)
        if longer > groups:
            break
        number, at = longer, at + 1
    return match.group(number) or "", at


def _named_group(match: re.Match[str], named: re.Match[str]) -> str:
    name, closed = named.groups()
    if not name:
        problem = "named capturing group has 0 length name"
    elif not closed:
        problem = "named capturing group is missing trailing '}'"
    elif name[0].isdecimal():
        problem = f"capturing group name {{{name}}} starts with digit character"
    elif name not in match.re.groupindex:
        problem = f"No group with name {{{name}}}"
    else:
        return match.group(name) or ""
    raise VtlRenderError(f"IllegalArgumentException: {problem}")


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
    for match in _matches(compile_regex(source), text):
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
