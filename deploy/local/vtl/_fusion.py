"""
The second gear: a template that is rendered often becomes one Python function.

The closures of `_compiler` can render at once, but each of them costs a call. Here the statements
that most templates are made of (text, references, `#set`, `#if`, `#foreach`) are written out as
Python source, with the usual case in line: a plain dict, a text, a method met before at this place.
All else is a call of the closure that `_compiler` has for it, so that the language is defined once.

1. The source is made of this module's words, of numbers, and of `repr` of texts; nothing of a
   template gets into it in any other way.
2. A name of the source holds None for null until it is used; what an invalid reference is in API
   Gateway takes its place there.
3. The function is given the bottom scope, which is a dict; layers over it are for closures.
4. A line of the source knows the node that it was written for, so that an error is located as in
   the closures.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TypeGuard, cast

from . import tree as n
from ._java import loose_equals
from ._loops import changed, enter, leave, loop_cost
from ._methods import CallSite, call_site, get_index, get_property, iterate, resolve
from ._operations import Test, ordered, truth
from ._printing import LONG_TEXT, Show
from ._scope import ForeachScope, NullScope, Render, Stop, Value
from ._signatures import Function
from ._values import INT_MAX, INT_MIN
from .errors import VtlError

__all__ = ["Closures", "fuse"]

# Python allows twenty blocks within each other, of which a loop takes three.
_MAX_LOOPS = 4
_MAX_DEPTH = 14
_LOOP_STATE = {"hasNext": "has_next", "index": "index", "count": "index + 1"}
_HELPERS: dict[str, object] = {
    "ForeachScope": ForeachScope,
    "NullScope": NullScope,
    "Stop": Stop,
    "VtlError": VtlError,
    "changed": changed,
    "enter": enter,
    "equal": loose_equals,
    "index": get_index,
    "iterate": iterate,
    "leave": leave,
    "ordered": ordered,
    "prop": get_property,
    "truth": truth,
}


class Closures(Protocol):
    """What the function falls back to: how `_compiler` compiles the parts of a template."""

    missing: str | None

    def statement(self, node: n.Node) -> Render:
        """Compile a statement."""

    def value(self, node: n.Node) -> Value:
        """Compile an expression."""

    def test(self, node: n.Node) -> Test:
        """Compile a condition."""

    def shown(self, node: n.Reference) -> Show:
        """Compile what prints a reference's value."""

    def located(self, node: n.Node, error: VtlError | RecursionError) -> VtlError:
        """Say in an error where it has happened."""


def fuse(tree: n.Block, closures: Closures, *, counters: bool) -> Render:
    """
    Write a template out as one function.

    Args:
        tree: The template.
        closures: How to compile what is not written out.
        counters: Whether anything can read `$velocityCount` and `$velocityHasNext`.

    Returns:
        What prints the template, as its closures do.
    """
    writer = _Writer(closures, counters)
    with writer.indented("def fused(scope, out):"):
        writer.line("run, get, drop = scope.run, scope.get, scope.remove")
        with writer.indented("try:"):
            writer.line("limit = run.max_foreach")
            writer.block(tree)
        with writer.indented("except (VtlError, RecursionError) as error:"):
            writer.line("raise located(error) from None")
    return writer.function()


