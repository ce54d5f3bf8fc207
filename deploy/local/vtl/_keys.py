"""Keys of maps: Java's in Python's dicts, and the order of java.util.HashMap."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from ._equality import equals, hash_code
from .errors import VtlRenderError

__all__ = ["BoxedKey", "HashMap", "PrintedMap", "box", "held", "keys", "lookup", "store", "unbox"]


@dataclass(frozen=True, slots=True)
class BoxedKey:
    """
    A key of a map that Python would confuse with another or cannot hash.

    `1`, `1.0` and `true` are three keys in Java and one in Python; lists are keys in Java only.
    """

    value: object

    def __hash__(self) -> int:
        return hash_code(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoxedKey) and equals(self.value, other.value)


def box(key: object) -> object:
    """
    Turn a Java value into a key of a Python dict.

    Args:
        key: Any value.

    Returns:
        The value itself where Python's equality is Java's.
    """
    if key is None or type(key) is str or type(key) is int:
        return key
    return BoxedKey(key)


def held(mapping: Mapping[object, object], key: object) -> object:
    """
    Find the key under which a map holds a value.

    Args:
        mapping: Any map; one that Python made may have a float or a tuple as it is.
        key: Any Java value.

    Returns:
        The key; that under which a new value belongs where the map has none.
    """
    if key is None or type(key) is str or type(key) is int:
        return key
    boxed = BoxedKey(key)
    if boxed in mapping:
        return boxed
    return next((own for own in mapping if _raw(own) and equals(own, key)), boxed)


def _raw(key: object) -> bool:
    return not (key is None or isinstance(key, str | BoxedKey) or type(key) is int)


def unbox(key: object) -> object:
    """
    Turn a key of a Python dict into the Java value.

    Args:
        key: What `box` returned.

    Returns:
        The value.
    """
    return key.value if isinstance(key, BoxedKey) else key


def keys(mapping: Mapping[object, object]) -> list[object]:
    """
    List the keys in the order in which Java iterates.

    Args:
        mapping: Any map.

    Returns:
        The keys as Java values.
    """
    return [unbox(key) for key in mapping]


def lookup(mapping: Mapping[object, object], key: object) -> object:
    """
    Do `Map.get`.

    Args:
        mapping: Any map.
        key: Any value.

    Returns:
        The value; None when there is none.
    """
    return mapping.get(held(mapping, key))


def store(mapping: Mapping[object, object], key: object, value: object) -> object:
    """
    Do `Map.put`.

    Args:
        mapping: Any map.
        key: Any value.
        value: Its new value.

    Returns:
        The old value; None when there was none.

    Raises:
        VtlRenderError: The map is read only.
    """
    if not isinstance(mapping, dict):
        raise VtlRenderError("UnsupportedOperationException: the map is read only")
    own = held(mapping, key)
    old: object = mapping.get(own)
    mapping[own] = value
    return old


class HashMap(dict[object, object]):
    """
    A java.util.HashMap: keys iterate in the order of its buckets.

    Source: java.util.HashMap (16 buckets, doubled beyond three quarters full; the bucket is the
    hash code xor its upper half, modulo the size).
    """

    __slots__ = ("_buckets",)

    vtl_class = "java.util.HashMap"

    def __init__(self, entries: Mapping[str, object] | None = None) -> None:
        super().__init__(cast("Mapping[object, object]", entries or {}))
        self._buckets = 16
        self._grow()

    def __setitem__(self, key: object, value: object) -> None:
        super().__setitem__(key, value)
        self._grow()

    def _grow(self) -> None:
        while len(self) > self._buckets * 3 // 4:
            self._buckets *= 2

    def __iter__(self) -> Iterator[object]:
        return iter(sorted(super().__iter__(), key=self._bucket))

    def keys(self) -> Iterable[object]:  # type: ignore[override]
        """Return the keys in bucket order."""
        return list(self)

    def values(self) -> list[object]:  # type: ignore[override]
        """Return the values in bucket order."""
        return [self[key] for key in self]

    def items(self) -> list[tuple[object, object]]:  # type: ignore[override]
        """Return the entries in bucket order."""
        return [(key, self[key]) for key in self]

    def _bucket(self, key: object) -> int:
        code = hash_code(unbox(key)) & 0xFFFFFFFF
        return (code ^ (code >> 16)) & (self._buckets - 1)


class PrintedMap(HashMap):
    """A HashMap like any other that prints in its own way."""

    __slots__ = ()

    def vtl_text(self) -> str:
        """Return the text that Java's `toString` would give."""
        raise NotImplementedError
