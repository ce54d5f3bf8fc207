"""
The shortcut: usual templates compiled straight from their text, without tokens and tree.

Making the tokens and the nodes of a template takes several times as long as rendering it. Most
templates consist of text, references, literals, operators, `#set`, `#if`, `#foreach` and comments,
and for these a few patterns suffice.

1. What is taken becomes the same closures as by way of the tree, and an error at rendering has the
   same position and text.
2. All else (other directives, escapes, deep nesting, whatever is wrong) raises `Unusual`, and the
   whole text goes the long way. Nothing is refused here.
"""

from __future__ import annotations

import re
from functools import partial

from ._loops import loop, loop_cost
from ._operations import Test
from ._patterns import AFTER_REFERENCE, CLOSE, STATEMENT
from ._printing import choice, nothing, printed, sequence, setting, setting_member, text
from ._references import assignment, final_property, property_step
from ._scope import Render
from ._shortcut_expressions import ANYWHERE, Reader, Unusual, locate
from .errors import VtlError

__all__ = ["shortcut"]

# The groups of STATEMENT.
_TEXT, _REFERENCE, _OPEN, _SET, _IF, _FOREACH, _COMMENT, _ELSEIF, _ELSE, _END, _EOF = range(1, 12)
_PRINTED = frozenset({_REFERENCE, _OPEN})
# A text needs no place: it cannot fail.
_NOWHERE = (0, 0)
# An error of these is located at the word, not at all that stands within.
_WORDS = {_IF: len("#if"), _FOREACH: len("#foreach")}


def shortcut(source: str, missing: str | None) -> Render | None:
    """
    Compile a usual template.

    Args:
        source: Its text.
        missing: What an invalid reference is: None, or "" for API Gateway.

    Returns:
        What prints it; None for any other text, which may be wrong.
    """
    try:
        return _Statements(source, missing).compile()
    except Unusual:
        return None


def _locate_part(
    source: str, places: list[tuple[int, int]], at: int, error: VtlError | RecursionError
) -> VtlError:
    return locate(source, *places[at], error)


class _Statements(Reader):
    def compile(self) -> Render:
        """Compile the whole text."""
        block = self._block()
        self._must(self._ended == _EOF)
        return block

    def _compiled(self, source: str) -> Render:
        return _Statements(source, self._missing, self._depth).compile()

    def _block(self) -> Render:
        """Read statements, and what ends them: `_ended` is its group, `_end` its place."""
        self._enter()
        source, statement = self._source, STATEMENT.match
        parts: list[Render] = []
        places: list[tuple[int, int]] = []
        before = ""
        while True:
            match = statement(source, self._at)
            if match is None or match.lastindex is None:
                raise Unusual
            self._at, kind = match.end(), match.lastindex
            before += match[_TEXT] or ""
            if kind in _PRINTED:
                begin = match.start(kind)
                parts.append(self._print(match[kind], begin, kind, before))
                places.append((begin, self._at))
                before = ""
            elif kind != _COMMENT:
                if before:
                    parts.append(text(before))
                    places.append(_NOWHERE)
                    before = ""
                if kind > _COMMENT:
                    break
                begin = match.start() if match[_TEXT] is None else match.end(_TEXT)
                parts.append(self._statement(match, kind, begin))
                places.append((begin, begin + _WORDS[kind] if kind in _WORDS else self._at))
        self._ended, self._end = kind, match.start(kind)
        self._depth -= 1
        if places == [_NOWHERE]:
            return parts[0]
        return sequence(parts, partial(_locate_part, source, places))

    def _print(self, written: str, begin: int, kind: int, before: str) -> Render:
        if kind == _REFERENCE:
            value = self._reference(written, begin)
        else:
            value = self._members(written, begin)
            self._must("{" in written or not AFTER_REFERENCE.match(self._source, self._at))
            written = self._source[begin : self._at]
        return printed(value, "" if written.startswith("$!") else written, before)

    def _statement(self, match: re.Match[str], kind: int, begin: int) -> Render:
        if kind == _IF:
            return self._if()
        if kind == _SET:
            return self._set(match[_SET], match.start(_SET) - 1)
        return self._foreach(match[_FOREACH], begin)

    def _set(self, target: str, begin: int) -> Render:
        value = self._closed().value
        root, *names = target.split(".")
        if not names:
            return setting(root, value)
        steps = [property_step(name) for name in names[:-1]]
        locate = self._locating(begin, begin + 1 + len(target))
        return setting_member(assignment(root, steps, final_property(names[-1]), locate), value)

    def _if(self) -> Render:
        branches: list[tuple[Test, Render]] = []
        self._ended = _ELSEIF
        while self._ended == _ELSEIF:
            test = self._closed().test()
            branches.append((test, self._block()))
        otherwise = self._block() if self._ended == _ELSE else nothing
        self._must(self._ended == _END)
        return choice(branches, otherwise)

    def _foreach(self, name: str, begin: int) -> Render:
        items = self._operand(ANYWHERE).value
        self._take(CLOSE)
        body = self._block()
        self._must(self._ended == _END)
        # Nothing else reads them: there is no #evaluate here, and no name spelt in escapes.
        counters = "velocity" in self._source
        return loop(object(), name, items, body, loop_cost(begin, self._end), counters)
