"""What a path finds in a document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ._document import MISSING, JsonArray
from ._functions import AbsentError, call
from ._operators import OPERATORS, InapplicableError
from ._syntax import (
    Child,
    Condition,
    Deep,
    Exists,
    Filter,
    Function,
    Indices,
    JsonPathError,
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


def _evaluate(path: Path, document: object, root: object, *, required: bool = False) -> object:
    segments = path.segments
    last = segments[-1] if segments else None
    found = [document]
    definite = True
    try:
        if len(segments) > 1 and isinstance(segments[0], Deep) and isinstance(last, Function):
            return _aggregate(path, last, document, root)
        for position, segment in enumerate(segments):
            leaf = position == len(segments) - 1
            found = [
                value
                for item in found
                for value in _select(segment, item, _Place(root, definite, leaf, required))
            ]
            definite = definite and _is_definite(segment, leaf)
    except AbsentError:
        return MISSING
    if not definite:
        return JsonArray(found)
    return found[0] if found else MISSING


def _aggregate(path: Path, function: Function, document: object, root: object) -> object:
    """Call a function behind a deep scan: on the document, the scan is its only argument."""
    scan = Operand(path=Path(path.absolute, path.segments[:-1]))
    return _called(Function(function.name, (scan,)), document, root)


def _called(function: Function, value: object, root: object) -> object:
    if function.name in ("length", "size") and function.arguments:
        return _length_of(function.arguments[0], value)
    arguments = [_operand(argument, root, root) for argument in function.arguments]
    if any(argument is MISSING for argument in arguments):
        raise AbsentError
    return call(function.name, value, arguments)


def _length_of(argument: Operand, value: object) -> object:
    """Count what is within the matches of a path that is an argument; it begins at the value."""
    if argument.path is None:
        raise JsonPathError("length() takes a path only")
    within = Path(argument.path.absolute, (*argument.path.segments, Wildcard()))
    found = _evaluate(within, value, value)
    if found is MISSING:
        raise AbsentError
    return call("length", found, [])


def _is_definite(segment: Segment, leaf: bool) -> bool:
    if isinstance(segment, Child):
        return leaf or len(segment.names) == 1
    if isinstance(segment, Indices):
        return len(segment.indices) == 1
    return isinstance(segment, Function)


@dataclass(frozen=True, slots=True)
class _Place:
    """
    Where a segment stands: what is missing behind an indefinite part is passed over.

    Where members are required, as in filters that ask whether a path exists, an object may not
    lack one there either.
    """

    root: object
    definite: bool
    leaf: bool
    required: bool

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
        inner = _Place(place.root, False, place.leaf, place.required)
        return [
            found for node in _descendants(value) for found in _deep(segment.segment, node, inner)
        ]
    if isinstance(segment, Filter):
        candidates = value if isinstance(value, list) else [value]
        if not isinstance(value, list | dict):
            if place.definite:
                raise JsonPathError("a filter can not be applied to primitives")
            return []
        return [item for item in candidates if _passes(segment.condition, item, place.root)]
    return [_called(segment, value, place.root)]


def _child(segment: Child, value: object, place: _Place) -> list[object]:
    if not isinstance(value, dict):
        return place.absent()
    if len(segment.names) > 1:
        present = {name: value[name] for name in segment.names if name in value}
        if place.required and len(present) < len(segment.names):
            raise AbsentError
        return [present] if place.leaf else list(present.values())
    name = segment.names[0]
    if name not in value and place.required:
        raise AbsentError
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
    return [value[index] for index in segment.indices if -size <= index < size]


def _deep(segment: Segment, node: object, place: _Place) -> list[object]:
    # A filter behind `..` asks the maps and lists themselves; a list that passes is filtered then.
    if isinstance(segment, Filter) and not _passes(segment.condition, node, place.root):
        return []
    if isinstance(segment, Child):
        # Several names are found only where all of them are.
        found = isinstance(node, dict) and node.keys() >= {*segment.names}
        return _select(segment, node, place) if found else []
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


def _passes(condition: Condition, item: object, root: object) -> bool:
    try:
        return _holds(condition, item, root)
    except InapplicableError:
        return False


def _holds(condition: Condition, item: object, root: object) -> bool:
    if isinstance(condition, Logic):
        parts = (_holds(part, item, root) for part in condition.parts)
        if condition.operator == "!":
            return not next(parts)
        return all(parts) if condition.operator == "&&" else any(parts)
    if isinstance(condition, Exists):
        base = root if condition.path.absolute else item
        return _evaluate(condition.path, base, root, required=True) is not MISSING
    left = _operand(condition.left, item, root)
    right = _operand(condition.right, item, root)
    return OPERATORS[condition.operator](left, right)


def _operand(operand: Operand, item: object, root: object) -> object:
    if operand.path is None:
        return operand.value
    return _evaluate(operand.path, root if operand.path.absolute else item, root)
