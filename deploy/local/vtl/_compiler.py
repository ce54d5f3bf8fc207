"""
Statements and directives, compiled to closures that print.

A template is parsed and compiled once, its interpolated strings included; rendering calls
closures only. Macros of the text are known from its beginning, wherever they are defined.

Source: Velocity 1.7's directives (facts), checked against its jar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass
from typing import Literal

from . import _nodes as n
from ._expressions import Expressions
from ._java import text_of
from ._lexer import position_of
from ._methods import iterate
from ._parser import Parser
from ._scope import (
    DefinedBlock,
    ForeachScope,
    MacroScope,
    NullScope,
    Out,
    Render,
    Scope,
    Stop,
    Value,
)
from .errors import VtlError, VtlParseError, VtlRenderError

__all__ = ["Compiler", "Macro", "Mode"]

Mode = Literal["apigateway", "velocity"]

_MAX_MACRO_DEPTH = 20
_MAX_DEFINE_DEPTH = 2
_CHUNK = 4_096


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro: the names of its parameters and its body."""

    parameters: tuple[str, ...]
    body: Render


@dataclass(frozen=True, slots=True)
class _Argument:
    """An argument of a macro call: a constant, or an expression evaluated at each use."""

    value: Value
    literal: str
    constant: bool
    word: bool


class Compiler:
    """
    Compiles the texts of one template.

    Args:
        mode: Whether macros and `#evaluate` exist, and what an invalid reference is.
        macros: Filled with the macros that the texts define; the first of a name stays.
    """

    def __init__(self, mode: Mode) -> None:
        self.mode: Mode = mode
        self._missing = "" if mode == "apigateway" else None
        self._macro_names: set[str] = set()

    def compile(self, text: str, macros: dict[str, Macro]) -> Render:
        """
        Compile a text.

        Args:
            text: A template, the text of an interpolated string or of an `#evaluate`.
            macros: Receives the macros that it defines.

        Returns:
            What prints it.

        Raises:
            VtlParseError: The text does not follow the grammar.
        """
        inline = self.mode == "velocity"
        parser = Parser(text, evaluate=inline, macro_names=self._macro_names)
        tree = parser.parse()
        return _Statements(self, text, parser, macros).block(tree)

    @property
    def missing(self) -> str | None:
        """What an invalid reference is."""
        return self._missing