class _Writer:
    def __init__(self, closures: Closures, counters: bool) -> None:
        self._closures = closures
        self._counters = counters
        self._lines: list[str] = []
        self._nodes: list[n.Node | None] = []
        self._node: n.Node | None = None
        self._names: dict[str, object] = dict(_HELPERS)
        self._depth = 0
        self._loops: list[str] = []

    def function(self) -> Render:
        """Return what was written."""
        nodes, locate = self._nodes, self._closures.located

        def located(error: VtlError | RecursionError) -> VtlError | RecursionError:
            assert error.__traceback__ is not None
            node = nodes[error.__traceback__.tb_lineno - 1]
            return error if node is None else locate(node, error)

        names = {**self._names, "located": located}
        exec(compile("\n".join(self._lines), "<template>", "exec"), names)
        return cast("Render", names["fused"])

    def line(self, text: str) -> None:
        """Write a line."""
        self._lines.append("\t" * self._depth + text)
        self._nodes.append(self._node)

    @contextmanager
    def indented(self, header: str) -> Iterator[None]:
        """Write a header, and what follows below it."""
        self.line(header)
        self._depth += 1
        yield
        self._depth -= 1

    def _name(self, value: object = None) -> str:
        """Invent a name; a global one of a value, else a local one."""
        name = f"v{len(self._names)}"
        self._names[name] = value
        return name

    # Statements

    def block(self, node: n.Block) -> None:
        """Write statements, texts joined."""
        text = ""
        for statement in node.statements:
            if isinstance(statement, n.Text):
                text += statement.text
                continue
            self._text(text)
            text = ""
            outer, self._node = self._node, statement
            self._statement(statement)
            self._node = outer
        self._text(text)
        self.line("pass")

    def _text(self, text: str) -> None:
        if text:
            self.line(f"out({text!r})")

    def _statement(self, node: n.Node) -> None:
        shallow = self._depth < _MAX_DEPTH
        if isinstance(node, n.Reference) and _prints_plainly(node):
            self._print(node)
        elif isinstance(node, n.SetDirective) and not node.target.members:
            self._set(node)
        elif isinstance(node, n.If) and shallow and len(node.branches) < _MAX_DEPTH // 2:
            self._if(list(node.branches))
        elif _is_loop(node) and shallow and len(self._loops) < _MAX_LOOPS:
            assert isinstance(node, n.Directive)
            self._loop(node)
        else:
            self.line(f"{self._name(self._closures.statement(node))}(scope, out)")

    def _print(self, node: n.Reference) -> None:
        value = self._reference(node)
        with self.indented(f"if type({value}) is str and len({value}) < {LONG_TEXT}:"):
            self.line(f"out({value})")
        # A null prints nothing where an invalid reference is the empty string.
        with self.indented(f"elif type({value}) is int and {INT_MIN} <= {value} <= {INT_MAX}:"):
            self.line(f"out(repr({value}))")
        other = "else:" if self._closures.missing is None else f"elif {value} is not None:"
        with self.indented(other):
            self.line(f"{self._name(self._closures.shown(node))}({value}, scope, out)")

    def _set(self, node: n.SetDirective) -> None:
        name = node.first_name()
        value = self._value(node.value)
        if _constant(node.value) is not None:
            self.line(f"scope[{name!r}] = {value}")
            return
        with self.indented(f"if {value} is not None:"):
            self.line(f"scope[{name!r}] = {value}")

    def _if(self, branches: list[tuple[n.Node | None, n.Block]]) -> None:
        (condition, block), *others = branches
        if condition is None:
            self.block(block)
            return
        with self.indented(f"if {self._test(condition)}:"):
            self.block(block)
        if others:
            with self.indented("else:"):
                self._if(others)

    def _loop(self, node: n.Directive) -> None:
        variable, body = node.children[0], node.children[3]
        assert isinstance(variable, n.Reference)
        assert isinstance(body, n.Block)
        items = self._named(node.children[2])
        name, owner = repr(variable.root.name), self._name(node)
        iterated, state, outside = self._name(), self._name(), self._name()
        self.line(f"{iterated} = None if {items} is None else iterate({items})")
        with self.indented(f"if {iterated} is not None:"):
            self._enter(name, owner, state, outside)
            with self.indented("try:"):
                self._loops.append(state)
                cost = loop_cost(node.first.begin, node.last.begin)
                self._rounds(name, iterated, body, cost)
                self._loops.pop()
            with self.indented("except Stop as stop:"):
                self.line(f"if not stop.ends({owner}): raise")
            with self.indented("finally:"):
                self._leave(name, state, outside)

    def _enter(self, name: str, owner: str, state: str, outside: str) -> None:
        if self._counters:
            self.line(f"{state}, {outside} = enter(scope, {name}, {owner})")
            return
        self.line(f"{outside} = get({name})")
        self.line(f"{state} = ForeachScope({owner}, get('foreach'))")
        self.line(f"scope['foreach'] = {state}")

    def _leave(self, name: str, state: str, outside: str) -> None:
        if self._counters:
            self.line(f"leave(scope, {outside})")
            return
        with self.indented(f"if {outside} is None and get('foreach') is {state}:"):
            self.line(f"drop({name})")
            self.line(f"if {state}.previous is None: drop('foreach')")
            self.line(f"else: scope['foreach'] = {state}.previous")
        with self.indented("else:"):
            self.line(f"leave(scope, (({name}, {outside}),))")

    def _rounds(self, name: str, iterated: str, body: n.Block, cost: int) -> None:
        """Write the rounds of a loop, as `_loops.loop` has them."""
        state = self._loops[-1]
        values, guard, size, index = (self._name() for _ in range(4))
        value, layer, more = self._name(), self._name(), self._name()
        self.line(f"{values}, {guard} = {iterated}")
        self.line(f"{size}, {index}, {layer} = len({guard}), 0, None")
        with self.indented(f"for {value} in {values}:"):
            self.line(f"if {index} == limit: break")
            self.line(f"if len({guard}) != {size}: raise changed()")
            self.line(f"run.budget -= {cost}")
            self.line("if run.budget < 0: run.charge(0)")
            self.line(f"{state}.index = {index}")
            self.line(f"{index} += 1")
            self.line(f"{state}.has_next = {more} = {index} != len({values})")
            if self._counters:
                self.line(f"scope['velocityCount'] = {index}")
                self.line(f"scope['velocityHasNext'] = {more}")
            self.line(f"scope[{name}] = {value}")
            with self.indented(f"if {value} is None:"):
                self.line(f"{layer} = {layer} or NullScope(scope, {name})")
                self.line(f"{self._name(self._closures.statement(body))}({layer}, out)")
            with self.indented("else:"):
                self.block(body)
        with self.indented("else:"):
            # Python ends quietly where the list has become shorter than the rounds are many.
            self.line(f"if {index} != len({values}): raise changed()")

    # Values

    def _value(self, node: n.Node) -> str:
        """Write what computes an expression; return the name or the constant that it is."""
        constant = _constant(node)
        if constant is not None:
            return constant
        if isinstance(node, n.Reference) and node.root.computable and not node.root.runt:
            value = self._reference(node)
            if self._closures.missing is not None:
                self.line(f"if {value} is None: {value} = {self._closures.missing!r}")
            return value
        value = self._name()
        if isinstance(node, n.Binary) and node.operator not in "+-*/%":
            self.line(f"{value} = {self._test(node)}")
        else:
            self.line(f"{value} = {self._name(self._closures.value(node))}(scope)")
        return value

    def _named(self, node: n.Node) -> str:
        """Write what computes an expression; return a name, also for a constant."""
        value = self._value(node)
        if _constant(node) is None:
            return value
        name = self._name()
        self.line(f"{name} = {value}")
        return name

    def _reference(self, node: n.Reference) -> str:
        """Write what computes a reference; the name that is returned may hold None."""
        outer, self._node = self._node, node
        value = self._name()
        members = list(node.members)
        self.line(f"{value} = get({node.root.name!r})")
        if node.root.name == "foreach" and self._loops and members:
            self._loop_state(value, members)
        for member in members:
            self._member(value, member)
        self._node = outer
        return value

    def _loop_state(self, value: str, members: list[n.Member]) -> None:
        """Write `$foreach.hasNext` and its like without a search; take it off the members."""
        first = members[0]
        if isinstance(first, n.Property) and first.name in _LOOP_STATE:
            members.pop(0)
            held = f"{value}.{_LOOP_STATE[first.name]} if {value} is {self._loops[-1]}"
            self.line(f"{value} = {held} else {_property(value, first.name)}")

    def _member(self, value: str, member: n.Member) -> None:
        if isinstance(member, n.Property):
            self.line(f"{value} = {_property(value, member.name)}")
            return
        with self.indented(f"if {value} is not None:"):
            if isinstance(member, n.Index):
                self.line(f"{value} = index({value}, {self._value(member.key)})")
            else:
                assert isinstance(member, n.Method)
                self._call(value, member)

    def _call(self, value: str, member: n.Method) -> None:
        """Write a call: of a text's method, of what this place has met before, of any other."""
        given = [self._value(argument) for argument in member.arguments]
        constants: list[object] = [one.value for one in member.arguments if _is_constant(one)]
        # With one argument, what other calls have met is worth knowing.
        shared = len(given) == 1 and not constants
        site = call_site(member.name, 1) if shared else CallSite(member.name)
        arguments = "".join(f", {argument}" for argument in given)
        if len(given) > 1 and len(constants) < len(given):
            self.line(f"{value} = {self._name(site.several)}({value}{arguments})")
            return
        fixed = len(constants) == len(given)
        kinds = [f"type({one})" for one in ([value] if fixed else [value, given[0]])]
        method = _text_method(member.name, constants if fixed else [""])
        usual = f"{' is '.join(kinds)} is str"
        if method is None and shared:
            usual, method = self._met(site, kinds)
        if method is None:
            self._known(value, site, kinds, arguments)
            return
        with self.indented(f"if {usual}:"):
            self.line(f"{value} = {self._name(method)}({value}{arguments})")
        with self.indented("else:"):
            self._known(value, site, kinds, arguments)

    def _met(self, site: CallSite, kinds: list[str]) -> tuple[str, Function | None]:
        """Write a test for the classes that a call has met last; return what they have led to."""
        for classes, function in reversed(list(site.known.items())):
            if isinstance(classes, tuple) and classes[1] is not int:
                pairs = zip(kinds, map(self._name, classes), strict=True)
                return " and ".join(f"{kind} is {name}" for kind, name in pairs), function
        return "", None

    def _known(self, value: str, site: CallSite, kinds: list[str], arguments: str) -> None:
        """Write the call of what is known for the classes; an int may be of any class."""
        function, known = self._name(), self._name(site.known)
        usual = f"{function} is not None"
        if len(kinds) == 1:
            slow = self._name(site.fixed)
            self.line(f"{function} = {known}.get({kinds[0]})")
        else:
            slow = self._name(site.single)
            self.line(f"{function} = {known}.get(({', '.join(kinds)}))")
            usual += f" and {kinds[1]} is not int"
        called = f"{function}({value}{arguments}) if {usual}"
        self.line(f"{value} = {called} else {slow}({value}{arguments})")

    # Conditions

    def _test(self, node: n.Node) -> str:
        """Write what decides a condition; return an expression for its truth."""
        if isinstance(node, n.Reference) and not node.root.runt:
            value = self._reference(node)
            null = "" if self._closures.missing is None else f"{value} is None or "
            return f"({null}{value} is True or truth({value}))"
        if isinstance(node, n.Not):
            return f"(not {self._test(node.operand)})"
        if isinstance(node, n.Binary) and node.operator in ("&&", "||"):
            return self._joined(node)
        if isinstance(node, n.Binary) and node.operator not in "+-*/%":
            return self._compared(node)
        return f"{self._name(self._closures.test(node))}(scope)"

    def _joined(self, node: n.Binary) -> str:
        result = self._name()
        self.line(f"{result} = {self._test(node.left)}")
        with self.indented(f"if {'' if node.operator == '&&' else 'not '}{result}:"):
            self.line(f"{result} = {self._test(node.right)}")
        return result

    def _compared(self, node: n.Binary) -> str:
        left, right = self._named(node.left), self._value(node.right)
        symbol = node.operator
        plain = "str" if symbol in ("==", "!=") else "int"
        if isinstance(node.right, n.IntegerLiteral):
            plain = "int"
        known = _is_constant(node.right) and type(node.right.value).__name__ == plain
        usual = f"type({left}) is {plain}" if known else f"type({left}) is type({right}) is {plain}"
        if symbol in ("==", "!="):
            general = f"{'not ' if symbol == '!=' else ''}equal({left}, {right})"
        else:
            general = f"ordered({symbol!r}, {left}, {right})"
        return f"({left} {symbol} {right} if {usual} else {general})"


