"""Mapping templates: where they are, that they are VTL, and what must not be in their text."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from deploy.contract.document import Contract, Operation, join
from deploy.contract.finding import Problem
from deploy.contract.operations import INTEGRATION, sends_form
from deploy.contract.placeholders import PLACEHOLDERS, REFERENCE
from deploy.local.vtl import VtlParseError, parse
from deploy.local.vtl.tree import Block, Directive, If, Node, Text

_STAGE_VARIABLE: Final = re.compile(r"stageVariables(\.\w+|\['\w+'\])")


@dataclass(frozen=True, slots=True)
class MappingTemplate:
    """
    One mapping template.

    Attributes:
        operation: The operation that it belongs to.
        pointer: JSON pointer of the text.
        text: The template.
        status: For a response, the status that it is mapped to; for a request empty.
        form: Whether it makes a form, not JSON.
    """

    operation: Operation
    pointer: str
    text: str
    status: str = ""
    form: bool = False

    def tree(self) -> Block:
        """Return the syntax tree; an empty one for what is no VTL, which has its own rule."""
        parsed = _parse(self.text)
        return parsed if isinstance(parsed, Block) else parse("")

    def line(self, node: Node) -> int:
        """Return the line of a node in the text, from 1."""
        return node.position(self.text)[0]


def templates(contract: Contract) -> Iterator[MappingTemplate]:
    """Yield the mapping templates of all operations, in the order of the document."""
    for operation in contract.operations():
        at = join(operation.pointer, INTEGRATION)
        node = operation.node[INTEGRATION]
        for media_type, text in node.get("requestTemplates", {}).items():
            pointer = join(at, "requestTemplates", media_type)
            yield MappingTemplate(operation, pointer, text, form=sends_form(node))
        for pattern, response in node.get("responses", {}).items():
            status = str(response.get("statusCode", ""))
            for media_type, text in response.get("responseTemplates", {}).items():
                pointer = join(at, "responses", pattern, "responseTemplates", media_type)
                yield MappingTemplate(operation, pointer, text, status=status)


def parse_string(text: str) -> Block:
    """Return the tree of an interpolated string; an empty one where it is no VTL."""
    parsed = _parse(text)
    return parsed if isinstance(parsed, Block) else parse("")


@lru_cache(maxsize=512)
def _parse(text: str) -> Block | VtlParseError:
    try:
        return parse(text)
    except VtlParseError as error:
        return error


def template_syntax(contract: Contract) -> Iterator[Problem]:
    """Every mapping template is VTL."""
    for template in templates(contract):
        error = _parse(template.text)
        if isinstance(error, VtlParseError):
            message = f"not VTL: {error}"
            yield Problem(template.pointer, message, "Mend the template there", error.line or None)


def template_text(contract: Contract) -> Iterator[Problem]:
    """No template prints a line break that the backend would read as part of the message."""
    for template in templates(contract):
        yield from _trailing_break(template.pointer, template.text)
        if template.form:
            yield from _form_breaks(template)
    responses = contract.document.get("x-amazon-apigateway-gateway-responses", {})
    for name, response in responses.items():
        at = join("/x-amazon-apigateway-gateway-responses", name, "responseTemplates")
        for media_type, text in response.get("responseTemplates", {}).items():
            yield from _trailing_break(join(at, media_type), text)


def _trailing_break(pointer: str, text: str) -> Iterator[Problem]:
    if text.endswith(("\n", "\r")):
        line = text.count("\n")
        yield Problem(pointer, "the template ends in a line break", "Write `|-` for `|`", line)


def _form_breaks(template: MappingTemplate) -> Iterator[Problem]:
    """Yield the line breaks that would print inside a form, where they join the next name."""
    for node in _texts(template.tree()):
        if "\n" in node.text:
            message = "the line break becomes part of the form"
            line = template.line(node)
            yield Problem(template.pointer, message, "End the line with `##`", line)


def _texts(node: Node) -> Iterator[Text]:
    if isinstance(node, Text):
        yield node
    for child in children(node):
        yield from _texts(child)


def children(node: Node) -> Iterable[Node]:
    """Return the statements right below a node."""
    if isinstance(node, Block):
        return node.statements
    if isinstance(node, If):
        return tuple(block for _, block in node.branches)
    return node.children if isinstance(node, Directive) else ()


def placeholders(contract: Contract) -> Iterator[Problem]:
    """Every `${Name}` of the deployed copy is a placeholder that the deployment fills."""
    for key, node in contract.document.items():
        if key.startswith("x-amazon-apigateway-") or not key.startswith(("x-", "servers")):
            yield from _placeholders(join("", key), node)


def _placeholders(pointer: str, node: object) -> Iterator[Problem]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _placeholders(join(pointer, key), value)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _placeholders(join(pointer, index), value)
    elif isinstance(node, str):
        for match in REFERENCE.finditer(node):
            if problem := _unknown(pointer, match[1]):
                line = node.count("\n", 0, match.start()) + 1
                yield problem._replace(text_line=line)


def _unknown(pointer: str, name: str) -> Problem | None:
    if name in PLACEHOLDERS or _STAGE_VARIABLE.fullmatch(name):
        return None
    known = {placeholder.casefold(): placeholder for placeholder in PLACEHOLDERS}
    meant = known.get(name.casefold())
    # In a template a lower-case name is a variable of VTL.
    in_template = "/requestTemplates/" in pointer or "/responseTemplates/" in pointer
    if in_template and meant is None and not name[:1].isupper():
        return None
    remedy = f"Write ${{{meant}}}" if meant else f"Write one of {', '.join(sorted(PLACEHOLDERS))}"
    return Problem(pointer, f"nothing fills ${{{name}}}", remedy)
