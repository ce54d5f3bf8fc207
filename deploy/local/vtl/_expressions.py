"""
Expressions and references, compiled to closures.

A null and a value that is missing are one thing in Velocity. API Gateway installs a handler that
answers the empty string for both, wherever a reference is evaluated; that one difference between
the two modes is the `missing` value here.

Source: Velocity 1.7's evaluation rules (facts), checked against its jar.
"""

from __future__ import annotations

from collections.abc import Callable

from . import _nodes as n
from ._java import compare, compute, is_number, limited, loose_equals, text_of, to_string
from ._lexer import position_of
from ._methods import call, get_index, get_property, set_index, set_property
from ._scope import DefinedBlock, Out, Render, Scope, Value
from ._values import box
from .errors import VtlError, VtlRenderError

__all__ = ["Expressions", "Step", "Test"]

Step = Callable[[object, Scope], object]
Test = Callable[[Scope], bool]

_MAX_RANGE = 1_000_000
_LONG_TEXT = 4_096
_COMPARISONS: dict[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    ">": lambda order: order > 0,
    "<=": lambda order: order <= 0,
    ">=": lambda order: order >= 0,
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
                raise self._located(
                    node, VtlRenderError(f"a range of more than {_MAX_RANGE} numbers")
                )
            return list(range(first, last + 1) if first <= last else range(first, last - 1, -1))

        return value

    def _binary(self, node: n.Binary) -> Value:
        operator = node.operator
        if operator in ("&&", "||"):
            test = self.test(node)
            return lambda scope: test(scope)
        left, right = self.value(node.left), self.value(node.right)
        if operator == "==":
            return lambda scope: loose_equals(left(scope), right(scope))
        if operator == "!=":
            return lambda scope: not loose_equals(left(scope), right(scope))
        if operator in _COMPARISONS:
            return _comparison(_COMPARISONS[operator], left, right)
        return self._arithmetic(node, left, right)

    def _arithmetic(self, node: n.Binary, left: Value, right: Value) -> Value:
        operator = node.operator

        def value(scope: Scope) -> object:
            one, other = left(scope), right(scope)
            if operator == "+" and (isinstance(one, str) or isinstance(other, str)):
                first = self.literal(node.left) if one is None else text_of(one)
                second = self.literal(node.right) if other is None else text_of(other)
                return limited(first + second)
            if not is_number(one) or not is_number(other):
                return None
            try:
                return compute(operator, one, other)
            except VtlError as error:
                raise self._located(node, error) from None

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
            return _truth(self._execute(node))
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
            value = self.value(node)
            return lambda scope: value(scope) is True
        return lambda scope: False

    # References

    def _computed_reference(self, node: n.Reference) -> Value:
        if node.root.runt or not node.root.computable:
            return lambda scope: None
        return self._execute(node)

    def _execute(self, node: n.Reference) -> Value:
        name, missing = node.root.name, self._missing
        if node.root.runt:
            return lambda scope: None
        if not node.members:
            if missing is None:
                return lambda scope: scope.get(name)

            def variable(scope: Scope) -> object:
                value = scope.get(name)
                return missing if value is None else value

            return variable
        steps = [self._step(member) for member in node.members]

        def execute(scope: Scope) -> object:
            value = scope.get(name)
            if value is None:
                return missing
            try:
                for step in steps:
                    value = step(value, scope)
                    if value is None:
                        return missing
            except VtlError as error:
                raise self._located(node, error) from None
            return value

        return execute

    def _step(self, member: n.Member) -> Step:
        if isinstance(member, n.Method):
            name = member.name
            arguments = [self.value(argument) for argument in member.arguments]
            return lambda value, scope: call(
                value, name, [argument(scope) for argument in arguments]
            )
        if isinstance(member, n.Index):
            key = self.value(member.key)
            return lambda value, scope: get_index(value, key(scope))
        assert isinstance(member, n.Property)
        name = member.name
        return lambda value, scope: get_property(value, name)

    def reference(self, node: n.Reference) -> Render:
        """
        Compile a reference to what prints it.

        Args:
            node: The reference.

        Returns:
            The closure.
        """
        root = node.root
        if root.runt:
            return lambda scope, out: out(root.name)
        execute = self._execute(node)
        if root.escaped:

            def escaped(scope: Scope, out: Out) -> None:
                defined = execute(scope) is not None
                out(root.escapes + ("" if defined else "\\") + _null_text(scope, root.null_text))

            return escaped
        prefix = root.escapes + root.prefix
        null_prefix = root.escapes + prefix

        def render(scope: Scope, out: Out) -> None:
            value = execute(scope)
            if type(value) is str:
                text: str | None = value
            elif value is None:
                text = None
            elif isinstance(value, DefinedBlock):
                if value.render(scope, out):
                    return
                text = value.vtl_string()
            else:
                text = to_string(value)
            if text is None:
                out(null_prefix + _null_text(scope, root.null_text))
                return
            if len(text) >= _LONG_TEXT:
                scope.run.charge_text(len(text))
            out(prefix + text if prefix else text)

        return render

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
                raise self._located(node, error) from None

        return assign

    def _final(self, member: n.Member) -> Callable[[object, object, Scope], None]:
        if isinstance(member, n.Index):
            key = self.value(member.key)
            return lambda target, value, scope: set_index(target, key(scope), value)
        name = member.first.image
        return lambda target, value, scope: set_property(target, name, value)

    def _located(self, node: n.Node, error: VtlError) -> VtlError:
        line, column = position_of(self._text, node.first.begin)
        return error.located(line, column, self.literal(node))


def _comparison(holds: Callable[[int], bool], left: Value, right: Value) -> Value:
    def value(scope: Scope) -> object:
        one, other = left(scope), right(scope)
        if not is_number(one) or not is_number(other):
            return False
        return holds(compare(one, other))

    return value


def _truth(execute: Value) -> Test:
    def test(scope: Scope) -> bool:
        value = execute(scope)
        if value is None or value is False:
            return False
        if isinstance(value, DefinedBlock):
            return value.vtl_string() is not None
        return True

    return test


def _null_text(scope: Scope, text: str) -> str:
    """A macro's parameter that is null prints as the caller wrote the argument."""
    literal = scope.get(f".literal.{text}")
    return literal if isinstance(literal, str) else text
