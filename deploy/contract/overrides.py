"""
Statuses and headers that templates set by `$context.responseOverride`.

Every path through a template is followed, with loops taken up to twice, and gives one outcome: the
status, if it sets one, and the headers that it sets. So a header that is set beside one status is
not asked of another.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from deploy.contract.document import Contract, Operation, join
from deploy.contract.finding import Problem
from deploy.contract.operations import INTEGRATION
from deploy.contract.responses import undeclared
from deploy.contract.templates import MappingTemplate, children, templates
from deploy.local.vtl.tree import (
    Directive,
    If,
    Index,
    IntegerLiteral,
    Node,
    Property,
    Reference,
    SetDirective,
    StringLiteral,
)

_UNKNOWN: Final = "?"
_HEADER: Final = "method.response.header."


@dataclass(frozen=True, slots=True)
class _Set:
    """A target that was set: its name or value, and the line in the template."""

    what: str
    line: int


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one path has set so far; variables hold literals, `?` for what is computed."""

    variables: frozenset[tuple[str, str]] = frozenset()
    status: _Set | None = None
    headers: frozenset[_Set] = frozenset()
    twice: frozenset[_Set] = frozenset()


def override_status(contract: Contract) -> Iterator[Problem]:
    """A status that a template sets is written out and declared in `responses`."""
    for template in _response_templates(contract):
        set_by_template = {outcome.status for outcome in _outcomes(template) if outcome.status}
        for status in sorted(set_by_template, key=lambda each: (each.line, each.what)):
            if status.what == _UNKNOWN:
                message = "the status is computed, so that nobody can tell what is answered"
                remedy = "Set it to a number, or to a variable that is set to numbers"
                yield Problem(template.pointer, message, remedy, status.line)
            elif status.what not in template.operation.node["responses"]:
                yield undeclared(template.operation, template.pointer, status.what, status.line)


def override_once(contract: Contract) -> Iterator[Problem]:
    """No path sets the same target twice: API Gateway answers that with a 5xx."""
    for template in _response_templates(contract):
        twice = {target for outcome in _outcomes(template) for target in outcome.twice}
        for target in sorted(twice, key=lambda each: (each.line, each.what)):
            message = f"{target.what} may be set twice, which is answered with a 5xx"
            yield Problem(template.pointer, message, "Set it once on every path", target.line)


def response_header(contract: Contract) -> Iterator[Problem]:
    """Every header that a mapping or a template sets is declared in the response of its status."""
    for operation in contract.operations():
        at = join(operation.pointer, INTEGRATION, "responses")
        for pattern, response in operation.node[INTEGRATION].get("responses", {}).items():
            declared = _declared(contract, operation, str(response.get("statusCode", "")))
            for target in response.get("responseParameters", {}):
                name = target.removeprefix(_HEADER)
                if name.casefold() not in declared:
                    pointer = join(at, pattern, "responseParameters", target)
                    yield _undeclared(pointer, name, str(response.get("statusCode", "")))
    for template in _response_templates(contract):
        for status, header in sorted(_headers(template), key=lambda each: each[1].line):
            if header.what.casefold() not in _declared(contract, template.operation, status):
                yield _undeclared(template.pointer, header.what, status, header.line)


def response_media_type(contract: Contract) -> Iterator[Problem]:
    """A mapped response makes the media types that it declares, by template or `Content-Type`."""
    for operation in contract.operations():
        at = join(operation.pointer, INTEGRATION, "responses")
        for pattern, response in operation.node[INTEGRATION].get("responses", {}).items():
            status = str(response.get("statusCode", ""))
            node = contract.resolve(operation.node["responses"].get(status, {}))
            produced = _media_types(response)
            for media_type in node.get("content", {}) if produced else ():
                if media_type.casefold() not in produced:
                    message = f"status {status} declares {media_type}, which nothing here makes: "
                    message += f"a client that accepts it gets {min(produced)}"
                    remedy = "Add a template for it, map `Content-Type` to it, or do not declare it"
                    yield Problem(join(at, pattern), message, remedy)


def _media_types(response: Mapping[str, Any]) -> set[str]:
    """Return what the mapping of a response may answer with; nothing where that is computed."""
    for target, source in response.get("responseParameters", {}).items():
        if target.casefold() == f"{_HEADER}content-type":
            literal = source[1:-1] if source.startswith("'") else ""
            return {literal.partition(";")[0].strip().casefold()} - {""}
    texts = response.get("responseTemplates", {})
    if any(
        "responseoverride.header" in text.casefold() and "content-type" in text.casefold()
        for text in texts.values()
    ):
        return set()
    return {media_type.casefold() for media_type in texts}


