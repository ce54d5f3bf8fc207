"""The docstrings of generated methods: what the document says, in Google's form."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from codegen._ir import Chain, Operation, Response

Kind = Literal["plain", "handle", "wait", "resume"]
_INDENT: Final = " " * 8
_WIDTH: Final = 100 - len(_INDENT)
_TIMEOUTS: Final = {
    "plain": "Seconds for the whole call; `None` takes the client's.",
    "handle": "Seconds for this call, not for the result; `None` takes the client's.",
    "wait": "Seconds until the result is there; `None` takes the deadline of `Polling`.",
}


def escape(text: str) -> str:
    """Text as it stands inside a docstring."""
    return text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


@dataclass(frozen=True, slots=True)
class Docstrings:
    """
    Writes the text of docstrings, without their quotes.

    Attributes:
        source: The document's name.
        errors: The runtime's class for a status.
    """

    source: str
    errors: Mapping[int, str]

    def method(self, operation: Operation, chain: Chain | None, kind: Kind) -> str:
        """
        The docstring of one of an operation's methods.

        Args:
            operation: The operation that the method calls.
            chain: Its chain, if it is asynchronous.
            kind: Which of the operation's methods.
        """
        blocks = [_first_line(operation, kind)]
        if kind in ("plain", "handle"):
            blocks += [operation.description, "Deprecated." if operation.deprecated else ""]
        blocks += [
            _section("Args", _arguments(operation, kind)),
            _section("Returns", _returned(operation, chain, kind)),
            _section("Raises", self._raised(operation, kind)),
            f"Source: {self.source}{operation.pointer}",
        ]
        text = "\n\n".join(block.strip() for block in blocks if block.strip())
        return textwrap.indent(escape(text), _INDENT).strip()

    def _raised(self, operation: Operation, kind: Kind) -> list[str]:
        if kind == "resume":
            return ["InvalidArgumentError: The token is not one of this operation."]
        if kind == "wait":
            return [
                "OperationFailed: It was accepted, and failed.",
                "WaitTimeout: It is not settled yet; the error says how to go on.",
                f"SDKError: What `{operation.name}` raises.",
            ]
        return [
            "InvalidArgumentError: An argument is not valid; nothing was sent.",
            *(self._answer(response) for response in operation.errors),
            "TransportError: There was no answer.",
        ]

    def _answer(self, response: Response) -> str:
        status = response.status
        name = self.errors.get(int(status), "ApiError") if status.isdecimal() else "ApiError"
        shown = "any other status" if status == "default" else status
        return f"{name}: {shown}: {_one_line(response.description).rstrip('.')}."


def _first_line(operation: Operation, kind: Kind) -> str:
    summary = operation.summary or f"Call `{operation.method} {operation.path}`."
    if kind == "wait":
        return f"{summary.rstrip('.')} as `{operation.name}` does, and wait for the result."
    if kind == "resume":
        return f"Return the handle of an earlier `{operation.name}`, perhaps of another process."
    return summary if summary.endswith((".", "!", "?")) else f"{summary}."


def _section(title: str, entries: Iterable[str]) -> str:
    wrapped = [
        textwrap.fill(
            entry,
            _WIDTH,
            initial_indent="    ",
            subsequent_indent="        ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for entry in entries
    ]
    # A return value has no name, so its second line needs no deeper indentation.
    if title == "Returns":
        wrapped = [entry.replace("\n        ", "\n    ") for entry in wrapped]
    return "\n".join([f"{title}:", *wrapped]) if wrapped else ""


def _arguments(operation: Operation, kind: Kind) -> list[str]:
    if kind == "resume":
        return ["token: What the handle's `token()` gave."]
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
    if chain is not None and kind != "plain":
        result = f"`{chain.result.type.replace('models.', '')}`"
        return [f"The {result}." if kind == "wait" else f"A handle that resolves to a {result}."]
    said = (_one_line(response.description).rstrip(".") for response in operation.results)
    return ["; ".join(text for text in said if text) + "."]


def _one_line(text: str) -> str:
    return " ".join(text.split())
