"""
The methods of java.util.ArrayList, of its sub-lists, of lists that take no changes and of arrays.

Source: the API documentation of java.util.ArrayList, List.of and AbstractList, Java 17.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from typing import SupportsIndex, cast, overload

from ._elements import (
    Cursor,
    ListCursor,
    contains_all,
    find,
    given,
    opaque,
    sorted_items,
    to_array,
    unsupported,
)
from ._equality import equals, hash_code
from ._java import text_of
from ._signatures import Table, null_argument
from ._streams import Stream
from ._values import Byte, Character, JavaArray, UnmodifiableList
from .errors import VtlRenderError

__all__ = [
    "ARRAY_METHODS",
    "IMMUTABLE_LIST_METHODS",
    "LIST_METHODS",
    "SUB_LIST_METHODS",
    "ImmutableList",
    "SubList",
]

_MAX_ITEMS = 4_000_000


class SubList(list[object]):
    """
    What `subList` gives: a part of another list, which is itself what is read and written.

    Args:
        whole: The list.
        begin: The index of its first element there.
        end: The index behind its last.
    """

    __slots__ = ("_begin", "_expected", "_size", "_whole", "vtl_class")

    def __init__(self, whole: list[object], begin: int, end: int) -> None:
        super().__init__()
        self._whole = whole
        self._begin = begin
        self._size = end - begin
        self._expected = len(whole)
        self.vtl_class = f"java.util.{_family(whole)}$SubList"

    def __len__(self) -> int:
        if len(self._whole) != self._expected:
            raise VtlRenderError("ConcurrentModificationException")
        return self._size

    def __iter__(self) -> Iterator[object]:
        return iter([self._whole[self._begin + at] for at in range(len(self))])

    def __reversed__(self) -> Iterator[object]:
        return iter(list(self)[::-1])

    @overload
    def __getitem__(self, index: SupportsIndex) -> object: ...

    @overload
    def __getitem__(self, index: slice) -> list[object]: ...

    def __getitem__(self, index: SupportsIndex | slice) -> object:
        return list(self)[index]

    def __setitem__(self, index: SupportsIndex | slice, value: object) -> None:
        items = list(self)
        if isinstance(index, slice):
            items[index] = cast("Iterable[object]", value)
        else:
            items[index] = value
        self._whole[self._begin : self._begin + self._size] = items
        self._size = len(items)
        self._expected = len(self._whole)

    def __delitem__(self, index: SupportsIndex | slice) -> None:
        items = list(self)
        del items[index]
        self[:] = items

    def append(self, value: object) -> None:
        """Insert an element behind the last."""
        self[len(self) :] = [value]

    def extend(self, values: Iterable[object]) -> None:
        """Insert elements behind the last."""
        self[len(self) :] = values

    def insert(self, index: SupportsIndex, value: object) -> None:
        """Insert an element."""
        self[index:index] = [value]

    def pop(self, index: SupportsIndex = -1) -> object:
        """Remove an element."""
        value = self[index]
        del self[index]
        return value

    def clear(self) -> None:
        """Remove all elements, from the list too."""
        self[:] = []


class ImmutableList(UnmodifiableList):
    """
    What `List.of` and `List.copyOf` give: it takes no changes, and no nulls.

    Args:
        items: The elements.

    Raises:
        VtlRenderError: One of them is null.
    """

    __slots__ = ("vtl_class",)

    def __init__(self, items: Iterable[object]) -> None:
        super().__init__(items)
        if any(item is None for item in self):
            null_argument()
        self.vtl_class = f"java.util.ImmutableCollections${_size_class(len(self))}"


def _size_class(size: int) -> str:
    return "List12" if 0 < size <= 2 else "ListN"


def _family(items: list[object]) -> str:
    """Name the class whose inner classes a list's iterators and sub-lists are."""
    if isinstance(items, JavaArray):
        return "AbstractList"
    if isinstance(items, SubList):
        return items.vtl_class.split("$")[0].rpartition(".")[2]
    return "ImmutableCollections" if isinstance(items, ImmutableList) else "ArrayList"


