"""The references of a mapping template, wherever they stand, and that AWS's variables have them."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple

from deploy.contract.document import Contract
from deploy.contract.finding import Problem
from deploy.contract.operations import suggestion
from deploy.contract.templates import parse_string, templates
from deploy.local.vtl.tree import (
    Binary,
    Block,
    Directive,
    If,
    Index,
    ListLiteral,
    MapLiteral,
    Method,
    Node,
    Not,
    Property,
    Range,
    Reference,
    SetDirective,
    StringLiteral,
)

# Source: Developer Guide, "API Gateway mapping template and access logging variable reference".
_METHODS: Final = {
    "input": ("json", "params", "path"),
    "util": (
        "base64Decode",
        "base64Encode",
        "escapeJavaScript",
        "parseJson",
        "urlDecode",
        "urlEncode",
    ),
}
_PROPERTIES: Final = {"input": ("body",), "util": ()}


class Written(NamedTuple):
    """
    A reference as it is written.

    Attributes:
        line: Its line in the template, from 1.
        source: Its text.
        reference: The reference.
    """

    line: int
    source: str
    reference: Reference


def references(text: str, node: Node) -> Iterator[Written]:
    """
    Yield every reference in a node, those in conditions, arguments and strings included.

    Args:
        text: What the node was parsed from.
        node: The node.
    """
    if isinstance(node, Reference) and not (node.root.runt or node.root.escaped):
        end = node.last.begin + len(node.last.image)
        yield Written(node.position(text)[0], text[node.first.begin : end], node)
    if isinstance(node, StringLiteral) and node.interpolated:
        first = node.position(text)[0]
        for each in references(node.value, parse_string(node.value)):
            yield each._replace(line=first + each.line - 1)
    for child in _below(node):
        yield from references(text, child)


def _below(node: Node) -> Iterable[Node]:
    """Return the nodes right below one, statements and expressions."""
    match node:
        case Block():
            return node.statements
        case If():
            return (part for branch in node.branches for part in branch if part is not None)
        case SetDirective():
            return node.target, node.value
        case Directive():
            return node.children
        case Reference():
            return node.members
        case Method():
            return node.arguments
        case Index():
            return (node.key,)
        case _:
            return _operands(node)


def _operands(node: Node) -> Iterable[Node]:
    match node:
        case ListLiteral():
            return node.items
        case MapLiteral():
            return chain.from_iterable(node.entries)
        case Binary():
            return node.left, node.right
        case Not():
            return (node.operand,)
        case Range():
            return node.start, node.stop
        case _:
            return ()


def template_members(contract: Contract) -> Iterator[Problem]:
    """`$input` and `$util` have what templates ask them for: anything else prints as nothing."""
    for template in templates(contract):
        for each in references(template.text, template.tree()):
            found = _unknown_member(each.reference)
            if found is not None:
                yield Problem(template.pointer, *found, each.line)


def _unknown_member(reference: Reference) -> tuple[str, str] | None:
    """Return message and remedy if a reference asks for a member that there is not."""
    variable, first = reference.root.name, next(iter(reference.members), None)
    if variable not in _METHODS or not isinstance(first, Property | Method):
        return None
    methods, properties = _METHODS[variable], _PROPERTIES[variable]
    written = f"${variable}.{first.name}"
    if isinstance(first, Property) and first.name in methods:
        return f"`{written}` without parentheses prints nothing", f"Write `{written}(…)`"
    if isinstance(first, Method) and first.name in properties:
        return f"`{written}(…)` prints nothing", f"Write `{written}`"
    if first.name in methods + properties:
        return None
    known = (*methods, *properties)
    remedy = f"Write one of {', '.join(known)}{suggestion(first.name, known)}"
    return f"there is no `{written}`, and what there is not prints as nothing", remedy
