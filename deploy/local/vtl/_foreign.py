"""
Python's values that are none of Java's: what a template sees of them.

    tuple, range, deque, dict views, any Collection    list that takes no changes
    set, frozenset                                     the same, in ascending order if it has one
    instance of a data class                           map of its fields that takes no changes
    StrEnum and other subclasses of str, int, float    str, int, float
    UserString                                         str

With anything else a template can do nothing, and says so. A value is looked at when a template
comes to it: to look through all of them would cost as much as a render does.
"""

from __future__ import annotations

from collections import UserString
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from types import MappingProxyType, NoneType
from typing import Any

from ._values import BigInteger, Byte, Character, Float, Long, Short, UnmodifiableList, VtlObject

__all__ = ["ForeignValueError", "adopted", "place_of"]

_EXACT = frozenset({NoneType, str, bool, int, float, list, dict, Decimal, Character})
_OTHERS = (VtlObject, list, Mapping, Decimal, Byte, Short, Long, BigInteger, Float)
_TEXTS_AND_NUMBERS: tuple[tuple[type, Callable[[Any], object]], ...] = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (UserString, str),
)
# Collections in Python's eyes, which are not what a template is meant to loop over.
_BUFFERS = (bytes, bytearray, memoryview)
# So deeply the variables are searched for the value that an error is about.
_MAX_DEPTH = 20


class ForeignValueError(TypeError):
    """
    A template comes to a value with which it can do nothing.

    Attributes:
        value: The value.
    """

    def __init__(self, value: object) -> None:
        super().__init__(
            f"{type(value).__name__} is no type for a template: give it None, texts, booleans, "
            "numbers, collections, mappings, data classes or a VtlObject"
        )
        self.value = value


def adopted(value: object) -> object:
    """
    Turn a value into one of Java's.

    Args:
        value: Any value.

    Returns:
        The value itself where it is one, as nearly all are.

    Raises:
        ForeignValueError: There is none for it.
    """
    if type(value) in _EXACT or isinstance(value, _OTHERS):
        return value
    for kind, plain in _TEXTS_AND_NUMBERS:
        if isinstance(value, kind):
            return plain(value)
    if isinstance(value, (type, *_BUFFERS)):
        raise ForeignValueError(value)
    if is_dataclass(value):
        return MappingProxyType({field.name: getattr(value, field.name) for field in fields(value)})
    if isinstance(value, Collection):
        return UnmodifiableList(_ordered(value) if isinstance(value, set | frozenset) else value)
    raise ForeignValueError(value)


def _ordered(items: set[Any] | frozenset[Any]) -> Iterable[object]:
    try:
        return sorted(items)
    except TypeError:
        return items


def place_of(wanted: object, variables: Mapping[str, object]) -> str:
    """
    Say where among the variables a value is.

    Args:
        wanted: The value.
        variables: The variables.

    Returns:
        How a program would reach it, `variables['a'][1]`; empty where it is not found.
    """
    seen: set[int] = set()
    level: list[tuple[str, object]] = [("variables", variables)]
    for _ in range(_MAX_DEPTH):
        following: list[tuple[str, object]] = []
        for path, value in level:
            if value is wanted:
                return path
            if id(value) not in seen:
                seen.add(id(value))
                following += [(f"{path}{step}", part) for step, part in _parts(value)]
        level = following
    return ""


def _parts(value: object) -> Iterable[tuple[str, object]]:
    if isinstance(value, Mapping):
        return [(f"[{key!r}]", part) for key, part in value.items()]
    if is_dataclass(value) and not isinstance(value, type | Character):
        return [(f".{field.name}", getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, Collection) and not isinstance(value, (str, UserString, *_BUFFERS)):
        return [(f"[{at}]", part) for at, part in enumerate(value)]
    return ()