class _Statements:
    """Compiles the statements of one text."""

    def __init__(
        self, compiler: Compiler, text: str, parser: Parser, macros: dict[str, Macro]
    ) -> None:
        self._compiler = compiler
        self._text = text
        self._parser = parser
        self._macros = macros
        self._expressions = Expressions(text, parser.literal, compiler.missing, self._interpolated)
        self._directives: dict[str, Callable[[n.Directive], Render]] = {
            "foreach": self._foreach,
            "define": self._define,
            "literal": self._literal,
            "macro": self._macro,
            "stop": self._stop,
            "break": self._break,
            "include": self._include,
            "parse": self._parse,
        }
        if compiler.mode == "velocity":
            self._directives["evaluate"] = self._evaluate

    def _interpolated(self, text: str, node: n.Node) -> Render:
        try:
            return self._compiler.compile(text, self._macros)
        except VtlError as error:
            line, column = position_of(self._text, node.first.begin)
            error.line, error.column = line, column
            raise

    def _error(self, node: n.Node, message: str) -> VtlParseError:
        line, column = position_of(self._text, node.first.begin)
        return VtlParseError(message, line=line, column=column, text=node.first.image)

    def _failing(self, node: n.Node, message: str) -> Render:
        line, column = position_of(self._text, node.first.begin)

        def render(scope: Scope, out: Out) -> None:
            raise VtlRenderError(message, line=line, column=column, text=node.first.image)

        return render

    def block(self, node: n.Block) -> Render:
        """Compile statements, neighbouring texts joined to one."""
        parts: list[Render] = []
        texts: list[str] = []
        for statement in node.statements:
            if isinstance(statement, n.Text):
                texts.append(statement.text)
                continue
            _flush(texts, parts)
            parts.append(self._statement(statement))
        _flush(texts, parts)
        if len(parts) == 1:
            return parts[0]
        sequence = tuple(parts)

        def render(scope: Scope, out: Out) -> None:
            for part in sequence:
                part(scope, out)

        return render

    def _statement(self, node: n.Node) -> Render:
        if isinstance(node, n.Reference):
            return self._expressions.reference(node)
        if isinstance(node, n.SetDirective):
            return self._set(node)
        if isinstance(node, n.If):
            return self._if(node)
        if isinstance(node, n.Block):
            return self.block(node)
        if isinstance(node, n.Directive):
            return self._directives.get(node.name, self._call)(node)
        return lambda scope, out: None

    def _set(self, node: n.SetDirective) -> Render:
        value = self._expressions.value(node.value)
        assign = self._expressions.assign(node.target)

        def render(scope: Scope, out: Out) -> None:
            result = value(scope)
            if result is not None:
                assign(scope, result)

        return render

    def _if(self, node: n.If) -> Render:
        branches = [
            (
                (lambda scope: True) if condition is None else self._expressions.test(condition),
                self.block(block),
            )
            for condition, block in node.branches
        ]

        def render(scope: Scope, out: Out) -> None:
            for test, block in branches:
                if test(scope):
                    block(scope, out)
                    return

        return render

    # Directives

    def _foreach(self, node: n.Directive) -> Render:
        if not node.children:
            raise self._error(node, "#foreach needs a variable and a list")
        variable = node.children[0]
        name = variable.first.image[1:]
        if isinstance(variable, n.Reference):
            name = variable.root.name
        if len(node.children) < 3:
            return self._failing(node, "#foreach needs a list")
        if len(node.children) == 3:
            return lambda scope, out: None
        items = self._expressions.value(node.children[2])
        body = self._statement(node.children[3])
        cost = 1 + (node.last.begin - node.first.begin) // _CHUNK
        return _loop(node, name, items, body, cost)

    def _define(self, node: n.Directive) -> Render:
        if len(node.children) != 2:
            raise self._error(node, "#define needs the name of a block")
        name = node.children[0].first.image[1:]
        block = self._statement(node.children[1])

        def render(scope: Scope, out: Out) -> None:
            scope.put(name, DefinedBlock(scope, block, node, _MAX_DEFINE_DEPTH))

        return render

    def _literal(self, node: n.Directive) -> Render:
        first = node.children[0] if node.children else None
        if first is None or (isinstance(first, n.Block) and first.empty):
            raise self._error(node, "#literal is empty")
        # Its content is compiled for its errors only.
        for child in node.children:
            self._statement(child)
        text = self._parser.literal(first)
        return lambda scope, out: out(text)

    def _macro(self, node: n.Directive) -> Render:
        body = self._statement(node.children[-1]) if node.children else None
        if self._compiler.mode == "velocity" and body is not None:
            names = [child.first.image for child in node.children[:-1]]
            parameters = tuple(name.removeprefix("$") for name in names[1:])
            self._macros.setdefault(names[0], Macro(parameters, body))
        return lambda scope, out: None

    def _stop(self, node: n.Directive) -> Render:
        if len(node.children) > 1:
            raise self._error(node, "#stop takes one message at most")

        def render(scope: Scope, out: Out) -> None:
            raise Stop(everything=True)

        return render

    def _break(self, node: n.Directive) -> Render:
        if len(node.children) > 1:
            raise self._error(node, "#break takes one scope at most")
        target = self._expressions.value(node.children[0]) if node.children else None
        failing = self._failing(node, "#break takes a scope such as $foreach")

        def render(scope: Scope, out: Out) -> None:
            if target is None:
                raise Stop
            found = target(scope)
            if isinstance(found, ForeachScope):
                raise Stop(found.owner)
            failing(scope, out)

        return render

    def _include(self, node: n.Directive) -> Render:
        if not node.children:
            return lambda scope, out: None
        return self._failing(node, "#include: there are no other templates")

    def _parse(self, node: n.Directive) -> Render:
        if not node.children:
            raise self._error(node, "#parse needs the name of a template")
        return self._failing(node, "#parse: there are no other templates")

    def _evaluate(self, node: n.Directive) -> Render:
        if len(node.children) != 1 or not isinstance(
            node.children[0], n.StringLiteral | n.Reference
        ):
            raise self._error(node, "#evaluate takes one string or reference")
        source = self._expressions.value(node.children[0])

        def render(scope: Scope, out: Out) -> None:
            value = source(scope)
            scope.run.charge()
            text = "" if value is None else text_of(value)
            compiled = scope.run.compiler.compile(text, scope.run.macros)
            try:
                compiled(scope, out)
            except Stop as stop:
                if not stop.everything and not stop.ends(node):
                    raise

        return render

    # Macro calls

    def _call(self, node: n.Directive) -> Render:
        name, body = node.name, None
        source = self._parser.source(node)
        children = node.children
        if name.startswith("@"):
            if not children:
                return lambda scope, out: out(f"#{name}")
            name = name[1:]
            body = self._statement(children[-1])
        if self._compiler.mode == "apigateway":
            for child in children:
                self._expressions.value(child)
            return lambda scope, out: out(source)
        arguments = [self._argument(child) for child in children]
        failing = self._failing(node, f"a bare word is no argument of #{name}")

        def render(scope: Scope, out: Out) -> None:
            macro = scope.run.macros.get(name)
            if macro is None:
                out(source)
                return
            if any(argument.word for argument in arguments):
                failing(scope, out)
            layer = MacroScope(scope)
            _bind(layer, scope, macro, arguments)
            if body is not None:
                block = DefinedBlock(scope, body, node, _MAX_MACRO_DEPTH)
                layer.bind_value("bodyContent", block)
            _enter(layer, macro, name, out, node)

        return render

    def _argument(self, child: n.Node) -> _Argument:
        constant = isinstance(
            child, n.Block | n.Word | n.IntegerLiteral | n.FloatLiteral | n.BooleanLiteral
        )
        value = self._expressions.value(child)
        if isinstance(child, n.Reference) and not child.members and not child.root.runt:
            # A bare variable is looked up as it is: null stays null.
            name = child.root.name
            value = lambda scope: scope.get(name)  # noqa: E731
        literal = "" if constant else self._parser.literal(child)
        return _Argument(value, literal, constant, isinstance(child, n.Word))


