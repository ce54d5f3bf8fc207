r"""
What the shortcut knows of a template's text: one pattern for each place in the grammar.

The scanner of Velocity has states, and stays in that of a reference as long as what follows could
belong to it. The patterns take a reference only where what follows is read alike in that state and
in plain text:

1. `$a` and `$a.m()` leave the scanner in the state `REFERENCE`, `$a.b` and `$a.b[0]` in
   `REF_MODIFIER`, `${a}` in that of plain text.
2. In the first two, `{`, `(`, `[` and `.x` go on, blanks before `#set` are kept, though plain text
   loses them, and `#*` does not end the reference. `}` ends it and belongs to it.
3. In `REF_MODIFIER`, `$` and `##` do not end the reference either.
4. A word right behind `)` or `]` is a token of its own, which prints but may take members.
"""

from __future__ import annotations

import re

__all__ = [
    "AFTER_REFERENCE",
    "BARE",
    "CLOSE",
    "MAP_END",
    "MARK",
    "NEXT",
    "OPERAND",
    "OPERATOR",
    "STATEMENT",
    "WORD",
]

_SPACE = r"[ \t\n\r]*+"
_BREAK = r"(?:\r\n|\n|\r)"
_LINE_COMMENT = rf"\#\#(?:[^\r\n#]|\#(?!\*))*+{_BREAK}"
# The line break behind a directive belongs to it; a comment there prints nothing either.
_TAIL = rf"(?:[ \t]*{_BREAK}|{_LINE_COMMENT})?"
_WORD_END = "(?![A-Za-z0-9_@])"
_NAME = r"(?!(?:true|false)(?![A-Za-z0-9_-]))[A-Za-z_][A-Za-z0-9_-]*+"
_PATH = rf"{_NAME}(?:\.(?=[A-Za-z]){_NAME})*+"

# What must not follow a reference: after `$a` or `$a.m()`, after any.
_AFTER_CALL = r"[\[({]|\.[A-Za-z]|\}?[ \t]*\#\{?set|\#\*"
_AFTER_ANY = rf"{_AFTER_CALL}|\$|\#\#"
AFTER_REFERENCE = re.compile(_AFTER_ANY)
WORD = re.compile("[A-Za-z_]")

# A backslash is text before what it cannot escape and no #set can swallow.
_TEXT = r"(?:[^$#\\]++|\\(?=[^$#\\ \t]))++"
_COMMENT = (
    rf"{_LINE_COMMENT}"
    r"|\#\#[^\r\n$#\\]*+\Z"
    r"|\#\*[^*#$\\]*+(?:\*(?!\#)[^*#$\\]*+)*+\*\#"
)

# The group that took part last says what the statement is; blanks before a #set belong to it.
STATEMENT = re.compile(
    rf"""
    (?:[ \t]*(?=\#set[ ]*\() | ({_TEXT})?)
    (?: (\$!?(?:{_PATH}(?!{_AFTER_ANY}) | {_NAME}(?!{_AFTER_CALL}) | \{{{_PATH}\}}))
      | (\$!?\{{?{_PATH})(?=[(\[])
      | \#set[ ]*\({_SPACE}\$({_PATH}){_SPACE}=
      | (\#if{_SPACE}\()
      | \#foreach{_SPACE}\({_SPACE}\$({_NAME}){_SPACE}in{_WORD_END}
      | ({_COMMENT})
      | (\#elseif{_SPACE}\()
      | (\#(?:else{_WORD_END} | \{{else\}}){_TAIL})
      | (\#(?:end{_WORD_END} | \{{end\}}){_TAIL})
      | (\Z)
    )""",
    re.VERBOSE,
)

# A number is none where a further character would make it another token.
OPERAND = re.compile(
    rf"""{_SPACE}
    (?: (\$!?(?:{_PATH}(?![(\[{{]|\.[A-Za-z]) | \{{{_PATH}\}}))
      | (\$!?\{{?{_PATH})(?=[(\[])
      | '([^']*+)'(?!')
      | "([^"]*+)"(?!")
      | (-?[0-9]++(?:(?![.eE]) | (?=\.\.)))
      | (-?[0-9]++\.[0-9]++(?![.eE]))
      | ((?:true|false)(?![A-Za-z0-9_@-]))
      | (\[)
      | (\{{)
      | (\()
      | (!(?!=) | not{_WORD_END})
    )""",
    re.VERBOSE,
)
OPERATOR = re.compile(
    rf"{_SPACE}(&&|\|\||[=!]=|[<>]=?|[+*/%]|-(?![0-9.])"
    rf"|(?:and|or|eq|ne|lt|gt|le|ge){_WORD_END})?"
)
BARE = re.compile(rf"{_SPACE}(\$!?{_PATH}){_SPACE}\){_TAIL}")
CLOSE = re.compile(rf"{_SPACE}\){_TAIL}")
# What goes on after a member: the arguments of a method, an index, a further member.
NEXT = re.compile(rf"(\()(\))?|(\[)|\.(?=[A-Za-z])({_NAME})")
# What stands between the parts of a list, a map or arguments, and behind the last.
MARK = re.compile(rf"{_SPACE}(,|\.\.|:|[)\]}}])")
MAP_END = re.compile(rf"{_SPACE}\}}")
