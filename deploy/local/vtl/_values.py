"""
Java's values in Python, and the protocol by which a Python object takes part.

    null String Boolean Double BigDecimal   None str bool float Decimal
    Integer Long BigInteger                 int, by size; Long and BigInteger where a small number
                                            has the larger type
    Byte Short Float Character String[]     Byte Short Float Character JavaArray
    ArrayList LinkedHashMap HashMap         list dict HashMap, and any other Mapping

`_foreign` says what becomes of values of other types. An object has no members that a template can
reach, unless it derives from `VtlObject`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

__all__ = [
    "ABSENT",
    "INT_MAX",
    "INT_MIN",
    "LONG_MAX",
    "LONG_MIN",
    "MAX_LENGTH",
    "BigInteger",
    "Byte",
    "Character",
    "Float",
    "JavaArray",
    "Long",
    "PrintedList",
    "Short",
    "UnmodifiableList",
    "VtlObject",
    "class_name",
    "identity",
    "is_integral",
    "wrapped",
]

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1

MAX_LENGTH = 16 * 1024 * 1024
"""Texts longer than this many characters are refused, so that no template exhausts memory."""


class Byte(int):
    """A java.lang.Byte."""

    __slots__ = ()


class Short(int):
    """A java.lang.Short."""

    __slots__ = ()


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


class UnmodifiableList(list[object]):
    """A list that takes no changes, such as `Collections.unmodifiableList` gives."""

    __slots__ = ()

    vtl_class = "java.util.Collections$UnmodifiableRandomAccessList"


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
        return f"{self.vtl_class or type(self).__name__}@{identity(self):x}"

    def vtl_equals(self, other: object) -> bool:
        """
        Do `$object.equals(other)`.

        Args:
            other: Any value.

        Returns:
            Whether they are equal; by default whether they are the same.
        """
        return self is other

    def vtl_hash(self) -> int:
        """
        Do `$object.hashCode()`.

        Returns:
            The hash code; by default one of its own.
        """
        return identity(self)


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""No such member: not the same as a member that is null."""


def identity(value: object) -> int:
    """
    Tell an object from others, as `System.identityHashCode` does.

    Args:
        value: Any value.

    Returns:
        A Java int, not negative.
    """
    return id(value) >> 4 & INT_MAX


def wrapped(value: int, bits: int) -> int:
    """
    Keep the lower bits of an integer, as a Java cast does.

    Args:
        value: Any integer.
        bits: How many.

    Returns:
        The number that they are in two's complement.
    """
    half = 1 << (bits - 1)
    return (value + half) % (half * 2) - half


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
    if isinstance(value, JavaArray):
        return "[" + value.element
    if isinstance(value, VtlObject | list | dict):
        named: str = getattr(value, "vtl_class", "")
        if named:
            return named
    for kind, name in _CLASS_NAMES:
        if isinstance(value, kind):
            return name
    return type(value).__name__


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
    (Byte, "java.lang.Byte"),
    (Short, "java.lang.Short"),
    (Long, "java.lang.Long"),
    (BigInteger, "java.math.BigInteger"),
    (int, "java.lang.Integer"),
    (Float, "java.lang.Float"),
    (float, "java.lang.Double"),
    (Decimal, "java.math.BigDecimal"),
    (Character, "java.lang.Character"),
    (list, "java.util.ArrayList"),
    (Mapping, "java.util.LinkedHashMap"),
)
