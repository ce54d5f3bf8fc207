"""
What each reference of a mapping template became.

The engine is not asked: a copy of the template in which every reference is enclosed in marks is
rendered, and the marks are read in what comes out. A `#set` is followed by its target, so that its
value shows, too. References in conditions are not shown, and nothing in a `#define`.
"""

import re
import secrets
from collections.abc import Callable, Iterator
from typing import NamedTuple

from deploy.contract.templates import children
from deploy.local.vtl import parse
from deploy.local.vtl.tree import Directive, Node, Reference, SetDirective


class Value(NamedTuple):
    """
    What a reference became, once.

    Args:
        line: Line in the template, from 1.
        source: The reference as it is written; of a `#set` its target and ` =`.
        text: What it printed.
    """

    line: int
    source: str
    text: str


class _Place(NamedTuple):
    line: int
    begin: int
    end: int
    source: str
    assigned: bool


def values(text: str, render: Callable[[str], str]) -> list[Value]:
    """
    Return what the references of a template become, in the order in which they are evaluated.

    Args:
        text: The template.
        render: Renders a template with the variables of the case.

    Raises:
        VtlError: The template does not parse, or fails.
    """
    places = list(_places(text, parse(text)))
    nonce = secrets.token_hex(4)
    marked, end = [], 0
    for index, place in enumerate(places):
        begin = place.end if place.assigned else place.begin
        shown = f"$!{{{place.source[1:-2]}}}" if place.assigned else text[begin : place.end]
        marked += [text[end:begin], f"\x02{nonce}:{index}\x03{shown}\x02{nonce}\x03"]
        end = place.end
    rendered = render("".join([*marked, text[end:]]))
    found = re.finditer(rf"\x02{nonce}:(\d+)\x03(.*?)\x02{nonce}\x03", rendered, re.DOTALL)
    return [_value(places[int(match[1])], match[2]) for match in found]


def _value(place: _Place, printed: str) -> Value:
    return Value(place.line, place.source, printed)


def _places(text: str, node: Node) -> Iterator[_Place]:
    """Yield the references that print, and the assignments, in the order of the text."""
    if isinstance(node, SetDirective):
        source = _bare(text[node.target.first.begin : _end(node.target)])
        end = _end(node)
        yield _Place(node.position(text)[0], node.first.begin, end, f"{source} =", assigned=True)
    elif isinstance(node, Reference):
        root = node.root
        if not (root.runt or root.escaped or root.prefix or not root.computable):
            begin, end = node.first.begin, _end(node)
            yield _Place(node.position(text)[0], begin, end, text[begin:end], assigned=False)
    elif not (isinstance(node, Directive) and node.name == "define"):
        for child in _statements(node):
            yield from _places(text, child)


def _statements(node: Node) -> Iterator[Node]:
    """Yield what is below a node, arguments of directives excepted."""
    for child in children(node):
        if not (isinstance(node, Directive) and isinstance(child, Reference)):
            yield child


def _bare(reference: str) -> str:
    """Return a reference without braces and `!`."""
    return "$" + reference.lstrip("$").lstrip("!").strip("{}")


def _end(node: Node) -> int:
    # The line break behind a directive belongs to its last token, and stays behind the mark.
    return node.last.begin + len(node.last.image.rstrip("\r\n"))
