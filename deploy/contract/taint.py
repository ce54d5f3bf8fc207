"""
What clients and backends control must not be printed as it is.

A value from the request or the backend's answer stays marked through variables, loops, lists and
strings until it is encoded, and keeps note of the encoding. Where it is printed decides which
encodings are safe: in a form only `$util.urlEncode`; in JSON `$util.escapeJavaScript`,
`$input.json` and those that leave no character of JSON's own.

1. Rather too many marks than too few: what the analysis does not know keeps its mark or gets one.
2. Conditions do not clear a mark, not even `#if($id.matches(...))`: they would have to be proved.
3. Whether a printed value stands between quotation marks is not looked at.
4. Two names of one list or map are not known to be the same.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from deploy.contract.document import Contract
from deploy.contract.finding import Problem
from deploy.contract.templates import MappingTemplate, parse_string, templates
from deploy.local.vtl.tree import (
    Binary,
    Block,
    Directive,
    If,
    ListLiteral,
    MapLiteral,
    Member,
    Method,
    Node,
    Not,
    Property,
    Reference,
    SetDirective,
    StringLiteral,
    Word,
)

_RAW: Final = ""
_ENCODERS: Final = {
    "urlEncode": "url",
    "escapeJavaScript": "javascript",
    "base64Encode": "base64",
}

_SAFE_IN_FORM: Final = frozenset({"url"})
_SAFE_IN_JSON: Final = frozenset({"url", "javascript", "base64", "json"})

# Members of $context that neither client nor backend chooses ("Variables for data models,
# authorizers, mapping templates, and CloudWatch access logging" in the Developer Guide). The others
# are the client's: it can send requestId as a header, and name the session that userArn ends in.
_TRUSTED_CONTEXT: Final = frozenset(
    {
        "accountId",
        "apiId",
        "awsEndpointRequestId",
        "deploymentId",
        "domainName",
        "domainPrefix",
        "error.messageString",
        "error.responseType",
        "extendedRequestId",
        "httpMethod",
        "identity.accountId",
        "identity.apiKeyId",
        "identity.principalOrgId",
        "identity.sourceIp",
        "isCanaryRequest",
        "protocol",
        "requestTime",
        "requestTimeEpoch",
        "resourceId",
        "resourcePath",
        "stage",
        "wafResponseCode",
        "webaclArn",
    }
)
# Methods whose result is a number or a truth value, whatever they are called on.
_MEASURES: Final = frozenset(
    {
        "compareTo",
        "contains",
        "containsKey",
        "containsValue",
        "endsWith",
        "equals",
        "equalsIgnoreCase",
        "hashCode",
        "indexOf",
        "isEmpty",
        "lastIndexOf",
        "length",
        "matches",
        "size",
        "startsWith",
    }
)
_MUTATORS: Final = frozenset({"add", "addAll", "put", "putAll", "set"})
# Replacements that leave an encoded value encoded: the documented repair of escapeJavaScript, whose
# \' is not JSON, and %20 for the + of a form.
_HARMLESS_REPLACEMENTS: Final = frozenset(
    {
        ("javascript", "\\\\'", "'"),
        ("javascript", "\\'", "'"),
        ("url", "\\+", "%20"),
        ("url", "+", "%20"),
        ("url", "[+]", "%20"),
    }
)


class Mark(NamedTuple):
    """
    Where a value comes from.

    Attributes:
        source: The reference that brought it in, as `$input.body`.
        encoding: How it has been encoded since; empty for not at all.
    """

    source: str
    encoding: str


_Marks = frozenset[Mark]
_CLEAN: Final[_Marks] = frozenset()


def taint(contract: Contract) -> Iterator[Problem]:
    """No mapping template prints what a client or the backend controls without encoding it."""
    for template in templates(contract):
        safe = _SAFE_IN_FORM if template.form else _SAFE_IN_JSON
        for line, source in sorted(_unsafe(template, safe)):
            yield Problem(template.pointer, *_judged(source, form=template.form), line)


def _judged(source: str, *, form: bool) -> tuple[str, str]:
    """Return what to say of a value that is printed without a safe encoding, and the remedy."""
    if form:
        message = f"{source} is printed in a form without $util.urlEncode"
        return f"{message}: an & in it begins a parameter of its own", "Print $util.urlEncode(…)"
    message = f"{source} is printed without an encoding that is safe here"
    remedy = "Print $util.escapeJavaScript(…) between quotation marks, or $input.json(…)"
    return message, remedy


def _unsafe(template: MappingTemplate, safe: frozenset[str]) -> set[tuple[int, str]]:
    """Return line and source of every value that is printed without a safe encoding."""
    return {
        (template.line(node), mark.source)
        for node, marks in _Flow().printed(template.tree())
        for mark in marks
        if mark.encoding not in safe
    }


class _Flow:
    """The marks of all variables, while a template is walked through."""

    def __init__(self) -> None:
        self._variables: dict[str, _Marks] = {}
        self._blocks: dict[str, Node] = {}

    def printed(self, node: Node) -> Iterator[tuple[Node, _Marks]]:
        """Yield what a statement prints, and follow what it assigns."""
        if isinstance(node, Reference):
            yield node, self._reference(node)
        elif isinstance(node, SetDirective):
            self._assign(node)
        elif isinstance(node, Block):
            for statement in node.statements:
                yield from self.printed(statement)
        elif isinstance(node, If):
            yield from self._branches(node)
        elif isinstance(node, Directive):
            yield from self._directive(node)

    def _assign(self, node: SetDirective) -> None:
        name, marks = node.target.root.name, self._value(node.value)
        # A member of a variable is set: the rest of it stays what it was.
        before = self._variables.get(name, _CLEAN) if node.target.members else _CLEAN
        self._variables[name] = before | marks

    def _branches(self, node: If) -> Iterator[tuple[Node, _Marks]]:
        before, ends = self._variables, []
        if all(condition is not None for condition, _ in node.branches):
            ends.append(dict(before))
        for condition, block in node.branches:
            self._variables = dict(before)
            if condition is not None:
                self._value(condition)
            yield from self.printed(block)
            ends.append(self._variables)
        self._variables = _merged(ends)

    def _directive(self, node: Directive) -> Iterator[tuple[Node, _Marks]]:
        words = [child for child in node.children if not isinstance(child, Word)]
        if node.name == "foreach" and len(words) == 3:
            yield from self._loop(words[0], words[1], words[2])
        elif node.name == "define" and len(words) == 2 and isinstance(words[0], Reference):
            self._blocks[words[0].root.name] = words[1]
        else:
            # A macro, which API Gateway prints: with what its arguments hold.
            for child in words:
                yield child, self._value(child)
                yield from self.printed(child)

    def _loop(self, each: Node, items: Node, body: Node) -> Iterator[tuple[Node, _Marks]]:
        """Walk through the body until no variable gains a mark: the next turn sees what one set."""
        marks = self._value(items)
        while True:
            before = dict(self._variables)
            if isinstance(each, Reference):
                self._variables[each.root.name] = marks
            self._variables["foreach"] = _CLEAN
            yield from self.printed(body)
            self._variables = _merged([before, self._variables])
            if self._variables == before:
                return

    def _value(self, node: Node) -> _Marks:
        """Return the marks of an expression; numbers and truth values have none."""
        if isinstance(node, Reference):
            return self._reference(node)
        if isinstance(node, StringLiteral):
            return self._string(node)
        if isinstance(node, ListLiteral):
            return self._union(node.items)
        if isinstance(node, MapLiteral):
            return self._union(part for entry in node.entries for part in entry)
        if isinstance(node, Binary):
            self._union((node.left, node.right))
        if isinstance(node, Not):
            self._value(node.operand)
        return _CLEAN

    def _union(self, nodes: Iterable[Node]) -> _Marks:
        return frozenset(mark for node in nodes for mark in self._value(node))

    def _string(self, node: StringLiteral) -> _Marks:
        if not node.interpolated:
            return _CLEAN
        return self._text(parse_string(node.value))

    def _text(self, node: Node) -> _Marks:
        """Return the marks of everything that a node prints."""
        return frozenset(mark for _, marks in self.printed(node) for mark in marks)

    def _block(self, name: str) -> _Marks:
        """Return the marks of what `#define` has named, printed now; in itself it is nothing."""
        block = self._blocks.pop(name)
        marks = self._text(block)
        self._blocks[name] = block
        return marks

    def _reference(self, node: Reference) -> _Marks:
        name, members = node.root.name, list(node.members)
        if name == "util" and members:
            marks, members = self._util(members[0]), members[1:]
        elif name == "input" and members:
            marks, members = self._input(members[0]), members[1:]
        elif name == "input":
            marks = frozenset({Mark("$input", _RAW)})
        elif name in self._blocks:
            marks = self._block(name) | self._variables.get(name, _CLEAN)
        elif name == "context":
            path = ".".join(_name(member) for member in _leading_properties(members))
            marks = _context(path)
        else:
            marks = self._variables.get(name, _CLEAN)
        for member in members:
            marks = self._member(marks, member, name)
        return marks

    def _util(self, member: Member) -> _Marks:
        arguments = self._union(member.arguments) if isinstance(member, Method) else _CLEAN
        if _name(member) in _ENCODERS:
            return _encoded(arguments, _ENCODERS[_name(member)])
        return _encoded(arguments, _RAW)

    def _input(self, member: Member) -> _Marks:
        """Return the marks of a value of the request, or in a response of the backend's answer."""
        name = _name(member)
        arguments = self._union(member.arguments) if isinstance(member, Method) else _CLEAN
        encoding = "json" if name == "json" else _RAW
        # Whoever controls the path controls which member is printed.
        return _encoded(arguments, _RAW) | {Mark(f"$input.{name}", encoding)}

    def _member(self, marks: _Marks, member: Member, variable: str) -> _Marks:
        if not isinstance(member, Method):
            return _encoded(marks, _RAW)
        if member.name in _MEASURES:
            return _CLEAN
        arguments = self._union(member.arguments)
        if member.name in _MUTATORS and variable not in ("context", "input", "util"):
            self._variables[variable] = self._variables.get(variable, _CLEAN) | arguments
        if member.name == "toString":
            return marks
        return frozenset(_after(mark, member) for mark in marks) | _encoded(arguments, _RAW)


