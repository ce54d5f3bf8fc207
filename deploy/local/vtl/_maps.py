"""
The methods of maps, and of the views, iterators and entries that they hand out.

`keySet()`, `values()`, `entrySet()` are live in Java: what is removed from them leaves the map.

Source: the API documentation of java.util.LinkedHashMap, HashMap and AbstractCollection, Java 17.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Literal

from ._elements import (
    Cursor,
    ViewCursor,
    contains_all,
    find,
    given,
    opaque,
    to_array,
    unsupported,
)
from ._equality import equals, hash_code
from ._java import limited, text_of
from ._keys import HashMap, box, held, keys, lookup, store, unbox
from ._signatures import Table, null_argument
from ._streams import Stream
from ._values import ABSENT, VtlObject, wrapped
from .errors import VtlRenderError

__all__ = ["MAP_METHODS", "Entry", "View"]

_Kind = Literal["keys", "values", "entries"]
# The inner classes of LinkedHashMap and HashMap: the view, its iterator.
_LINKED = {
    "keys": ("LinkedKeySet", "LinkedKeyIterator"),
    "values": ("LinkedValues", "LinkedValueIterator"),
    "entries": ("LinkedEntrySet", "LinkedEntryIterator"),
}
_HASHED = {
    "keys": ("KeySet", "KeyIterator"),
    "values": ("Values", "ValueIterator"),
    "entries": ("EntrySet", "EntryIterator"),
}


class Entry(VtlObject):
    """A java.util.Map.Entry of a map."""

    def __init__(self, mapping: Mapping[object, object], key: object) -> None:
        self._mapping = mapping
        self._last = lookup(mapping, key)
        self.key = key
        hashed = isinstance(mapping, HashMap)
        self.vtl_class = f"java.util.{'HashMap$Node' if hashed else 'LinkedHashMap$Entry'}"

    @property
    def value(self) -> object:
        """What the map holds now; what it held, once the key is gone."""
        if held(self._mapping, self.key) in self._mapping:
            self._last = lookup(self._mapping, self.key)
        return self._last

    def put(self, value: object) -> object:
        """
        Do `setValue`.

        Args:
            value: The new value.

        Returns:
            The old value.
        """
        return store(self._mapping, self.key, value)

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
        return self.value if name in ("value", "Value") else ABSENT

    def vtl_set(self, name: object, value: object) -> bool:
        """
        Let `value` be set.

        Args:
            name: The property.
            value: Its new value.

        Returns:
            Whether there is such a property.
        """
        if name not in ("value", "Value"):
            return False
        self.put(value)
        return True

    def vtl_string(self) -> str:
        """Print `key=value`."""
        return f"{text_of(self.key)}={text_of(self.value)}"

    def vtl_equals(self, other: object) -> bool:
        """Compare keys and values."""
        if not isinstance(other, Entry):
            return False
        return equals(self.key, other.key) and equals(self.value, other.value)

    def vtl_hash(self) -> int:
        """Join the hash codes of key and value."""
        return hash_code(self.key) ^ hash_code(self.value)


class Pair(Entry):
    """What `Map.entry(key, value)` gives: an entry of no map."""

    def __init__(self, key: object, value: object) -> None:
        super().__init__({box(key): value}, key)
        self.vtl_class = "java.util.KeyValueHolder"

    def put(self, value: object) -> object:
        """Refuse to be changed."""
        return unsupported()


Entry.vtl_methods = {
    "getKey": (("", lambda entry: entry.key),),
    "getValue": (("", lambda entry: entry.value),),
    "setValue": (("O", lambda entry, value: entry.put(value)),),
}


class View(VtlObject):
    """The keys, values or entries of a map, live."""

    def __init__(self, mapping: Mapping[object, object], kind: _Kind) -> None:
        self.mapping = mapping
        self.kind = kind
        hashed = isinstance(mapping, HashMap)
        own, self._iterator_class = (_HASHED if hashed else _LINKED)[kind]
        self._outer = f"java.util.{'HashMap' if hashed else 'LinkedHashMap'}$"
        self.vtl_class = self._outer + own

    def items(self) -> list[object]:
        """Return the elements as they are now."""
        found = keys(self.mapping)
        if self.kind == "keys":
            return found
        if self.kind == "values":
            return [lookup(self.mapping, key) for key in found]
        return [Entry(self.mapping, key) for key in found]

    def iterator(self) -> Cursor:
        """Return an iterator over the elements."""
        remaining = keys(self.mapping)

        def remove(index: int) -> None:
            self._forget(remaining.pop(index))
            items.pop(index)

        items = self.items()
        return ViewCursor(items, self.mapping.__len__, remove, self._outer + self._iterator_class)

    def remove(self, value: object) -> bool:
        """
        Remove an element from the map.

        Args:
            value: The element.

        Returns:
            Whether it was there.
        """
        at = find(self.items(), value)
        if at >= 0:
            self._forget(keys(self.mapping)[at])
        return at >= 0

    def keep(self, others: object, wanted: bool) -> bool:
        """
        Remove the elements that are among others, or those that are not.

        Args:
            others: A collection.
            wanted: Which ones stay.

        Returns:
            Whether one was removed.
        """
        rest = given(others)
        gone = [
            key
            for key, item in zip(keys(self.mapping), self.items(), strict=True)
            if (find(rest, item) >= 0) is not wanted
        ]
        for key in gone:
            self._forget(key)
        return bool(gone)

    def _forget(self, key: object) -> None:
        if not isinstance(self.mapping, dict):
            raise VtlRenderError("UnsupportedOperationException: the map is read only")
        del self.mapping[held(self.mapping, key)]

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

    def vtl_string(self) -> str:
        """Print as a list."""
        return limited("[" + ", ".join(text_of(item) for item in self.items()) + "]")

    def vtl_equals(self, other: object) -> bool:
        """Compare sets by their elements; values are equal to themselves only."""
        if not isinstance(other, View):
            return False
        if "values" in (self.kind, other.kind):
            return self.mapping is other.mapping and self.kind == other.kind
        items = self.items()
        return len(items) == len(other.mapping) and contains_all(items, other)

    def vtl_hash(self) -> int:
        """Add the hash codes of a set's elements."""
        if self.kind == "values":
            return super().vtl_hash()
        return wrapped(sum(map(hash_code, self.items())), 32)


