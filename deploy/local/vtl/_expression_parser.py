"""
Expressions and references: from tokens to their part of the syntax tree.

Source: the grammar file of Apache Velocity 1.7 (facts), checked against its jar.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import tree as n
from ._lexer import Lexer
from ._tokens import Kind, Token
from .errors import VtlParseError

__all__ = ["OPERANDS", "PATHS", "REFERENCES", "ExpressionParser"]

# Deep nesting is refused before Python's own stack would be exhausted.
_MAX_DEPTH = 100

_BINARY: tuple[dict[Kind, str], ...] = (
    {Kind.OR: "||"},
    {Kind.AND: "&&"},
    {Kind.EQ: "==", Kind.NE: "!="},
    {Kind.LT: "<", Kind.GT: ">", Kind.LE: "<=", Kind.GE: ">="},
    {Kind.PLUS: "+", Kind.MINUS: "-"},
    {Kind.TIMES: "*", Kind.DIVIDE: "/", Kind.MODULUS: "%"},
)
_PRECEDENCE = {kind: level for level, kinds in enumerate(_BINARY) for kind in kinds}
_SYMBOLS = {kind: symbol for kinds in _BINARY for kind, symbol in kinds.items()}

PATHS = frozenset({Kind.PATH, Kind.PATH_OPEN})
REFERENCES = frozenset({Kind.IDENTIFIER, Kind.LCURLY}) | PATHS
OPERANDS = REFERENCES | {
    Kind.STRING,
    Kind.INTEGER,
    Kind.FLOAT,
    Kind.LIST_OPEN,
    Kind.MAP_OPEN,
    Kind.TRUE,
    Kind.FALSE,
}
_ARGUMENTS_BEGIN = OPERANDS | {Kind.SPACE, Kind.ARGUMENTS_CLOSE}
_INDEX_OPERANDS = OPERANDS - {Kind.FLOAT, Kind.LIST_OPEN, Kind.MAP_OPEN}
_UNICODE_ESCAPE = re.compile(r"\\u(.{0,4})", re.DOTALL)
_HEX = re.compile(r"[+-]?[0-9a-fA-F]+")


class ExpressionParser:
    """Reads the tokens of one text, and the expressions among them."""

    def __init__(self, text: str) -> None:
        self._lexer = Lexer(text)
        self._tokens: list[Token] = []
        self._position = 0
        self._depth = 0

    # Tokens

    def _peek(self, ahead: int = 0) -> Token:
        wanted = self._position + ahead
        tokens = self._tokens
        while wanted >= len(tokens):
            tokens.append(self._lexer.next())
        return tokens[wanted]

    def _kind(self, ahead: int = 0) -> Kind:
        wanted = self._position + ahead
        tokens = self._tokens
        while wanted >= len(tokens):
            tokens.append(self._lexer.next())
        return tokens[wanted].kind

    def _next(self) -> Token:
        token = self._peek()
        self._position += 1
        return token

    def _last(self) -> Token:
        return self._tokens[self._position - 1] if self._position else self._peek()

    def _expect(self, *kinds: Kind) -> Token:
        token = self._peek()
        if token.kind in kinds:
            return self._next()
        raise self._unexpected(token, kinds)

    def _unexpected(self, token: Token, kinds: Sequence[Kind]) -> VtlParseError:
        found = token.kind.value if token.kind is Kind.EOF else repr(token.image)
        expected = tuple(kind.value for kind in kinds)
        error = self._lexer.error(f"unexpected {found}", token.begin, expected)
        error.text = token.image
        return error

    def _skip_space(self) -> None:
        if self._kind() is Kind.SPACE:
            self._position += 1

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._lexer.error(f"nested deeper than {_MAX_DEPTH}", self._peek().begin)

    # Expressions

    def _expression(self, level: int = 0) -> n.Node:
        self._enter()
        left = self._unary()
        while True:
            kind = self._kind()
            found = _PRECEDENCE.get(kind, -1)
            if found < level:
                break
            self._position += 1
            # Observed: the source of an operation is what stands behind its operator.
            first = self._peek()
            right = self._expression(found + 1)
            left = n.Binary(first, self._last(), _SYMBOLS[kind], left, right)
        self._depth -= 1
        return left

    def _unary(self) -> n.Node:
        negations: list[Token] = []
        while self._kind(1 if self._kind() is Kind.SPACE else 0) is Kind.NOT:
            self._skip_space()
            self._position += 1
            negations.append(self._peek())
        operand = self._primary()
        for first in reversed(negations):
            operand = n.Not(first, self._last(), operand)
        return operand

    def _primary(self) -> n.Node:
        self._skip_space()
        if self._kind() is not Kind.LPAREN:
            operand = self._operand(OPERANDS)
        else:
            self._position += 1
            first = self._peek()
            operand = self._expression()
            # The source of what stands in parentheses includes its white space.
            operand.first, operand.last = first, self._last()
            self._expect(Kind.RPAREN)
        self._skip_space()
        return operand

    def _parameter(self) -> n.Node:
        self._skip_space()
        operand = self._operand(OPERANDS)
        self._skip_space()
        return operand

    def _operand(self, allowed: frozenset[Kind]) -> n.Node:
        token = self._peek()
        kind = token.kind
        if kind not in allowed:
            raise self._unexpected(token, [one for one in Kind if one in allowed])
        if kind in REFERENCES:
            return self._reference()
        if kind is Kind.LIST_OPEN:
            return self._list()
        if kind is Kind.MAP_OPEN:
            return self._map()
        self._position += 1
        if kind is Kind.STRING:
            return self._string(token)
        if kind is Kind.INTEGER:
            return n.IntegerLiteral(token, token, self._integer(token))
        if kind is Kind.FLOAT:
            return n.FloatLiteral(token, token, self._float(token))
        return n.BooleanLiteral(token, token, kind is Kind.TRUE)

    def _integer(self, token: Token) -> int:
        try:
            return int(token.image)
        except ValueError:  # `#1` is one token; Python refuses to read thousands of digits
            raise self._lexer.error("no integer, or of too many digits", token.begin) from None

    def _float(self, token: Token) -> float:
        try:
            return float(token.image)
        except ValueError:
            raise self._lexer.error("no decimal number", token.begin) from None

    def _string(self, token: Token) -> n.StringLiteral:
        quote = token.image[0]
        value = token.image[1:-1]
        if quote == '"':
            value = _UNICODE_ESCAPE.sub(lambda match: self._code_point(match, token), value)
        interpolated = quote == '"' and ("$" in token.image or "#" in token.image)
        return n.StringLiteral(token, token, value.replace(quote * 2, quote), interpolated)

    def _code_point(self, match: re.Match[str], token: Token) -> str:
        digits = match.group(1)
        if len(digits) != 4 or not _HEX.fullmatch(digits):
            raise self._lexer.error("\\u needs four hexadecimal digits", token.begin)
        return chr(int(digits, 16) & 0xFFFF)

    def _list(self) -> n.ListLiteral | n.Range:
        self._enter()
        first = self._next()
        items: list[n.Node] = []
        if self._kind() is not Kind.LIST_CLOSE:
            items.append(self._parameter())
            if self._kind() is Kind.DOUBLE_DOT and isinstance(
                items[0], n.Reference | n.IntegerLiteral
            ):
                return self._range(first, items[0])
            while self._kind() is Kind.COMMA:
                self._position += 1
                items.append(self._parameter())
        self._depth -= 1
        return n.ListLiteral(first, self._expect(Kind.LIST_CLOSE), tuple(items))

    def _range(self, first: Token, start: n.Node) -> n.Range:
        self._position += 1
        self._skip_space()
        stop = self._operand(REFERENCES | {Kind.INTEGER})
        self._skip_space()
        self._depth -= 1
        return n.Range(first, self._expect(Kind.LIST_CLOSE), start, stop)

    def _map(self) -> n.MapLiteral:
        self._enter()
        first = self._next()
        entries: list[tuple[n.Node, n.Node]] = []
        if self._kind(1 if self._kind() is Kind.SPACE else 0) in (Kind.MAP_CLOSE, Kind.RCURLY):
            self._skip_space()
        else:
            entries.append(self._entry())
            while self._kind() is Kind.COMMA:
                self._position += 1
                entries.append(self._entry())
        self._depth -= 1
        last = self._expect(Kind.MAP_CLOSE, Kind.RCURLY)
        return n.MapLiteral(first, last, tuple(entries))

    def _entry(self) -> tuple[n.Node, n.Node]:
        key = self._parameter()
        self._expect(Kind.COLON)
        return key, self._parameter()

    # References

    def _reference(self) -> n.Reference:
        if self._kind() in PATHS:
            return self._path()
        first = self._expect(Kind.IDENTIFIER, Kind.LCURLY)
        formal = first.kind is Kind.LCURLY
        name = self._expect(Kind.IDENTIFIER) if formal else first
        members = self._more_members()
        if formal:
            self._expect(Kind.RCURLY)
        reference = n.Reference(first, self._last(), tuple(members), _NO_ROOT)
        reference.root = self._root(reference, name)
        return reference

    def _path(self) -> n.Reference:
        """Read a reference whose beginning the lexer has taken in one step."""
        token = self._next()
        variable, *names = token.image.split(".")
        first = token
        if names:
            first = Token(Kind.IDENTIFIER, variable, token.begin, token.index)
        members: list[n.Member] = [n.Property(token, token, name) for name in names]
        if token.kind is Kind.PATH_OPEN:
            if names:
                members[-1] = self._method(token, names[-1])
            members += self._more_members()
        quiet = variable.startswith("$!")
        reference = n.Reference(first, self._last(), tuple(members), _NO_ROOT)
        null_text = "" if quiet else self.literal(reference)
        name = variable[2 if quiet else 1 :]
        reference.root = n.Root(name, False, True, False, "", "", null_text)
        return reference

    def _more_members(self) -> list[n.Member]:
        members = self._indices()
        while self._kind() is Kind.DOT and self._kind(1) is Kind.IDENTIFIER:
            self._position += 1
            name = self._next()
            members.append(self._method(name, name.image))
            members.extend(self._indices())
        return members

    def _indices(self) -> list[n.Member]:
        found: list[n.Member] = []
        while self._kind() is Kind.INDEX_OPEN:
            first = self._next()
            self._skip_space()
            key = self._operand(_INDEX_OPERANDS)
            self._skip_space()
            found.append(n.Index(first, self._expect(Kind.INDEX_CLOSE), key))
        return found

    def _method(self, token: Token, name: str) -> n.Member:
        """Read the arguments of a member, if it is a method."""
        if self._kind() is not Kind.LPAREN or self._kind(1) not in _ARGUMENTS_BEGIN:
            return n.Property(token, token, name)
        self._enter()
        self._position += 1
        arguments: list[n.Node] = []
        if self._kind() is not Kind.ARGUMENTS_CLOSE:
            arguments.append(self._parameter())
            while self._kind() is Kind.COMMA:
                self._position += 1
                arguments.append(self._parameter())
        self._depth -= 1
        last = self._expect(Kind.ARGUMENTS_CLOSE)
        return n.Method(token, last, name, tuple(arguments))

    def literal(self, node: n.Node) -> str:
        """
        Return a node's source as it prints in place of a value.

        Args:
            node: A node of this text.

        Returns:
            The literals of its tokens.
        """
        tokens = self._tokens[node.first.index : node.last.index + 1]
        return "".join(token.literal() for token in tokens)

    def source(self, node: n.Node) -> str:
        """
        Return the images of a node's tokens, as an unknown macro prints.

        Args:
            node: A node of this text.

        Returns:
            The images without special tokens, comments included.
        """
        tokens = self._tokens[node.first.index : node.last.index + 1]
        return "".join(token.image for token in tokens)

    def _root(self, reference: n.Reference, name: Token) -> n.Root:
        first = reference.first
        if "\\!" in first.image:
            return _broken_escape(first.image)
        stripped = first.image.lstrip("\\")
        slashes = len(first.image) - len(stripped)
        at = max(stripped.rfind("$"), 0)
        prefix, first.image = stripped[:at], stripped[at:]
        escaped = slashes % 2 == 1
        quiet = first.image.startswith("$!")
        runt = not first.image.startswith("$")
        variable = name.image
        if runt:
            variable = first.image
        elif name is first:
            variable = first.image[2 if quiet else 1 :]
        null_text = "" if quiet and not escaped else self.literal(reference)
        return n.Root(variable, runt, True, escaped, "\\" * (slashes // 2), prefix, null_text)


_NO_ROOT = n.Root("", True, False, False, "", "", "")


def _broken_escape(image: str) -> n.Root:
    r"""`$\!name` loses one backslash and has no value."""
    start = image.index("\\", image.index("$"))
    count = len(image[start:]) - len(image[start:].lstrip("\\"))
    text = image[: start + count - 1] + image[start + count :]
    return n.Root(text, False, False, False, "", "", text)
