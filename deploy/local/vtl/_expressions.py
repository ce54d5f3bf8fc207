"""
Expressions and references, compiled to closures.

A null and a value that is missing are one thing in Velocity. API Gateway installs a handler that
answers the empty string for both, wherever a reference is evaluated; that one difference between
the two modes is the `missing` value here.

Source: Velocity 1.7's evaluation rules (facts), checked against its jar.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import cast

from . import tree as n
from ._java import compare, compute, is_number, limited, loose_equals, text_of, to_string
from ._lexer import position_of
from ._methods import CallSite, call, get_index, get_property, set_index, set_property
from ._scope import DefinedBlock, Out, Render, Scope, Value
from ._values import box
from .errors import VtlError, VtlRenderError

__all__ = ["LONG_TEXT", "Expressions", "Show", "Test", "ordered", "truth"]

Step = Callable[[object, Scope], object]
Test = Callable[[Scope], bool]
Show = Callable[[object, Scope, Out], None]

_MAX_RANGE = 1_000_000
LONG_TEXT = 4_096
_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


class Expressions:
    """
    Compiles the expressions of one text.

    Args:
        text: The text, for positions in errors.
        literal: Returns a node's source.
        missing: What an invalid reference is: None, or "" for API Gateway.
        interpolate: Compiles the text of an interpolated string.
    """

    def __init__(
        self,
        text: str,
        literal: Callable[[n.Node], str],
        missing: str | None,
        interpolate: Callable[[str, n.Node], Render],
    ) -> None:
        self._text = text
        self.literal = literal
        self._missing = missing
        self._interpolate = interpolate

    # Values

    def value(self, node: n.Node) -> Value:
        """
        Compile a node to what computes its value.

        Args:
            node: An expression; any other node has the value null.

        Returns:
            The closure.
        """
        if isinstance(node, n.Reference):
            return self._computed_reference(node)
        if isinstance(node, n.StringLiteral):
            return self._string(node)
        if isinstance(node, n.IntegerLiteral | n.FloatLiteral | n.BooleanLiteral):
            constant = node.value
            return lambda scope: constant
        if isinstance(node, n.Binary):
            return self._binary(node)
        if isinstance(node, n.Not):
            test = self.test(node)
            return lambda scope: test(scope)
        if isinstance(node, n.ListLiteral):
            items = [self.value(item) for item in node.items]
            return lambda scope: [item(scope) for item in items]
        if isinstance(node, n.MapLiteral):
            entries = [(self.value(key), self.value(item)) for key, item in node.entries]
            return lambda scope: {box(key(scope)): item(scope) for key, item in entries}
        if isinstance(node, n.Range):
            return self._range(node)
        return lambda scope: None

    def _string(self, node: n.StringLiteral) -> Value:
        text = node.value
        if not node.interpolated:
            return lambda scope: text
        # Velocity appends a space for its parser and takes one character off again.
        commented = "##" in text
        render = self._interpolate(text if commented else text + " ", node)

        def value(scope: Scope) -> object:
            parts: list[str] = []
            render(scope, parts.append)
            result = limited("".join(parts))
            return result if commented else result[:-1]

        return value

    def _range(self, node: n.Range) -> Value:
        start, stop = self.value(node.start), self.value(node.stop)

        def value(scope: Scope) -> object:
            low, high = start(scope), stop(scope)
            if not is_number(low) or not is_number(high):
                return None
            first, last = call(low, "intValue", []), call(high, "intValue", [])
            assert isinstance(first, int)
            assert isinstance(last, int)
            if abs(last - first) >= _MAX_RANGE:
                raise self.located(
                    node, VtlRenderError(f"a range of more than {_MAX_RANGE} numbers")
                )
            return list(range(first, last + 1) if first <= last else range(first, last - 1, -1))

        return value

    def _binary(self, node: n.Binary) -> Value:
        symbol = node.operator
        if symbol in ("&&", "||"):
            test = self.test(node)
            return lambda scope: test(scope)
        left, right = self.value(node.left), self.value(node.right)
        if symbol == "==":
            return _equality(left, right)
        if symbol == "!=":
            equal = _equality(left, right)
            return lambda scope: not equal(scope)
        if symbol in _COMPARISONS:
            return _comparison(symbol, left, right)
        return self._arithmetic(node, left, right)

    def _arithmetic(self, node: n.Binary, left: Value, right: Value) -> Value:
        symbol = node.operator
        joins = symbol == "+"

        def value(scope: Scope) -> object:
            one, other = left(scope), right(scope)
            if joins and (isinstance(one, str) or isinstance(other, str)):
                first = self.literal(node.left) if one is None else text_of(one)
                second = self.literal(node.right) if other is None else text_of(other)
                return limited(first + second)
            if not is_number(one) or not is_number(other):
                return None
            try:
                return compute(symbol, one, other)
            except VtlError as error:
                raise self.located(node, error) from None

        return value

    # Truth

    def test(self, node: n.Node) -> Test:
        """
        Compile a node to what decides its truth in a condition.

        Args:
            node: An expression; literals other than `true` are false.

        Returns:
            The closure.
        """
        if isinstance(node, n.Reference):
            execute = self._execute(node)
            return lambda scope: truth(execute(scope))
        if isinstance(node, n.BooleanLiteral):
            constant = node.value
            return lambda scope: constant
        if isinstance(node, n.Not):
            operand = self.test(node.operand)
            return lambda scope: not operand(scope)
        if isinstance(node, n.Binary) and node.operator in ("&&", "||"):
            left, right = self.test(node.left), self.test(node.right)
            if node.operator == "&&":
                return lambda scope: left(scope) and right(scope)
            return lambda scope: left(scope) or right(scope)
        if isinstance(node, n.Binary) and node.operator not in "+-*/%":
            # A comparison has no other values than True and False.
            return cast("Test", self.value(node))
        return lambda scope: False

    # References

    def _computed_reference(self, node: n.Reference) -> Value:
        if node.root.runt or not node.root.computable:
            return lambda scope: None
        return self._execute(node)

    def _execute(self, node: n.Reference) -> Value:
        if node.root.runt:
            return lambda scope: None
        members = list(node.members)
        names: list[str] = []
        while members and isinstance(members[0], n.Property):
            names.append(members[0].name)
            members.pop(0)
        if not members:
            return self._path(node, names, self._missing)
        base = self._path(node, names, None)
        if len(members) == 1:
            return self._last_step(node, base, self._step(members[0]))
        steps, missing = [self._step(member) for member in members], self._missing

        def execute(scope: Scope) -> object:
            value = base(scope)
            try:
                for step in steps:
                    if value is None:
                        return missing
                    value = step(value, scope)
            except VtlError as error:
                raise self.located(node, error) from None
            return missing if value is None else value

        return execute

    def _path(self, node: n.Reference, names: list[str], missing: str | None) -> Value:
        """Compile a variable and its properties; a plain dict is by far the most frequent owner."""
        root = node.root.name
        if not names:
            if missing is None:
                return lambda scope: scope.get(root)

            def variable(scope: Scope) -> object:
                value = scope.get(root)
                return missing if value is None else value

            return variable
        # `class` is no key, not even of a map.
        plain = not {"class", "Class"}.intersection(names)

        def path(scope: Scope) -> object:
            value = scope.get(root)
            try:
                for name in names:
                    if type(value) is dict and plain:
                        value = value.get(name)
                    elif value is None:
                        return missing
                    else:
                        value = get_property(value, name)
            except VtlError as error:
                raise self.located(node, error) from None
            return missing if value is None else value

        return path

    def _last_step(self, node: n.Reference, base: Value, step: Step) -> Value:
        missing = self._missing

        def execute(scope: Scope) -> object:
            value = base(scope)
            if value is None:
                return missing
            try:
                value = step(value, scope)
            except VtlError as error:
                raise self.located(node, error) from None
            return missing if value is None else value

        return execute

    def _step(self, member: n.Member) -> Step:
        if isinstance(member, n.Method):
            return self._call(member)
        if isinstance(member, n.Index):
            key = self.value(member.key)
            return lambda value, scope: get_index(value, key(scope))
        assert isinstance(member, n.Property)
        name = member.name
        return lambda value, scope: get_property(value, name)

    def _call(self, member: n.Method) -> Step:
        site = CallSite(member.name)
        arguments = [self.value(argument) for argument in member.arguments]
        if not arguments:
            bare = site.fixed
            return lambda value, scope: bare(value)
        if len(arguments) == 1:
            single, argument = site.single, arguments[0]
            return lambda value, scope: single(value, argument(scope))
        several = site.several
        return lambda value, scope: several(value, *[argument(scope) for argument in arguments])

    def reference(self, node: n.Reference, before: str = "") -> Render:
        """
        Compile a reference to what prints it.

        Args:
            node: The reference.
            before: Text that stands before it and prints in any case.

        Returns:
            The closure.
        """
        root = node.root
        if root.runt:
            text = before + root.name
            return lambda scope, out: out(text)
        execute = self._execute(node)
        if root.escaped:
            escapes = before + root.escapes

            def escaped(scope: Scope, out: Out) -> None:
                defined = execute(scope) is not None
                out(escapes + ("" if defined else "\\") + _null_text(scope, root.null_text))

            return escaped
        show = self.shown(node, before)

        def render(scope: Scope, out: Out) -> None:
            value = execute(scope)
            if type(value) is str and len(value) < LONG_TEXT:
                out(prefix + value)
            else:
                show(value, scope, out)

        prefix = before + root.escapes + root.prefix
        return render

    def shown(self, node: n.Reference, before: str = "") -> Show:
        """
        Compile a reference to what prints its value, whatever it is.

        Args:
            node: The reference, no runt and not escaped.
            before: Text that stands before it and prints in any case.

        Returns:
            The closure.
        """
        root = node.root
        prefix = root.escapes + root.prefix

        def show(value: object, scope: Scope, out: Out) -> None:
            if isinstance(value, DefinedBlock):
                out(before)
                if not value.render(scope, out):
                    out(root.escapes + prefix + _null_text(scope, root.null_text))
                return
            text = None if value is None else to_string(value)
            if text is None:
                out(before + root.escapes + prefix + _null_text(scope, root.null_text))
                return
            if len(text) >= LONG_TEXT:
                scope.run.charge_text(len(text))
            out(before + prefix + text)

        return show

    def assign(self, node: n.Reference) -> Callable[[Scope, object], None]:
        """
        Compile a reference to what assigns to it.

        Args:
            node: The target of a `#set`.

        Returns:
            The closure; it does nothing where the target's owner is missing.
        """
        name = node.first.image[1:]
        if not node.members:
            return lambda scope, value: scope.put(name, value)
        steps = [self._step(member) for member in node.members[:-1]]
        final = self._final(node.members[-1])
        root = node.root.name

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
                raise self.located(node, error) from None

        return assign

    def _final(self, member: n.Member) -> Callable[[object, object, Scope], None]:
        if isinstance(member, n.Index):
            key = self.value(member.key)
            return lambda target, value, scope: set_index(target, key(scope), value)
        assert isinstance(member, n.Property | n.Method)
        name = member.name
        return lambda target, value, scope: set_property(target, name, value)

    def located(self, node: n.Node, error: VtlError) -> VtlError:
        """
        Say in an error where it has happened.

        Args:
            node: What was evaluated.
            error: The error.

        Returns:
            The same error.
        """
        line, column = position_of(self._text, node.first.begin)
        return error.located(line, column, self.literal(node))


def _equality(left: Value, right: Value) -> Test:
    def test(scope: Scope) -> bool:
        one, other = left(scope), right(scope)
        if type(one) is str and type(other) is str:
            return one == other
        return loose_equals(one, other)

    return test


def ordered(symbol: str, one: object, other: object) -> bool:
    """
    Compare two values.

    Args:
        symbol: One of `< > <= >=`.
        one: Any value.
        other: Any value.

    Returns:
        Whether it holds; False for what is no number.
    """
    if not is_number(one) or not is_number(other):
        return False
    return _COMPARISONS[symbol](compare(one, other), 0)


def _comparison(symbol: str, left: Value, right: Value) -> Test:
    holds = _COMPARISONS[symbol]

    def test(scope: Scope) -> bool:
        one, other = left(scope), right(scope)
        if type(one) is int and type(other) is int:
            return holds(one, other)
        return ordered(symbol, one, other)

    return test


def truth(value: object) -> bool:
    """
    Tell the truth of a value in a condition.

    Args:
        value: Any value.

    Returns:
        False for null, false and a block that prints null; all else is true.
    """
    if value is None or value is False:
        return False
    return not isinstance(value, DefinedBlock) or value.vtl_string() is not None


def _null_text(scope: Scope, text: str) -> str:
    """A macro's parameter that is null prints as the caller wrote the argument."""
    literal = scope.get(f".literal.{text}")
    return literal if isinstance(literal, str) else text