def _bounds(index: int, size: int) -> VtlRenderError:
    return VtlRenderError(
        f"IndexOutOfBoundsException: Index {index} out of bounds for length {size}"
    )


def _get(items: list[object], index: int) -> object:
    if not 0 <= index < len(items):
        raise _bounds(index, len(items))
    return items[index]


def _set(items: list[object], index: int, value: object) -> object:
    old = _get(items, index)
    items[index] = value
    return old


_ELEMENTS: dict[str, type] = {"C": Character, "B": Byte, "I": int, "Ljava.lang.String;": str}


def _set_in_array(items: JavaArray, index: int, value: object) -> object:
    kind = _ELEMENTS.get(items.element)
    fits = value is None and items.element.startswith("L")
    if kind is not None and not isinstance(value, kind) and not fits:
        raise VtlRenderError("IllegalArgumentException: array element type mismatch")
    return _set(items, index, value)


def _last(items: list[object], value: object) -> int:
    at = find(reversed(items), value)
    return at if at < 0 else len(items) - 1 - at


def _grow(items: list[object], more: int) -> None:
    if len(items) + more > _MAX_ITEMS:
        raise VtlRenderError(f"a list of more than {_MAX_ITEMS} elements")


def _add(items: list[object], value: object) -> bool:
    items.append(value)
    return True


def _insert(items: list[object], index: int, value: object) -> object:
    if not 0 <= index <= len(items):
        raise _bounds(index, len(items))
    items.insert(index, value)
    return ""


def _add_all(items: list[object], others: object) -> bool:
    more = given(others)
    _grow(items, len(more))
    items.extend(more)
    return bool(more)


def _insert_all(items: list[object], index: int, others: object) -> bool:
    if not 0 <= index <= len(items):
        raise _bounds(index, len(items))
    more = given(others)
    _grow(items, len(more))
    items[index:index] = more
    return bool(more)


def _remove_at(items: list[object], index: int) -> object:
    _get(items, index)
    return items.pop(index)


def _remove(items: list[object], value: object) -> bool:
    at = find(items, value)
    if at >= 0:
        del items[at]
    return at >= 0


def _keep(items: list[object], others: object, wanted: bool) -> bool:
    rest = given(others)
    kept = [item for item in items if (find(rest, item) >= 0) is wanted]
    changed = len(kept) != len(items)
    items[:] = kept
    return changed


def _clear(items: list[object]) -> str:
    items.clear()
    return ""


def _sort(items: list[object], comparator: object) -> str:
    items[:] = sorted_items(items)
    return ""


def _ensure(items: list[object], size: int) -> str:
    _grow([], size)
    return ""


def _sub_list(items: list[object], begin: int, end: int) -> list[object]:
    if begin < 0 or end > len(items):
        raise VtlRenderError(f"IndexOutOfBoundsException: fromIndex {begin}, toIndex {end}")
    if begin > end:
        raise VtlRenderError(f"IllegalArgumentException: fromIndex({begin}) > toIndex({end})")
    return SubList(items, begin, end)


def _iterator(items: list[object]) -> Cursor:
    if isinstance(items, SubList):
        return _list_iterator(items)
    fixed = isinstance(items, JavaArray)
    kind = f"java.util.{_family(items)}$Itr"
    return Cursor(items, items.__len__, unsupported if fixed else items.pop, kind)


def _list_iterator(items: list[object], at: int = 0) -> ListCursor:
    if not 0 <= at <= len(items):
        raise VtlRenderError(f"IndexOutOfBoundsException: Index: {at}")
    kind = f"{items.vtl_class}$1" if isinstance(items, SubList) else ""
    return ListCursor(
        items,
        at,
        kind or f"java.util.{_family(items)}$ListItr",
        isinstance(items, JavaArray | UnmodifiableList),
    )


def _of(items: object, *values: object) -> ImmutableList:
    if len(values) == 1 and isinstance(values[0], JavaArray) and values[0].element[0] == "L":
        return ImmutableList(values[0])
    return ImmutableList(values)


