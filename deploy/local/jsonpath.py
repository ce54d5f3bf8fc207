"""
JSONPath as Jayway's JsonPath evaluates it with its default provider, and JSON as it prints.

A path without wildcard, slice, union, filter or deep scan is *definite*: it finds one value or
nothing. Any other path is *indefinite*: it finds a list, perhaps an empty one.

    $  .name  ['name']  ['a','b']  .*  [*]  [0]  [-1]  [0,2]  [1:3]  ..name  [?(@.a == 1)]  .size()

Source: the README of Jayway JsonPath (operators, functions, filters, what is returned when).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

from .vtl import PrintedList, VtlRenderError, compile_regex, double_string

__all__ = ["MISSING", "JsonArray", "JsonFloat", "JsonPathError", "dump", "find", "parse"]


_T = TypeVar("_T")


class JsonPathError(VtlRenderError):
    """A JSONPath that cannot be parsed or computed."""


# Syntax


@dataclass(frozen=True, slots=True)
class _Child:
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Wildcard:
    pass


@dataclass(frozen=True, slots=True)
class _Indices:
    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Slice:
    start: int | None
    stop: int | None


@dataclass(frozen=True, slots=True)
class _Deep:
    segment: _Segment


@dataclass(frozen=True, slots=True)
class _Filter:
    condition: _Condition


@dataclass(frozen=True, slots=True)
class _Function:
    name: str
    arguments: tuple[_Operand, ...]


@dataclass(frozen=True, slots=True)
class _Path:
    absolute: bool
    segments: tuple[_Segment, ...]


@dataclass(frozen=True, slots=True)
class _Operand:
    """A literal, or a path where `path` is not None."""

    value: object = None
    path: _Path | None = None


@dataclass(frozen=True, slots=True)
class _Logic:
    operator: str
    parts: tuple[_Condition, ...]


@dataclass(frozen=True, slots=True)
class _Exists:
    path: _Path


@dataclass(frozen=True, slots=True)
class _Comparison:
    operator: str
    left: _Operand
    right: _Operand


_Segment = _Child | _Wildcard | _Indices | _Slice | _Deep | _Filter | _Function
_Condition = _Logic | _Exists | _Comparison

_FUNCTIONS = frozenset(
    {"length", "size", "keys", "concat", "append", "first", "last", "index"}
    | {"min", "max", "sum", "avg", "stddev"}
)
_MAX_DEPTH = 50
_NAME = re.compile(r"[^.\[\]()\s,'\"*?@&|=!<>~]+")
_INDEX = re.compile(r"-?\d+")
_SLICE = re.compile(r"\s*(-?\d+)?\s*:\s*(-?\d+)?\s*\]")
_COMPARED = re.compile(
    r"===|!==|==|!=|<=|>=|=~|<|>|(?:in|nin|contains|size|empty|subsetof|anyof|noneof)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_WORD = re.compile(r"(true|false|null)\b")
_REGEX = re.compile(r"/((?:[^/\\]|\\.)*)/([a-z]*)")


class _Reader:
    """Reads a path by recursive descent."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def read(self) -> _Path:
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

    def _path(self) -> _Path:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._error("nested too deeply")
        absolute = self._take("$")
        if not absolute:
            self._need("@")
        segments: list[_Segment] = []
        while True:
            if self._take(".."):
                inner = self._bracket() if self._take("[") else self._dotted()
                segments.append(_Deep(inner))
            elif self._take("."):
                segments.append(self._bracket() if self._take("[") else self._dotted())
            elif self._take("["):
                segments.append(self._bracket())
            else:
                break
        self._depth -= 1
        return _Path(absolute, tuple(segments))

    def _dotted(self) -> _Segment:
        if self._take("*"):
            return _Wildcard()
        match = self._match(_NAME)
        if match is None:
            raise self._error("a name expected")
        if self._ahead("(") and match.group() in _FUNCTIONS:
            self._at += 1
            return _Function(match.group(), self._arguments())
        return _Child((match.group(),))

    def _arguments(self) -> tuple[_Operand, ...]:
        found: list[_Operand] = []
        self._space()
        while not self._take(")"):
            if found:
                self._need(",")
            found.append(self._operand())
            self._space()
        return tuple(found)

    def _bracket(self) -> _Segment:
        self._space()
        if self._take("*"):
            self._need("]")
            return _Wildcard()
        if self._take("?"):
            self._need("(")
            condition = self._or()
            self._need(")")
            self._need("]")
            return _Filter(condition)
        match = self._match(_SLICE)
        if match is not None:
            start, stop = match.groups()
            return _Slice(int(start) if start else None, int(stop) if stop else None)
        if self._ahead("'") or self._ahead('"'):
            return _Child(tuple(self._separated(self._quoted)))
        return _Indices(tuple(self._separated(self._index)))

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

    def _quoted(self) -> str:
        quote = self._text[self._at : self._at + 1]
        if quote not in ("'", '"') or not quote:
            raise self._error("a quoted name expected")
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

    def _or(self) -> _Condition:
        return self._joined("||", lambda: self._joined("&&", self._condition))

    def _joined(self, operator: str, read: Callable[[], _Condition]) -> _Condition:
        parts = [read()]
        self._space()
        while self._take(operator):
            parts.append(read())
            self._space()
        return parts[0] if len(parts) == 1 else _Logic(operator, tuple(parts))

    def _condition(self) -> _Condition:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._error("nested too deeply")
        found = self._simple()
        self._depth -= 1
        return found

    def _simple(self) -> _Condition:
        self._space()
        if self._ahead("!") and not self._ahead("!="):
            self._at += 1
            return _Logic("!", (self._condition(),))
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
            return _Exists(left.path)
        operator = match.group().lower()
        return _Comparison(operator, left, self._operand())

    def _operand(self) -> _Operand:
        self._space()
        if self._ahead("@") or self._ahead("$"):
            return _Operand(path=self._path())
        if self._ahead("'") or self._ahead('"'):
            return _Operand(self._quoted())
        match = self._match(_NUMBER)
        if match is not None:
            whole = match.group(1) is None and match.group(2) is None
            return _Operand(int(match.group()) if whole else float(match.group()))
        match = self._match(_WORD)
        if match is not None:
            return _Operand({"true": True, "false": False, "null": None}[match.group()])
        match = self._match(_REGEX)
        if match is not None:
            flags = f"(?{match.group(2)})" if match.group(2) else ""
            return _Operand(flags + match.group(1))
        if self._take("["):
            return self._literal_list()
        raise self._error("a value expected")

    def _literal_list(self) -> _Operand:
        self._space()
        if self._take("]"):
            return _Operand([])
        return _Operand([operand.value for operand in self._separated(self._operand)])