View.vtl_methods = {
    "size": (("", lambda view: len(view.mapping)),),
    "isEmpty": (("", lambda view: not view.mapping),),
    "contains": (("O", lambda view, value: find(view.items(), value) >= 0),),
    "containsAll": (("C", lambda view, others: contains_all(view.items(), others)),),
    "iterator": (("", View.iterator),),
    "toArray": (
        ("", lambda view: to_array(view.items())),
        ("*", lambda view, *wanted: to_array(view.items(), *wanted)),
    ),
    "stream": (("", lambda view: Stream(view.items())),),
    "spliterator": (("", opaque("java.util.Spliterators$IteratorSpliterator")),),
    "remove": (("O", View.remove),),
    "removeAll": (("C", lambda view, others: view.keep(others, False)),),
    "retainAll": (("C", lambda view, others: view.keep(others, True)),),
    "removeIf": (("N", null_argument),),
    "forEach": (("N", null_argument),),
    "clear": (("", lambda view: _clear(view.mapping)),),
    "add": (("O", unsupported),),
    "addAll": (("C", lambda view, others: bool(given(others)) and unsupported()),),
}


def _remove(mapping: dict[object, object], key: object) -> object:
    return mapping.pop(held(mapping, key), None)


def _remove_pair(mapping: dict[object, object], key: object, value: object) -> bool:
    if held(mapping, key) not in mapping or not equals(mapping[held(mapping, key)], value):
        return False
    del mapping[held(mapping, key)]
    return True


def _clear(mapping: Mapping[object, object]) -> str:
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
    return store(mapping, key, value) if held(mapping, key) in mapping else None


def _replace_pair(
    mapping: Mapping[object, object], key: object, old: object, value: object
) -> bool:
    if held(mapping, key) not in mapping or not equals(mapping[held(mapping, key)], old):
        return False
    store(mapping, key, value)
    return True


def _get_or_default(mapping: Mapping[object, object], key: object, default: object) -> object:
    return mapping.get(held(mapping, key), default)


def _entry(mapping: Mapping[object, object], key: object, value: object) -> Pair:
    if key is None or value is None:
        null_argument()
    return Pair(key, value)


MAP_METHODS: Table = {
    "size": (("", len),),
    "isEmpty": (("", lambda mapping: not mapping),),
    "get": (("O", lookup),),
    "getOrDefault": (("OO", _get_or_default),),
    "put": (("OO", store),),
    "putAll": (("M", _put_all),),
    "putIfAbsent": (("OO", _put_if_absent),),
    "replace": (("OO", _replace), ("OOO", _replace_pair)),
    "replaceAll": (("N", null_argument),),
    "forEach": (("N", null_argument),),
    "compute": (("ON", null_argument),),
    "computeIfAbsent": (("ON", null_argument),),
    "computeIfPresent": (("ON", null_argument),),
    "merge": (("OON", null_argument),),
    "clone": (("", copy),),
    "remove": (("O", _remove), ("OO", _remove_pair)),
    "clear": (("", _clear),),
    "containsKey": (("O", lambda mapping, key: held(mapping, key) in mapping),),
    "containsValue": (("O", lambda mapping, value: find(mapping.values(), value) >= 0),),
    "keySet": (("", lambda mapping: View(mapping, "keys")),),
    "values": (("", lambda mapping: View(mapping, "values")),),
    "entrySet": (("", lambda mapping: View(mapping, "entries")),),
    "entry": (("OO", _entry),),
    "equals": (("O", equals),),
    "hashCode": (("", hash_code),),
    "toString": (("", text_of),),
}
