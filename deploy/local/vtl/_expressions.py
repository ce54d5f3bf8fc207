"""
Expressions and references of a syntax tree, compiled to closures.

Source: Velocity 1.7's evaluation rules (facts), checked against its jar.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

from . import tree as n
from ._lexer import located
from ._operations import (
    Test,
    arithmetic,
    both,
    comparison,
    constant,
    either,
    interpolated,
    list_of,
    map_of,
    negation,
    never,
    number_range,
    truth_of,
)
from ._printing import Show, null_text, printed, printed_marked, show, text
from ._references import (
    Assign,
    Final,
    Locate,
    Step,
    assignment,
    chain,
    final_index,
    final_property,
    index_step,
    method_step,
    path,
    property_step,
)
from ._scope import Out, Render, Scope, Value
from .errors import VtlError

__all__ = ["Expressions"]


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
            return constant(node.value)
        if isinstance(node, n.Binary):
            return self._binary(node)
        if isinstance(node, n.Not):
            return self.test(node)
        if isinstance(node, n.ListLiteral):
            return list_of([self.value(item) for item in node.items])
        if isinstance(node, n.MapLiteral):
            return map_of([(self.value(key), self.value(item)) for key, item in node.entries])
        if isinstance(node, n.Range):
            return self._range(node)
        return lambda scope: None

    def _string(self, node: n.StringLiteral) -> Value:
        if not node.interpolated:
            return constant(node.value)
        return interpolated(node.value, lambda inner: self._interpolate(inner, node))

    def _range(self, node: n.Range) -> Value:
        return number_range(self.value(node.start), self.value(node.stop), self._locate(node))

    def _binary(self, node: n.Binary) -> Value:
        symbol = node.operator
        if symbol in ("&&", "||"):
            return self.test(node)
        left, right = self.value(node.left), self.value(node.right)
        if symbol not in "+-*/%":
            return comparison(symbol, left, right)
        sources = partial(self.literal, node.left), partial(self.literal, node.right)
        return arithmetic(symbol, left, right, sources, self._locate(node))

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
            return truth_of(self._execute(node))
        if isinstance(node, n.BooleanLiteral):
            return cast("Test", constant(node.value))
        if isinstance(node, n.Not):
            return negation(self.test(node.operand))
        if isinstance(node, n.Binary) and node.operator in ("&&", "||"):
            joined = both if node.operator == "&&" else either
            return joined(self.test(node.left), self.test(node.right))
        if isinstance(node, n.Binary) and node.operator not in "+-*/%":
            # A comparison has no other values than True and False.
            return cast("Test", self.value(node))
        return never

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
        root, locate = node.root.name, self._locate(node)
        if not members:
            return path(root, names, self._missing, locate)
        steps = [self._step(member) for member in members]
        return chain(root, names, steps, self._missing, locate)

    def _step(self, member: n.Member) -> Step:
        if isinstance(member, n.Method):
            return method_step(member.name, [self.value(one) for one in member.arguments])
        if isinstance(member, n.Index):
            return index_step(self.value(member.key))
        assert isinstance(member, n.Property)
        return property_step(member.name)

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
            return text(before + root.name)
        execute = self._execute(node)
        if not root.escaped:
            if not root.escapes and not root.prefix:
                return printed(execute, root.null_text, before)
            return printed_marked(execute, root.null_text, before, root.escapes, root.prefix)
        escapes = before + root.escapes

        def escaped(scope: Scope, out: Out) -> None:
            defined = execute(scope) is not None
            out(escapes + ("" if defined else "\\") + null_text(scope, root.null_text))

        return escaped

    def shown(self, node: n.Reference) -> Show:
        """
        Compile a reference to what prints its value, whatever it is.

        Args:
            node: The reference, with nothing before it.

        Returns:
            The closure.
        """
        return partial(show, null=node.root.null_text)

    def assign(self, node: n.Reference) -> Assign:
        """
        Compile a reference to what assigns to a member.

        Args:
            node: The target of a `#set`, with members.

        Returns:
            The closure; it does nothing where the target's owner is missing.
        """
        steps = [self._step(member) for member in node.members[:-1]]
        final = self._final(node.members[-1])
        return assignment(node.root.name, steps, final, self._locate(node))

    def _final(self, member: n.Member) -> Final:
        if isinstance(member, n.Index):
            return final_index(self.value(member.key))
        assert isinstance(member, n.Property | n.Method)
        return final_property(member.name)

    def _locate(self, node: n.Node) -> Locate:
        return partial(self.located, node)

    def located(self, node: n.Node, error: VtlError | RecursionError) -> VtlError:
        """
        Say in an error where it has happened.

        Args:
            node: What was evaluated.
            error: The error.

        Returns:
            The same error.
        """
        statement = isinstance(node, n.Directive | n.If)
        written = node.first.image if statement else self.literal(node)
        return located(error, self._text, node.first.begin, written)
