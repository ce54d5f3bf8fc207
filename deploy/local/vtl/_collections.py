"""
The methods of lists, arrays, maps, and of the views and iterators that they hand out.

`keySet()`, `values()`, `entrySet()` are live in Java: what is removed from them leaves the map.

Source: the API documentation of java.util.ArrayList, LinkedHashMap and AbstractCollection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from typing import Literal

from ._java import limited, text_of
from ._signatures import Table, select
from ._values import (
    ABSENT,
    JavaArray,
    VtlObject,
    box,
    equals,
    hash_code,
    keys,
    lookup,
    store,
    unbox,
)
from .errors import VtlRenderError

__all__ = ["ARRAY_METHODS", "LIST_METHODS", "MAP_METHODS", "Entry", "View", "elements"]

_MAX_ITEMS = 4_000_000


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
        return [value[box(key)] for key in keys(value)]
    if isinstance(value, VtlObject):
        items = value.vtl_iterate()
        return None if items is None else list(items)
    return None


def _items(value: object) -> list[object]:
    found = None if isinstance(value, Mapping) else elements(value)
    if found is None:
        raise VtlRenderError("NullPointerException")
    return found


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


def _find(items: Iterable[object], value: object) -> int:
    return next((at for at, item in enumerate(items) if equals(item, value)), -1)


def _last(items: list[object], value: object) -> int:
    at = _find(reversed(items), value)
    return at if at < 0 else len(items) - 1 - at


def _contains_all(items: list[object], others: object) -> bool:
    return all(_find(items, other) >= 0 for other in _items(others))


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
    more = _items(others)
    _grow(items, len(more))
    items.extend(more)
    return bool(more)


def _insert_all(items: list[object], index: int, others: object) -> bool:
    if not 0 <= index <= len(items):
        raise _bounds(index, len(items))
    more = _items(others)
    _grow(items, len(more))
    items[index:index] = more
    return bool(more)


def _remove_at(items: list[object], index: int) -> object:
    _get(items, index)
    return items.pop(index)


def _remove(items: list[object], value: object) -> bool:
    at = _find(items, value)
    if at >= 0:
        del items[at]
    return at >= 0


def _keep(items: list[object], others: object, wanted: bool) -> bool:
    rest = _items(others)
    kept = [item for item in items if (_find(rest, item) >= 0) is wanted]
    changed = len(kept) != len(items)
    items[:] = kept
    return changed


def _clear(items: list[object]) -> str:
    items.clear()
    return ""


def _sub_list(items: list[object], begin: int, end: int) -> list[object]:
    if begin < 0 or end > len(items):
        raise VtlRenderError(f"IndexOutOfBoundsException: fromIndex {begin}, toIndex {end}")
    if begin > end:
        raise VtlRenderError(f"IllegalArgumentException: fromIndex({begin}) > toIndex({end})")
    return items[begin:end]


def _cursor(items: list[object]) -> Cursor:
    if isinstance(items, JavaArray):
        return Cursor(list(items), _unsupported)
    return Cursor(list(items), items.pop)


def _unsupported(*_: object) -> object:
    raise VtlRenderError("UnsupportedOperationException")


class Cursor(VtlObject):
    """
    A java.util.Iterator.

    Args:
        items: A copy of the elements.
        remove: Removes the element at an index from what is iterated over.
    """

    vtl_class = "java.util.ArrayList$Itr"

    def __init__(self, items: list[object], remove: Callable[[int], object]) -> None:
        self._items = items
        self._remove = remove
        self._at = 0
        self._removed = 0
        self._removable = False

    def has_next(self) -> bool:
        """Say whether there is another element."""
        return self._at < len(self._items)

    def next(self) -> object:
        """Return the next element; fails beyond the end."""
        if not self.has_next():
            raise VtlRenderError("NoSuchElementException")
        self._at += 1
        self._removable = True
        return self._items[self._at - 1]

    def remove(self) -> str:
        """Remove the element that was returned last; fails when there is none."""
        if not self._removable:
            raise VtlRenderError("IllegalStateException")
        self._removable = False
        self._remove(self._at - 1 - self._removed)
        self._removed += 1
        return ""

    def vtl_iterate(self) -> Iterator[object]:
        """Iterate over the rest, using it up."""
        while self.has_next():
            yield self.next()


Cursor.vtl_methods = {
    "hasNext": (("", Cursor.has_next),),
    "next": (("", Cursor.next),),
    "remove": (("", Cursor.remove),),
}


class Entry(VtlObject):
    """A java.util.Map.Entry of a map."""

    vtl_class = "java.util.LinkedHashMap$Entry"

    def __init__(self, mapping: Mapping[object, object], key: object) -> None:
        self.mapping = mapping
        self.key = key

    def vtl_get(self, name: str) -> object:
        """
        Offer `key` and `value`.

        Args:
            name: The property.

        Returns:
            The key or the value.
        """
        if name in ("key", "Key"):
            return self.key
        if name in ("value", "Value"):
            return lookup(self.mapping, self.key)
        return ABSENT

    def vtl_call(self, name: str, arguments: list[object]) -> object:
        """
        Offer the getters, `setValue`, `equals`, `hashCode` and `toString`.

        Args:
            name: The method.
            arguments: Its arguments.

        Returns:
            The result.
        """
        function = select(_ENTRY_METHODS.get(name, ()), arguments)
        return ABSENT if function is None else function(self, *arguments)

    def vtl_string(self) -> str:
        """Print `key=value`."""
        return f"{text_of(self.key)}={text_of(lookup(self.mapping, self.key))}"


def _entry_hash(entry: Entry) -> int:
    return hash_code(entry.key) ^ hash_code(lookup(entry.mapping, entry.key))


def _entry_equals(entry: Entry, other: object) -> bool:
    return isinstance(other, Entry) and entry.vtl_string() == other.vtl_string()


_ENTRY_METHODS: Table = {
    "getKey": (("", lambda entry: entry.key),),
    "getValue": (("", lambda entry: lookup(entry.mapping, entry.key)),),
    "setValue": (("O", lambda entry, value: store(entry.mapping, entry.key, value)),),
    "equals": (("O", _entry_equals),),
    "hashCode": (("", _entry_hash),),
    "toString": (("", lambda entry: entry.vtl_string()),),
}


_VIEW_CLASSES = {"keys": "KeySet", "values": "Values", "entries": "EntrySet"}


class View(VtlObject):
    """The keys, values or entries of a map, live."""

    def __init__(
        self, mapping: Mapping[object, object], kind: Literal["keys", "values", "entries"]
    ) -> None:
        self.mapping = mapping
        self.kind = kind
        self.vtl_class = f"java.util.LinkedHashMap$Linked{_VIEW_CLASSES[kind]}"

    def items(self) -> list[object]:
        """Return the elements as they are now."""
        found = keys(self.mapping)
        if self.kind == "keys":
            return found
        if self.kind == "values":
            return [lookup(self.mapping, key) for key in found]
        return [Entry(self.mapping, key) for key in found]

    def remove(self, value: object) -> bool:
        """
        Remove an element from the map.

        Args:
            value: The element.

        Returns:
            Whether it was there.
        """
        at = _find(self.items(), value)
        if at >= 0:
            self.remove_at(at)
        return at >= 0

    def remove_at(self, index: int) -> None:
        """
        Remove an element from the map.

        Args:
            index: Its place in the order of the map.

        Raises:
            VtlRenderError: The map is read only.
        """
        if not isinstance(self.mapping, dict):
            raise VtlRenderError("UnsupportedOperationException: the map is read only")
        del self.mapping[list(self.mapping)[index]]

    def vtl_get(self, name: str) -> object:
        """
        Offer `empty`.

        Args:
            name: The property.

        Returns:
            Whether the map is empty.
        """
        return not self.mapping if name in ("empty", "Empty") else ABSENT

    def vtl_iterate(self) -> list[object]:
        """Iterate over the elements as they are now."""
        return self.items()

    def vtl_call(self, name: str, arguments: list[object]) -> object:
        """
        Offer the methods of a java.util.Collection that cannot grow.

        Args:
            name: The method.
            arguments: Its arguments.

        Returns:
            The result.
        """
        function = select(_VIEW_METHODS.get(name, ()), arguments)
        return ABSENT if function is None else function(self, *arguments)

    def vtl_string(self) -> str:
        """Print as a list."""
        return limited("[" + ", ".join(text_of(item) for item in self.items()) + "]")


def _view_contains(view: View, value: object) -> bool:
    return _find(view.items(), value) >= 0


_VIEW_METHODS: Table = {
    "size": (("", lambda view: len(view.mapping)),),
    "isEmpty": (("", lambda view: not view.mapping),),
    "contains": (("O", _view_contains),),
    "containsAll": (("C", lambda view, others: _contains_all(view.items(), others)),),
    "iterator": (("", lambda view: Cursor(view.items(), view.remove_at)),),
    "toArray": (("", lambda view: JavaArray(view.items())),),
    "remove": (("O", View.remove),),
    "clear": (("", lambda view: _map_clear(view.mapping)),),
    "add": (("O", _unsupported),),
    "addAll": (("C", _unsupported),),
    "hashCode": (("", lambda view: sum(map(hash_code, view.items())) & 0x7FFFFFFF),),
    "equals": (("O", lambda view, other: view is other),),
    "toString": (("", lambda view: view.vtl_string()),),
}


def _map_remove(mapping: dict[object, object], key: object) -> object:
    return mapping.pop(box(key), None)


def _map_remove_pair(mapping: dict[object, object], key: object, value: object) -> bool:
    if box(key) not in mapping or not equals(mapping[box(key)], value):
        return False
    del mapping[box(key)]
    return True


def _map_clear(mapping: Mapping[object, object]) -> str:
    if isinstance(mapping, dict):
        mapping.clear()
    return ""


def _put_all(mapping: Mapping[object, object], other: Mapping[object, object]) -> str:
    if other is None:
        raise VtlRenderError("NullPointerException")
    for key, value in list(other.items()):
        store(mapping, unbox(key), value)
    return ""


def _put_if_absent(mapping: Mapping[object, object], key: object, value: object) -> object:
    old = lookup(mapping, key)
    if old is None:
        store(mapping, key, value)
    return old


def _replace(mapping: Mapping[object, object], key: object, value: object) -> object:
    return store(mapping, key, value) if box(key) in mapping else None


def _replace_pair(
    mapping: Mapping[object, object], key: object, old: object, value: object
) -> bool:
    if box(key) not in mapping or not equals(mapping[box(key)], old):
        return False
    store(mapping, key, value)
    return True


def _get_or_default(mapping: Mapping[object, object], key: object, default: object) -> object:
    return mapping.get(box(key), default)


LIST_METHODS: Table = {
    "size": (("", len),),
    "get": (("i", _get),),
    "isEmpty": (("", lambda items: not items),),
    "add": (("O", _add), ("iO", _insert)),
    "addAll": (("C", _add_all), ("iC", _insert_all)),
    "set": (("iO", _set),),
    "remove": (("i", _remove_at), ("O", _remove)),
    "removeAll": (("C", lambda items, others: _keep(items, others, False)),),
    "retainAll": (("C", lambda items, others: _keep(items, others, True)),),
    "clear": (("", _clear),),
    "contains": (("O", lambda items, value: _find(items, value) >= 0),),
    "containsAll": (("C", _contains_all),),
    "indexOf": (("O", _find),),
    "lastIndexOf": (("O", _last),),
    "subList": (("ii", _sub_list),),
    "iterator": (("", lambda items: _cursor(items)),),
    "listIterator": (("", lambda items: _cursor(items)),),
    "toArray": (("", lambda items: JavaArray(items)),),
    "clone": (("", copy),),
    "ensureCapacity": (("i", lambda items, size: ""),),
    "trimToSize": (("", lambda items: ""),),
    "equals": (("O", equals),),
    "hashCode": (("", hash_code),),
    "toString": (("", text_of),),
}

# Velocity wraps an array into a list of fixed size where the array itself has no such method.
_ARRAY_NAMES = [
    *("size", "get", "isEmpty", "set", "contains", "containsAll", "indexOf", "lastIndexOf"),
    *("subList", "iterator", "listIterator", "toArray", "equals", "hashCode", "toString"),
]
ARRAY_METHODS: Table = {
    **{name: LIST_METHODS[name] for name in _ARRAY_NAMES},
    "add": (("O", _unsupported), ("iO", _unsupported)),
    "addAll": (("C", _unsupported), ("iC", _unsupported)),
    "remove": (("i", _unsupported), ("O", _unsupported)),
}

MAP_METHODS: Table = {
    "size": (("", len),),
    "isEmpty": (("", lambda mapping: not mapping),),
    "get": (("O", lookup),),
    "getOrDefault": (("OO", _get_or_default),),
    "put": (("OO", store),),
    "putAll": (("M", _put_all),),
    "putIfAbsent": (("OO", _put_if_absent),),
    "replace": (("OO", _replace), ("OOO", _replace_pair)),
    "clone": (("", copy),),
    "remove": (("O", _map_remove), ("OO", _map_remove_pair)),
    "clear": (("", _map_clear),),
    "containsKey": (("O", lambda mapping, key: box(key) in mapping),),
    "containsValue": (("O", lambda mapping, value: _find(mapping.values(), value) >= 0),),
    "keySet": (("", lambda mapping: View(mapping, "keys")),),
    "values": (("", lambda mapping: View(mapping, "values")),),
    "entrySet": (("", lambda mapping: View(mapping, "entries")),),
    "equals": (("O", equals),),
    "hashCode": (("", hash_code),),
    "toString": (("", text_of),),
}
