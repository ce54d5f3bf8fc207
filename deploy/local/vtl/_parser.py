"""
From tokens to the syntax tree: the grammar of Velocity 1.7.

The parser decides with as many tokens of look-ahead as Velocity's grammar names, because what
looks like a broken reference is text, not an error: `$a.b(` prints, `$a.b(1` does not parse.

Source: the grammar file of Apache Velocity 1.7 (facts), checked against its jar.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import _nodes as n
from ._lexer import Kind, Lexer, State, Token
from .errors import VtlParseError

__all__ = ["BLOCK_DIRECTIVES", "DIRECTIVES", "Parser"]

# The directives of Velocity's own directive list; #evaluate is switched off by API Gateway.
BLOCK_DIRECTIVES = frozenset({"foreach", "macro", "literal", "define"})
DIRECTIVES = BLOCK_DIRECTIVES | {"include", "parse", "evaluate", "break", "stop"}
_GRAMMAR_DIRECTIVES = frozenset({"if", "end", "set", "else", "elseif"})

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

_PLAIN = frozenset(
    {
        Kind.TEXT,
        Kind.DOT,
        Kind.RPAREN,
        Kind.LPAREN,
        Kind.INTEGER,
        Kind.FLOAT,
        Kind.STRING,
        Kind.ESCAPE,
        Kind.LCURLY,
        Kind.RCURLY,
        Kind.EMPTY_INDEX,
    }
)
_COMMENTS = frozenset({Kind.LINE_COMMENT_OPEN, Kind.BLOCK_COMMENT})
_REFERENCE = frozenset({Kind.IDENTIFIER, Kind.LCURLY})
_STATEMENT = (
    _PLAIN
    | _COMMENTS
    | _REFERENCE
    | {
        Kind.IF,
        Kind.UNPARSED,
        Kind.SET,
        Kind.ESCAPED_DIRECTIVE,
        Kind.DOUBLE_ESCAPE,
        Kind.WORD,
        Kind.BRACKETED_WORD,
    }
)
_OPERAND = _REFERENCE | {
    Kind.STRING,
    Kind.INTEGER,
    Kind.FLOAT,
    Kind.LIST_OPEN,
    Kind.MAP_OPEN,
    Kind.TRUE,
    Kind.FALSE,
}
_INDEX_OPERAND = _OPERAND - {Kind.FLOAT, Kind.LIST_OPEN, Kind.MAP_OPEN}
_UNICODE_ESCAPE = re.compile(r"\\u(.{0,4})", re.DOTALL)
_HEX = re.compile(r"[+-]?[0-9a-fA-F]+")


class Parser:
    """Parses one text, of a template or of an interpolated string."""

    def __init__(self, text: str, *, evaluate: bool, macro_names: set[str]) -> None:
        self._lexer = Lexer(text)
        self._tokens: list[Token] = []
        self._position = 0
        self._depth = 0
        self._directives = DIRECTIVES if evaluate else DIRECTIVES - {"evaluate"}
        self._macro_names = macro_names

    @property
    def tokens(self) -> Sequence[Token]:
        """All tokens of the text, once it is parsed."""
        return self._tokens

    def parse(self) -> n.Block:
        """
        Parse the whole text.

        Returns:
            Its statements.

        Raises:
            VtlParseError: The text does not follow the grammar.
        """
        block = self._block()
        self._expect(Kind.EOF)
        return block

    # Tokens

    def _peek(self, ahead: int = 0) -> Token:
        wanted = self._position + ahead
        while len(self._tokens) <= wanted:
            if self._tokens and self._tokens[-1].kind is Kind.EOF:
                return self._tokens[-1]
            self._tokens.append(self._lexer.next())
        return self._tokens[wanted]

    def _kind(self, ahead: int = 0) -> Kind:
        return self._peek(ahead).kind

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

    # Statements

    def _block(self) -> n.Block:
        self._enter()
        first = self._peek()
        start = self._position
        statements: list[n.Node] = []
        while self._kind() in _STATEMENT:
            statements.append(self._statement())
        self._depth -= 1
        return n.Block(first, self._last(), tuple(statements), empty=self._position == start)

    def _statement(self) -> n.Node:
        kind = self._kind()
        if kind is Kind.IDENTIFIER or (kind is Kind.LCURLY and self._kind(1) is Kind.IDENTIFIER):
            return self._reference()
        if kind in _PLAIN:
            token = self._next()
            return n.Text(token, token, token.literal())
        if kind is Kind.IF:
            return self._if()
        if kind is Kind.SET:
            return self._set()
        if kind in _COMMENTS:
            return self._comment()
        if kind is Kind.UNPARSED:
            token = self._next()
            return n.Text(token, token, token.image[3:-3])
        if kind is Kind.ESCAPED_DIRECTIVE:
            return self._escaped_directive()
        if kind is Kind.DOUBLE_ESCAPE:
            return self._escapes()
        return self._directive()

    def _comment(self) -> n.Text:
        first = self._next()
        if first.kind is Kind.LINE_COMMENT_OPEN and self._kind() is Kind.LINE_COMMENT:
            self._position += 1
        starts = [at for at in (first.image.find("##"), first.image.find("#*")) if at >= 0]
        # `$##` and `$#**#` print what stood before the comment.
        if "##" in first.image:
            starts = starts[:1]
        return n.Text(first, self._last(), first.image[: starts[0]] if starts else "")

    def _escaped_directive(self) -> n.Text:
        token = self._next()
        last = token.image.rindex("\\")
        name = token.image[last + 2 :].strip("{}")
        if self._is_directive(name) or name in _GRAMMAR_DIRECTIVES:
            token.image = token.image[: last // 2] + token.image[last + 1 :]
        return n.Text(token, token, token.image)

    def _escapes(self) -> n.Text:
        first = self._peek()
        count = 0
        while self._kind() is Kind.DOUBLE_ESCAPE:
            self._position += 1
            count += 1
        following = self._peek()
        known = following.kind in (Kind.IF, Kind.ELSE, Kind.ELSEIF, Kind.END)
        known = known or self._is_directive(following.image[1:])
        return n.Text(first, self._last(), ("\\" if known else "\\\\") * count)

    def _is_directive(self, name: str) -> bool:
        return name in self._directives or name in self._macro_names

    def _if(self) -> n.If:
        first = self._next()
        branches: list[tuple[n.Node | None, n.Block]] = [(self._condition(), self._block())]
        while self._kind() is Kind.ELSEIF:
            self._position += 1
            branches.append((self._condition(), self._block()))
        if self._kind() is Kind.ELSE:
            self._position += 1
            branches.append((None, self._block()))
        last = self._expect(Kind.END)
        return n.If(first, last, tuple(branches))

    def _condition(self) -> n.Node:
        self._skip_space()
        self._expect(Kind.LPAREN)
        condition = self._expression()
        self._expect(Kind.RPAREN)
        return condition

    def _set(self) -> n.SetDirective:
        first = self._next()
        self._skip_space()
        target = self._reference()
        self._skip_space()
        self._expect(Kind.ASSIGN)
        value = self._expression()
        last = self._expect(Kind.RPAREN)
        self._lexer.in_set = False
        return n.SetDirective(first, last, target, value)

    def _directive(self) -> n.Directive:
        first = self._next()
        bracketed = first.kind is Kind.BRACKETED_WORD
        name = first.image[2:-1] if bracketed else first.image[1:]
        block = name.startswith("@") or (name in BLOCK_DIRECTIVES)
        self._lexer.state = State.DIRECTIVE
        if not self._lexer.parenthesis_follows():
            if name == "macro":
                raise self._lexer.error("a macro needs a name", first.begin, (Kind.LPAREN.value,))
            self._lexer.pop_state()
            return n.Directive(first, first, name)
        self._skip_space()
        self._expect(Kind.LPAREN)
        children = self._directive_arguments(name)
        self._skip_space()
        last = self._expect(Kind.RPAREN)
        if not block:
            return n.Directive(first, last, name, tuple(children))
        body = self._block()
        last = self._expect(Kind.END)
        if name == "macro":
            self._define_macro(first, children)
        return n.Directive(first, last, name, (*children, body), block=True)

    def _define_macro(self, first: Token, children: list[n.Node]) -> None:
        if not children:
            raise self._lexer.error("a macro needs a name", first.begin, (Kind.WORD.value,))
        self._macro_names.add(children[0].first.image)

    def _directive_arguments(self, name: str) -> list[n.Node]:
        known = name in self._directives
        children: list[n.Node] = []
        while self._kind(1 if self._kind() is Kind.SPACE else 0) is not Kind.RPAREN:
            self._skip_space()
            if self._kind() is Kind.COMMA:
                self._position += 1
                self._skip_space()
            token = self._peek()
            position = len(children)
            if token.kind is Kind.WORD:
                self._position += 1
                children.append(n.Word(token, token))
                named = (name == "macro" and position == 0) or (name == "foreach" and position == 1)
                if known and not named:
                    raise self._lexer.error(f"#{name} takes no bare word here", token.begin)
            else:
                children.append(self._operand(_OPERAND))
                if name == "macro" and position == 0:
                    raise self._lexer.error("a macro's name is a bare word", token.begin)
        return children

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
            operand = self._operand(_OPERAND)
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
        operand = self._operand(_OPERAND)
        self._skip_space()
        return operand

    def _operand(self, allowed: frozenset[Kind]) -> n.Node:
        token = self._peek()
        kind = token.kind
        if kind not in allowed:
            raise self._unexpected(token, [one for one in Kind if one in allowed])
        if kind in _REFERENCE:
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
            return n.FloatLiteral(token, token, float(token.image))
        return n.BooleanLiteral(token, token, kind is Kind.TRUE)

    def _integer(self, token: Token) -> int:
        try:
            return int(token.image)
        except ValueError:  # Python refuses to read thousands of digits
            raise self._lexer.error("an integer of too many digits", token.begin) from None

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
        stop = self._operand(_REFERENCE | {Kind.INTEGER})
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
        first = self._expect(Kind.IDENTIFIER, Kind.LCURLY)
        formal = first.kind is Kind.LCURLY
        name = self._expect(Kind.IDENTIFIER) if formal else first
        members = self._indices()
        while self._kind() is Kind.DOT and self._kind(1) is Kind.IDENTIFIER:
            self._position += 1
            members.append(self._member())
            members.extend(self._indices())
        if formal:
            self._expect(Kind.RCURLY)
        reference = n.Reference(first, self._last(), tuple(members), _NO_ROOT)
        reference.root = self._root(reference, name)
        return reference

    def _indices(self) -> list[n.Member]:
        found: list[n.Member] = []
        while self._kind() is Kind.INDEX_OPEN:
            first = self._next()
            self._skip_space()
            key = self._operand(_INDEX_OPERAND)
            self._skip_space()
            found.append(n.Index(first, self._expect(Kind.INDEX_CLOSE), key))
        return found

    def _member(self) -> n.Member:
        name = self._next()
        if self._kind() is not Kind.LPAREN or (
            self._kind(1) not in _OPERAND | {Kind.SPACE, Kind.ARGUMENTS_CLOSE}
        ):
            return n.Property(name, name, name.image)
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
        return n.Method(name, last, name.image, tuple(arguments))

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
