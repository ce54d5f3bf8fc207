"""
Statements as closures: what prints, chooses and sets; loops are in `_loops`.

Source: Velocity 1.7's evaluation rules (facts), checked against its jar.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ._java import to_string
from ._operations import Test
from ._references import Assign
from ._scope import DefinedBlock, Out, Render, Scope, Value
from .errors import VtlError

__all__ = [
    "LONG_TEXT",
    "Show",
    "choice",
    "nothing",
    "null_text",
    "printed",
    "printed_marked",
    "sequence",
    "setting",
    "setting_member",
    "show",
    "text",
]

Show = Callable[[object, Scope, Out], None]
LocatePart = Callable[[int, VtlError | RecursionError], VtlError]

LONG_TEXT = 4_096


def text(source: str) -> Render:
    """Print a text."""
    return lambda scope, out: out(source)


def printed(execute: Value, null: str, before: str = "") -> Render:
    """
    Print a reference.

    Args:
        execute: Computes its value.
        null: What prints for null.
        before: Text that stands before it and prints in any case.

    Returns:
        The closure.
    """

    def render(scope: Scope, out: Out) -> None:
        value = execute(scope)
        if type(value) is str and len(value) < LONG_TEXT:
            out(before + value)
        elif type(value) is int:
            out(before + repr(value))
        else:
            show(value, scope, out, null, before)

    return render


def printed_marked(execute: Value, null: str, before: str, escapes: str, prefix: str) -> Render:
    """
    Print a reference that has more than one `$` before it.

    Args:
        execute: Computes its value.
        null: What prints for null.
        before: Text that stands before it and prints in any case.
        escapes: Half of the backslashes before it; all of them print before a null.
        prefix: Further `$` and `#` before it, which print.

    Returns:
        The closure.
    """
    return lambda scope, out: show(execute(scope), scope, out, null, before, escapes, prefix)


def show(
    value: object,
    scope: Scope,
    out: Out,
    null: str,
    before: str = "",
    escapes: str = "",
    prefix: str = "",
) -> None:
    """
    Print a value of a reference, whatever it is.

    Args:
        value: The value.
        scope: The names.
        out: Takes the text.
        null: As of `printed_marked`, like the others.
        before: Text before the reference.
        escapes: Half of its backslashes.
        prefix: Its further marks.
    """
    if isinstance(value, DefinedBlock):
        out(before)
        if not value.render(scope, out):
            out(escapes + escapes + prefix + null_text(scope, null))
        return
    shown = None if value is None else to_string(value)
    if shown is None:
        out(before + escapes + escapes + prefix + null_text(scope, null))
        return
    if len(shown) >= LONG_TEXT:
        scope.run.charge_text(len(shown))
    out(before + escapes + prefix + shown)


def null_text(scope: Scope, source: str) -> str:
    """
    Say what prints for null.

    Args:
        scope: The names.
        source: How the reference is written.

    Returns:
        The source; for a macro's parameter how the caller wrote the argument.
    """
    literal = scope.get(f".literal.{source}")
    return literal if isinstance(literal, str) else source


def nothing(scope: Scope, out: Out) -> None:
    """Print nothing."""


def sequence(parts: Sequence[Render], locate: LocatePart) -> Render:
    """
    Print one after the other.

    Args:
        parts: What to print.
        locate: Locates an error of the part with a number.

    Returns:
        The closure.
    """
    if not parts:
        return nothing

    def render(scope: Scope, out: Out) -> None:
        part: Render = nothing
        try:
            for part in parts:
                part(scope, out)
        except (VtlError, RecursionError) as error:
            raise locate(parts.index(part), error) from None

    return render


def choice(branches: Sequence[tuple[Test, Render]], otherwise: Render) -> Render:
    """
    Print the first branch whose condition holds.

    Args:
        branches: Conditions and what they print.
        otherwise: Prints where none holds.

    Returns:
        The closure.
    """
    if len(branches) == 1:
        ((condition, then),) = branches

        def single(scope: Scope, out: Out) -> None:
            (then if condition(scope) else otherwise)(scope, out)

        return single

    def render(scope: Scope, out: Out) -> None:
        for test, block in branches:
            if test(scope):
                block(scope, out)
                return
        otherwise(scope, out)

    return render


def setting(name: str, value: Value) -> Render:
    """Give a name a value, unless it is null."""

    def render(scope: Scope, out: Out) -> None:
        result = value(scope)
        if result is not None:
            scope.put(name, result)

    return render


def setting_member(assign: Assign, value: Value) -> Render:
    """Give what `assignment` assigns to a value, unless it is null."""

    def render(scope: Scope, out: Out) -> None:
        result = value(scope)
        if result is not None:
            assign(scope, result)

    return render
