"""
Tokens of Velocity 1.7.

Velocity's scanner is a machine with states: which words exist depends on whether plain text, a
directive or a reference is being read, and a stack of states leads back. Rules that hold here:

1. The longest match wins.
2. `more` rules do not end a token: the text they matched becomes the beginning of the next one.
   `$`, `#` and the starts of comments are such rules.
3. `special` tokens are not seen by the parser; they hang on the next token and print its `$` or
   `#` (that is how `$5` and `# x` stay as they are).
4. The parser may change the state between two tokens (after the name of a directive), so tokens
   are made one at a time.

Source: the grammar file of Apache Velocity 1.7 (facts), checked against its jar.
"""

from __future__ import annotations

import re

from ._tokens import ESCAPABLE, MATCHERS, PATH, PATH_STATES, Kind, State, Token
from .errors import VtlError, VtlParseError, VtlRenderError

__all__ = ["Lexer", "located", "position_of"]

_BACKSLASHES = re.compile(r"\\+")
_LITERAL_KINDS = frozenset({Kind.INTEGER, Kind.FLOAT})


class Lexer:
    """Makes the tokens of one text, one at a time."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.state = State.TEXT
        self.in_set = False
        self._position = 0
        self._in_comment = False
        self._opened = 0
        self._closed = 0
        self._stack: list[tuple[State, int, int]] = []
        self._count = 0
        self._run_end = 0

    def pop_state(self) -> bool:
        """
        Go back to the state below.

        Returns:
            False when there is none; text is read then.
        """
        if not self._stack:
            self._opened = 0
            self.state = State.TEXT
            return False
        self.state, self._opened, self._closed = self._stack.pop()
        return True

    def parenthesis_follows(self) -> bool:
        """
        Look at the raw text for the `(` of a directive's arguments.

        Returns:
            Whether only white space stands before it.
        """
        position = self._position
        text = self.text
        while position < len(text) and text[position] in " \n\r\t":
            position += 1
        return position < len(text) and text[position] == "("

    def next(self) -> Token:
        """
        Make the next token.

        Returns:
            The token; of kind EOF at the end, again and again.

        Raises:
            VtlParseError: No rule of the state matches, or the text ends inside a token.
        """
        begin = self._position
        if self.text.startswith("$", begin) and self.state in PATH_STATES:
            path = PATH.match(self.text, begin)
            if path is not None:
                return self._path(path)
        specials: tuple[str, ...] = ()
        while self._position < len(self.text):
            kind, end = self._match()
            start, self._position = self._position, end
            if kind not in _SILENT:
                if kind in _ACTING:
                    self._act(kind, start)
                return self._token(kind, begin, specials)
            if kind in _ENDS:
                specials = (*specials, self.text[begin:end])
                self._position = begin = end - 1
                self.pop_state()
            elif kind is Kind.ANY_SKIP:
                begin = end
            elif kind in _OPENERS:
                self._open(kind)
        if begin < self._position:
            raise self.error("the template ends inside " + repr(self.text[begin:]), begin)
        return self._token(Kind.EOF, begin, specials)

    def _path(self, path: re.Match[str]) -> Token:
        begin, self._position = path.span()
        if path.lastindex == 2:
            return self._token(Kind.PATH, begin, ())
        self._push(State.REFERENCE)
        if path[1]:
            self.state = State.REF_MODIFIER
        return self._token(Kind.PATH_OPEN, begin, ())

    def error(self, message: str, begin: int, expected: tuple[str, ...] = ()) -> VtlParseError:
        """
        Make an error that points into the text.

        Args:
            message: What is wrong.
            begin: Where, as an offset into the text.
            expected: What would have been accepted.

        Returns:
            The error, to be raised.
        """
        line, column = position_of(self.text, begin)
        text = self.text[begin : begin + 40].split("\n")[0]
        return VtlParseError(message, line=line, column=column, text=text, expected=expected)

    def _backslashes(self) -> tuple[Kind, int] | None:
        """Take backslashes that escape nothing; each run of them is looked through once."""
        text, position = self.text, self._position
        if position >= self._run_end:
            match = _BACKSLASHES.match(text, position)
            if match is None:
                return None
            self._run_end = match.end()
        count = self._run_end - position
        if text.startswith("$", self._run_end):
            return None
        if count % 2 == 1 and ESCAPABLE.match(text, self._run_end):
            return None
        if count > 1:
            return Kind.DOUBLE_ESCAPE, position + 2
        return Kind.ESCAPE, position + 1

    def _match(self) -> tuple[Kind, int]:
        text, position = self.text, self._position
        if self.state is State.TEXT and text[position] == "\\":
            escapes = self._backslashes()
            if escapes is not None:
                return escapes
        match, kinds = MATCHERS[self.state]
        found = match(text, position)
        if found is None:
            raise self.error(f"unexpected character {text[position]!r}", position)
        assert found.lastindex is not None
        return kinds[found.lastindex - 1], found.end()

    def _token(self, kind: Kind, begin: int, specials: tuple[str, ...]) -> Token:
        token = Token(kind, self.text[begin : self._position], begin, self._count, specials)
        self._count += 1
        return token

    def _push(self, state: State) -> None:
        self._stack.append((self.state, self._opened, self._closed))
        self._opened = 0
        self.state = state

    def _open(self, kind: Kind) -> None:
        if kind is Kind.FORMAL_OPEN and not self._in_comment:
            self._position -= 1
        if self._in_comment:
            return
        if kind is Kind.DOLLAR:
            if self.state is State.REFERENCE:
                self.pop_state()
            self._push(State.REFERENCE)
        elif kind is Kind.HASH:
            if self.state in (State.REFERENCE, State.REF_MODIFIER):
                self.pop_state()
            self._push(State.PRE_DIRECTIVE)
        else:
            self._in_comment = True
            self._push(State.UNPARSED if kind is Kind.UNPARSED_OPEN else State.BLOCK_COMMENT)

    def _act(self, kind: Kind, start: int) -> None:
        if kind in _LITERAL_KINDS:
            self._end_number(kind, start)
        elif kind is Kind.STRING:
            if self.state is State.DIRECTIVE and not self.in_set and self._opened == 0:
                self.pop_state()
        elif kind is Kind.DOT:
            self._position -= 1
            self.state = State.REF_MODIFIER
        elif kind is Kind.RPAREN:
            self._close_parenthesis()
        else:
            self._switch(kind)

    def _switch(self, kind: Kind) -> None:
        if kind is Kind.LPAREN:
            self._opened += 1
            if self.state is State.REF_MODIFIER:
                self.state = State.REF_ARGUMENTS
        elif kind is Kind.SET:
            self._push(State.DIRECTIVE)
            self.in_set = True
            self._opened += 1
        elif kind is Kind.INDEX_OPEN:
            self._push(State.REF_INDEX)
        elif kind is Kind.ARGUMENTS_CLOSE:
            self.state = State.REFERENCE
        elif kind in (Kind.IF, Kind.ELSEIF):
            self.state = State.DIRECTIVE
        elif kind is Kind.LINE_COMMENT_OPEN:
            if self.state is State.REFERENCE:
                self.pop_state()
            self._in_comment = True
            self._push(State.LINE_COMMENT)
        elif kind in _CLOSERS:
            if kind in _COMMENT_CLOSERS:
                self._in_comment = False
            self.pop_state()

    def _end_number(self, kind: Kind, start: int) -> None:
        if self.text.endswith("..", start, self._position) and kind is Kind.INTEGER:
            self._position -= 2
        if self.state is State.REF_ARGUMENTS:
            return
        if self.state is State.REF_INDEX and kind is Kind.INTEGER:
            return
        if self._opened == 0 and not self.in_set:
            self.pop_state()

    def _close_parenthesis(self) -> None:
        while True:
            if self._opened > 0:
                if self._opened == self._closed + 1:
                    self.pop_state()
                else:
                    self._closed += 1
                return
            if not self.pop_state():
                return


_OPENERS = frozenset(
    {Kind.DOLLAR, Kind.HASH, Kind.UNPARSED_OPEN, Kind.FORMAL_OPEN, Kind.BLOCK_OPEN}
)
_ENDS = frozenset({Kind.REFERENCE_END, Kind.DIRECTIVE_END})
# Rules that yield no token of their own.
_SILENT = _OPENERS | _ENDS | {Kind.ANY_MORE, Kind.ANY_SKIP}
_COMMENT_CLOSERS = frozenset({Kind.LINE_COMMENT, Kind.BLOCK_COMMENT, Kind.UNPARSED})
_CLOSERS = _COMMENT_CLOSERS | {Kind.INDEX_CLOSE, Kind.END, Kind.ELSE, Kind.RCURLY}
# Tokens that change what is being read.
_ACTING = (
    _CLOSERS
    | _LITERAL_KINDS
    | {Kind.STRING, Kind.DOT, Kind.LPAREN, Kind.RPAREN, Kind.SET, Kind.INDEX_OPEN}
    | {Kind.ARGUMENTS_CLOSE, Kind.IF, Kind.ELSEIF, Kind.LINE_COMMENT_OPEN}
)


def position_of(text: str, offset: int) -> tuple[int, int]:
    """
    Turn an offset into a line and a column.

    Args:
        text: The template.
        offset: Index into it.

    Returns:
        Line and column, counted from 1.
    """
    before = text.count("\n", 0, offset)
    return before + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def located(error: VtlError | RecursionError, text: str, begin: int, written: str) -> VtlError:
    """
    Say in an error where it has happened, unless that is known.

    Args:
        error: The error, or that Python's stack is full.
        text: The template.
        begin: Offset of what was evaluated.
        written: How that is written; white space around it is not pointed at.

    Returns:
        The same error, if it is one of ours.
    """
    if isinstance(error, RecursionError):
        error = VtlRenderError("the template recurses too deeply")
    line, column = position_of(text, begin + len(written) - len(written.lstrip()))
    return error.located(line, column, written.strip())
