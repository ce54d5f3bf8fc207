"""
Tokens of Velocity 1.7.

Velocity's scanner is a machine with states: which words exist depends on whether plain text, a
directive or a reference is being read, and a stack of states leads back. Rules that hold here:

1. The longest match wins; among equal lengths the rule that stands first in the state's list.
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
from dataclasses import dataclass
from enum import Enum, auto, unique

from .errors import VtlParseError

__all__ = ["Kind", "Lexer", "State", "Token"]


class State(Enum):
    """What is being read."""

    TEXT = auto()
    PRE_DIRECTIVE = auto()
    DIRECTIVE = auto()
    REFERENCE = auto()
    REF_MODIFIER = auto()
    REF_ARGUMENTS = auto()
    REF_INDEX = auto()
    LINE_COMMENT = auto()
    BLOCK_COMMENT = auto()
    UNPARSED = auto()


@unique
class Kind(Enum):
    """What a token is; the value says it in an error message."""

    EOF = "end of template"
    INDEX_OPEN = "'['"
    INDEX_CLOSE = "']' of an index"
    LIST_OPEN = "'[' of a list"
    LIST_CLOSE = "']'"
    COMMA = "','"
    DOUBLE_DOT = "'..'"
    COLON = "':'"
    MAP_OPEN = "'{' of a map"
    MAP_CLOSE = "'}'"
    LPAREN = "'('"
    RPAREN = "')'"
    ARGUMENTS_CLOSE = "')' of a method"
    ESCAPED_DIRECTIVE = "escaped directive"
    SET = "#set("
    LINE_COMMENT_OPEN = "##"
    LINE_COMMENT = "line break"
    BLOCK_COMMENT = "comment"
    UNPARSED = "unparsed block"
    DOUBLE_ESCAPE = "'\\\\'"
    ESCAPE = "'\\'"
    TEXT = "text"
    SPACE = "white space"
    STRING = "string"
    TRUE = "true"
    FALSE = "false"
    MINUS = "'-'"
    PLUS = "'+'"
    TIMES = "'*'"
    DIVIDE = "'/'"
    MODULUS = "'%'"
    AND = "'&&'"
    OR = "'||'"
    LT = "'<'"
    LE = "'<='"
    GT = "'>'"
    GE = "'>='"
    EQ = "'=='"
    NE = "'!='"
    NOT = "'!'"
    ASSIGN = "'='"
    END = "#end"
    IF = "#if"
    ELSEIF = "#elseif"
    ELSE = "#else"
    INTEGER = "integer"
    FLOAT = "decimal number"
    WORD = "word"
    BRACKETED_WORD = "{word}"
    IDENTIFIER = "identifier"
    DOT = "'.'"
    LCURLY = "'{'"
    RCURLY = "'}' of a reference"
    EMPTY_INDEX = "'$['"
    # Rules that yield no token of their own.
    DOLLAR = "'$'"
    UNPARSED_OPEN = "#[["
    FORMAL_OPEN = "#**"
    BLOCK_OPEN = "#*"
    HASH = "'#'"
    ANY_MORE = "unparsed text"
    ANY_SKIP = "comment text"
    REFERENCE_END = "end of reference"
    DIRECTIVE_END = "end of directive"


@dataclass(slots=True, eq=False)
class Token:
    """A token; `image` is changed when a reference's escapes are taken off it."""

    kind: Kind
    image: str
    begin: int
    index: int
    specials: tuple[str, ...] = ()

    def literal(self) -> str:
        """
        Return the token as it prints when it turns out to be plain text.

        Returns:
            The `$` and `#` of preceding special tokens, then the image; nothing for a comment.
        """
        if self.kind is Kind.BLOCK_COMMENT:
            return ""
        if not self.specials or self.specials[-1].startswith("##"):
            return self.image
        return "".join(_special_text(image) for image in self.specials) + self.image


_BACKSLASHES = re.compile(r"\\+")
_KEPT = re.compile(r"\\+\$|[#$]")


def _special_text(image: str) -> str:
    return "".join(_KEPT.findall(image))


_Rule = tuple[Kind, re.Pattern[str]]
_BREAK = r"(?:\r\n|\n|\r)"
_TAIL = rf"(?:[ \t]*{_BREAK})?"
_WORD = r"[A-Za-z_@][A-Za-z0-9_@]*"
_EXPONENT = "[eE][+-]?[0-9]+"
_BRACKETED = r"\{[A-Za-z_][A-Za-z0-9_@]*\}"