def _is_constant(node: n.Node) -> TypeGuard[n.StringLiteral | n.IntegerLiteral | n.BooleanLiteral]:
    if isinstance(node, n.StringLiteral):
        return not node.interpolated
    if isinstance(node, n.IntegerLiteral):
        return INT_MIN <= node.value <= INT_MAX
    return isinstance(node, n.BooleanLiteral)


def _constant(node: n.Node) -> str | None:
    """Return the source of a constant."""
    return repr(node.value) if _is_constant(node) else None


def _text_method(name: str, arguments: list[object]) -> Function | None:
    """Return the method of a text that takes the arguments, or texts like them."""
    try:
        return resolve("", name, arguments)
    except VtlError:
        return None


def _property(value: str, name: str) -> str:
    found = f"None if {value} is None else prop({value}, {name!r})"
    if name in ("class", "Class"):
        return found
    return f"{value}.get({name!r}) if type({value}) is dict else {found}"


def _prints_plainly(node: n.Reference) -> bool:
    root = node.root
    return not (root.runt or root.escaped or root.escapes or root.prefix)


def _is_loop(node: n.Node) -> bool:
    return (
        isinstance(node, n.Directive)
        and node.name == "foreach"
        and len(node.children) == 4
        and isinstance(node.children[0], n.Reference)
        and node.children[0].root.name != "foreach"
        and isinstance(node.children[3], n.Block)
    )
