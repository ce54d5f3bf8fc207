"""A template: compiled once, rendered as often as wanted, from any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache, partial
from typing import get_args

from ._compiler import Compiler, Macro, Mode
from ._foreign import ForeignValueError, place_of
from ._fusion import fuse
from ._scope import Bottom, Run, Stop
from ._shortcut import shortcut
from ._utf16 import printable
from .errors import VtlParseError, VtlRenderError

__all__ = ["Template", "render"]

_MODES: tuple[Mode, ...] = get_args(Mode)
# A template that is rendered this often is worth a second compilation, unless it is huge.
_FUSED_AFTER = 10
_MAX_FUSED = 16 * 1024
# So many texts are kept compiled, if they are no longer than that; a character takes 40 bytes by
# the shortcut, twice that by way of the tree, and again as much as a function.
_KEPT = 256
_MAX_KEPT = 16 * 1024


class Template:
    """
    A compiled template; texts seen recently are not compiled again.

    Args:
        text: The template.
        mode: `apigateway`, or `velocity` for the stock language.

    Raises:
        VtlParseError: The text does not follow the grammar of Velocity 1.7.
        TypeError: The text is none.
        ValueError: There is no such mode.
    """

    def __init__(self, text: str, *, mode: Mode = "apigateway") -> None:
        if not isinstance(text, str):
            raise TypeError(f"a template is a str, not {type(text).__name__}")
        if mode not in _MODES:
            raise ValueError(f"mode is {mode!r}; it must be 'apigateway' or 'velocity'")
        self.text = text
        self.mode: Mode = mode
        compiled = _compiled if len(text) <= _MAX_KEPT else _compiled.__wrapped__
        self._program = compiled(text, mode)

    def render(self, variables: Mapping[str, object], *, max_foreach: int | None = None) -> str:
        """
        Render the template.

        Lists and dicts among the variables are the template's to change, as in Java; the mapping
        itself is not changed.

        Args:
            variables: The values of the names; what a value of each type is for a template,
                `docs/reference/gateway.md` says.
            max_foreach: A loop ends silently after so many rounds, as Velocity's own limit does;
                `None` for no limit.

        Returns:
            The text.

        Raises:
            VtlRenderError: A method threw, or the template exhausted what one render may use.
            VtlParseError: The text given to `#evaluate` does not follow the grammar.
            TypeError: The variables are no mapping, or the template comes to a value of a type that
                has no counterpart in Java; it says which.
        """
        if not isinstance(variables, Mapping):
            raise TypeError(f"variables are a mapping of names, not {type(variables).__name__}")
        parts: list[str] = []
        try:
            self._program.run(Bottom(variables), parts, max_foreach)
        except Stop:
            pass
        except RecursionError:
            raise VtlRenderError("the template recurses too deeply") from None
        except ForeignValueError as error:
            place = place_of(error.value, variables)
            raise TypeError(f"{place}: {error}" if place else str(error)) from None
        except (ArithmeticError, ValueError, MemoryError) as error:
            raise VtlRenderError(f"{type(error).__name__}: {error}") from error
        return printable("".join(parts))

    def __reduce__(self) -> tuple[Callable[[], Template], tuple[()]]:
        """Pickle the text: it is compiled again where it is loaded."""
        return partial(type(self), self.text, mode=self.mode), ()

    def fuse(self) -> None:
        """Compile for speed now; else it is done when the template has been rendered some times."""
        self._program.fuse()


class _Program:
    """
    What a text was compiled to.

    Closures at first, by the shortcut where it knows the way; one function when it is used often.
    """

    def __init__(self, text: str, mode: Mode) -> None:
        self._text = text
        self._compiler = Compiler(mode)
        self._macros: dict[str, Macro] = {}
        usual = shortcut(text, self._compiler.missing)
        self._render = self._compiler.compile(text, self._macros) if usual is None else usual
        self._runs = 0

    def run(self, scope: Bottom, parts: list[str], max_foreach: int | None) -> None:
        """Print into the parts."""
        self._runs += 1
        if self._runs == _FUSED_AFTER and len(self._text) <= _MAX_FUSED:
            self.fuse()
        scope.run = Run(self._compiler.copy(), dict(self._macros), max_foreach)
        self._render(scope, parts.append)

    def fuse(self) -> None:
        """Replace the closures by one function; they stay where it would be nested too deeply."""
        # A compiler of its own: what a name means depends on the macros defined before it.
        with suppress(RecursionError):
            tree, statements = Compiler(self._compiler.mode).parse(self._text, {})
            self._render = fuse(tree, statements, counters=self._counters())

    def _counters(self) -> bool:
        """Say whether the old names of a loop's counters can be read, perhaps spelt in escapes."""
        return any(word in self._text for word in ("velocity", "evaluate", "\\u"))


@lru_cache(maxsize=_KEPT)
def _compiled(text: str, mode: Mode) -> _Program:
    try:
        return _Program(text, mode)
    except RecursionError:
        raise VtlParseError("the template is nested too deeply") from None


def render(template: str, variables: Mapping[str, object], *, mode: Mode = "apigateway") -> str:
    """
    Render a text.

    Args:
        template: The template.
        variables: The values of the names.
        mode: `apigateway`, or `velocity` for the stock language.

    Returns:
        The text.

    Raises:
        VtlError: The template cannot be parsed or rendered.
        TypeError: As of `Template` and its `render`.
        ValueError: There is no such mode.
    """
    return Template(template, mode=mode).render(variables)
