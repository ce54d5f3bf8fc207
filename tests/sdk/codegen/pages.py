"""What tests read from Markdown pages."""

from __future__ import annotations

import re

_BLOCK = re.compile(r"^(`{3,})python\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)")


def programs(page: str) -> list[str]:
    """The programs of a page; a signature is none."""
    sources = [source for _, source in _BLOCK.findall(page)]
    return [source for source in sources if not source.startswith(("def ", "async def "))]


def rows(page: str) -> list[list[int]]:
    """How many bars each row of each table has, besides those in code and escaped ones."""
    tables: list[list[int]] = [[]]
    for line in _BLOCK.sub("", page).splitlines():
        if line.startswith("|"):
            tables[-1].append(len(re.findall(r"(?<!\\)\|", _CODE.sub("", line))))
        elif tables[-1]:
            tables.append([])
    return [table for table in tables if table]
