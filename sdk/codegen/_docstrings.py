"""The docstrings of generated methods: what the document says, in Google's form."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from codegen._ir import Api, Chain, Operation, Response

Kind = Literal["plain", "handle", "wait", "resume", "many"]
_LINE: Final = 100
# A paragraph of which no line starts like a list, a table, a heading or code.
_PROSE: Final = re.compile(r"(?!.*^(?:[-*+|>#~\s]|```|\d+[.)]))", re.M | re.S)
_INDENT: Final = 8
_WIDTH: Final = _LINE - _INDENT
_TIMEOUTS: Final = {
    "plain": "Seconds for the whole call; `None` takes the client's.",
    "handle": "Seconds for this call, not for the result; `None` takes the client's.",
    "wait": "Seconds until the result is there; `None` takes the deadline of `Polling`.",
}

_WAITED: Final = (
    "OperationFailed: On waiting: it was accepted, and failed.",
    "WaitTimeout: On waiting: it is not settled yet; the error says how to go on.",
)


def escape(text: str) -> str:
    """Text as it stands inside a docstring."""
    return text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


@dataclass(frozen=True, slots=True)
class Docstrings:
    """
    Writes the text of docstrings, without their quotes.

    What a method shares with all others is told by its class, and what an asynchronous method
    shares with its synchronous twin by the twin.

    Attributes:
        source: The document's name.
        errors: The runtime's class for a status.
        api: The API, for what is common to all operations.
    """

    source: str
    errors: Mapping[int, str]
    api: Api

    def client(self, *, is_async: bool) -> str:
        """The docstring of a client class."""
        title = _one_line(self.api.title)
        if is_async:
            said = f"{title}, asynchronous. Each method is that of `{self.api.client}`, awaited."
            return _text([said], 4)
        raised = [
            "InvalidArgumentError: An argument is not valid; nothing was sent.",
            *self._common(),
            "TransportError: There was no answer.",
            *(_WAITED if self.api.chains else ()),
        ]
        blocks = [f"{title}, synchronous.", _wrapped(self.api.description, 4)]
        said = "Any method may raise these errors, besides those that it names:"
        return _text([*blocks, _section(said, raised, 4)], 4)

    def method(self, operation: Operation, chain: Chain | None, kind: Kind, is_async: bool) -> str:
        """
        The docstring of one of an operation's methods.

        Args:
            operation: The operation that the method calls.
            chain: Its chain, if it is asynchronous.
            kind: Which of the operation's methods.
            is_async: Whether it is the asynchronous client's.
        """
        first = _first_line(operation, kind, is_async)
        if kind == "many":
            return _text([f"{first} See `BatchOptions`."])
        if is_async and kind != "resume":
            name = f"{operation.name}_and_wait" if kind == "wait" else operation.name
            seen = f"See `{self.api.client}.{name}`."
            line = f"{first} {seen}"
            return _text([line] if len(line) <= _WIDTH - 6 else [first, seen])
        blocks = [first]
        if kind in ("plain", "handle"):
            blocks += [
                _wrapped(operation.description),
                "Deprecated." if operation.deprecated else "",
            ]
        if kind != "resume":
            blocks += [
                _section("Args:", _arguments(operation, kind)),
                _section("Returns:", _returned(operation, chain, kind)),
                _section("Raises:", self._raised(operation, kind)),
            ]
        if kind in ("plain", "handle"):
            *others, last = filter(None, blocks)
            blocks = [*others, f"{last}\nSource: {self.source}{operation.pointer}"]
        return _text(blocks)

    def _common(self) -> list[str]:
        """The answers that every operation declares alike."""
        answers = [list(map(self._answer, it.errors)) for it in self.api.operations]
        first, *others = answers or [[]]
        return [answer for answer in first if all(answer in other for other in others)]

    def _raised(self, operation: Operation, kind: Kind) -> list[str]:
        if kind == "wait":
            return []
        common = self._common()
        answers = map(self._answer, operation.errors)
        return [answer for answer in answers if answer not in common]

    def _answer(self, response: Response) -> str:
        status = response.status
        shown = "any other status" if status == "default" else status
        return f"{self.error(status)}: {shown}: {_one_line(response.description).rstrip('.')}."

    def error(self, status: str) -> str:
        """The runtime's class for a status, as the document writes it: `404`, `4XX`, `default`."""
        return self.errors.get(int(status), "ApiError") if status.isdecimal() else "ApiError"


def _text(blocks: Iterable[str], indent: int = _INDENT) -> str:
    """Paragraphs as a docstring between its quotes: one line, or lines of their own."""
    text = "\n\n".join(block.strip() for block in blocks if block.strip())
    text = textwrap.indent(escape(text), " " * indent)
    if "\n" in text or text.endswith('"') or len(text) > _LINE - 6:
        return f"\n{text}\n{' ' * indent}"
    return text.strip()


def _wrapped(text: str, indent: int = _INDENT) -> str:
    """A text whose paragraphs are filled; lists, tables and code stay as they are."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    filled = (
        "\n".join(_fill(paragraph, _LINE - indent)) if _PROSE.match(paragraph) else paragraph
        for paragraph in paragraphs
    )
    return "\n\n".join(filled)


def _fill(text: str, width: int, first: str = "", following: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _first_line(operation: Operation, kind: Kind, is_async: bool) -> str:
    summary = _one_line(operation.summary) or f"Call `{operation.method} {operation.path}`."
    if kind == "wait":
        manner = "" if is_async else f" as `{operation.name}` does, with its arguments"
        return f"{summary.rstrip('.')}{manner}, and wait for the result."
    if kind == "many":
        return f"Call `{operation.name}` for each item, and yield each outcome."
    if kind == "resume":
        return f"Return the handle of an earlier `{operation.name}` from its `token()`."
    return summary if summary.endswith((".", "!", "?")) else f"{summary}."


def _section(title: str, entries: Iterable[str], indent: int = _INDENT) -> str:
    # A return value has no name, so its second line needs no deeper indentation.
    following = " " * (4 if title == "Returns:" else 8)
    width = _LINE - indent
    lines = [line for entry in entries for line in _fill(entry, width, "    ", following)]
    return "\n".join([title, *lines]) if lines else ""


def _arguments(operation: Operation, kind: Kind) -> list[str]:
    if kind == "wait":
        return [f"timeout: {_TIMEOUTS[kind]}"]
    entries = []
    if operation.body is not None:
        said = operation.body.description.rstrip(".") or "What is sent"
        form = ": a model, or a mapping by the names on the wire"
        entries.append(f"body: {said}{form if 'models.' in operation.body.type else ''}.")
    entries += [
        f"{parameter.name}: {_one_line(parameter.description) or f'`{parameter.wire_name}`.'}"
        for parameter in operation.parameters
    ]
    return [*entries, f"timeout: {_TIMEOUTS[kind]}"]


def _returned(operation: Operation, chain: Chain | None, kind: Kind) -> list[str]:
    if kind == "wait" or (chain is not None and kind != "plain"):
        return []  # the annotation says it
    said = (_one_line(response.description).rstrip(".") for response in operation.results)
    return ["; ".join(text for text in said if text) + "."]


def _one_line(text: str) -> str:
    return " ".join(text.split())
