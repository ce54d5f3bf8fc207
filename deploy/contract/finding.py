"""What a rule has to say about one place of the contract."""

from dataclasses import dataclass
from typing import NamedTuple

from deploy.contract.document import Contract


class Problem(NamedTuple):
    """
    One broken rule, as the rule reports it.

    Attributes:
        pointer: JSON pointer of the node.
        message: What is wrong; no full stop.
        remedy: How to mend it; no full stop.
        text_line: For a place inside a text, its line there, from 1.
    """

    pointer: str
    message: str
    remedy: str
    text_line: int | None = None


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """
    One broken rule at one place of a file.

    Attributes:
        file: The file as it was named to `load`.
        line: Line in the file, from 1.
        pointer: JSON pointer of the node.
        rule: Name of the rule, a key of `lint.RULES`.
        message: What is wrong; no full stop.
        remedy: How to mend it; no full stop.
    """

    file: str
    line: int
    pointer: str
    rule: str
    message: str
    remedy: str

    def __str__(self) -> str:
        """Return `file:line: rule: pointer: message. How to mend.`."""
        place = f"{self.file}:{self.line}: {self.rule}: {self.pointer or '/'}"
        return f"{place}: {self.message}. {self.remedy}."


def located(contract: Contract, rule: str, problem: Problem) -> Finding:
    """Return a problem with the file and the line where it is to be mended."""
    pointer, message, remedy, text_line = problem
    line = contract.text_line(pointer, text_line) if text_line else contract.line(pointer)
    return Finding(contract.file, line, pointer, rule, message, remedy)
