"""
What lists, arrays and views of maps have in common: their elements and iterators.

An iterator notices a change of what it runs over by its size, where Java counts the changes.

Source: the API documentation of java.util.Iterator and ListIterator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cmp_to_key

from ._equality import equals
from ._foreign import adopted
from ._java import compare, compare_doubles, is_number
from ._signatures import Table, null_argument
from ._utf16 import compare_units
from ._values import Character, JavaArray, VtlObject, class_name
from .errors import VtlRenderError

__all__ = [
    "Cursor",
    "ListCursor",
    "ViewCursor",
    "contains_all",
    "elements",
    "find",
    "given",
    "natural_order",
    "opaque",
    "sorted_items",
    "to_array",
    "unsupported",
]


def elements(value: object) -> list[object] | None:
    """
    List what `#foreach` or `addAll` would see.

    Args:
        value: Any value.

    Returns:
        The elements of a list or view, the values of a map; None for anything else.
    """
    if isinstance(value, list):
        return list(value)
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, VtlObject):
        items = value.vtl_iterate()
        return None if items is None else list(items)
    own = adopted(value)
    return None if own is value else elements(own)


def given(value: object) -> list[object]:
    """
    List the elements of a collection that is an argument.

    Args:
        value: A list, a view or null.

    Returns:
        The elements.

    Raises:
        VtlRenderError: There is none.
    """
    found = None if isinstance(value, Mapping) else elements(value)
    if found is None:
        raise VtlRenderError("NullPointerException")
    return found


def find(items: Iterable[object], value: object) -> int:
    """
    Find an element.

    Args:
        items: The elements.
        value: Any value.

    Returns:
        The index of the first that equals it; -1 when there is none.
    """
    return next((at for at, item in enumerate(items) if equals(item, value)), -1)


def contains_all(items: list[object], others: object) -> bool:
    """
    Do `containsAll`.

    Args:
        items: The elements.
        others: A collection.

    Returns:
        Whether each of the others is among them.
    """
    return all(find(items, other) >= 0 for other in given(others))


def unsupported(*_: object) -> object:
    """
    Refuse to change what cannot be changed.

    Raises:
        VtlRenderError: Always.
    """
    raise VtlRenderError("UnsupportedOperationException")


def natural_order(one: object, other: object) -> int:
    """
    Do `one.compareTo(other)`.

    Args:
        one: Any value.
        other: Any value.

    Returns:
        A number below, above or equal to zero.

    Raises:
        VtlRenderError: They are not of one class that has an order.
    """
    if one is None or other is None:
        raise VtlRenderError("NullPointerException")
    if isinstance(one, str) and isinstance(other, str):
        return compare_units(one, other)
    if class_name(one) != class_name(other):
        raise VtlRenderError(f"ClassCastException: {class_name(one)} and {class_name(other)}")
    if isinstance(one, Character) and isinstance(other, Character):
        return ord(one.value) - ord(other.value)
    if isinstance(one, bool) and isinstance(other, bool):
        return int(one) - int(other)
    if isinstance(one, float) and isinstance(other, float):
        return compare_doubles(one, other)
    if is_number(one):
        return compare(one, other)
    raise VtlRenderError(f"ClassCastException: {class_name(one)} is not Comparable")


def sorted_items(items: Iterable[object]) -> list[object]:
    """
    Sort by the natural order.

    Args:
        items: The elements.

    Returns:
        Them in order.

    Raises:
        VtlRenderError: They are not all of one class that has an order.
    """
    return sorted(items, key=cmp_to_key(natural_order))


def to_array(items: Iterable[object], *wanted: object) -> JavaArray:
    """
    Do `toArray()` or `toArray(array)`.

    Args:
        items: The elements.
        wanted: Nothing, an array, or the elements of one.

    Returns:
        The given array where it has room for them, else a new one.

    Raises:
        VtlRenderError: The array is null.
    """
    if wanted == (None,):
        raise VtlRenderError("NullPointerException")
    found = list(items)
    target = wanted[0] if len(wanted) == 1 else None
    if not isinstance(target, JavaArray) or not target.element.startswith("L"):
        return JavaArray(found)
    if len(found) > len(target):
        return JavaArray(found, target.element)
    target[: len(found)] = found
    if len(found) < len(target):
        target[len(found)] = None
    return target


class Cursor(VtlObject):
    """
    A java.util.Iterator.

    Args:
        items: Lists the elements as they are now.
        size: Counts them.
        remove: Removes the element at an index.
        kind: The class that it has in Java.
    """

    def __init__(
        self,
        items: list[object],
        size: Callable[[], int],
        remove: Callable[[int], object],
        kind: str,
    ) -> None:
        self._items = items
        self._count = size
        self._remove = remove
        self._at = 0
        self._last = -1
        self._expected = size()
        self.vtl_class = kind

    def has_next(self) -> bool:
        """Say whether there is another element."""
        return self._at != self._count()

    def next(self) -> object:
        """Return the next element; fails beyond the end."""
        self._check()
        if self._at >= self._count():
            raise VtlRenderError("NoSuchElementException")
        self._last = self._at
        self._at += 1
        return self._items[self._last]

    def remove(self) -> str:
        """Remove the element that was returned last; fails when there is none."""
        self._needs_last()
        self._check()
        self._remove(self._last)
        self._at = self._last
        self._changed()
        return ""

    def _changed(self) -> None:
        self._last = -1
        self._expected = self._count()

    def _needs_last(self) -> None:
        if self._last < 0:
            raise VtlRenderError("IllegalStateException")

    def _check(self) -> None:
        if self._count() != self._expected:
            raise VtlRenderError("ConcurrentModificationException")

    def vtl_iterate(self) -> Iterator[object]:
        """Iterate over the rest, using it up."""
        while self.has_next():
            yield self.next()


_CURSOR_METHODS: Table = {
    "hasNext": (("", Cursor.has_next),),
    "next": (("", Cursor.next),),
    "remove": (("", Cursor.remove),),
    "forEachRemaining": (("N", null_argument),),
}
Cursor.vtl_methods = _CURSOR_METHODS


class ViewCursor(Cursor):
    """An iterator of a map's view, which knows beforehand whether there is another element."""

    def has_next(self) -> bool:
        """Say whether there was another element when the last one was returned."""
        return self._at < len(self._items)


