"""What a path finds in a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ._document import MISSING, JsonArray
from ._functions import AbsentError, call
from ._operators import OPERATORS
from ._syntax import (
    Child,
    Comparison,
    Deep,
    Exists,
    Filter,
    Function,
    Indices,
    Logic,
    Operand,
    Path,
    Segment,
    Slice,
    Wildcard,
    compiled,
)

__all__ = ["find"]


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
    names = _names(path)
    if names is None:
        return _evaluate(compiled(path), document, document)
    for name in names:
        if not isinstance(document, dict) or name not in document:
            return MISSING
        document = document[name]
    return document


@lru_cache(maxsize=512)
def _names(path: str) -> tuple[str, ...] | None:
    """Return the names of a path that has nothing else, as most have."""
    segments = compiled(path).segments
    names = [one.names[0] for one in segments if isinstance(one, Child) and len(one.names) == 1]
    return tuple(names) if len(names) == len(segments) else None


def _evaluate(path: Path, document: object, root: object) -> object:
    segments = path.segments
    if len(segments) > 1 and isinstance(segments[0], Deep) and isinstance(segments[-1], Function):
        return _aggregate(path, segments[-1], document, root)
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
    except AbsentError:
        return MISSING
    if not definite:
        return JsonArray(found)
    return found[0] if found else MISSING


def _aggregate(path: Path, function: Function, document: object, root: object) -> object:
    """Call a function on all that a deep scan finds; it counts what is within its matches."""
    segments = path.segments[:-1]
    if function.name in ("length", "size"):
        segments += (Wildcard(),)
    found = _evaluate(Path(path.absolute, segments), document, root)
    return call(function.name, found, _arguments(function, root))


def _arguments(function: Function, root: object) -> list[object]:
    return [_operand(argument, root, root) for argument in function.arguments]


def _is_definite(segment: Segment, leaf: bool) -> bool:
    if isinstance(segment, Child):
        return leaf or len(segment.names) == 1
    if isinstance(segment, Indices):
        return len(segment.indices) == 1
    return isinstance(segment, Function)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a segment stands: what is missing behind an indefinite part is passed over."""

    root: object
    definite: bool
    leaf: bool

    def absent(self) -> list[object]:
        if self.definite:
            raise AbsentError
        return []


def _select(segment: Segment, value: object, place: _Place) -> list[object]:
    if isinstance(segment, Child):
        return _child(segment, value, place)
    if isinstance(segment, Wildcard):
        return _children(value)
    if isinstance(segment, Indices | Slice):
        return _elements(segment, value, place)
    if isinstance(segment, Deep):
        inner = _Place(place.root, False, place.leaf)
        return [
            found for node in _descendants(value) for found in _deep(segment.segment, node, inner)
        ]
    if isinstance(segment, Filter):
        candidates = value if isinstance(value, list) else [value]
        if not isinstance(value, list | dict):
            return place.absent()
        return [item for item in candidates if _holds(segment.condition, item, place.root)]
    return [call(segment.name, value, _arguments(segment, place.root))]


def _child(segment: Child, value: object, place: _Place) -> list[object]:
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


def _elements(segment: Indices | Slice, value: object, place: _Place) -> list[object]:
    if not isinstance(value, list):
        return place.absent()
    if isinstance(segment, Slice):
        return list(value[segment.start : segment.stop])
    size = len(value)
    found = [value[index] for index in segment.indices if -size <= index < size]
    return found or (place.absent() if len(segment.indices) == 1 else [])


def _deep(segment: Segment, node: object, place: _Place) -> list[object]:
    # A filter behind `..` asks the maps and lists themselves; a list that passes is filtered then.
    if isinstance(segment, Filter):
        if not _holds(segment.condition, node, place.root):
            return []
        return _select(segment, node, place)
    if isinstance(segment, Child) and isinstance(node, dict):
        # Several names are found only where all of them are.
        return _select(segment, node, place) if node.keys() >= {*segment.names} else []
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


def _holds(condition: Logic | Comparison | Exists, item: object, root: object) -> bool:
    if isinstance(condition, Logic):
        parts = (_holds(part, item, root) for part in condition.parts)
        if condition.operator == "!":
            return not next(parts)
        return all(parts) if condition.operator == "&&" else any(parts)
    if isinstance(condition, Exists):
        base = root if condition.path.absolute else item
        found = _evaluate(condition.path, base, root)
        return found is not MISSING and found != []
    left = _operand(condition.left, item, root)
    right = _operand(condition.right, item, root)
    return OPERATORS[condition.operator](left, right)


def _operand(operand: Operand, item: object, root: object) -> object:
    if operand.path is None:
        return operand.value
    return _evaluate(operand.path, root if operand.path.absolute else item, root)