def _response_templates(contract: Contract) -> Iterator[MappingTemplate]:
    return (template for template in templates(contract) if template.status)


def _headers(template: MappingTemplate) -> set[tuple[str, _Set]]:
    """Return the headers that a template sets, each with the status that it is answered with."""
    return {
        (outcome.status.what if outcome.status else template.status, header)
        for outcome in _outcomes(template)
        for header in outcome.headers
    }


def _declared(contract: Contract, operation: Operation, status: str) -> set[str]:
    node = operation.node["responses"].get(status, {})
    response: Mapping[str, Any] = contract.resolve(node)
    return {name.casefold() for name in response.get("headers", {})}


def _undeclared(pointer: str, name: str, status: str, text_line: int | None = None) -> Problem:
    message = f"header {name} is not declared in the response {status}"
    return Problem(pointer, message, "Declare it in the `headers` there", text_line)


def _outcomes(template: MappingTemplate) -> set[_Outcome]:
    tree = template.tree()
    tracked = frozenset(_status_variables(tree))
    return _Paths(template, tracked).after({_Outcome()}, tree)


def _status_variables(node: Node) -> Iterator[str]:
    """Yield the variables that a status is taken from."""
    if isinstance(node, SetDirective):
        if _target(node.target) == ("status", "") and isinstance(node.value, Reference):
            yield node.value.root.name
        return
    for child in children(node):
        yield from _status_variables(child)


def _target(reference: Reference) -> tuple[str, str] | None:
    """Return `("status", "")`, `("header", name)`, or nothing if no override is meant."""
    names = [_member_name(member) for member in reference.members]
    if reference.root.name != "context" or names[:1] != ["responseOverride"]:
        return None
    if names[1:] == ["status"]:
        return "status", ""
    if names[1:2] == ["header"] and len(names) == 3:
        return "header", names[2]
    return None


def _member_name(member: Node) -> str:
    if isinstance(member, Property):
        return member.name
    if isinstance(member, Index) and isinstance(member.key, StringLiteral):
        return member.key.value
    return _UNKNOWN


class _Paths:
    """Follows the paths through one template."""

    def __init__(self, template: MappingTemplate, tracked: frozenset[str]) -> None:
        self._template = template
        self._tracked = tracked

    def after(self, before: set[_Outcome], node: Node) -> set[_Outcome]:
        """Return the outcomes after a node, for every outcome before it."""
        if isinstance(node, SetDirective):
            return {self._set(outcome, node) for outcome in before}
        if isinstance(node, If):
            ends = [self.after(before, block) for _, block in node.branches]
            always = any(condition is None for condition, _ in node.branches)
            return set().union(*ends, set() if always else before)
        if isinstance(node, Directive):
            once = self._sequence(before, node.children)
            return before | once | self._sequence(once, node.children)
        return self._sequence(before, children(node))

    def _sequence(self, before: set[_Outcome], nodes: Iterable[Node]) -> set[_Outcome]:
        for node in nodes:
            before = self.after(before, node)
        return before

    def _set(self, outcome: _Outcome, node: SetDirective) -> _Outcome:
        line = self._template.line(node)
        target = _target(node.target)
        if target is None:
            return self._set_variable(outcome, node)
        kind, name = target
        if kind == "status":
            twice = {_Set("the status", line)} if outcome.status else set()
            status = _Set(_literal(node.value, outcome), line)
            return replace(outcome, status=status, twice=outcome.twice | twice)
        again = any(header.what.casefold() == name.casefold() for header in outcome.headers)
        twice = {_Set(f"header {name}", line)} if again else set()
        headers = outcome.headers | {_Set(name, line)}
        return replace(outcome, headers=headers, twice=outcome.twice | twice)

    def _set_variable(self, outcome: _Outcome, node: SetDirective) -> _Outcome:
        name = node.target.root.name
        if name not in self._tracked or node.target.members:
            return outcome
        variables = dict(outcome.variables) | {name: _literal(node.value, outcome)}
        return replace(outcome, variables=frozenset(variables.items()))


def _literal(value: Node, outcome: _Outcome) -> str:
    if isinstance(value, IntegerLiteral):
        return str(value.value)
    if isinstance(value, StringLiteral) and not value.interpolated:
        return value.value
    if isinstance(value, Reference) and not value.members:
        return dict(outcome.variables).get(value.root.name, _UNKNOWN)
    return _UNKNOWN
