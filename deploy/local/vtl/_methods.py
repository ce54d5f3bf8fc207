"""
What a template may do with a value: read a member, index it, call it, set it.

Only the classes of this table have members; a Python object of any other type has none, whatever
its attributes are.

Source: the order in which Velocity 1.7 looks for a property: a getter, then the map's key, then
an `is` getter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sized
from decimal import Decimal
from functools import lru_cache

from ._big_numbers import BIG_INTEGER_METHODS, DECIMAL_METHODS
from ._characters import CHARACTER_METHODS
from ._elements import elements
from ._foreign import adopted
from ._keys import HashMap, lookup, store
from ._lists import (
    ARRAY_METHODS,
    IMMUTABLE_LIST_METHODS,
    LIST_METHODS,
    SUB_LIST_METHODS,
    ImmutableList,
    SubList,
)
from ._maps import MAP_METHODS, View
from ._numbers import (
    BOOLEAN_METHODS,
    BYTE_METHODS,
    DOUBLE_METHODS,
    FLOAT_METHODS,
    INTEGER_METHODS,
    LONG_METHODS,
    SHORT_METHODS,
)
from ._objects import OBJECT_METHODS
from ._signatures import Function, Table, select
from ._strings import STRING_METHODS
from ._values import (
    ABSENT,
    INT_MAX,
    INT_MIN,
    BigInteger,
    Byte,
    Character,
    Float,
    JavaArray,
    Long,
    Short,
    UnmodifiableList,
    VtlObject,
    class_name,
    is_integral,
)
from .errors import VtlRenderError

__all__ = [
    "CallSite",
    "call",
    "call_site",
    "get_index",
    "get_property",
    "iterate",
    "resolve",
    "set_index",
    "set_property",
]

_BY_TYPE: dict[type, Table] = {
    str: STRING_METHODS,
    bool: BOOLEAN_METHODS,
    float: DOUBLE_METHODS,
    Float: FLOAT_METHODS,
    Byte: BYTE_METHODS,
    Short: SHORT_METHODS,
    Long: LONG_METHODS,
    BigInteger: BIG_INTEGER_METHODS,
    Decimal: DECIMAL_METHODS,
    Character: CHARACTER_METHODS,
    JavaArray: ARRAY_METHODS,
    list: LIST_METHODS,
    SubList: SUB_LIST_METHODS,
    ImmutableList: IMMUTABLE_LIST_METHODS,
    UnmodifiableList: IMMUTABLE_LIST_METHODS,
    dict: MAP_METHODS,
    HashMap: MAP_METHODS,
}
_INTEGERS: dict[str, Table] = {
    "java.lang.Integer": INTEGER_METHODS,
    "java.lang.Long": LONG_METHODS,
    "java.math.BigInteger": BIG_INTEGER_METHODS,
}
_NOTHING: Table = {}
# A place sees few classes; a program that makes classes without end must not fill the memory.
_MAX_KNOWN = 64


def _methods(value: object) -> Table:
    kind = type(value)
    if kind is int:
        return _INTEGERS[class_name(value)]
    found = _BY_TYPE.get(kind)
    if found is not None:
        return found
    if isinstance(value, list):
        return LIST_METHODS
    if isinstance(value, float):
        return DOUBLE_METHODS
    return MAP_METHODS if isinstance(value, Mapping) else _NOTHING


def resolve(value: object, name: str, arguments: list[object]) -> Function | None:
    """
    Find the function behind a method.

    Args:
        value: Any value but null.
        name: The method.
        arguments: Its arguments.

    Returns:
        What to call with the value and the arguments; it depends on nothing but their classes.
        None for a method that does not exist or does not take these arguments.

    Raises:
        VtlRenderError: Java refuses the number of arguments.
    """
    if isinstance(value, VtlObject):
        table = value.vtl_methods.get(name)
        return _method_of_object(name) if table is None else select(table, arguments)
    forms = _methods(value).get(name) or OBJECT_METHODS.get(name)
    return None if forms is None else select(forms, arguments)


def _method_of_object(name: str) -> Function:
    def method(value: VtlObject, *arguments: object) -> object:
        result = value.vtl_call(name, list(arguments))
        if result is not ABSENT:
            return result
        # An object without a class of its own offers nothing but what it declares.
        forms = OBJECT_METHODS.get(name) if value.vtl_class else None
        function = None if forms is None else select(forms, list(arguments))
        return None if function is None else function(value, *arguments)

    return method


def call(value: object, name: str, arguments: list[object]) -> object:
    """
    Call a method.

    Args:
        value: Any value but null.
        name: The method.
        arguments: Its arguments.

    Returns:
        The result: None for null and for a method that does not exist or does not take these
        arguments, "" for a method without a result.

    Raises:
        VtlRenderError: The method throws.
    """
    value = adopted(value)
    function = resolve(value, name, arguments)
    return None if function is None else function(value, *arguments)


class CallSite:
    """
    The place of a method call; it remembers which function classes of values have led to.

    Args:
        name: The method.

    Attributes:
        known: The functions, by the class of the value and those of the arguments; by the class of
            the value alone for a place whose arguments are constants.
    """

    __slots__ = ("_name", "known")

    def __init__(self, name: str) -> None:
        self._name = name
        self.known: dict[object, Function] = {}

    def fixed(self, value: object, *arguments: object) -> object:
        """
        Call the method with arguments that are the same each time.

        Args:
            value: Any value but null.
            arguments: The arguments.

        Returns:
            The result, as of `call`.

        Raises:
            VtlRenderError: The method throws.
        """
        function = self.known.get(type(value))
        if function is None:
            value = adopted(value)
            function = resolve(value, self._name, list(arguments)) or _nothing
            if type(value) is not int:
                self._keep(type(value), function)
        return function(value, *arguments)

    def single(self, value: object, argument: object) -> object:
        """
        Call the method with one argument.

        Args:
            value: Any value but null.
            argument: The argument.

        Returns:
            The result, as of `call`.

        Raises:
            VtlRenderError: The method throws.
        """
        function = self.known.get((type(value), type(argument)))
        if function is None or (type(argument) is int and not _by_type(argument)):
            return self._learn(value, argument)
        return function(value, argument)

    def several(self, value: object, *arguments: object) -> object:
        """
        Call the method with any arguments.

        Args:
            value: Any value but null.
            arguments: The arguments.

        Returns:
            The result, as of `call`.

        Raises:
            VtlRenderError: The method throws.
        """
        function = self.known.get((type(value), *map(type, arguments)))
        if function is None or not all(map(_by_type, arguments)):
            return self._learn(value, *arguments)
        return function(value, *arguments)

    def _learn(self, value: object, *given: object) -> object:
        value, *arguments = map(adopted, (value, *given))
        function = resolve(value, self._name, list(arguments)) or _nothing
        if type(value) is not int and all(map(_by_type, arguments)):
            self._keep((type(value), *map(type, arguments)), function)
        return function(value, *arguments)

    def _keep(self, classes: object, function: Function) -> None:
        if len(self.known) < _MAX_KNOWN:
            self.known[classes] = function


@lru_cache(maxsize=1024)
def call_site(name: str, count: int) -> CallSite:
    """
    Share what calls have learned among all places and templates.

    Args:
        name: The method.
        count: How many arguments are given.

    Returns:
        The place; `fixed` may be used where nothing is given only.
    """
    return CallSite(name)


def _nothing(*_: object) -> None:
    """Stand for a method that does not exist."""


def _by_type(value: object) -> bool:
    """Say whether the Python type alone tells the Java class: not for integers of any size."""
    return type(value) is not int or INT_MIN <= value <= INT_MAX


def get_property(value: object, name: str) -> object:
    """
    Read a property.

    Args:
        value: Any value but null.
        name: The property.

    Returns:
        Its value; None for null and when there is none.

    Raises:
        VtlRenderError: The getter throws.
    """
    if name in ("class", "Class"):
        return call(value, "getClass", [])
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, VtlObject):
        result = value.vtl_get(name)
        return None if result is ABSENT else result
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, JavaArray):
        return None
    own = adopted(value)
    if own is not value:
        return get_property(own, name)
    methods = _methods(value)
    for getter in (f"get{name}", f"get{_flipped(name)}", f"is{name}", f"is{_flipped(name)}"):
        if getter in methods:
            return call(value, getter, [])
    return None


def _flipped(name: str) -> str:
    first = name[0]
    return (first.upper() if first.islower() else first.lower()) + name[1:]


def _from_end(value: object, key: object) -> object:
    """Turn -1 into the last index: a negative Integer counts from the end."""
    if not is_integral(key) or not isinstance(key, int) or key >= 0:
        return key
    if class_name(key) != "java.lang.Integer":
        return key
    size = call(value, "size", [])
    if not is_integral(size) or not isinstance(size, int):
        raise VtlRenderError(f"A 'size()' method required for negative value {key} does not exist")
    return size + key


def get_index(value: object, key: object) -> object:
    """
    Read `value[key]`.

    Args:
        value: Any value but null.
        key: The index; a negative Integer counts from the end.

    Returns:
        The element; None when there is none.

    Raises:
        VtlRenderError: The index is out of bounds.
    """
    if isinstance(value, dict) and type(key) is str:
        return value.get(key)
    if isinstance(value, VtlObject):
        result = value.vtl_index(_from_end(value, key))
        return None if result is ABSENT else result
    value, key = adopted(value), _from_end(value, key)
    if isinstance(value, Mapping):
        return lookup(value, key)
    return call(value, "get", [key])


def set_index(value: object, key: object, item: object) -> None:
    """
    Do `#set($value[key] = item)`.

    Args:
        value: Any value but null.
        key: The index; a negative Integer counts from the end.
        item: The new element.

    Raises:
        VtlRenderError: The index is out of bounds, or setting fails.
    """
    if isinstance(value, VtlObject):
        value.vtl_set(_from_end(value, key), item)
        return
    value, key = adopted(value), _from_end(value, key)
    if isinstance(value, Mapping):
        store(value, key, item)
        return
    call(value, "set", [key, item])


def set_property(value: object, name: str, item: object) -> None:
    """
    Do `#set($value.name = item)`; without effect where nothing can be set.

    Args:
        value: Any value but null.
        name: The property.
        item: Its new value.

    Raises:
        VtlRenderError: Setting fails.
    """
    value = adopted(value)
    if isinstance(value, VtlObject):
        value.vtl_set(name, item)
    elif isinstance(value, Mapping):
        store(value, name, item)


def iterate(value: object) -> tuple[list[object], Sized] | None:
    """
    List what `#foreach` runs over.

    Args:
        value: Any value.

    Returns:
        The elements, and what must keep its size while they are iterated; None for what cannot be
        looped over. The elements of a list are the list itself, not a copy.
    """
    if isinstance(value, list):
        return value, value
    items = elements(value)
    if items is None:
        return None
    if isinstance(value, View):
        return items, value.mapping
    return items, value if isinstance(value, Mapping) else items
