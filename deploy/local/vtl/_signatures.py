"""
Which of a method's forms Java takes for given arguments.

A form is written as one letter per parameter:

    i l d f b c   int long double float boolean char: what widens to it without loss; never null
    p             char or int
    S O C M       String, Object, Collection, Map: that or null
    s g           String, BigInteger, where Java throws for null
    I L D F B H   Integer Long Double Float Boolean Character, boxed: exactly that or null
    P Y G E       Short, Byte, BigInteger, BigDecimal
    X             char[] or null
    N             null: what a template cannot make, such as a function
    *             any further arguments
    ?             alone: no arguments, to a method that takes any number

Forms are listed with the most specific first, which is the one Velocity would find.

Source: Velocity 1.7's rules for choosing a method (facts); Java's widening conversions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from ._values import Character, JavaArray, class_name
from .errors import VtlRenderError

__all__ = ["Forms", "Function", "Table", "class_cast", "null_argument", "select"]

Function = Callable[..., object]
Forms = tuple[tuple[str, Function], ...]
Table = Mapping[str, Forms]

_INTEGER, _LONG = "java.lang.Integer", "java.lang.Long"
_FLOAT, _DOUBLE = "java.lang.Float", "java.lang.Double"
_SMALL = frozenset({"java.lang.Byte", "java.lang.Short"})
_PRIMITIVES: dict[str, frozenset[str]] = {
    "i": _SMALL | {_INTEGER},
    "l": _SMALL | {_INTEGER, _LONG},
    "f": _SMALL | {_INTEGER, _LONG, _FLOAT},
    "d": _SMALL | {_INTEGER, _LONG, _FLOAT, _DOUBLE},
    "b": frozenset({"java.lang.Boolean"}),
    "c": frozenset({"java.lang.Character"}),
    "p": _SMALL | {_INTEGER, "java.lang.Character"},
}
_BOXED = {
    "I": _INTEGER,
    "L": _LONG,
    "D": _DOUBLE,
    "F": _FLOAT,
    "B": "java.lang.Boolean",
    "G": "java.math.BigInteger",
    "P": "java.lang.Short",
    "Y": "java.lang.Byte",
    "E": "java.math.BigDecimal",
}
_VIEWS = frozenset(
    f"java.util.{outer}{inner}"
    for outer in ("LinkedHashMap$Linked", "HashMap$")
    for inner in ("KeySet", "Values", "EntrySet")
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
        if form == "?":
            if not count:
                return function
        elif form.endswith("*"):
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


def null_argument(*_: object) -> object:
    """
    Refuse a null argument.

    Raises:
        VtlRenderError: Always.
    """
    raise VtlRenderError("NullPointerException")


def _apply(form: str, arguments: list[object]) -> bool:
    return all(_accepts(one, value) for one, value in zip(form, arguments, strict=False))


def _accepts(parameter: str, value: object) -> bool:
    if parameter == "O":
        return True
    if parameter in _PRIMITIVES:
        return value is not None and class_name(value) in _PRIMITIVES[parameter]
    if value is None:
        if parameter in "sg":
            null_argument()
        return True
    if parameter == "N":
        return False
    parameter = parameter.upper() if parameter in "sg" else parameter
    if parameter == "X":
        return isinstance(value, JavaArray) and value.element == "C"
    if parameter == "S":
        return isinstance(value, str)
    if parameter == "C":
        return (isinstance(value, list) and not isinstance(value, JavaArray)) or class_name(
            value
        ) in _VIEWS
    if parameter == "M":
        return isinstance(value, Mapping)
    if parameter == "H":
        return isinstance(value, Character)
    if parameter == "E":
        return isinstance(value, Decimal)
    return class_name(value) == _BOXED[parameter]