ViewCursor.vtl_methods = {**_CURSOR_METHODS, "hasNext": (("", ViewCursor.has_next),)}


class ListCursor(Cursor):
    """
    A java.util.ListIterator, which goes both ways.

    Args:
        items: The list itself.
        at: The index to begin at.
        kind: The class that it has in Java.
        fixed: Whether elements can neither be added nor removed.
    """

    def __init__(self, items: list[object], at: int, kind: str, fixed: bool) -> None:
        super().__init__(items, items.__len__, unsupported if fixed else items.pop, kind)
        self._at = at
        self._fixed = fixed

    def previous(self) -> object:
        """Return the element before; fails at the beginning."""
        self._check()
        if self._at <= 0:
            raise VtlRenderError("NoSuchElementException")
        self._at -= 1
        self._last = self._at
        return self._items[self._at]

    def place(self) -> int:
        """Return the index of the next element."""
        return self._at

    def add(self, value: object) -> str:
        """Insert an element before the next one."""
        self._check()
        if self._fixed:
            unsupported()
        self._items.insert(self._at, value)
        self._at += 1
        self._changed()
        return ""

    def set(self, value: object) -> str:
        """Replace the element that was returned last; fails when there is none."""
        self._needs_last()
        self._check()
        self._items[self._last] = value
        return ""


ListCursor.vtl_methods = {
    **_CURSOR_METHODS,
    "hasPrevious": (("", lambda cursor: cursor.place() > 0),),
    "previous": (("", ListCursor.previous),),
    "nextIndex": (("", ListCursor.place),),
    "previousIndex": (("", lambda cursor: cursor.place() - 1),),
    "add": (("O", ListCursor.add),),
    "set": (("O", ListCursor.set),),
}


class Opaque(VtlObject):
    """
    An object of which a template can use nothing but its class.

    Args:
        kind: The class.
    """

    def __init__(self, kind: str) -> None:
        self.vtl_class = kind


def opaque(kind: str) -> Callable[..., Opaque]:
    """Return what makes an object of which nothing but its class is known."""
    return lambda *_: Opaque(kind)
