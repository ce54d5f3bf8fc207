"""The grammar of paths: from text to a tuple of segments."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from deploy.local.vtl import VtlRenderError, compile_regex

__all__ = [
    "Child",
    "Comparison",
    "Condition",
    "Deep",
    "Exists",
    "Filter",
    "Function",
    "Indices",
    "JsonPathError",
    "Logic",
    "Operand",
    "Path",
    "Segment",
    "Slice",
    "Wildcard",
    "compiled",
]

_T = TypeVar("_T")


class JsonPathError(VtlRenderError):
    """A JSONPath that cannot be parsed or computed."""


@dataclass(frozen=True, slots=True)
class Child:
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wildcard:
    pass


@dataclass(frozen=True, slots=True)
class Indices:
    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    start: int | None
    stop: int | None


@dataclass(frozen=True, slots=True)
class Deep:
    segment: Segment


@dataclass(frozen=True, slots=True)
class Filter:
    condition: Condition


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    arguments: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Path:
    absolute: bool
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Operand:
    """A literal, or a path where `path` is not None."""

    value: object = None
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Logic:
    operator: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Exists:
    path: Path


@dataclass(frozen=True, slots=True)
class Comparison:
    operator: str
    left: Operand
    right: Operand


Segment = Child | Wildcard | Indices | Slice | Deep | Filter | Function
Condition = Logic | Exists | Comparison

_FUNCTIONS = frozenset(
    {"length", "size", "keys", "concat", "append", "first", "last", "index"}
    | {"min", "max", "sum", "avg", "stddev"}
)
_MAX_DEPTH = 50
# Within a filter a name ends where an operator begins; elsewhere it may hold almost anything.
_NAME = re.compile(r"[^.\[( *][^.\[( ]*")
_NAME_IN_FILTER = re.compile(r"[^.\[\]()\s,'\"*?@&|=!<>~]+")
_INDEX = re.compile(r"-?\d+")
_SLICE = re.compile(r"\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*-?\d*\s*)?\]")
_COMPARED = re.compile(
    r"===|!==|==|!=|<=|>=|=~|<|>|(?:in|nin|contains|size|empty|subsetof|anyof|noneof|type)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_WORD = re.compile(r"(true|false|null)\b")
_ARGUMENT_BEGINS = frozenset('"{-$@0123456789')
_REGEX = re.compile(r"/((?:[^/\\]|\\.)*)/([a-z]*)")


class _Reader:
    """Reads a path by recursive descent."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def read(self) -> Path:
        text = self._text.strip()
        self._text = text if text.startswith(("$", "@")) else "$." + text
        if not text:
            raise self._error("the path is empty")
        path = self._path()
        if self._at < len(self._text):
            raise self._error("unexpected text")
        return path

    def _error(self, message: str) -> JsonPathError:
        rest = self._text[self._at : self._at + 20]
        return JsonPathError(f"JSONPath {self._text!r}: {message} at {rest!r}", text=self._text)

    def _ahead(self, prefix: str) -> bool:
        return self._text.startswith(prefix, self._at)

    def _take(self, prefix: str) -> bool:
        if not self._ahead(prefix):
            return False
        self._at += len(prefix)
        return True

    def _need(self, prefix: str) -> None:
        self._space()
        if not self._take(prefix):
            raise self._error(f"{prefix!r} expected")

    def _space(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return match

    def _path(self) -> Path:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._error("nested too deeply")
        absolute = self._take("$")
        if not absolute:
            self._need("@")
        segments: list[Segment] = []
        while True:
            if self._take(".."):
                inner = self._bracket() if self._take("[") else self._dotted()
                if isinstance(inner, Function):
                    raise self._error("a name expected in front of the function")
                segments.append(Deep(inner))
            elif self._take("."):
                segments.append(self._bracket() if self._take("[") else self._dotted())
            elif self._take("["):
                segments.append(self._bracket())
            else:
                break
        self._depth -= 1
        return Path(absolute, tuple(segments))

    def _dotted(self) -> Segment:
        if self._take("*"):
            return Wildcard()
        match = self._match(_NAME_IN_FILTER if self._depth > 1 else _NAME)
        if match is None:
            raise self._error("a name expected")
        if self._ahead("(") and match.group() in _FUNCTIONS:
            self._at += 1
            return Function(match.group(), self._arguments())
        return Child((match.group(),))

    def _arguments(self) -> tuple[Operand, ...]:
        found: list[Operand] = []
        self._space()
        while not self._take(")"):
            # Texts in single quotes and words are no arguments to Jayway; it says nothing.
            counts = self._text[self._at : self._at + 1] in _ARGUMENT_BEGINS
            argument = self._object() if self._ahead("{") else self._operand()
            if counts:
                found.append(argument)
            self._space()
            if not self._ahead(")"):
                self._need(",")
                self._space()
        return tuple(found)

    def _object(self) -> Operand:
        try:
            value, self._at = json.JSONDecoder().raw_decode(self._text, self._at)
        except (ValueError, RecursionError):
            raise self._error("a JSON object expected") from None
        return Operand(value)

    def _bracket(self) -> Segment:
        self._space()
        if self._take("*"):
            self._need("]")
            return Wildcard()
        if self._take("?"):
            self._need("(")
            condition = self._or()
            self._need(")")
            self._need("]")
            return Filter(condition)
        match = self._match(_SLICE)
        if match is not None:
            start, stop = match.groups()
            if start is None and stop is None:
                raise self._error("a bound expected")
            return Slice(int(start) if start else None, int(stop) if stop else None)
        if self._ahead("'") or self._ahead('"'):
            quote = self._text[self._at]
            return Child(tuple(self._separated(lambda: self._quoted(quote))))
        return Indices(tuple(self._separated(self._index)))

    def _separated(self, read: Callable[[], _T]) -> list[_T]:
        found = [read()]
        self._space()
        while self._take(","):
            self._space()
            found.append(read())
            self._space()
        self._need("]")
        return found

    def _index(self) -> int:
        match = self._match(_INDEX)
        if match is None:
            raise self._error("an index expected")
        return int(match.group())

    def _quoted(self, quote: str) -> str:
        if not self._ahead(quote):
            raise self._error(f"a name within {quote} expected")
        parts: list[str] = []
        at = self._at + 1
        while at < len(self._text) and self._text[at] != quote:
            at += self._text[at] == "\\"
            parts.append(self._text[at : at + 1])
            at += 1
        if at >= len(self._text):
            raise self._error("the quote is not closed")
        self._at = at + 1
        return "".join(parts)

    # Conditions

    def _or(self) -> Condition:
        return self._joined("||", lambda: self._joined("&&", self._condition))

    def _joined(self, operator: str, read: Callable[[], Condition]) -> Condition:
        parts = [read()]
        self._space()
        while self._take(operator):
            parts.append(read())
            self._space()
        return parts[0] if len(parts) == 1 else Logic(operator, tuple(parts))

    def _condition(self) -> Condition:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._error("nested too deeply")
        found = self._simple()
        self._depth -= 1
        return found

    def _simple(self) -> Condition:
        self._space()
        if self._ahead("!") and not self._ahead("!="):
            self._at += 1
            return Logic("!", (self._condition(),))
        if self._take("("):
            condition = self._or()
            self._need(")")
            return condition
        left = self._operand()
        self._space()
        match = self._match(_COMPARED)
        if match is None:
            if left.path is None:
                raise self._error("a comparison expected")
            return Exists(left.path)
        operator = match.group().lower()
        return Comparison(operator, left, self._operand())

    def _operand(self) -> Operand:
        self._space()
        if self._ahead("@") or self._ahead("$"):
            return Operand(path=self._path())
        if self._ahead("'") or self._ahead('"'):
            return Operand(self._quoted(self._text[self._at]))
        match = self._match(_NUMBER)
        if match is not None:
            whole = match.group(1) is None and match.group(2) is None
            return Operand(int(match.group()) if whole else float(match.group()))
        match = self._match(_WORD)
        if match is not None:
            return Operand({"true": True, "false": False, "null": None}[match.group()])
        match = self._match(_REGEX)
        if match is not None:
            flags = f"(?{match.group(2)})" if match.group(2) else ""
            try:
                return Operand(compile_regex(flags + match.group(1)))
            except VtlRenderError as error:
                raise self._error(error.message) from error
        if self._take("["):
            return self._literal_list()
        raise self._error("a value expected")

    def _literal_list(self) -> Operand:
        self._space()
        if self._take("]"):
            return Operand([])
        return Operand([operand.value for operand in self._separated(self._operand)])


@lru_cache(maxsize=512)
def compiled(path: str) -> Path:
    """
    Parse a path; paths seen recently are not parsed again.

    Args:
        path: The text; `$.` may be left out.

    Returns:
        Its segments.

    Raises:
        JsonPathError: It is no path.
    """
    return _Reader(path).read()
