"""
What each reference of a mapping template became.

The engine is not asked: a copy of the template in which every reference is enclosed in marks is
rendered, and the marks are read in what comes out. A `#set` is followed by its target, so that its
value shows, too. What does not print by itself (references in conditions, on the right of a `#set`,
as the list of a `#foreach`, in arguments and in quoted strings) prints in front of its statement,
which is once more than in the template: so references that change something are left out, and all
of these where they fail because the template itself would not have come to them. Nothing shows in a
`#define`.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from deploy.contract.references import references
from deploy.contract.templates import children
from deploy.local.vtl import VtlError, parse
from deploy.local.vtl.tree import Directive, If, Method, Node, Reference, SetDirective

# Of java.util.List and Map.
_CHANGING: Final = frozenset(
    {"add", "addAll", "clear", "put", "putAll", "remove", "removeAll", "retainAll", "set"}
)


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
    """Where something is to be shown: instead of the text between, or there where that is empty."""

    line: int
    begin: int
    end: int
    source: str
    shown: str
    aside: bool = False


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
    try:
        return _rendered(text, places, render)
    except VtlError:
        return _rendered(text, [place for place in places if not place.aside], render)


def _rendered(text: str, places: Sequence[_Place], render: Callable[[str], str]) -> list[Value]:
    """Return the values in the order of evaluation; what stands aside has only its first."""
    nonce = secrets.token_hex(4)
    marked, end = [], 0
    for index, place in enumerate(places):
        marked += [text[end : place.begin], f"\x02{nonce}:{index}\x03{place.shown}\x02{nonce}\x03"]
        end = place.end
    rendered = render("".join([*marked, text[end:]]))
    found: list[Value] = []
    seen: set[int] = set()
    for match in re.finditer(rf"\x02{nonce}:(\d+)\x03(.*?)\x02{nonce}\x03", rendered, re.DOTALL):
        index = int(match[1])
        if not (places[index].aside and index in seen):
            found.append(Value(places[index].line, places[index].source, match[2]))
        seen.add(index)
    return found


def _places(text: str, node: Node) -> Iterator[_Place]:
    """Yield what is to be shown, in the order of the text."""
    if isinstance(node, Directive) and node.name == "define":
        return
    yield from _asides(text, node)
    if isinstance(node, SetDirective):
        source = _bare(text[node.target.first.begin : _end(node.target)])
        end = _end(node)
        yield _Place(node.position(text)[0], end, end, f"{source} =", f"$!{{{source[1:]}}}")
    elif isinstance(node, Reference):
        root = node.root
        if not (root.runt or root.escaped or root.prefix or not root.computable):
            begin, end = node.first.begin, _end(node)
            source = text[begin:end]
            yield _Place(node.position(text)[0], begin, end, source, source)
    else:
        for child in _statements(node):
            yield from _places(text, child)


def _asides(text: str, node: Node) -> Iterator[_Place]:
    """Yield the references that a statement evaluates without printing them, each once."""
    begin, seen = node.first.begin, set()
    for expression in _expressions(node):
        for line, source, reference in references(text, expression):
            if (line, source) not in seen and not _changes(text, reference):
                seen.add((line, source))
                yield _Place(line, begin, begin, source, source, aside=True)


def _expressions(node: Node) -> Iterable[Node]:
    if isinstance(node, If):
        return [condition for condition, _ in node.branches if condition is not None]
    if isinstance(node, SetDirective):
        return [node.value]
    if isinstance(node, Directive) and node.name == "foreach":
        return node.children[2:3]
    return node.members if isinstance(node, Reference) else ()


def _changes(text: str, reference: Reference) -> bool:
    """Tell whether a reference may change a value, by itself or in its arguments."""
    return any(
        isinstance(member, Method) and member.name in _CHANGING
        for each in references(text, reference)
        for member in each.reference.members
    )


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
