"""
Selection patterns: the keys of an integration's `responses`, Java regular expressions.

What `java.util.regex` refuses is refused here. With what status AWS's import answers such a pattern
is not known; at run time it could select nothing.

Source: the documentation of `java.util.regex.Pattern`; its refusals observed on OpenJDK 17.
"""

import re

from deploy.local.vtl import VtlError, compile_regex

# What a brace may be part of without being a repetition: quoted text, classes, named characters.
_TOKEN = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\\[pPxNkgb]\{[^}]*\}|\\.|\(\?(?P<modifier>[^:=!<>]?)|(?P<brace>\{)"
    r"|(?P<open>\[)|(?P<close>\])|.",
    re.DOTALL,
)
_REPETITION = re.compile(r"\{\d+(?:,\d*)?(?P<closed>\}?)")
_MODIFIERS = "idmsuxU-)"


class SelectionPatternError(ValueError):
    """Java does not compile the pattern; the text says why, and at which character."""


def compile_selection_pattern(text: str) -> re.Pattern[str]:
    """
    Compile a selection pattern.

    Args:
        text: A Java regular expression; it has to match the whole status.

    Raises:
        SelectionPatternError: It is not one.
    """
    _check_java_only(text)
    try:
        return compile_regex(text)
    except VtlError as error:
        raise SelectionPatternError(error.message.partition(": ")[2] or error.message) from error
    except ValueError as error:
        raise SelectionPatternError(str(error)) from error


def _check_java_only(text: str) -> None:
    """Refuse what Python takes for literal text, or for syntax of its own, and Java does not."""
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += (token["open"] is not None) - (token["close"] is not None and depth > 0)
        if depth:
            continue
        if token["brace"]:
            _check_repetition(text, token.start())
        elif token["modifier"] and token["modifier"] not in _MODIFIERS:
            raise SelectionPatternError(f"unknown inline modifier at character {token.end()}")
    if depth:
        raise SelectionPatternError("unclosed character class: close it with ]")


def _check_repetition(text: str, at: int) -> None:
    repetition = _REPETITION.match(text, at)
    if repetition is None:
        raise SelectionPatternError(f"illegal repetition at character {at + 1}: write \\{{ for {{")
    if not repetition["closed"]:
        raise SelectionPatternError(
            f"unclosed counted closure {repetition[0]!r} at character {at + 1}: close it with }}"
        )