_ESCAPABLE = re.compile(rf"#(?:{_WORD}|{_BRACKETED})")
_MORE: list[tuple[Kind, str]] = [
    (Kind.DOLLAR, r"\\*\$(?:\\*!)?"),
    (Kind.UNPARSED_OPEN, r"#\[\["),
    (Kind.FORMAL_OPEN, r"#\*\*[^#]"),
    (Kind.BLOCK_OPEN, r"#\*"),
    (Kind.HASH, r"#"),
]
_SET: list[tuple[Kind, str]] = [(Kind.SET, r"[ \t]*#(?:set|\{set\}) *\(")]
_LINE_COMMENT: list[tuple[Kind, str]] = [(Kind.LINE_COMMENT_OPEN, "##")]
_PUNCTUATION: list[tuple[Kind, str]] = [
    (Kind.LIST_OPEN, r"\["),
    (Kind.LIST_CLOSE, r"\]"),
    (Kind.COMMA, ","),
    (Kind.DOUBLE_DOT, r"\.\."),
    (Kind.COLON, ":"),
    (Kind.MAP_OPEN, r"\{"),
    (Kind.MAP_CLOSE, r"\}"),
]
_LITERALS: list[tuple[Kind, str]] = [
    (Kind.SPACE, r"[ \t\n\r]+"),
    (Kind.STRING, r"\"[^\"]*+(?:\"\"[^\"]*+)*\"|'[^']*+(?:''[^']*+)*'"),
]
_BOOLEANS: list[tuple[Kind, str]] = [(Kind.TRUE, "true"), (Kind.FALSE, "false")]
_NUMBERS: list[tuple[Kind, str]] = [
    (Kind.INTEGER, r"-?[0-9]+(?:\.\.)?"),
    (
        Kind.FLOAT,
        rf"-?[0-9]+\.[0-9]*(?:{_EXPONENT})?|-?\.[0-9]+(?:{_EXPONENT})?|-?[0-9]+{_EXPONENT}",
    ),
]
_OPERATORS: list[tuple[Kind, str]] = [
    (Kind.MINUS, "-"),
    (Kind.PLUS, r"\+"),
    (Kind.TIMES, r"\*"),
    (Kind.DIVIDE, "/"),
    (Kind.MODULUS, "%"),
    (Kind.AND, "&&|and"),
    (Kind.OR, r"\|\||or"),
    (Kind.LT, "<|lt"),
    (Kind.LE, "<=|le"),
    (Kind.GT, ">|gt"),
    (Kind.GE, ">=|ge"),
    (Kind.EQ, "==|eq"),
    (Kind.NE, "!=|ne"),
    (Kind.NOT, "!|not"),
    (Kind.ASSIGN, "="),
]
_WORDS: list[tuple[Kind, str]] = [(Kind.WORD, _WORD), (Kind.BRACKETED_WORD, _BRACKETED)]
_NAMES: list[tuple[Kind, str]] = [
    (Kind.IDENTIFIER, r"[A-Za-z_][A-Za-z0-9_-]*"),
    (Kind.DOT, r"\.[A-Za-z]"),
]
_CURLIES: list[tuple[Kind, str]] = [(Kind.LCURLY, r"\{"), (Kind.RCURLY, r"\}")]
_REFERENCE_END: list[tuple[Kind, str]] = [(Kind.REFERENCE_END, r"(?s:.)")]
_INDEX_OPEN: list[tuple[Kind, str]] = [(Kind.INDEX_OPEN, r"\[")]
_EMPTY_INDEX: list[tuple[Kind, str]] = [(Kind.EMPTY_INDEX, r"\$(?:\[|!\[|\\!\[|\.)")]
_SKIP: list[tuple[Kind, str]] = [(Kind.ANY_SKIP, r"(?s:.)")]
_KEYWORDS: list[tuple[Kind, str]] = [
    (Kind.END, rf"(?:end|\{{end\}}){_TAIL}"),
    (Kind.IF, r"if|\{if\}"),
    (Kind.ELSEIF, r"elseif|\{elseif\}"),
    (Kind.ELSE, rf"(?:else|\{{else\}}){_TAIL}"),
]

