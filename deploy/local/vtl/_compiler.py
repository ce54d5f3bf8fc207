"""
Statements and directives, compiled to closures that print.

A template is parsed and compiled once, its interpolated strings included; rendering calls
closures only. Macros of the text are known from its beginning, wherever they are defined.

Source: Velocity 1.7's directives (facts), checked against its jar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from . import tree as n
from ._expressions import Expressions
from ._java import text_of
from ._lexer import position_of
from ._loops import loop, loop_cost
from ._operations import Test
from ._parser import Parser
from ._printing import Show, choice, nothing, sequence, setting, setting_member, text
from ._scope import (
    DefinedBlock,
    ForeachScope,
    MacroScope,
    Out,
    Render,
    Scope,
    Stop,
    Value,
)
from .errors import VtlError, VtlParseError, VtlRenderError

__all__ = ["Compiler", "Macro", "Mode", "Statements"]

Mode = Literal["apigateway", "velocity"]

_MAX_MACRO_DEPTH = 20
_MAX_DEFINE_DEPTH = 2


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
        macro_names: The macros that are known; a name counts as a directive's from then on.
    """

    def __init__(self, mode: Mode, macro_names: Iterable[str] = ()) -> None:
        self.mode: Mode = mode
        self.missing = "" if mode == "apigateway" else None
        self._macro_names = set(macro_names)

    def copy(self) -> Compiler:
        """Return a compiler for the texts of one render: what they define ends with it."""
        return Compiler(self.mode, self._macro_names)

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
        tree, statements = self.parse(text, macros)
        return statements.block(tree)

    def parse(self, text: str, macros: dict[str, Macro]) -> tuple[n.Block, Statements]:
        """
        Parse a text.

        Args:
            text: As of `compile`.
            macros: As of `compile`; filled when the tree is compiled.

        Returns:
            Its tree, and what compiles it.

        Raises:
            VtlParseError: The text does not follow the grammar.
        """
        inline = self.mode == "velocity"
        parser = Parser(text, evaluate=inline, macro_names=self._macro_names)
        return parser.parse(), Statements(self, text, parser, macros)


class Statements:
    """Compiles the statements of one text."""

    def __init__(
        self, compiler: Compiler, text: str, parser: Parser, macros: dict[str, Macro]
    ) -> None:
        self._compiler = compiler
        self._text = text
        self._parser = parser
        self._macros = macros
        self.missing = compiler.missing
        interpolate = partial(_interpolated, compiler, macros, text)
        self._expressions = Expressions(text, parser.literal, compiler.missing, interpolate)

    def value(self, node: n.Node) -> Value:
        """Compile an expression."""
        return self._expressions.value(node)

    def test(self, node: n.Node) -> Test:
        """Compile a condition."""
        return self._expressions.test(node)

    def shown(self, node: n.Reference) -> Show:
        """Compile what prints the value of a reference."""
        return self._expressions.shown(node)

    def located(self, node: n.Node, error: VtlError | RecursionError) -> VtlError:
        """Say in an error where it has happened."""
        return self._expressions.located(node, error)

    def _error(self, node: n.Node, message: str) -> VtlParseError:
        line, column = position_of(self._text, node.first.begin)
        return VtlParseError(message, line=line, column=column, text=node.first.image)

    def _failing(self, node: n.Node, message: str) -> Render:
        line, column = position_of(self._text, node.first.begin)

        def render(scope: Scope, out: Out) -> None:
            raise VtlRenderError(message, line=line, column=column, text=node.first.image)

        return render

    def block(self, node: n.Block) -> Render:
        """Compile statements, texts joined to each other and to the reference that they precede."""
        parts: list[Render] = []
        nodes: list[n.Node] = []
        before = ""
        for statement in node.statements:
            if isinstance(statement, n.Text):
                before += statement.text
                continue
            if isinstance(statement, n.Reference):
                parts.append(self._expressions.reference(statement, before))
            else:
                # A text cannot fail: any node will do for it.
                parts += [text(before)] if before else []
                nodes += [statement] if before else []
                parts.append(self.statement(statement))
            nodes.append(statement)
            before = ""
        if before and not parts:
            return text(before)
        if before:
            parts.append(text(before))
        return sequence(parts, lambda at, error: self.located(nodes[at], error))

    def statement(self, node: n.Node) -> Render:
        """Compile a statement."""
        try:
            return self._statement(node)
        except RecursionError:
            error = VtlParseError("an expression of too many terms")
            raise self.located(node, error) from None

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
            return self._directive(node)
        return lambda scope, out: None

    def _set(self, node: n.SetDirective) -> Render:
        value = self._expressions.value(node.value)
        if node.target.members:
            return setting_member(self._expressions.assign(node.target), value)
        return setting(node.first_name(), value)

    def _if(self, node: n.If) -> Render:
        otherwise: Render = nothing
        branches: list[tuple[Test, Render]] = []
        for condition, statements in node.branches:
            block = self.block(statements)
            if condition is None:
                otherwise = block
            else:
                branches.append((self._expressions.test(condition), block))
        return choice(branches, otherwise)

    # Directives

    def _directive(self, node: n.Directive) -> Render:
        compiled = _DIRECTIVES.get(node.name, Statements._call)
        if node.name == "evaluate" and self._compiler.mode == "apigateway":
            compiled = Statements._call
        return compiled(self, node)

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
        body = self.statement(node.children[3])
        cost = loop_cost(node.first.begin, node.last.begin)
        return loop(node, name, items, body, cost)

    def _define(self, node: n.Directive) -> Render:
        if len(node.children) != 2:
            raise self._error(node, "#define needs the name of a block")
        name = node.children[0].first.image[1:]
        block = self.statement(node.children[1])

        def render(scope: Scope, out: Out) -> None:
            scope.put(name, DefinedBlock(scope, block, node, _MAX_DEFINE_DEPTH))

        return render

    def _literal(self, node: n.Directive) -> Render:
        first = node.children[0] if node.children else None
        if first is None or (isinstance(first, n.Block) and first.empty):
            raise self._error(node, "#literal is empty")
        # Its content is compiled for its errors only.
        for child in node.children:
            self.statement(child)
        text = self._parser.literal(first)
        return lambda scope, out: out(text)

    def _macro(self, node: n.Directive) -> Render:
        body = self.statement(node.children[-1]) if node.children else None
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
            body = self.statement(children[-1])
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


_DIRECTIVES: dict[str, Callable[[Statements, n.Directive], Render]] = {
    "foreach": Statements._foreach,
    "define": Statements._define,
    "literal": Statements._literal,
    "macro": Statements._macro,
    "stop": Statements._stop,
    "break": Statements._break,
    "include": Statements._include,
    "parse": Statements._parse,
    "evaluate": Statements._evaluate,
}


def _interpolated(
    compiler: Compiler, macros: dict[str, Macro], source: str, text: str, node: n.Node
) -> Render:
    """Compile the text of a string of the source."""
    try:
        return compiler.compile(text, macros)
    except VtlError as error:
        error.line, error.column = position_of(source, node.first.begin)
        raise


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
