"""
Streams and optional values, as far as no function is needed: a template cannot make one.

Source: the API documentation of java.util.stream and java.util.Optional, Java 17.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ._elements import Cursor, find, sorted_items, to_array
from ._equality import equals, hash_code
from ._java import text_of
from ._signatures import Table, null_argument
from ._values import JavaArray, VtlObject, wrapped
from .errors import VtlRenderError

__all__ = ["IntStream", "Stream"]


class Stream(VtlObject):
    """
    A java.util.stream.Stream, or one of ints; good for one use.

    Args:
        items: The elements.
        kind: What its class is called in its package.
    """

    def __init__(self, items: Iterable[object], kind: str = "ReferencePipeline$Head") -> None:
        self._items: list[object] | None = list(items)
        self.vtl_class = f"java.util.stream.{kind}"

    def take(self) -> list[object]:
        """Return the elements; fails when they were taken before."""
        if self._items is None:
            raise VtlRenderError(
                "IllegalStateException: stream has already been operated upon or closed"
            )
        items, self._items = self._items, None
        return items

    def then(self, kind: str, change: Callable[[list[object]], list[object]]) -> Stream:
        """Return a stream of what becomes of the elements."""
        return type(self)(change(self.take()), kind)

    def slice(self, begin: int, count: int | None) -> Stream:
        """Return a stream of some of the elements."""
        if begin < 0 or (count or 0) < 0:
            raise VtlRenderError(f"IllegalArgumentException: {begin if begin < 0 else count}")
        end = None if count is None else begin + count
        return self.then("SliceOps$1", lambda items: items[begin:end])

    def vtl_iterate(self) -> list[object]:
        """Fail as `#foreach` does: Velocity may not call `iterator()` of a hidden class."""
        raise VtlRenderError("IllegalAccessException: a stream cannot be looped over")

    def iterator(self) -> Cursor:
        """Return an iterator over the elements."""
        items = self.take()
        return Cursor(items, items.__len__, items.pop, "java.util.Spliterators$1Adapter")


class IntStream(Stream):
    """
    A java.util.stream.IntStream.

    Args:
        items: The elements.
        kind: What its class is called in its package.
    """

    def __init__(self, items: Iterable[object], kind: str = "IntPipeline$Head") -> None:
        super().__init__(items, kind)


class Optional(VtlObject):
    """
    A java.util.Optional.

    Args:
        value: What it holds; null for nothing.
        kind: Its class.
    """

    def __init__(self, value: object, kind: str = "Optional") -> None:
        self.value = value
        self._kind = kind
        self.vtl_class = f"java.util.{kind}"

    def get(self) -> object:
        """Return what it holds; fails when that is nothing."""
        if self.value is None:
            raise VtlRenderError("NoSuchElementException: No value present")
        return self.value

    def vtl_string(self) -> str:
        """Print what it holds."""
        return f"{self._kind}[{text_of(self.value)}]" if self.present() else f"{self._kind}.empty"

    def present(self) -> bool:
        """Say whether it holds something."""
        return self.value is not None

    def vtl_equals(self, other: object) -> bool:
        """Compare what they hold."""
        return isinstance(other, Optional) and equals(self.value, other.value)

    def vtl_hash(self) -> int:
        """Return the hash code of what it holds."""
        return hash_code(self.value)


def _or_else(optional: Optional, other: object) -> object:
    return optional.value if optional.present() else other


Optional.vtl_methods = {
    "get": (("", Optional.get),),
    "getAsInt": (("", Optional.get),),
    "isPresent": (("", Optional.present),),
    "isEmpty": (("", lambda optional: not optional.present()),),
    "orElse": (("O", _or_else),),
    "orElseThrow": (("", Optional.get),),
}


def _distinct(items: list[object]) -> list[object]:
    kept: list[object] = []
    for item in items:
        if find(kept, item) < 0:
            kept.append(item)
    return kept


def _first(items: list[object], kind: str) -> Optional:
    if items and items[0] is None:
        null_argument()
    return Optional(items[0] if items else None, kind)


def _sum(items: list[object]) -> int:
    return wrapped(sum(item for item in items if isinstance(item, int)), 32)


_SHARED: Table = {
    "count": (("", lambda stream: len(stream.take())),),
    "iterator": (("", Stream.iterator),),
    "distinct": (("", lambda stream: stream.then("DistinctOps$1", _distinct)),),
    "limit": (("l", lambda stream, count: stream.slice(0, count)),),
    "skip": (("l", lambda stream, count: stream.slice(count, None)),),
}
Stream.vtl_methods = {
    **_SHARED,
    "toArray": (("", lambda stream: to_array(stream.take())),),
    "sorted": (("", lambda stream: stream.then("SortedOps$OfRef", sorted_items)),),
    "findFirst": (("", lambda stream: _first(stream.take(), "Optional")),),
    "findAny": (("", lambda stream: _first(stream.take(), "Optional")),),
}
IntStream.vtl_methods = {
    **_SHARED,
    "toArray": (("", lambda stream: JavaArray(stream.take(), "I")),),
    "sorted": (("", lambda stream: stream.then("SortedOps$OfInt", sorted_items)),),
    "findFirst": (("", lambda stream: _first(stream.take(), "OptionalInt")),),
    "findAny": (("", lambda stream: _first(stream.take(), "OptionalInt")),),
    "sum": (("", lambda stream: _sum(stream.take())),),
    "max": (("", lambda stream: _first(sorted_items(stream.take())[::-1], "OptionalInt")),),
    "min": (("", lambda stream: _first(sorted_items(stream.take()), "OptionalInt")),),
}
