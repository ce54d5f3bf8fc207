"""
The shortcut's references and expressions: straight from the text to closures.

See `_shortcut` for what it is, and `_patterns` for what it takes.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import cast

from ._lexer import located
from ._operations import (
    Test,
    arithmetic,
    both,
    comparison,
    constant,
    either,
    interpolated,
    list_of,
    map_of,
    negation,
    never,
    number_range,
    truth_of,
)
from ._patterns import BARE, CLOSE, MAP_END, MARK, NEXT, OPERAND, OPERATOR, WORD
from ._references import Locate, Step, chain, index_step, method_step, path, property_step, variable
from ._scope import Render, Value
from .errors import VtlError

__all__ = ["ANYWHERE", "Reader", "Unusual", "locate"]

# Far less than what the long way refuses.
_MAX_DEPTH = 30

# The groups of OPERAND, and where each of them may stand.
_SIMPLE, _OPEN, _QUOTED, _INTERPOLATED, _INTEGER, _FLOAT, _BOOLEAN, _LIST, _MAP, _PAREN, _NOT = (
    range(1, 12)
)
ANYWHERE = frozenset(range(_SIMPLE, _PAREN))
_IN_EXPRESSIONS = ANYWHERE | {_PAREN, _NOT}
_IN_INDEX = frozenset({_SIMPLE, _OPEN, _QUOTED, _INTERPOLATED, _INTEGER, _BOOLEAN})
_IN_RANGE = frozenset({_SIMPLE, _OPEN, _INTEGER})
_REFERENCES = frozenset({_SIMPLE, _OPEN})
_CONDITIONS = frozenset({_BOOLEAN, _NOT})
# The groups of NEXT.
_ARGUMENTS, _NO_ARGUMENTS, _INDEX, _MEMBER = range(1, 5)
_METHODS = frozenset({_ARGUMENTS, _NO_ARGUMENTS})

_LITERALS: dict[int, Callable[[str], object]] = {
    _QUOTED: str,
    _INTEGER: int,
    _FLOAT: float,
    _BOOLEAN: lambda word: word == "true",
}
_MAX_DIGITS = 300
# What surrounds the names of a reference.
_MARKS = "$!{}"
_WORDS = {"or": "||", "and": "&&", "eq": "==", "ne": "!="}
_WORDS |= {"lt": "<", "gt": ">", "le": "<=", "ge": ">="}
_PRECEDENCE = {
    symbol: level
    for level, symbols in enumerate(("||", "&&", "== !=", "< > <= >=", "+ -", "* / %"))
    for symbol in symbols.split()
}


class Unusual(Exception):  # noqa: N818 - control flow, not an error
    """The text needs the whole grammar."""


class Operand:
    """
    An operand that has been read.

    Attributes:
        value: Computes it.
        kind: The group of `OPERAND`; `_NOT` for a condition, `_PAREN` for arithmetic.
        begin: Where it is written, an offset.
        end: The offset behind it.
    """

    __slots__ = ("begin", "end", "kind", "value")

    def __init__(self, value: Value, kind: int, begin: int, end: int) -> None:
        self.value = value
        self.kind = kind
        self.begin = begin
        self.end = end

    def test(self) -> Test:
        """Return what decides its truth in a condition."""
        if self.kind in _REFERENCES:
            return truth_of(self.value)
        return cast("Test", self.value) if self.kind in _CONDITIONS else never


class Reader(ABC):
    """
    Reads a text from where it stands.

    Args:
        source: The text.
        missing: What an invalid reference is.
        depth: How deeply the text is nested in others.
    """

    def __init__(self, source: str, missing: str | None, depth: int = 0) -> None:
        self._source = source
        self._missing = missing
        self._depth = depth
        self._at = 0

    @abstractmethod
    def _compiled(self, source: str) -> Render:
        """Compile the text of an interpolated string."""

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """Go on behind what must stand here."""
        match = pattern.match(self._source, self._at)
        if match is None:
            raise Unusual
        self._at = match.end()
        return match

    def _mark(self) -> str:
        return self._take(MARK)[1]

    def _must(self, holds: bool) -> None:
        if not holds:
            raise Unusual

    def _enter(self) -> None:
        self._depth += 1
        self._must(self._depth <= _MAX_DEPTH)

    def _locating(self, begin: int, end: int) -> Locate:
        """Locate errors in what is written there."""
        return partial(locate, self._source, begin, end)

    # Expressions

    def _closed(self) -> Operand:
        """Read an expression and the parenthesis that closes it; usually it is a reference."""
        match = BARE.match(self._source, self._at)
        if match is None:
            operand = self._expression()
            self._take(CLOSE)
            return operand
        begin, self._at = match.span(1)
        value = self._reference(match[1], begin)
        self._at = match.end()
        return Operand(value, _SIMPLE, begin, match.end(1))

    def _expression(self, level: int = 0) -> Operand:
        left = self._operand(_IN_EXPRESSIONS)
        while True:
            match = self._take(OPERATOR)
            word = match[1]
            if word is None:
                return left
            symbol = _WORDS.get(word, word)
            found = _PRECEDENCE[symbol]
            if found < level:
                self._at = match.start(1)
                return left
            # As in the tree, the source of an operation is what stands behind its operator.
            begin = self._at
            left = self._binary(symbol, left, self._expression(found + 1), begin)

    def _binary(self, symbol: str, left: Operand, right: Operand, begin: int) -> Operand:
        end = self._at
        if symbol in ("&&", "||"):
            joined = both if symbol == "&&" else either
            return Operand(joined(left.test(), right.test()), _NOT, begin, end)
        if symbol not in "+-*/%":
            return Operand(comparison(symbol, left.value, right.value), _NOT, begin, end)
        sources = partial(self._written, left), partial(self._written, right)
        value = arithmetic(
            symbol, left.value, right.value, sources, self._locating(begin, self._at)
        )
        return Operand(value, _PAREN, begin, end)

    def _written(self, operand: Operand) -> str:
        return self._source[operand.begin : operand.end]

    def _operand(self, allowed: frozenset[int]) -> Operand:
        match = OPERAND.match(self._source, self._at)
        if match is None or match.lastindex not in allowed:
            raise Unusual
        self._at, kind = match.end(), match.lastindex
        begin = match.start(kind)
        if kind == _SIMPLE:
            return Operand(self._reference(match[kind], begin), kind, begin, self._at)
        if kind in _LITERALS:
            return Operand(self._literal(kind, match[kind]), kind, begin, self._at)
        self._enter()
        if kind == _PAREN:
            operand = self._parenthesized()
        elif kind == _NOT:
            test = negation(self._operand(_IN_EXPRESSIONS).test())
            operand = Operand(test, kind, begin, self._at)
        else:
            operand = Operand(self._nested(kind, match[kind], begin), kind, begin, self._at)
        self._depth -= 1
        return operand

    def _parenthesized(self) -> Operand:
        begin = self._at
        operand = self._expression()
        # Twice in parentheses, an operand is located with the inner ones.
        self._must(operand.begin == begin or self._source[operand.begin - 1] != "(")
        # The source of what stands in parentheses includes its white space.
        operand.begin, operand.end = begin, self._at
        self._must(self._mark() == ")")
        return operand

    def _nested(self, kind: int, written: str, begin: int) -> Value:
        if kind == _OPEN:
            return self._members(written, begin)
        if kind == _LIST:
            return self._list(begin)
        if kind == _MAP:
            return self._map()
        self._must("\\u" not in written)
        if "$" in written or "#" in written:
            return interpolated(written, self._compiled)
        return constant(written)

    def _literal(self, kind: int, written: str) -> Value:
        self._must(kind == _QUOTED or len(written) < _MAX_DIGITS)
        return constant(_LITERALS[kind](written))

    def _list(self, begin: int) -> Value:
        if self._source.startswith("]", self._at):
            self._at += 1
            return list_of([])
        first = self._operand(ANYWHERE)
        items, mark = [first.value], self._mark()
        if mark == ".." and first.kind in _IN_RANGE:
            return self._range(begin, first.value)
        while mark == ",":
            items.append(self._operand(ANYWHERE).value)
            mark = self._mark()
        self._must(mark == "]")
        return list_of(items)

    def _range(self, begin: int, start: Value) -> Value:
        stop = self._operand(_IN_RANGE).value
        self._must(self._mark() == "]")
        return number_range(start, stop, self._locating(begin, self._at))

    def _map(self) -> Value:
        entries: list[tuple[Value, Value]] = []
        if MAP_END.match(self._source, self._at):
            self._take(MAP_END)
            return map_of(entries)
        mark = ","
        while mark == ",":
            key = self._operand(ANYWHERE).value
            self._must(self._mark() == ":")
            entries.append((key, self._operand(ANYWHERE).value))
            mark = self._mark()
        self._must(mark == "}")
        return map_of(entries)

    # References

    def _reference(self, written: str, begin: int) -> Value:
        """Compile a variable with its properties."""
        if "." not in written:
            return variable(written.strip(_MARKS), self._missing)
        root, *names = written.strip(_MARKS).split(".")
        return path(root, names, self._missing, self._locating(begin, self._at))

    def _members(self, written: str, begin: int) -> Value:
        """Read on where a method or an index follows the names of a reference."""
        root, *names = written.strip(_MARKS).split(".")
        steps: list[Step] = []
        name = names.pop() if names else ""
        while match := NEXT.match(self._source, self._at):
            self._at = match.end()
            kind = match.lastindex
            if kind in _METHODS:
                self._must(name != "")
                steps.append(method_step(name, self._arguments() if kind == _ARGUMENTS else []))
                name = ""
                continue
            if name:
                steps.append(property_step(name))
            name = match[_MEMBER] or ""
            if kind == _INDEX:
                steps.append(index_step(self._operand(_IN_INDEX).value))
                self._must(self._mark() == "]")
        if name:
            steps.append(property_step(name))
        if "{" in written:
            self._must(self._source.startswith("}", self._at))
            self._at += 1
        else:
            self._must(not WORD.match(self._source, self._at))
        return chain(root, names, steps, self._missing, self._locating(begin, self._at))

    def _arguments(self) -> list[Value]:
        arguments = [self._operand(ANYWHERE).value]
        while (mark := self._mark()) == ",":
            arguments.append(self._operand(ANYWHERE).value)
        self._must(mark == ")")
        return arguments


def locate(source: str, begin: int, end: int, error: VtlError | RecursionError) -> VtlError:
    """Say in an error that it has happened in a part of the text."""
    return located(error, source, begin, source[begin:end])
