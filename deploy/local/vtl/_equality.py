"""
When values are equal in Java, and their hash codes.

Source: the API documentation of equals and hashCode of each class, Java 17.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from ._foreign import adopted
from ._values import (
    BigInteger,
    Character,
    Float,
    JavaArray,
    VtlObject,
    class_name,
    identity,
    wrapped,
)
from .errors import VtlRenderError

__all__ = ["Work", "equals", "hash_code"]


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
    if isinstance(left, VtlObject):
        return left.vtl_equals(right)
    one, other = adopted(left), adopted(right)
    if one is not left or other is not right:
        return _equals(one, other, work)
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
        codes = (_hash_key_of(key, work) ^ _hash(item, work) for key, item in pairs)
        return wrapped(sum(codes), 32)
    if isinstance(value, list) and not isinstance(value, JavaArray):
        code = 1
        for item in value:
            code = (31 * code + _hash(item, work)) & 0xFFFFFFFF
        return wrapped(code, 32)
    if isinstance(value, VtlObject):
        return value.vtl_hash()
    return identity(value) if isinstance(value, JavaArray) else _hash(adopted(value), work)


def _hash_key_of(key: object, work: Work) -> int:
    # A boxed key hashes as the value in it.
    return _hash(key, work) if key is None or isinstance(key, str | int) else hash(key)


def _hash_text(text: str) -> int:
    code = 0
    data = text.encode("utf-16-be", "surrogatepass")
    for high, low in zip(data[::2], data[1::2], strict=True):
        code = (31 * code + (high << 8 | low)) & 0xFFFFFFFF
    return wrapped(code, 32)


# The keys of HashMaps are hashed at each iteration, and are the same in each request.
_KEY_LENGTH = 64
_hash_key = lru_cache(maxsize=1024)(_hash_text)


def _hash_integer(value: int) -> int:
    name = class_name(value)
    if name in ("java.lang.Integer", "java.lang.Short", "java.lang.Byte"):
        return int(value)
    if name == "java.lang.Long":
        return wrapped((value ^ (value >> 32)) & 0xFFFFFFFF, 32)
    code = 0
    magnitude = abs(value)
    for shift in range((magnitude.bit_length() + 31) // 32 * 32 - 32, -1, -32):
        code = (31 * code + (magnitude >> shift & 0xFFFFFFFF)) & 0xFFFFFFFF
    return wrapped(-code if value < 0 else code, 32)


def _hash_scalar(value: float | Decimal | Character) -> int:
    if isinstance(value, Character):
        return ord(value.value)
    if isinstance(value, Decimal):
        sign, digits, exponent = value.as_tuple()
        unscaled = int("".join(map(str, digits))) * (-1 if sign else 1)
        return wrapped(31 * _hash_integer(BigInteger(unscaled)) - int(exponent), 32)
    if isinstance(value, Float):
        return int(struct.unpack(">i", struct.pack(">f", value))[0])
    bits = struct.unpack(">q", struct.pack(">d", value))[0]
    return wrapped((bits ^ (bits >> 32)) & 0xFFFFFFFF, 32)
