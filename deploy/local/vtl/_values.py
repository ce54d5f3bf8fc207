"""
Java's values in Python, and the protocol by which a Python object takes part.

    null String Boolean Double BigDecimal   None str bool float Decimal
    Integer Long BigInteger                 int, by size; Long and BigInteger where a small number
                                            has the larger type
    ArrayList LinkedHashMap                 list dict, and any other Mapping
    HashMap String[] char float             HashMap JavaArray Character Float

Nothing else is reachable from a template: an object of another type prints as `str` and has no
members, unless it derives from `VtlObject`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import ClassVar

from .errors import VtlRenderError

__all__ = [
    "ABSENT",
    "INT_MAX",
    "INT_MIN",
    "LONG_MAX",
    "LONG_MIN",
    "MAX_LENGTH",
    "BigInteger",
    "BoxedKey",
    "Character",
    "Float",
    "HashMap",
    "JavaArray",
    "Long",
    "PrintedList",
    "VtlObject",
    "Work",
    "box",
    "class_name",
    "equals",
    "hash_code",
    "is_integral",
    "keys",
    "lookup",
    "store",
    "unbox",
]

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1

MAX_LENGTH = 16 * 1024 * 1024
"""Texts longer than this many characters are refused, so that no template exhausts memory."""


class Long(int):
    """A java.lang.Long that an Integer could hold."""

    __slots__ = ()


class BigInteger(int):
    """A java.math.BigInteger that a Long could hold."""

    __slots__ = ()


class Float(float):
    """A java.lang.Float: a number rounded to 32 bits."""

    __slots__ = ()

    def __new__(cls, value: float) -> Float:
        """
        Round to 32 bits.

        Args:
            value: Any number.

        Returns:
            The nearest float of 32 bits; infinity where it is too large.
        """
        try:
            rounded = struct.unpack("f", struct.pack("f", value))[0]
        except OverflowError:
            rounded = float("inf") if value > 0 else float("-inf")
        return super().__new__(cls, rounded)


@dataclass(frozen=True, slots=True)
class Character:
    """A java.lang.Character: one UTF-16 unit."""

    value: str


class JavaArray(list[object]):
    """An array such as `String.split` returns: fixed in size, printed by its address."""

    __slots__ = ("element",)

    def __init__(self, items: Iterable[object], element: str = "Ljava.lang.Object;") -> None:
        super().__init__(items)
        self.element = element


class PrintedList(list[object]):
    """A list like any other that prints in its own way."""

    __slots__ = ()

    def vtl_text(self) -> str:
        """Return the text that Java's `toString` would give."""
        raise NotImplementedError


class VtlObject:
    """
    What an object must derive from to have members in a template.

    Every method has a default that says "no such member"; a subclass overrides what it offers.

    Attributes:
        vtl_class: The Java class that `$object.class` names; empty where there is no such member.
        vtl_methods: Methods that `vtl_call` need not offer, each with its forms as `_signatures`
            writes them: `{"urlEncode": (("S", function),)}`. The function gets the object and the
            arguments. A table is faster, for the place of a call remembers the function.
    """

    __slots__ = ()

    vtl_class = ""
    vtl_methods: ClassVar[Mapping[str, tuple[tuple[str, Callable[..., object]], ...]]] = {}

    def vtl_get(self, name: str) -> object:
        """
        Read `$object.name`.

        Args:
            name: The property.

        Returns:
            Its value; `ABSENT` when there is none.
        """
        return ABSENT

    def vtl_index(self, key: object) -> object:
        """
        Read `$object[key]`.

        Args:
            key: The index, any value.

        Returns:
            Its value; `ABSENT` when there is none.
        """
        return ABSENT

    def vtl_set(self, name: object, value: object) -> bool:
        """
        Do `#set($object.name = value)` or `#set($object[name] = value)`.

        Args:
            name: The property or index.
            value: Its new value.

        Returns:
            False when nothing can be set.
        """
        return False

    def vtl_call(self, name: str, arguments: list[object]) -> object:
        """
        Call `$object.name(arguments)`.

        Args:
            name: The method.
            arguments: Its arguments, evaluated.

        Returns:
            The result, None for null; `ABSENT` when there is no such method.
        """
        return ABSENT

    def vtl_iterate(self) -> Iterable[object] | None:
        """
        Iterate in `#foreach`.

        Returns:
            The elements; None when the object cannot be looped over.
        """
        return None

    def vtl_string(self) -> str | None:
        """
        Print.

        Returns:
            The text; None for an object whose text is null.
        """
        return f"{self.vtl_class or type(self).__name__}@{id(self) & 0xFFFFFFFF:x}"


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""No such member: not the same as a member that is null."""


def class_name(value: object) -> str:
    """
    Name the Java class of a value.

    Args:
        value: Any value but null.

    Returns:
        The full name, or the Python type's name for an object of the protocol.
    """
    if type(value) is int:
        if INT_MIN <= value <= INT_MAX:
            return "java.lang.Integer"
        return "java.lang.Long" if LONG_MIN <= value <= LONG_MAX else "java.math.BigInteger"
    if isinstance(value, VtlObject) and value.vtl_class:
        return value.vtl_class
    if isinstance(value, JavaArray):
        return "[" + value.element
    for kind, name in _CLASS_NAMES:
        if isinstance(value, kind):
            return name
    return type(value).__name__


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
    return mapping.get(box(key))


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
    boxed = box(key)
    old: object = mapping.get(boxed)
    mapping[boxed] = value
    return old


class HashMap(dict[object, object]):
    """
    A java.util.HashMap: keys iterate in the order of its buckets.

    Source: java.util.HashMap (16 buckets, doubled beyond three quarters full; the bucket is the
    hash code xor its upper half, modulo the size).
    """

    __slots__ = ("_buckets",)

    def __init__(self, entries: Mapping[str, object] | None = None) -> None:
        super().__init__()
        self._buckets = 16
        for key, value in (entries or {}).items():
            self[key] = value

    def __setitem__(self, key: object, value: object) -> None:
        super().__setitem__(key, value)
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


def is_integral(value: object) -> bool:
    """
    Say whether a value is an Integer, a Long or a BigInteger.

    Args:
        value: Any value.

    Returns:
        False for booleans.
    """
    return isinstance(value, int) and not isinstance(value, bool)


_CLASS_NAMES: tuple[tuple[type, str], ...] = (
    (str, "java.lang.String"),
    (bool, "java.lang.Boolean"),
    (Long, "java.lang.Long"),
    (BigInteger, "java.math.BigInteger"),
    (int, "java.lang.Integer"),
    (Float, "java.lang.Float"),
    (float, "java.lang.Double"),
    (Decimal, "java.math.BigDecimal"),
    (Character, "java.lang.Character"),
    (list, "java.util.ArrayList"),
    (HashMap, "java.util.HashMap"),
    (Mapping, "java.util.LinkedHashMap"),
)


class Work:
    """What one printing, comparison or hash code may cost: lists may share their elements."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = 1_000_000

    def step(self) -> None:
        """
        Count a value that is looked at.

        Raises:
            VtlRenderError: There were too many.
        """
        self._left -= 1
        if self._left < 0:
            raise VtlRenderError("a value too large to be printed or compared")