_SOURCES: dict[State, list[tuple[Kind, str]]] = {
    State.TEXT: [
        (Kind.ESCAPED_DIRECTIVE, rf"(?:\\\\)*\\#(?:{_WORD}|{_BRACKETED})"),
        *_SET,
        *_MORE,
        *_LINE_COMMENT,
        (Kind.DOUBLE_ESCAPE, r"\\\\"),
        (Kind.ESCAPE, r"\\"),
        (Kind.TEXT, r"[^$#\\]+"),
        *_EMPTY_INDEX,
    ],
    State.PRE_DIRECTIVE: [
        *_MORE,
        *_LINE_COMMENT,
        *_KEYWORDS,
        *_NUMBERS,
        *_WORDS,
        (Kind.DIRECTIVE_END, r"(?s:.)"),
    ],
    State.DIRECTIVE: [
        *_PUNCTUATION,
        (Kind.LPAREN, r"\("),
        (Kind.RPAREN, rf"\){_TAIL}"),
        *_MORE,
        *_LINE_COMMENT,
        *_LITERALS,
        *_BOOLEANS,
        *_OPERATORS,
        *_NUMBERS,
        *_WORDS,
    ],
    State.REFERENCE: [
        *_INDEX_OPEN,
        *_SET,
        *_MORE,
        *_LINE_COMMENT,
        *_BOOLEANS,
        *_NAMES,
        *_CURLIES,
        *_REFERENCE_END,
        *_EMPTY_INDEX,
    ],
    State.REF_MODIFIER: [
        *_INDEX_OPEN,
        (Kind.LPAREN, r"\("),
        *_SET,
        *_MORE,
        *_BOOLEANS,
        *_NAMES,
        *_CURLIES,
        *_REFERENCE_END,
    ],
    State.REF_ARGUMENTS: [
        *_PUNCTUATION,
        (Kind.ARGUMENTS_CLOSE, r"\)"),
        *_SET,
        *_MORE,
        *_LITERALS,
        *_BOOLEANS,
        *_NUMBERS,
        *_NAMES,
    ],
    State.REF_INDEX: [
        (Kind.INDEX_CLOSE, r"\]"),
        *_MORE,
        *_LITERALS,
        *_BOOLEANS,
        *_NUMBERS,
    ],
    State.LINE_COMMENT: [*_MORE, (Kind.LINE_COMMENT, _BREAK), *_SKIP],
    State.BLOCK_COMMENT: [*_MORE, (Kind.BLOCK_COMMENT, r"\*#"), *_SKIP],
    State.UNPARSED: [*_MORE, (Kind.UNPARSED, r"\]\]#"), (Kind.ANY_MORE, r"(?s:.)")],
}
_RULES: dict[State, tuple[_Rule, ...]] = {
    state: tuple((kind, re.compile(source)) for kind, source in sources)
    for state, sources in _SOURCES.items()
}
# Runs of text that no rule but skipping or collecting can touch, taken in one step.
_QUIET: dict[State, re.Pattern[str]] = {
    State.LINE_COMMENT: re.compile(r"[^\r\n$#\\]+"),
    State.BLOCK_COMMENT: re.compile(r"[^*$#\\]+"),
    State.UNPARSED: re.compile(r"[^\]$#\\]+"),
}
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
        specials: list[str] = []
        while True:
            if self._position >= len(self.text):
                if begin < self._position:
                    raise self.error("the template ends inside " + repr(self.text[begin:]), begin)
                return self._token(Kind.EOF, begin, specials)
            begin = self._skip_quiet(begin)
            if self._position >= len(self.text):
                continue
            kind, end = self._match()
            start, self._position = self._position, end
            if kind in _ENDS:
                specials.append(self.text[begin:end])
                self._position = begin = end - 1
                self.pop_state()
            elif kind is Kind.ANY_SKIP:
                begin = end
            elif kind in _OPENERS:
                self._open(kind)
            elif kind is not Kind.ANY_MORE:
                self._act(kind, start)
                return self._token(kind, begin, specials)

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

    def _skip_quiet(self, begin: int) -> int:
        quiet = _QUIET.get(self.state)
        if quiet is None:
            return begin
        match = quiet.match(self.text, self._position)
        if match is None:
            return begin
        self._position = match.end()
        return begin if self.state is State.UNPARSED else self._position

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
        if count % 2 == 1 and _ESCAPABLE.match(text, self._run_end):
            return None
        if count > 1:
            return Kind.DOUBLE_ESCAPE, position + 2
        return Kind.ESCAPE, position + 1

    def _match(self) -> tuple[Kind, int]:
        text, position = self.text, self._position
        if self.state is State.TEXT and text[position] == "\\":
            found = self._backslashes()
            if found is not None:
                return found
        best: Kind | None = None
        end = position
        for kind, pattern in _RULES[self.state]:
            match = pattern.match(text, position)
            if match is not None and match.end() > end:
                best, end = kind, match.end()
        if best is None:
            raise self.error(f"unexpected character {text[position]!r}", position)
        return best, end

    def _token(self, kind: Kind, begin: int, specials: list[str]) -> Token:
        image = self.text[begin : self._position]
        token = Token(kind, image, begin, self._count, tuple(specials))
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
_COMMENT_CLOSERS = frozenset({Kind.LINE_COMMENT, Kind.BLOCK_COMMENT, Kind.UNPARSED})
_CLOSERS = _COMMENT_CLOSERS | {Kind.INDEX_CLOSE, Kind.END, Kind.ELSE, Kind.RCURLY}


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
