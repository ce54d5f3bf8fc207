"""
The errors a template can raise.

    VtlError             anything wrong with a template or its rendering
    ├── VtlParseError    the text is no template: lexical and grammatical errors
    └── VtlRenderError   evaluation failed: a Java method threw, or a limit was reached
"""

from __future__ import annotations

__all__ = ["VtlError", "VtlParseError", "VtlRenderError"]


class VtlError(Exception):
    """
    A template that cannot be parsed or rendered.

    Attributes:
        message: What is wrong, without the position.
        line: Line of the offending text, counted from 1; 0 when unknown.
        column: Column of the offending text, counted from 1; 0 when unknown.
        text: The offending text; empty at the end of the template.
        expected: What would have been accepted there; empty when nothing in particular.
        hint: What may have been meant elsewhere in the template; empty when nothing is known.
    """

    def __init__(
        self,
        message: str,
        *,
        line: int = 0,
        column: int = 0,
        text: str = "",
        expected: tuple[str, ...] = (),
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.text = text
        self.expected = expected
        self.hint = hint

    def __str__(self) -> str:
        parts = [self.message]
        if self.expected:
            parts.append(f" (expected {' or '.join(self.expected)})")
        if self.line:
            parts.append(f" at line {self.line}, column {self.column}")
        if self.hint:
            parts.append(f"; {self.hint}")
        return "".join(parts)

    def __reduce__(self) -> tuple[object, ...]:
        state = {
            "message": self.message,
            "line": self.line,
            "column": self.column,
            "text": self.text,
            "expected": self.expected,
            "hint": self.hint,
        }
        return (type(self), (self.message,), state)

    def located(self, line: int, column: int, text: str) -> VtlError:
        """
        Fill in the position where it is still unknown.

        Args:
            line: Line of the offending text, from 1.
            column: Column of the offending text, from 1.
            text: The offending text.

        Returns:
            This error.
        """
        if not self.line:
            self.line, self.column = line, column
        if not self.text:
            self.text = text
        return self


class VtlParseError(VtlError):
    """The text does not follow the grammar of Velocity 1.7."""


class VtlRenderError(VtlError):
    """The template is well formed, but its evaluation failed."""