def _copy_of(items: object, others: object) -> ImmutableList:
    return others if isinstance(others, ImmutableList) else ImmutableList(given(others))


_READING: Table = {
    "size": (("", len),),
    "get": (("i", _get),),
    "isEmpty": (("", lambda items: not len(items)),),
    "contains": (("O", lambda items, value: find(items, value) >= 0),),
    "containsAll": (("C", contains_all),),
    "indexOf": (("O", find),),
    "lastIndexOf": (("O", _last),),
    "subList": (("ii", _sub_list),),
    "iterator": (("", _iterator),),
    "listIterator": (("", _list_iterator), ("i", _list_iterator)),
    "toArray": (("", to_array), ("*", to_array)),
    "stream": (("", Stream),),
    "forEach": (("N", null_argument),),
    "of": (("*", _of),),
    "copyOf": (("C", _copy_of),),
    "equals": (("O", equals),),
    "hashCode": (("", hash_code),),
    "toString": (("", text_of),),
}
_SUB_LIST_CHANGES: Table = {
    "add": (("O", _add), ("iO", _insert)),
    "addAll": (("C", _add_all), ("iC", _insert_all)),
    "set": (("iO", _set),),
    "remove": (("i", _remove_at), ("O", _remove)),
    "removeAll": (("C", lambda items, others: _keep(items, others, False)),),
    "retainAll": (("C", lambda items, others: _keep(items, others, True)),),
    "removeIf": (("N", null_argument),),
    "replaceAll": (("N", null_argument),),
    "sort": (("N", _sort),),
    "clear": (("", _clear),),
}

LIST_METHODS: Table = {
    **_READING,
    **_SUB_LIST_CHANGES,
    "clone": (("", copy),),
    "ensureCapacity": (("i", _ensure),),
    "trimToSize": (("", lambda items: ""),),
    "spliterator": (("", opaque("java.util.ArrayList$ArrayListSpliterator")),),
}

SUB_LIST_METHODS: Table = {
    **_READING,
    **_SUB_LIST_CHANGES,
    "spliterator": (("", opaque("java.util.ArrayList$SubList$2")),),
}

IMMUTABLE_LIST_METHODS: Table = {
    **_READING,
    **{
        name: tuple((form, unsupported) for form, _ in forms)
        for name, forms in _SUB_LIST_CHANGES.items()
    },
}


def _array_remove(items: JavaArray, value: object) -> bool:
    if find(items, value) >= 0:
        unsupported()
    return False


def _array_keep(items: JavaArray, others: object, wanted: bool) -> bool:
    rest = given(others)
    if any((find(rest, item) >= 0) is not wanted for item in items):
        unsupported()
    return False


def _array_add_all(items: JavaArray, others: object) -> bool:
    if given(others):
        unsupported()
    return False


def _array_insert_all(items: JavaArray, index: int, others: object) -> bool:
    if not 0 <= index <= len(items):
        raise _bounds(index, len(items))
    return _array_add_all(items, others)


def _array_clear(items: JavaArray) -> str:
    if items:
        unsupported()
    return ""


# Velocity wraps an array into a list of fixed size where the array itself has no such method.
ARRAY_METHODS: Table = {
    **_READING,
    "set": (("iO", _set_in_array),),
    "add": (("O", unsupported), ("iO", unsupported)),
    "addAll": (("C", _array_add_all), ("iC", _array_insert_all)),
    "remove": (("i", unsupported), ("O", _array_remove)),
    "removeAll": (("C", lambda items, others: _array_keep(items, others, False)),),
    "retainAll": (("C", lambda items, others: _array_keep(items, others, True)),),
    "removeIf": (("N", null_argument),),
    "replaceAll": (("N", null_argument),),
    "sort": (("N", _sort),),
    "clear": (("", _array_clear),),
    "spliterator": (("", opaque("java.util.Spliterators$IteratorSpliterator")),),
}