def _flush(texts: list[str], parts: list[Render]) -> None:
    text = "".join(texts)
    texts.clear()
    if text:
        parts.append(lambda scope, out: out(text))


def _bind(layer: MacroScope, scope: Scope, macro: Macro, arguments: list[_Argument]) -> None:
    for name, argument in zip(macro.parameters, arguments, strict=False):
        if argument.constant:
            layer.bind_value(name, argument.value(scope))
        else:
            layer.bind_expression(name, argument.value, argument.literal)


def _enter(layer: MacroScope, macro: Macro, name: str, out: Out, owner: object) -> None:
    run = layer.run
    run.charge()
    if run.macro_depth == _MAX_MACRO_DEPTH:
        run.macro_depth = 0
        raise VtlRenderError(f"macro #{name} is nested deeper than {_MAX_MACRO_DEPTH} calls")
    run.macro_depth += 1
    try:
        macro.body(layer, out)
    except Stop as stop:
        # Velocity does not count a call as left when it is left by #break or #stop.
        if not stop.ends(owner):
            raise
    else:
        run.macro_depth -= 1


def _loop(owner: object, name: str, items: Value, body: Render, cost: int) -> Render:
    def render(scope: Scope, out: Out) -> None:
        found = items(scope)
        iterated = None if found is None else iterate(found)
        if iterated is None:
            return
        before = [(key, scope.get(key)) for key in (name, "velocityCount", "velocityHasNext")]
        state = ForeachScope(owner, scope.get("foreach"))
        scope.put("foreach", state)
        layer: NullScope | None = None
        try:
            for value in _rounds(scope, state, iterated, cost):
                scope.put(name, value)
                if value is None:
                    layer = layer or NullScope(scope, name)
                    body(layer, out)
                else:
                    body(scope, out)
        except Stop as stop:
            if not stop.ends(owner):
                raise
        finally:
            _restore(scope, before)

    return render


def _rounds(
    scope: Scope, state: ForeachScope, iterated: tuple[list[object], Sized], cost: int
) -> Iterator[object]:
    """Go through the elements; as in Java they must not become more or fewer meanwhile."""
    values, guard = iterated
    size = len(guard)
    run = scope.run
    limit = run.max_foreach
    index = 0
    while index != len(values) and index != limit:
        if len(guard) != size:
            raise VtlRenderError("ConcurrentModificationException: the list of #foreach changed")
        run.charge(cost)
        state.index = index
        index += 1
        state.has_next = has_next = index != len(values)
        scope.put("velocityCount", index)
        scope.put("velocityHasNext", has_next)
        yield values[index - 1]


def _restore(scope: Scope, before: list[tuple[str, object]]) -> None:
    for key, value in before:
        if value is None:
            scope.remove(key)
        else:
            scope.put(key, value)
    state = scope.get("foreach")
    if not isinstance(state, ForeachScope):
        return
    outer = state.parent or state.replaced_value()
    if outer is None:
        scope.remove("foreach")
    else:
        scope.put("foreach", outer)
