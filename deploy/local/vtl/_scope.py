"""
Where names live while a template renders.

The bottom is a plain dict. A macro call puts a layer over it in which its parameters stand for the
caller's expressions, evaluated anew at each use; a `#foreach` over a null puts one in which the
loop variable is null whatever is below. Both write through to the bottom.

Source: observed behaviour of Velocity 1.7 (macro arguments by name, sets visible to the caller).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ._keys import HashMap, lookup, store
from ._maps import MAP_METHODS
from ._signatures import select
from ._values import ABSENT, MAX_LENGTH, VtlObject
from .errors import VtlRenderError

if TYPE_CHECKING:
    from ._compiler import Compiler, Macro

__all__ = [
    "FOREACH_GETTERS",
    "Bottom",
    "DefinedBlock",
    "ForeachScope",
    "MacroScope",
    "NullScope",
    "Out",
    "Render",
    "Run",
    "Scope",
    "Stop",
    "Value",
]

Out = Callable[[str], None]
Render = Callable[["Scope", Out], None]
Value = Callable[["Scope"], object]

# One render may do so much: a round of a loop, a macro call, a block and every 4,096 characters
# printed count one each. It ends a template that would run for minutes.
_BUDGET = 2_000_000
_CHUNK = 4_096


class Stop(Exception):  # noqa: N818 - control flow, not an error
    """
    Control flow of `#stop` and `#break`, no error.

    Attributes:
        target: The loop, macro or block to leave; None for the nearest one.
        everything: Leave the whole template.
    """

    def __init__(self, target: object = None, *, everything: bool = False) -> None:
        super().__init__()
        self.target = target
        self.everything = everything

    def ends(self, owner: object) -> bool:
        """
        Say whether a loop, macro or block is to be left.

        Args:
            owner: The one that asks.

        Returns:
            Whether it is the target, or the nearest.
        """
        if self.everything:
            return False
        return self.target is None or self.target is owner


@dataclass(slots=True)
class Run:
    """What one render needs beside its names."""

    compiler: Compiler
    macros: dict[str, Macro]
    max_foreach: int | None
    budget: int = field(default=_BUDGET)
    macro_depth: int = 0

    def charge(self, amount: int = 1) -> None:
        """
        Take from the budget.

        Args:
            amount: How much.

        Raises:
            VtlRenderError: Nothing is left.
        """
        self.budget -= amount
        if self.budget < 0:
            raise VtlRenderError("the template does not come to an end within its budget")

    def charge_text(self, length: int) -> None:
        """
        Take from the budget for a text that is printed.

        Args:
            length: Its characters.

        Raises:
            VtlRenderError: Nothing is left.
        """
        self.charge(length // _CHUNK * (_BUDGET * _CHUNK // (8 * MAX_LENGTH)))


class Scope(Protocol):
    """Names and their values."""

    run: Run

    def get(self, name: str, /) -> object:
        """Return the value of a name, None when there is none."""

    def put(self, name: str, value: object, /) -> None:
        """Give a name a value."""

    def remove(self, name: str, /) -> None:
        """Forget a name."""


class Bottom(dict[str, object]):
    """The names of the whole template."""

    __slots__ = ("run",)
    run: Run

    put = dict.__setitem__

    def remove(self, name: str) -> None:
        """
        Forget a name.

        Args:
            name: The name.
        """
        self.pop(name, None)


class NullScope:
    """A layer in which one name is null until it is removed."""

    __slots__ = ("_active", "_inner", "_name", "run")

    def __init__(self, inner: Scope, name: str) -> None:
        self.run = inner.run
        self._inner = inner
        self._name = name
        self._active = True

    def get(self, name: str, /) -> object:
        """
        Read a name.

        Args:
            name: The name.

        Returns:
            Its value; None for the null one.
        """
        return None if self._active and name == self._name else self._inner.get(name)

    def put(self, name: str, value: object, /) -> None:
        """
        Write through.

        Args:
            name: The name.
            value: Its value.
        """
        self._inner.put(name, value)

    def remove(self, name: str, /) -> None:
        """
        Forget a name, the null one included.

        Args:
            name: The name.
        """
        if name == self._name:
            self._active = False
        self._inner.remove(name)


class MacroScope:
    """A layer for one macro call."""

    __slots__ = ("_arguments", "_inner", "_local", "run")

    def __init__(self, inner: Scope) -> None:
        self.run = inner.run
        self._inner = inner
        self._local: dict[str, object] = {}
        self._arguments: dict[str, Value] = {}

    def bind_value(self, name: str, value: object) -> None:
        """
        Bind a parameter to a constant.

        Args:
            name: The parameter.
            value: Its value.
        """
        self._local[name] = value

    def bind_expression(self, name: str, value: Value, literal: str) -> None:
        """
        Bind a parameter to the caller's expression.

        Args:
            name: The parameter.
            value: Evaluates the expression in the caller's scope.
            literal: Its source, printed where the value is null.
        """
        self._arguments[name] = value
        self._local[f".literal.${name}"] = literal

    def get(self, name: str, /) -> object:
        """
        Read a name.

        Args:
            name: The name.

        Returns:
            Its value here, else the argument's, else the caller's.
        """
        value = self._local.get(name)
        if value is not None:
            return value
        argument = self._arguments.get(name)
        return self._inner.get(name) if argument is None else argument(self._inner)

    def put(self, name: str, value: object, /) -> None:
        """
        Write here and in the caller's scope.

        Args:
            name: The name.
            value: Its value.
        """
        self._local[name] = value
        self._inner.put(name, value)

    def remove(self, name: str, /) -> None:
        """
        Forget a name here and in the caller's scope.

        Args:
            name: The name.
        """
        self._local.pop(name, None)
        self._arguments.pop(name, None)
        self._inner.remove(name)


class DefinedBlock(VtlObject):
    """What `#define` assigns, and `$bodyContent`: a block rendered at each use."""

    vtl_class = "org.apache.velocity.runtime.directive.Block$Reference"

    def __init__(self, scope: Scope, block: Render, owner: object, max_depth: int) -> None:
        self._scope = scope
        self._block = block
        self._owner = owner
        self._max_depth = max_depth
        self._depth = 0

    def render(self, scope: Scope, out: Out) -> bool:
        """
        Render the block.

        Args:
            scope: The names at the place of use.
            out: Takes the text.

        Returns:
            False when it is used within itself too deeply.
        """
        self._depth += 1
        try:
            if self._depth > self._max_depth:
                return False
            scope.run.charge()
            try:
                self._block(scope, out)
            except Stop as stop:
                if not stop.ends(self._owner):
                    raise
            return True
        finally:
            self._depth -= 1

    def vtl_call(self, name: str, arguments: list[object]) -> object:
        """
        Offer `toString()`.

        Args:
            name: The method.
            arguments: None are taken.

        Returns:
            The rendered text.
        """
        return self.vtl_string() if name == "toString" and not arguments else ABSENT

    def vtl_string(self) -> str | None:
        """Render in the scope of the definition; None when nested too deeply."""
        parts: list[str] = []
        return "".join(parts) if self.render(self._scope, parts.append) else None


class ForeachScope(VtlObject):
    """`$foreach`: the state of a loop, and a map of the template's own."""

    vtl_class = "org.apache.velocity.runtime.directive.ForeachScope"

    index = -1
    has_next = False
    _storage: HashMap | None = None

    def __init__(self, owner: object, previous: object) -> None:
        self.owner = owner
        self.previous = previous

    @property
    def parent(self) -> ForeachScope | None:
        """The scope of the loop around."""
        return self.previous if isinstance(self.previous, ForeachScope) else None

    def topmost(self) -> ForeachScope:
        """Return the outermost loop's scope."""
        return self if self.parent is None else self.parent.topmost()

    def replaced_value(self) -> object:
        """Return what `$foreach` was before the outermost loop."""
        return self.previous if self.parent is None else self.parent.replaced_value()

    def vtl_get(self, name: str) -> object:
        """
        Offer the loop's state, then what the template stored.

        Args:
            name: The property.

        Returns:
            Its value.
        """
        getter = FOREACH_GETTERS.get(name) or FOREACH_GETTERS.get(name[0].lower() + name[1:])
        return self.vtl_index(name) if getter is None else getter(self)

    def vtl_index(self, key: object) -> object:
        """
        Read what the template stored here or in an outer loop.

        Args:
            key: The key.

        Returns:
            The value; None when there is none.
        """
        value = None if self._storage is None else lookup(self._storage, key)
        if value is None and self.parent is not None:
            return self.parent.vtl_index(key)
        return value

    def vtl_set(self, name: object, value: object) -> bool:
        """
        Store a value for this loop.

        Args:
            name: The key.
            value: The value.

        Returns:
            True.
        """
        store(self._stored(), name, value)
        return True

    def _stored(self) -> HashMap:
        if self._storage is None:
            self._storage = HashMap()
        return self._storage

    def vtl_call(self, name: str, arguments: list[object]) -> object:
        """
        Offer the getters and the methods of a map.

        Args:
            name: The method.
            arguments: Its arguments.

        Returns:
            The result.
        """
        if not arguments:
            bare = name.removeprefix("get") if name.startswith("get") else name.removeprefix("is")
            key = bare[:1].lower() + bare[1:]
            plain = name == "hasNext" or (name != bare and key != bare)
            if plain and key in FOREACH_GETTERS:
                return FOREACH_GETTERS[key](self)
        if name == "get" and len(arguments) == 1:
            return self.vtl_index(arguments[0])
        function = select(MAP_METHODS.get(name, ()), arguments)
        return ABSENT if function is None else function(self._stored(), *arguments)

    def vtl_iterate(self) -> list[object]:
        """Iterate over the stored values."""
        return list(self._stored().values())

    def vtl_string(self) -> str:
        """Print as the map of what is stored."""
        return str(MAP_METHODS["toString"][0][1](self._stored()))


# What `$foreach` offers, by the names of its properties.
FOREACH_GETTERS: dict[str, Callable[[ForeachScope], object]] = {
    "index": lambda scope: scope.index,
    "count": lambda scope: scope.index + 1,
    "hasNext": lambda scope: scope.has_next,
    "first": lambda scope: scope.index < 1,
    "last": lambda scope: not scope.has_next,
    "parent": lambda scope: scope.parent,
    "topmost": lambda scope: scope.topmost(),
    "replaced": lambda scope: scope.replaced_value(),
}
