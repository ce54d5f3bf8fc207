"""What is wrong with a document, and where: collected, so that one run names everything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """
    One thing that has to be mended in the document.

    Attributes:
        line: Line in the document, from 1.
        pointer: JSON pointer to the place, as a fragment: `#/paths/~1users/post`.
        what: What is wrong.
        why: Why that is a problem.
        remedy: How to mend it.
    """

    line: int
    pointer: str
    what: str
    why: str
    remedy: str

    def __str__(self) -> str:
        """The text after the file's name: one line, so that editors can jump to it."""
        text = f"{self.line}: {self.pointer}: {self.what}; {self.why}; {self.remedy}"
        return " ".join(text.split())


class DocumentError(Exception):
    """
    The document cannot be turned into an SDK.

    Attributes:
        source: The document's path, as it was given.
        problems: Everything that is wrong, in the document's order.
    """

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(f"{source}:{problem}" for problem in self.problems))