def _after(mark: Mark, method: Method) -> Mark:
    """Return a mark after a method: an encoding survives only replacements known as harmless."""
    values = [each.value for each in method.arguments if isinstance(each, StringLiteral)]
    replaces = method.name in ("replace", "replaceAll") and len(values) == 2
    if replaces and (mark.encoding, *values) in _HARMLESS_REPLACEMENTS:
        return mark
    return mark._replace(encoding=_RAW)


def _encoded(marks: Iterable[Mark], encoding: str) -> _Marks:
    return frozenset(mark._replace(encoding=encoding) for mark in marks)


def _leading_properties(members: Iterable[Member]) -> Iterator[Member]:
    for member in members:
        if not isinstance(member, Property):
            return
        yield member


def _context(path: str) -> _Marks:
    trusted = path in _TRUSTED_CONTEXT
    return _CLEAN if trusted else frozenset({Mark(f"$context.{path}", _RAW)})


def _name(member: Member) -> str:
    return member.name if isinstance(member, Property | Method) else ""


def _merged(ends: Iterable[dict[str, _Marks]]) -> dict[str, _Marks]:
    merged: dict[str, _Marks] = {}
    for end in ends:
        for name, marks in end.items():
            merged[name] = merged.get(name, _CLEAN) | marks
    return merged
