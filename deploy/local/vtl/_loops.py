"""
`#foreach`: what surrounds a loop, and what happens in a round.

Source: observed behaviour of Velocity 1.7; a list that changes while it is looped over fails as in
Java.
"""

from __future__ import annotations

from collections.abc import Iterable, Sized

from ._methods import iterate
from ._scope import ForeachScope, NullScope, Out, Render, Scope, Stop, Value
from .errors import VtlRenderError

__all__ = ["changed", "enter", "leave", "loop", "loop_cost"]

_CHUNK = 4_096


_COUNTERS = ("velocityCount", "velocityHasNext")
Outside = Iterable[tuple[str, object]]


def loop_cost(begin: int, end: int) -> int:
    """
    Tell what a round costs.

    Args:
        begin: Where the `#foreach` begins, an offset.
        end: Where its `#end` begins.

    Returns:
        Units of the render's budget: a long body costs more.
    """
    return 1 + (end - begin) // _CHUNK


def enter(
    scope: Scope, name: str, owner: object, counters: tuple[str, ...] = _COUNTERS
) -> tuple[ForeachScope, Outside]:
    """
    Begin a loop.

    Args:
        scope: The names; receives `$foreach`.
        name: The variable of the loop.
        owner: What identifies the loop to `#break`.
        counters: Further names that the loop sets.

    Returns:
        The state of the loop; the names that it hides and their values, for `leave`.
    """
    get = scope.get
    outside = [(hidden, get(hidden)) for hidden in (name, *counters)]
    state = ForeachScope(owner, get("foreach"))
    scope.put("foreach", state)
    return state, outside


def leave(scope: Scope, outside: Outside) -> None:
    """
    End a loop: give the names their values back.

    Args:
        scope: The names.
        outside: What `enter` returned.
    """
    for key, value in outside:
        if value is None:
            scope.remove(key)
        else:
            scope.put(key, value)
    state = scope.get("foreach")
    if not isinstance(state, ForeachScope):
        return
    if state.previous is None:
        scope.remove("foreach")
    else:
        scope.put("foreach", state.previous)


def changed() -> VtlRenderError:
    """Return the error of a list that changes while it is looped over."""
    return VtlRenderError("ConcurrentModificationException: the list of #foreach changed")


def loop(
    owner: object, name: str, items: Value, body: Render, cost: int, counters: bool = True
) -> Render:
    """
    Make a loop.

    Args:
        owner: What identifies the loop to `#break`.
        name: The variable.
        items: Yields what is looped over; nothing happens for what cannot be.
        body: Prints a round.
        cost: What a round takes from the budget.
        counters: Whether anything can read `$velocityCount` and `$velocityHasNext`.

    Returns:
        What prints the loop.
    """
    hidden = _COUNTERS if counters else ()

    def render(scope: Scope, out: Out) -> None:
        found = items(scope)
        iterated = None if found is None else iterate(found)
        if iterated is None:
            return
        if name == "foreach":
            raise VtlRenderError("ClassCastException: $foreach is the loop's state, no variable")
        state, outside = enter(scope, name, owner, hidden)
        try:
            rounds(scope, out, state, *iterated)
        except Stop as stop:
            if not stop.ends(owner):
                raise
        finally:
            leave(scope, outside)

    def rounds(
        scope: Scope, out: Out, state: ForeachScope, values: list[object], guard: Sized
    ) -> None:
        size, run, put = len(guard), scope.run, scope.put
        layer: NullScope | None = None
        index = 0
        while index != len(values) and index != run.max_foreach:
            if len(guard) != size:
                raise changed()
            # As `run.charge` does, which would cost as much as the rest of a round.
            run.budget -= cost
            if run.budget < 0:
                run.charge(0)
            value = values[index]
            state.index = index
            index += 1
            state.has_next = has_next = index != len(values)
            if counters:
                put("velocityCount", index)
                put("velocityHasNext", has_next)
            put(name, value)
            if value is None:
                layer = layer or NullScope(scope, name)
                body(layer, out)
            else:
                body(scope, out)

    return render
