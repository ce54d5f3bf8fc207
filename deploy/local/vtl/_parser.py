"""
From tokens to the syntax tree: the grammar of Velocity 1.7.

The parser decides with as many tokens of look-ahead as Velocity's grammar names, because what
looks like a broken reference is text, not an error: `$a.b(` prints, `$a.b(1` does not parse.

Source: the grammar file of Apache Velocity 1.7 (facts), checked against its jar.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from . import tree as n
from ._expression_parser import OPERANDS, PATHS, REFERENCES, ExpressionParser
from ._lexer import position_of
from ._tokens import Kind, State, Token
from .errors import VtlParseError

__all__ = ["Parser", "parse"]

# The directives of Velocity's own directive list; #evaluate is switched off by API Gateway.
_BLOCK_DIRECTIVES = frozenset({"foreach", "macro", "literal", "define"})
_DIRECTIVES = _BLOCK_DIRECTIVES | {"include", "parse", "evaluate", "break", "stop"}
_GRAMMAR_DIRECTIVES = frozenset({"if", "end", "set", "else", "elseif"})

# The directives are short: two letters exchanged in one of three leave this much in common.
_CLOSE = 0.65
_LOOKED_AT = 1_000
_DIRECTIVE_WORDS = frozenset({Kind.WORD, Kind.BRACKETED_WORD})
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
_STATEMENT = (
    _PLAIN
    | _COMMENTS
    | REFERENCES
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


def parse(text: str) -> n.Block:
    """
    Parse a template, or the text of an interpolated string, as API Gateway does.

    Args:
        text: The text.

    Returns:
        Its tree.

    Raises:
        VtlParseError: The text does not follow the grammar.
    """
    return Parser(text, evaluate=False, macro_names=set()).parse()


class Parser(ExpressionParser):
    """
    Parses one text, of a template or of an interpolated string.

    Args:
        text: The text.
        evaluate: Whether `#evaluate` is a directive.
        macro_names: The macros that are known; receives those that the text defines.
    """

    def __init__(self, text: str, *, evaluate: bool, macro_names: set[str]) -> None:
        super().__init__(text)
        self._directives = _DIRECTIVES if evaluate else _DIRECTIVES - {"evaluate"}
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
        try:
            block = self._block()
            self._expect(Kind.EOF)
        except VtlParseError as error:
            error.hint = error.hint or self._hint()
            raise
        return block

    def _hint(self) -> str:
        """Name the last word that looks like a misspelt directive; it has become text."""
        known = self._directives | self._macro_names | _GRAMMAR_DIRECTIVES
        for token in reversed(self._tokens[-_LOOKED_AT:]):
            name = token.image[1:].strip("{}")
            if token.kind not in _DIRECTIVE_WORDS or token.image[0] != "#" or name in known:
                continue
            for meant in get_close_matches(name, sorted(known), 1, _CLOSE):
                line, column = position_of(self._lexer.text, token.begin)
                at = f"at line {line}, column {column}"
                return f"#{name} {at} is no directive: did you mean #{meant}?"
        return ""

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
        if kind in PATHS or kind is Kind.IDENTIFIER:
            return self._reference()
        if kind is Kind.LCURLY and self._kind(1) is Kind.IDENTIFIER:
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
        block = name.startswith("@") or (name in _BLOCK_DIRECTIVES)
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
                children.append(self._operand(OPERANDS))
                if name == "macro" and position == 0:
                    raise self._lexer.error("a macro's name is a bare word", token.begin)
        return children