def equals(left: object, right: object) -> bool:
    """
    Do `left.equals(right)`.

    Args:
        left: Any value.
        right: Any value.

    Returns:
        Whether Java says so: numbers of different classes are never equal.
    """
    return _equals(left, right, Work())


def _equals(left: object, right: object, work: Work) -> bool:
    if left is right:
        return True
    work.step()
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return len(left) == len(right) and all(
            key in right and _equals(value, right[key], work) for key, value in left.items()
        )
    if isinstance(left, JavaArray) or isinstance(right, JavaArray):
        return False
    if isinstance(left, list) and isinstance(right, list):
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(_equals(one, two, work) for one, two in pairs)
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return left.as_tuple() == right.as_tuple()
    if left is None or right is None or isinstance(left, list | Mapping):
        return False
    return class_name(left) == class_name(right) and bool(left == right)


def hash_code(value: object) -> int:
    """
    Do `value.hashCode()`.

    Args:
        value: Any value; null counts as 0.

    Returns:
        The hash code, a Java int.
    """
    return _hash(value, Work())


def _hash(value: object, work: Work) -> int:
    if value is None:
        return 0
    if isinstance(value, str):
        return _hash_key(value) if len(value) <= _KEY_LENGTH else _hash_text(value)
    if isinstance(value, bool):
        return 1231 if value else 1237
    if isinstance(value, int):
        return _hash_integer(value)
    if isinstance(value, float | Decimal | Character):
        return _hash_scalar(value)
    work.step()
    if isinstance(value, Mapping):
        pairs = value.items()
        return _int32(sum(_hash(unbox(key), work) ^ _hash(item, work) for key, item in pairs))
    if isinstance(value, list) and not isinstance(value, JavaArray):
        code = 1
        for item in value:
            code = (31 * code + _hash(item, work)) & 0xFFFFFFFF
        return _int32(code)
    return _int32(id(value) >> 4)


def _hash_text(text: str) -> int:
    code = 0
    data = text.encode("utf-16-be", "surrogatepass")
    for high, low in zip(data[::2], data[1::2], strict=True):
        code = (31 * code + (high << 8 | low)) & 0xFFFFFFFF
    return _int32(code)


# The keys of HashMaps are hashed at each iteration, and are the same in each request.
_KEY_LENGTH = 64
_hash_key = lru_cache(maxsize=1024)(_hash_text)


def _hash_integer(value: int) -> int:
    name = class_name(value)
    if name == "java.lang.Integer":
        return int(value)
    if name == "java.lang.Long":
        return _int32((value ^ (value >> 32)) & 0xFFFFFFFF)
    code = 0
    magnitude = abs(value)
    for shift in range((magnitude.bit_length() + 31) // 32 * 32 - 32, -1, -32):
        code = (31 * code + (magnitude >> shift & 0xFFFFFFFF)) & 0xFFFFFFFF
    return _int32(-code if value < 0 else code)


def _hash_scalar(value: float | Decimal | Character) -> int:
    if isinstance(value, Character):
        return ord(value.value)
    if isinstance(value, Decimal):
        sign, digits, exponent = value.as_tuple()
        unscaled = int("".join(map(str, digits))) * (-1 if sign else 1)
        return _int32(31 * _hash_integer(BigInteger(unscaled)) - int(exponent))
    if isinstance(value, Float):
        return int(struct.unpack(">i", struct.pack(">f", value))[0])
    bits = struct.unpack(">q", struct.pack(">d", value))[0]
    return _int32((bits ^ (bits >> 32)) & 0xFFFFFFFF)


def _int32(value: int) -> int:
    return (value + 2**31) % 2**32 - 2**31
