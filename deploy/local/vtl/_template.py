"""A template: compiled once, rendered as often as wanted, from any number of threads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from ._compiler import Compiler, Macro, Mode
from ._scope import Bottom, Run, Stop
from .errors import VtlParseError, VtlRenderError

__all__ = ["Template", "render"]


class Template:
    """
    A compiled template.

    Args:
        text: The template.
        mode: `apigateway`, or `velocity` for the stock language.

    Raises:
        VtlParseError: The text does not follow the grammar of Velocity 1.7.
    """

    def __init__(self, text: str, *, mode: Mode = "apigateway") -> None:
        self.text = text
        self.mode: Mode = mode
        self._compiler = Compiler(mode)
        self._macros: dict[str, Macro] = {}
        try:
            self._render = self._compiler.compile(text, self._macros)
        except RecursionError:
            raise VtlParseError("the template is nested too deeply") from None

    def render(self, variables: Mapping[str, object], *, max_foreach: int | None = None) -> str:
        """
        Render the template.

        Lists and dicts among the variables are the template's to change, as in Java; the mapping
        itself is not changed.

        Args:
            variables: The values of the names; see `deploy.local.vtl._values` for their types.
            max_foreach: A loop ends silently after so many rounds, as Velocity's own limit does;
                `None` for no limit.

        Returns:
            The text.

        Raises:
            VtlRenderError: A method threw, or the template exhausted what one render may use.
            VtlParseError: The text given to `#evaluate` does not follow the grammar.
        """
        scope = Bottom(variables)
        scope.run = Run(self._compiler, dict(self._macros), max_foreach)
        parts: list[str] = []
        try:
            self._render(scope, parts.append)
        except Stop:
            pass
        except RecursionError:
            raise VtlRenderError("the template recurses too deeply") from None
        except (ArithmeticError, ValueError, MemoryError) as error:
            raise VtlRenderError(f"{type(error).__name__}: {error}") from error
        return "".join(parts)


@lru_cache(maxsize=256)
def _compiled(text: str, mode: Mode) -> Template:
    return Template(text, mode=mode)


def render(template: str, variables: Mapping[str, object], *, mode: Mode = "apigateway") -> str:
    """
    Render a text once; texts seen recently are not compiled again.

    Args:
        template: The template.
        variables: The values of the names.
        mode: `apigateway`, or `velocity` for the stock language.

    Returns:
        The text.

    Raises:
        VtlError: The template cannot be parsed or rendered.
    """
    return _compiled(template, mode).render(variables)
