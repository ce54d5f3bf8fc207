"""
References as closures: what reads a variable and its members, and what assigns to them.

A null and a value that is missing are one thing in Velocity. API Gateway installs a handler that
answers the empty string for both, wherever a reference is evaluated; that one difference between
the two modes is the `missing` value here. `locate` says in an error where it has happened.

Neither tokens nor a tree are known here, nor in `_operations` and `_printing`: `_expressions` and
`_compiler` make closures for the nodes of a tree, `_shortcut` straight from the text, and so the
language is defined once.

Source: Velocity 1.7's evaluation rules (facts), checked against its jar.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ._methods import CallSite, call_site, get_index, get_property, set_index, set_property
from ._scope import FOREACH_GETTERS, ForeachScope, Scope, Value
from .errors import VtlError

__all__ = [
    "Assign",
    "Final",
    "Locate",
    "Step",
    "assignment",
    "chain",
    "final_index",
    "final_property",
    "index_step",
    "method_step",
    "path",
    "property_step",
    "variable",
]

Step = Callable[[object, Scope], object]
Assign = Callable[[Scope, object], None]
Final = Callable[[object, object, Scope], None]
Locate = Callable[[VtlError | RecursionError], VtlError]

_CLASS = frozenset({"class", "Class"})


def path(root: str, names: Sequence[str], missing: str | None, locate: Locate) -> Value:
    """
    Read a variable and properties of it; a plain dict is by far the most frequent owner.

    Args:
        root: The variable.
        names: The properties, one after the other.
        missing: Takes the place of null.
        locate: Locates an error of a getter.

    Returns:
        The closure.
    """
    if not names:
        return variable(root, missing)
    # `class` is no key, not even of a map.
    if len(names) > 2 or not _CLASS.isdisjoint(names):
        return lambda scope: _read(scope.get(root), names, missing, locate)
    if len(names) == 1:
        if root == "foreach" and names[0] in FOREACH_GETTERS:
            return _loop_state(names[0], missing, locate)
        return _property(root, names[0], missing, locate)
    outer, inner = names

    def two(scope: Scope) -> object:
        value = scope.get(root)
        if type(value) is dict:
            value = value.get(outer)
            if type(value) is dict:
                value = value.get(inner)
                return missing if value is None else value
            return _read(value, (inner,), missing, locate)
        return _read(value, names, missing, locate)

    return two


def _read(value: object, names: Sequence[str], missing: str | None, locate: Locate) -> object:
    try:
        for name in names:
            if value is None:
                return missing
            value = get_property(value, name)
    except VtlError as error:
        raise locate(error) from None
    return missing if value is None else value


def variable(root: str, missing: str | None) -> Value:
    """Read a variable; `missing` takes the place of null."""
    if missing is None:
        return lambda scope: scope.get(root)

    def read(scope: Scope) -> object:
        value = scope.get(root)
        return missing if value is None else value

    return read


def _property(root: str, name: str, missing: str | None, locate: Locate) -> Value:
    def one(scope: Scope) -> object:
        value = scope.get(root)
        if type(value) is dict:
            value = value.get(name)
            return missing if value is None else value
        return _read(value, (name,), missing, locate)

    return one


def _loop_state(name: str, missing: str | None, locate: Locate) -> Value:
    getter = FOREACH_GETTERS[name]

    def state(scope: Scope) -> object:
        value = scope.get("foreach")
        if type(value) is not ForeachScope:
            return _read(value, (name,), missing, locate)
        value = getter(value)
        return missing if value is None else value

    return state


def chain(
    root: str, names: Sequence[str], steps: Sequence[Step], missing: str | None, locate: Locate
) -> Value:
    """
    Read a variable, properties of it and whatever follows.

    Args:
        root: The variable.
        names: The properties before anything else.
        steps: What follows them, at least one.
        missing: Takes the place of null.
        locate: Locates an error of a step.

    Returns:
        The closure.
    """
    if len(steps) == 1:
        if not names:
            return _variable_step(root, steps[0], missing, locate)
        return _last_step(path(root, names, None, locate), steps[0], missing, locate)
    base = path(root, names, None, locate)

    def several(scope: Scope) -> object:
        value = base(scope)
        try:
            for step in steps:
                if value is None:
                    return missing
                value = step(value, scope)
        except VtlError as error:
            raise locate(error) from None
        return missing if value is None else value

    return several


def _variable_step(root: str, step: Step, missing: str | None, locate: Locate) -> Value:
    def one(scope: Scope) -> object:
        value = scope.get(root)
        if value is None:
            return missing
        try:
            value = step(value, scope)
        except VtlError as error:
            raise locate(error) from None
        return missing if value is None else value

    return one


def _last_step(base: Value, step: Step, missing: str | None, locate: Locate) -> Value:
    def one(scope: Scope) -> object:
        value = base(scope)
        if value is None:
            return missing
        try:
            value = step(value, scope)
        except VtlError as error:
            raise locate(error) from None
        return missing if value is None else value

    return one


def property_step(name: str) -> Step:
    """Read a property."""
    return lambda value, scope: get_property(value, name)


def index_step(key: Value) -> Step:
    """Read an element."""
    return lambda value, scope: get_index(value, key(scope))


def method_step(name: str, arguments: Sequence[Value]) -> Step:
    """Call a method."""
    site = call_site(name, len(arguments))
    if not arguments:
        bare = site.fixed
        return lambda value, scope: bare(value)
    if len(arguments) == 1:
        return _single_step(site, arguments[0])
    several = site.several
    return lambda value, scope: several(value, *[argument(scope) for argument in arguments])


def _single_step(site: CallSite, argument: Value) -> Step:
    known, single = site.known, site.single

    def step(value: object, scope: Scope) -> object:
        given = argument(scope)
        function = known.get((type(value), type(given)))
        # The class of an int depends on its size.
        if function is None or type(given) is int:
            return single(value, given)
        return function(value, given)

    return step


def assignment(root: str, steps: Sequence[Step], final: Final, locate: Locate) -> Assign:
    """
    Assign to a member; without effect where its owner is missing.

    Args:
        root: The variable.
        steps: Lead from it to the owner.
        final: Sets the member.
        locate: Locates an error.

    Returns:
        The closure.
    """

    def assign(scope: Scope, value: object) -> None:
        target = scope.get(root)
        try:
            for step in steps:
                if target is None:
                    return
                target = step(target, scope)
            if target is not None:
                final(target, value, scope)
        except VtlError as error:
            raise locate(error) from None

    return assign


def final_property(name: str) -> Final:
    """Set a property."""
    return lambda target, value, scope: set_property(target, name, value)


def final_index(key: Value) -> Final:
    """Set an element."""
    return lambda target, value, scope: set_index(target, key(scope), value)
