"""
The syntax tree of a template; `deploy.local.vtl.parse` makes it.

Every node knows its first and its last token, because Velocity prints the source of what it cannot
evaluate. The shape follows the grammar of Velocity 1.7: a directive is a name with any children,
the last of which is its block; what the children must be is the directive's own affair.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ._lexer import position_of
from ._tokens import Token

__all__ = [
    "Binary",
    "Block",
    "BooleanLiteral",
    "Directive",
    "FloatLiteral",
    "If",
    "Index",
    "IntegerLiteral",
    "ListLiteral",
    "MapLiteral",
    "Member",
    "Method",
    "Node",
    "Not",
    "Property",
    "Range",
    "Reference",
    "Root",
    "SetDirective",
    "StringLiteral",
    "Text",
    "Word",
]


@dataclass(slots=True, eq=False)
class Node:
    """Anything in the tree; both tokens are part of it."""

    first: Token
    last: Token

    def position(self, text: str) -> tuple[int, int]:
        """
        Say where the node begins.

        Args:
            text: The text that it was parsed from.

        Returns:
            Line and column, counted from 1.
        """
        return position_of(text, self.first.begin)


@dataclass(slots=True, eq=False)
class Text(Node):
    """Text that prints as it is; comments are the empty text."""

    text: str


@dataclass(slots=True, eq=False)
class Word(Node):
    """A bare word among a directive's arguments, such as the `in` of `#foreach`."""


@dataclass(slots=True, eq=False)
class StringLiteral(Node):
    """A quoted string, the quotes and doubled quotes taken off."""

    value: str
    interpolated: bool


@dataclass(slots=True, eq=False)
class IntegerLiteral(Node):
    """An integer of any size."""

    value: int


@dataclass(slots=True, eq=False)
class FloatLiteral(Node):
    """A decimal number, a Java Double."""

    value: float


@dataclass(slots=True, eq=False)
class BooleanLiteral(Node):
    """`true` or `false`."""

    value: bool


@dataclass(slots=True, eq=False)
class ListLiteral(Node):
    """`[a, b]`."""

    items: tuple[Node, ...]


@dataclass(slots=True, eq=False)
class MapLiteral(Node):
    """`{a: b}`."""

    entries: tuple[tuple[Node, Node], ...]


@dataclass(slots=True, eq=False)
class Range(Node):
    """`[a..b]`."""

    start: Node
    stop: Node


@dataclass(slots=True, eq=False)
class Member(Node):
    """One step of a reference: a property, a method or an index."""


@dataclass(slots=True, eq=False)
class Property(Member):
    """`.name`."""

    name: str


@dataclass(slots=True, eq=False)
class Method(Member):
    """`.name(arguments)`."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(slots=True, eq=False)
class Index(Member):
    """`[key]`."""

    key: Node


@dataclass(frozen=True, slots=True)
class Root:
    r"""
    What the first token of a reference says.

    Attributes:
        name: The variable; for a runt or a broken escape the text to print.
        runt: It only looked like a reference and prints as text.
        computable: False for `$\!name`, which has no value.
        escaped: An odd number of backslashes stands before it.
        escapes: Half of the backslashes, which print.
        prefix: Further `$` and `#` before it, which print.
        null_text: What prints instead of a null.
    """

    name: str
    runt: bool
    computable: bool
    escaped: bool
    escapes: str
    prefix: str
    null_text: str


@dataclass(slots=True, eq=False)
class Reference(Node):
    """`$name`, `${name}`, `$!name` with its members."""

    members: tuple[Member, ...]
    root: Root


@dataclass(slots=True, eq=False)
class Binary(Node):
    """A binary operation; the operator is written as Velocity's symbol, `and` as `&&`."""

    operator: str
    left: Node
    right: Node


@dataclass(slots=True, eq=False)
class Not(Node):
    """`!operand`."""

    operand: Node


@dataclass(slots=True, eq=False)
class Block(Node):
    """Statements in order; `empty` blocks have no tokens of their own."""

    statements: tuple[Node, ...]
    empty: bool = False


@dataclass(slots=True, eq=False)
class SetDirective(Node):
    """`#set(target = value)`."""

    target: Reference
    value: Node

    def first_name(self) -> str:
        """Return the name that is set, or whose member is set."""
        return self.target.first.image[1:]


@dataclass(slots=True, eq=False)
class If(Node):
    """`#if` with its `#elseif` branches; a condition of None is `#else`."""

    branches: tuple[tuple[Node | None, Block], ...]


@dataclass(slots=True, eq=False)
class Directive(Node):
    """Any other directive or macro call."""

    name: str
    children: tuple[Node, ...] = field(default=())
    block: bool = False