# Documents


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()
"""A definite path found nothing."""


class JsonFloat(float):
    """A decimal number that remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> JsonFloat:
        """
        Read a number.

        Args:
            text: The number as JSON writes it.

        Returns:
            The number.
        """
        number = super().__new__(cls, text)
        number.text = text
        return number


class JsonArray(PrintedList):
    """A JSON array: a list that prints as compact JSON, as json-smart's does."""

    __slots__ = ()

    def vtl_text(self) -> str:
        """Return the array as JSON text."""
        return dump(self)


def parse(text: str) -> object:
    """
    Parse JSON.

    Args:
        text: JSON text.

    Returns:
        dicts in document order, `JsonArray` for arrays, integers of any size, `JsonFloat`.

    Raises:
        ValueError: The text is not JSON.
    """
    try:
        return _wrapped(json.loads(text, parse_float=JsonFloat, parse_constant=_refused))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refused(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _wrapped(value: object) -> object:
    if isinstance(value, dict):
        return {key: _wrapped(item) for key, item in value.items()}
    if isinstance(value, list):
        return JsonArray(_wrapped(item) for item in value)
    return value


def dump(value: object) -> str:
    """
    Print a value as JSON.

    Args:
        value: What `parse` or a template made.

    Returns:
        Compact JSON text, numbers as they were written.
    """
    if isinstance(value, dict):
        members = (f"{json.dumps(_name(key))}:{dump(item)}" for key, item in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dump, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, JsonFloat):
        return value.text
    if isinstance(value, float):
        return double_string(value) if math.isfinite(value) else "null"
    return json.dumps(str(value), ensure_ascii=False)


def _name(key: object) -> str:
    return key if isinstance(key, str) else str(key)


def find(document: object, path: str) -> object:
    """
    Evaluate a path.

    Args:
        document: What `parse` returned.
        path: A JSONPath; `$.` may be left out.

    Returns:
        The value of a definite path or `MISSING`, the `JsonArray` of an indefinite one.

    Raises:
        JsonPathError: The path cannot be parsed.
    """
    return _evaluate(_compiled(path), document, document)


@lru_cache(maxsize=512)
def _compiled(path: str) -> _Path:
    return _Reader(path).read()


class _AbsentError(Exception):
    """A definite part of a path is missing."""


def _evaluate(path: _Path, document: object, root: object) -> object:
    found = [document]
    definite = True
    try:
        for position, segment in enumerate(path.segments):
            leaf = position == len(path.segments) - 1
            found = [
                value
                for item in found
                for value in _select(segment, item, _Place(root, definite, leaf))
            ]
            definite = definite and _is_definite(segment, leaf)
    except _AbsentError:
        return MISSING
    if not definite:
        return JsonArray(found)
    return found[0] if found else MISSING


def _is_definite(segment: _Segment, leaf: bool) -> bool:
    if isinstance(segment, _Child):
        return leaf or len(segment.names) == 1
    if isinstance(segment, _Indices):
        return len(segment.indices) == 1
    return isinstance(segment, _Function)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a segment stands: what is missing behind an indefinite part is passed over."""

    root: object
    definite: bool
    leaf: bool

    def absent(self) -> list[object]:
        if self.definite:
            raise _AbsentError
        return []


def _select(segment: _Segment, value: object, place: _Place) -> list[object]:
    if isinstance(segment, _Child):
        return _child(segment, value, place)
    if isinstance(segment, _Wildcard):
        return _children(value)
    if isinstance(segment, _Indices | _Slice):
        return _elements(segment, value, place)
    if isinstance(segment, _Deep):
        inner = _Place(place.root, False, place.leaf)
        return [
            found for node in _descendants(value) for found in _deep(segment.segment, node, inner)
        ]
    if isinstance(segment, _Filter):
        candidates = value if isinstance(value, list) else [value]
        if not isinstance(value, list | dict):
            return place.absent()
        return [item for item in candidates if _holds(segment.condition, item, place.root)]
    return [_call(segment, value, place)]


def _child(segment: _Child, value: object, place: _Place) -> list[object]:
    if not isinstance(value, dict):
        return place.absent()
    if len(segment.names) > 1:
        present = {name: value[name] for name in segment.names if name in value}
        return [present] if place.leaf else list(present.values())
    name = segment.names[0]
    return [value[name]] if name in value else place.absent()


def _children(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []


def _elements(segment: _Indices | _Slice, value: object, place: _Place) -> list[object]:
    if not isinstance(value, list):
        return place.absent()
    if isinstance(segment, _Slice):
        return list(value[segment.start : segment.stop])
    size = len(value)
    found = [value[index] for index in segment.indices if -size <= index < size]
    return found or (place.absent() if len(segment.indices) == 1 else [])


def _deep(segment: _Segment, node: object, place: _Place) -> list[object]:
    # A filter behind `..` looks at the elements of lists, and at a map only as an element.
    if isinstance(segment, _Filter) and not isinstance(node, list):
        return []
    return _select(segment, node, place)


def _descendants(value: object) -> Iterator[object]:
    """Walk through a value and all below it, in document order."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict | list):
            yield node
            waiting.extend(reversed(_children(node)))


# Filters


def _holds(condition: _Logic | _Comparison | _Exists, item: object, root: object) -> bool:
    if isinstance(condition, _Logic):
        parts = (_holds(part, item, root) for part in condition.parts)
        if condition.operator == "!":
            return not next(parts)
        return all(parts) if condition.operator == "&&" else any(parts)
    if isinstance(condition, _Exists):
        base = root if condition.path.absolute else item
        found = _evaluate(condition.path, base, root)
        return found is not MISSING and found != []
    left = _operand(condition.left, item, root)
    right = _operand(condition.right, item, root)
    return _OPERATORS[condition.operator](left, right)


def _operand(operand: _Operand, item: object, root: object) -> object:
    if operand.path is None:
        return operand.value
    return _evaluate(operand.path, root if operand.path.absolute else item, root)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _equal(left: object, right: object) -> bool:
    if left is MISSING or right is MISSING:
        return left is right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return left == right


def _ordered(holds: Callable[[int], bool]) -> Callable[[object, object], bool]:
    def compare(left: object, right: object) -> bool:
        texts = isinstance(left, str) and isinstance(right, str)
        if not texts and not (_is_number(left) and _is_number(right)):
            return False
        return holds((left > right) - (left < right))  # type: ignore[operator]

    return compare


def _members(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _in(left: object, right: object) -> bool:
    return any(_equal(left, item) for item in _members(right))


def _matches(left: object, right: object) -> bool:
    if not isinstance(left, str) or not isinstance(right, str):
        return False
    return compile_regex(right).fullmatch(left) is not None


def _contains(left: object, right: object) -> bool:
    if isinstance(left, str):
        return isinstance(right, str) and right in left
    return _in(right, left)


def _size(left: object, right: object) -> bool:
    return isinstance(left, str | list) and _is_number(right) and len(left) == right


def _empty(left: object, right: object) -> bool:
    return isinstance(left, str | list) and (not left) is right


_OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "==": _equal,
    "===": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "!==": lambda left, right: not _equal(left, right),
    "<": _ordered(lambda order: order < 0),
    "<=": _ordered(lambda order: order <= 0),
    ">": _ordered(lambda order: order > 0),
    ">=": _ordered(lambda order: order >= 0),
    "=~": _matches,
    "in": _in,
    "nin": lambda left, right: not _in(left, right),
    "contains": _contains,
    "size": _size,
    "empty": _empty,
    "subsetof": lambda left, right: all(_in(item, right) for item in _members(left)),
    "anyof": lambda left, right: any(_in(item, right) for item in _members(left)),
    "noneof": lambda left, right: not any(_in(item, right) for item in _members(left)),
}


# Functions


def _call(function: _Function, value: object, place: _Place) -> object:
    arguments = [_operand(argument, place.root, place.root) for argument in function.arguments]
    name = function.name
    if name in ("length", "size"):
        return len(value) if isinstance(value, list | dict | str) else None
    if name == "keys":
        return JsonArray(value) if isinstance(value, dict) else None
    if name == "concat":
        return "".join(str(item) for item in [*_members(value), *arguments])
    if name == "append":
        return JsonArray([*_members(value), *arguments])
    if name in ("first", "last", "index"):
        return _pick(name, _members(value), arguments)
    numbers = [
        float(item)
        for item in [*_members(value), *arguments]
        if isinstance(item, int | float) and not isinstance(item, bool)
    ]
    if not numbers:
        raise JsonPathError("Aggregation function attempted to calculate value using empty array")
    return _AGGREGATES[name](numbers)


def _pick(name: str, items: list[object], arguments: list[object]) -> object:
    at = {"first": 0, "last": -1}.get(name)
    if at is None:
        at = arguments[0] if arguments and isinstance(arguments[0], int) else 0
    if not -len(items) <= at < len(items):
        raise _AbsentError
    return items[at]


def _deviation(numbers: list[float]) -> float:
    mean = sum(numbers) / len(numbers)
    return math.sqrt(sum(number * number for number in numbers) / len(numbers) - mean * mean)


_AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "min": min,
    "max": max,
    "sum": sum,
    "avg": lambda numbers: sum(numbers) / len(numbers),
    "stddev": _deviation,
}
