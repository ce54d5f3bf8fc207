"""Regular expressions: which are known, and texts that match them, always the same ones."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import SchemaError

_REPEATS: Final = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
# What is tried where many characters are allowed, plain ones first.
_CHARACTERS: Final = "a0A1-_ .,:/@+#"
_CATEGORIES: Final = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}


class PatternError(ValueError):
    """The expression is not simple enough."""


def matching(pattern: str, longer: int = 0) -> str:
    """
    A text that an expression finds.

    Args:
        pattern: The expression.
        longer: How many more times than needed its repeated parts are there.

    Raises:
        PatternError: None is known.
    """
    try:
        # The standard library's own parser has no public name.
        text = _sequence(import_module("re._parser").parse(pattern), longer, {})
        found = re.search(pattern, text)
    except (re.error, OverflowError, LookupError) as error:
        raise PatternError(f"no text is known that matches {pattern!r}") from error
    if not found:
        raise PatternError(f"no text is known that matches {pattern!r}")
    return text


def _sequence(parts: Any, longer: int, groups: dict[int, str]) -> str:
    return "".join(_piece(str(kind), said, longer, groups) for kind, said in parts)


def _piece(kind: str, said: Any, longer: int, groups: dict[int, str]) -> str:
    if kind in _REPEATS:
        fewest, most, parts = said
        times: int = min(fewest + longer, int(most))
        return _sequence(parts, longer, groups) * times
    if kind == "LITERAL":
        return chr(said)
    if kind == "SUBPATTERN":
        groups[said[0]] = _sequence(said[3], longer, groups)
        return groups[said[0]]
    if kind == "BRANCH":
        return _sequence(said[1][0], longer, groups)
    if kind == "GROUPREF":
        return groups[said]
    if kind == "IN":
        return _one_of(said)
    if kind == "NOT_LITERAL":
        return next(it for it in _CHARACTERS if it != chr(said))
    return _CHARACTERS[0] if kind == "ANY" else ""


def _one_of(members: Any) -> str:
    """The first character of a set, or one that is tried."""
    kind, said = str(members[0][0]), members[0][1]
    if kind in ("LITERAL", "RANGE"):
        return chr(said if kind == "LITERAL" else said[0])
    return next(it for it in _CHARACTERS if _is_in(it, members))


def _is_in(character: str, members: Any) -> bool:
    negated = str(members[0][0]) == "NEGATE"
    return negated != any(_is(character, str(kind), said) for kind, said in members)


def _is(character: str, kind: str, said: Any) -> bool:
    if kind == "LITERAL":
        return chr(said) == character
    if kind == "RANGE":
        return bool(said[0] <= ord(character) <= said[1])
    name = str(said).removeprefix("CATEGORY_")
    found = re.match(_CATEGORIES.get(name.removeprefix("NOT_"), "(?!)"), character) is not None
    return kind == "CATEGORY" and found != name.startswith("NOT_")


def is_pattern(text: str) -> bool:
    """Whether a text is a regular expression: of Python, or of those that pydantic takes."""
    return _compiled(text) is not None or is_pydantic_pattern(text)


def is_pydantic_pattern(text: object) -> bool:
    """Whether pydantic takes a regular expression: one that looks neither ahead nor back."""
    return isinstance(text, str) and _adapter(text) is not None


def fits_pattern(pattern: str, text: str) -> bool:
    """Whether a text has what a pattern looks for; none has it if the pattern is not known."""
    found = _compiled(pattern)
    if found is not None:
        return found.search(text) is not None
    adapter = _adapter(pattern)
    try:
        return adapter is not None and bool(adapter.validate_python(text) == text)
    except ValidationError:
        return False


@lru_cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern)
    except re.error:
        return None


@lru_cache
def _adapter(pattern: str) -> TypeAdapter[str] | None:
    try:
        return TypeAdapter(Annotated[str, Field(pattern=pattern)])
    except SchemaError:
        return None
