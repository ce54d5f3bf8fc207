"""
Which of a method's forms Java takes for given arguments.

A form is written as one letter per parameter:

    i l d f b c   int long double float boolean char: what widens to it without loss; never null
    S O C M       String, Object, Collection, Map: that or null
    I L D F B H   Integer Long Double Float Boolean Character, boxed: exactly that or null
    G E           BigInteger, BigDecimal
    *             any further arguments

Forms are listed with the most specific first, which is the one Velocity would find.

Source: Velocity 1.7's rules for choosing a method (facts); Java's widening conversions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from ._values import Character, class_name
from .errors import VtlRenderError

__all__ = ["Forms", "Function", "Table", "class_cast", "select"]

Function = Callable[..., object]
Forms = tuple[tuple[str, Function], ...]
Table = Mapping[str, Forms]

_INTEGER, _LONG = "java.lang.Integer", "java.lang.Long"
_FLOAT, _DOUBLE = "java.lang.Float", "java.lang.Double"
_PRIMITIVES: dict[str, frozenset[str]] = {
    "i": frozenset({_INTEGER}),
    "l": frozenset({_INTEGER, _LONG}),
    "f": frozenset({_INTEGER, _LONG, _FLOAT}),
    "d": frozenset({_INTEGER, _LONG, _FLOAT, _DOUBLE}),
    "b": frozenset({"java.lang.Boolean"}),
    "c": frozenset({"java.lang.Character"}),
}
_BOXED = {
    "I": _INTEGER,
    "L": _LONG,
    "D": _DOUBLE,
    "F": _FLOAT,
    "B": "java.lang.Boolean",
    "G": "java.math.BigInteger",
    "E": "java.math.BigDecimal",
}
_COLLECTIONS = frozenset(
    {
        "java.util.ArrayList",
        "java.util.LinkedHashMap$LinkedKeySet",
        "java.util.LinkedHashMap$LinkedValues",
        "java.util.LinkedHashMap$LinkedEntrySet",
    }
)


def select(forms: Forms, arguments: list[object]) -> Function | None:
    """
    Choose the form that takes the arguments.

    Args:
        forms: All forms of a method.
        arguments: The values given.

    Returns:
        The function, to be called with the object and the arguments; None when none applies.

    Raises:
        VtlRenderError: Arguments are given to a method that takes none; Velocity takes it all the
            same, and Java refuses the call.
    """
    count = len(arguments)
    for form, function in forms:
        if form.endswith("*"):
            fixed = form[:-1]
            if count >= len(fixed) and _apply(fixed, arguments):
                return function
        elif len(form) == count and _apply(form, arguments):
            return function
    if count and any(not form for form, _ in forms):
        raise VtlRenderError("IllegalArgumentException: wrong number of arguments")
    return None


def class_cast(value: object, other: object) -> object:
    """
    Refuse an argument of another class, as `compareTo(Object)` does.

    Args:
        value: The object.
        other: The argument.

    Returns:
        Nothing.

    Raises:
        VtlRenderError: Always.
    """
    raise VtlRenderError(
        f"ClassCastException: {class_name(other)} cannot be cast to {class_name(value)}"
    )


def _apply(form: str, arguments: list[object]) -> bool:
    return all(_accepts(one, value) for one, value in zip(form, arguments, strict=False))


def _accepts(parameter: str, value: object) -> bool:
    if parameter == "O":
        return True
    if parameter in _PRIMITIVES:
        return value is not None and class_name(value) in _PRIMITIVES[parameter]
    if value is None:
        return True
    if parameter == "S":
        return isinstance(value, str)
    if parameter == "C":
        return class_name(value) in _COLLECTIONS
    if parameter == "M":
        return isinstance(value, Mapping)
    if parameter == "H":
        return isinstance(value, Character)
    if parameter == "E":
        return isinstance(value, Decimal)
    return class_name(value) == _BOXED[parameter]
