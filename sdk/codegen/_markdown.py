"""
Texts of a document as parts of a Markdown page.

A document's descriptions are Markdown (OpenAPI 3.0, 4.4), its titles and names are plain text.
Neither may change what stands around it: raw HTML is shown and not obeyed, code that is not closed
is closed, and a table's cell stays one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

_CODE: Final = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
# What starts a tag, a comment or a declaration, and is neither a link nor a line break.
_HTML: Final = re.compile(r"<(?=[A-Za-z/!?])(?!(?:https?://|mailto:)[^\s<>]*>)(?!br ?/?>)")
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_HEADING: Final = re.compile(r" {0,3}(#{1,4})(?= |$)")
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|~])")
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}


def plain(text: str) -> str:
    """A text that is no Markdown, on one line."""
    return _SPECIAL.sub(r"\\\1", one_line(text))


def inline(text: str) -> str:
    """A description on one line."""
    return _outside_code(one_line(text), str, _without_html)


def cell(text: str) -> str:
    """A description in a table."""

    def piped(part: str) -> str:
        return _without_html(part).replace("|", "&#124;").replace("`", "&#96;")

    return _outside_code(one_line(text), _piped, piped)


def code(text: str) -> str:
    """A text as code, in a table too: a bar would end the cell in one dialect or another."""
    text = one_line(text)
    if "|" in text:
        return f"<code>{''.join(_ENTITIES.get(it, it) for it in text)}</code>"
    ticks = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def fence(text: str, language: str) -> str:
    """A block of code."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"


def block(text: str) -> str:
    """A description of several paragraphs; its headings stand below the page's."""
    lines, fenced = [], ""
    for line, fenced in _fenced(text.strip()):
        if not fenced and not _FENCE.fullmatch(line):
            line = _HEADING.sub(r"##\1", _outside_code(line, str, _without_html))
        lines.append(line.rstrip())
    return "\n".join([*lines, fenced] if fenced else lines)


def tidy(page: str) -> str:
    """A page with single empty lines, code aside, and one line break at its end."""
    lines: list[str] = []
    for line, fenced in _fenced(page.strip()):
        if fenced or line.strip() or (lines and lines[-1]):
            lines.append(line.rstrip())
    return "\n".join(lines) + "\n"


def _fenced(text: str) -> Iterator[tuple[str, str]]:
    """The lines, each with the fence of the block of code that goes on after it."""
    fenced = ""
    for line in text.splitlines():
        mark = _FENCE.fullmatch(line)
        if mark and not fenced:
            fenced = mark[1]
        elif mark and mark[1].startswith(fenced) and not mark[2].strip():
            fenced = ""
        yield line, fenced


def one_line(text: str) -> str:
    """A text without line breaks."""
    return " ".join(text.split())


def _without_html(text: str) -> str:
    return _HTML.sub("&lt;", text)


def _piped(span: str) -> str:
    match = _CODE.fullmatch(span)
    return code(match[2].strip()) if match and "|" in span else span


def _outside_code(text: str, inside: Callable[[str], str], outside: Callable[[str], str]) -> str:
    """A text whose code spans and the rest are written each in their way."""
    parts, end = [], 0
    for match in _CODE.finditer(text):
        parts += [outside(text[end : match.start()]), inside(match[0])]
        end = match.end()
    return "".join([*parts, outside(text[end:])])
