"""
The tokens of Velocity 1.7, and the rules that find them.

The rules of a state stand in such an order that the first one that matches is the longest.

Source: the grammar file of Apache Velocity 1.7 (facts), checked against its jar.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto, unique

__all__ = ["ESCAPABLE", "MATCHERS", "PATH", "PATH_STATES", "Kind", "State", "Token"]


class State(Enum):
    """What is being read."""

    __hash__ = object.__hash__  # Enum's own is Python code, and looked up for every token

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

    __hash__ = object.__hash__

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
    PATH = "reference"
    PATH_OPEN = "beginning of a reference"
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


_KEPT = re.compile(r"\\+\$|[#$]")


def _special_text(image: str) -> str:
    return "".join(_KEPT.findall(image))


_Rule = tuple[Kind, str]
_BREAK = r"(?:\r\n|\n|\r)"
_TAIL = rf"(?:[ \t]*{_BREAK})?"
_WORD = r"[A-Za-z_@][A-Za-z0-9_@]*"
_WORD_END = "(?![A-Za-z0-9_@])"
_NAME_END = "(?![A-Za-z0-9_-])"
_EXPONENT = "[eE][+-]?[0-9]+"
_BRACKETED = r"\{[A-Za-z_][A-Za-z0-9_@]*\}"

ESCAPABLE = re.compile(rf"#(?:{_WORD}|{_BRACKETED})")
_SET: _Rule = (Kind.SET, r"[ \t]*#(?:set|\{set\}) *\(")
_LINE_COMMENT: _Rule = (Kind.LINE_COMMENT_OPEN, "##")
_DOLLAR: _Rule = (Kind.DOLLAR, r"\\*\$(?:\\*!)?")
_MORE: list[_Rule] = [
    _DOLLAR,
    (Kind.UNPARSED_OPEN, r"#\[\["),
    (Kind.FORMAL_OPEN, r"#\*\*[^#]"),
    (Kind.BLOCK_OPEN, r"#\*"),
    (Kind.HASH, r"#"),
]
_PUNCTUATION: list[_Rule] = [
    (Kind.LIST_OPEN, r"\["),
    (Kind.LIST_CLOSE, r"\]"),
    (Kind.COMMA, ","),
    (Kind.DOUBLE_DOT, r"\.\."),
    (Kind.COLON, ":"),
    (Kind.MAP_OPEN, r"\{"),
    (Kind.MAP_CLOSE, r"\}"),
]
_SPACE: _Rule = (Kind.SPACE, r"[ \t\n\r]+")
_STRING: _Rule = (Kind.STRING, r"\"[^\"]*+(?:\"\"[^\"]*+)*\"|'[^']*+(?:''[^']*+)*'")
_NUMBERS: list[_Rule] = [
    (Kind.INTEGER, r"-?[0-9]+\.\."),
    (
        Kind.FLOAT,
        rf"-?[0-9]+\.[0-9]*(?:{_EXPONENT})?|-?\.[0-9]+(?:{_EXPONENT})?|-?[0-9]+{_EXPONENT}",
    ),
    (Kind.INTEGER, "-?[0-9]+"),
]
_OPERATORS: list[_Rule] = [
    (Kind.MINUS, "-"),
    (Kind.PLUS, r"\+"),
    (Kind.TIMES, r"\*"),
    (Kind.DIVIDE, "/"),
    (Kind.MODULUS, "%"),
    (Kind.AND, f"&&|and{_WORD_END}"),
    (Kind.OR, rf"\|\||or{_WORD_END}"),
    (Kind.LE, f"<=|le{_WORD_END}"),
    (Kind.LT, f"<|lt{_WORD_END}"),
    (Kind.GE, f">=|ge{_WORD_END}"),
    (Kind.GT, f">|gt{_WORD_END}"),
    (Kind.EQ, f"==|eq{_WORD_END}"),
    (Kind.NE, f"!=|ne{_WORD_END}"),
    (Kind.NOT, f"!|not{_WORD_END}"),
    (Kind.ASSIGN, "="),
]
_WORDS: list[_Rule] = [(Kind.WORD, _WORD), (Kind.BRACKETED_WORD, _BRACKETED)]
_NAMES: list[_Rule] = [
    (Kind.TRUE, f"true{_NAME_END}"),
    (Kind.FALSE, f"false{_NAME_END}"),
    (Kind.IDENTIFIER, r"[A-Za-z_][A-Za-z0-9_-]*"),
    (Kind.DOT, r"\.[A-Za-z]"),
]
_CURLIES: list[_Rule] = [(Kind.LCURLY, r"\{"), (Kind.RCURLY, r"\}")]
_REFERENCE_END: _Rule = (Kind.REFERENCE_END, r"(?s:.)")
_INDEX_OPEN: _Rule = (Kind.INDEX_OPEN, r"\[")
_EMPTY_INDEX: _Rule = (Kind.EMPTY_INDEX, r"\$(?:\[|!\[|\\!\[|\.)")
_KEYWORDS: list[_Rule] = [
    (Kind.END, rf"(?:end{_WORD_END}|\{{end\}}){_TAIL}"),
    (Kind.IF, rf"if{_WORD_END}|\{{if\}}"),
    (Kind.ELSEIF, rf"elseif{_WORD_END}|\{{elseif\}}"),
    (Kind.ELSE, rf"(?:else{_WORD_END}|\{{else\}}){_TAIL}"),
]

_RULES: dict[State, list[_Rule]] = {
    State.TEXT: [
        _SET,
        (Kind.TEXT, r"[^$#\\]+"),
        _EMPTY_INDEX,
        _LINE_COMMENT,
        (Kind.ESCAPED_DIRECTIVE, rf"(?:\\\\)*\\#(?:{_WORD}|{_BRACKETED})"),
        *_MORE,
        (Kind.DOUBLE_ESCAPE, r"\\\\"),
        (Kind.ESCAPE, r"\\"),
    ],
    State.PRE_DIRECTIVE: [
        *_KEYWORDS,
        *_WORDS,
        _LINE_COMMENT,
        *_MORE,
        *_NUMBERS,
        (Kind.DIRECTIVE_END, r"(?s:.)"),
    ],
    State.DIRECTIVE: [
        _SPACE,
        _STRING,
        (Kind.LPAREN, r"\("),
        (Kind.RPAREN, rf"\){_TAIL}"),
        _LINE_COMMENT,
        *_MORE,
        (Kind.TRUE, f"true{_WORD_END}"),
        (Kind.FALSE, f"false{_WORD_END}"),
        *_NUMBERS,
        *_OPERATORS,
        *_WORDS,
        *_PUNCTUATION,
    ],
    State.REFERENCE: [
        *_NAMES,
        _INDEX_OPEN,
        _SET,
        _EMPTY_INDEX,
        _LINE_COMMENT,
        *_MORE,
        *_CURLIES,
        _REFERENCE_END,
    ],
    State.REF_MODIFIER: [
        *_NAMES,
        (Kind.LPAREN, r"\("),
        _INDEX_OPEN,
        _SET,
        *_MORE,
        *_CURLIES,
        _REFERENCE_END,
    ],
    State.REF_ARGUMENTS: [
        (Kind.ARGUMENTS_CLOSE, r"\)"),
        _STRING,
        *_NUMBERS,
        *_NAMES,
        _SET,
        *_MORE,
        _SPACE,
        *_PUNCTUATION,
    ],
    State.REF_INDEX: [
        (Kind.INDEX_CLOSE, r"\]"),
        *_MORE,
        _SPACE,
        _STRING,
        (Kind.TRUE, "true"),
        (Kind.FALSE, "false"),
        *_NUMBERS,
    ],
    State.LINE_COMMENT: [
        *_MORE,
        (Kind.LINE_COMMENT, _BREAK),
        (Kind.ANY_SKIP, r"[^\r\n$#\\]+|(?s:.)"),
    ],
    State.BLOCK_COMMENT: [
        *_MORE,
        (Kind.BLOCK_COMMENT, r"\*#"),
        (Kind.ANY_SKIP, r"[^*$#\\]+|(?s:.)"),
    ],
    State.UNPARSED: [
        *_MORE,
        (Kind.UNPARSED, r"\]\]#"),
        (Kind.ANY_MORE, r"[^\]$#\\]+|(?s:.)"),
    ],
}
_Matcher = tuple[Callable[[str, int], re.Match[str] | None], tuple[Kind, ...]]


def _matcher(rules: list[_Rule]) -> _Matcher:
    """One pattern for all rules of a state; the number of its group says which has matched."""
    pattern = re.compile("|".join(f"({source})" for _, source in rules))
    return pattern.match, tuple(kind for kind, _ in rules)


MATCHERS = {state: _matcher(rules) for state, rules in _RULES.items()}

# `$name.name` in one step, from the states in which a reference can begin. The last group is there
# when nothing can follow that belongs to the reference; the state need not change then.
_PART = rf"(?!(?:true|false){_NAME_END})"
PATH = re.compile(
    rf"\$!?{_PART}[A-Za-z_][A-Za-z0-9_-]*((?:\.{_PART}[A-Za-z][A-Za-z0-9_-]*)*)"
    r"(?:(?=[^\[({}#$\\. \t]|[ \t]+[^ \t#])())?"
)
PATH_STATES = frozenset({State.TEXT, State.DIRECTIVE, State.REF_ARGUMENTS, State.REF_INDEX})
