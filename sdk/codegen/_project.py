"""
What a package has besides its modules: the project's file, a README, pages and tests.

Programs that pages show are rendered as modules first, so that they are formatted with all others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import Environment

from codegen import _markdown
from codegen._docstrings import Docstrings
from codegen._document import Json
from codegen._ir import Api, Operation
from codegen._reference import Reference
from codegen._suite import Suite
from codegen._usages import Usage

PROJECT: Final = "pyproject.toml"
README: Final = "README.md"
REFERENCE: Final = "reference"
TESTS: Final = "tests"
_PROGRAMS: Final = "programs"
_IMPORTED: Final = frozenset(("FakeServer", "Fault", "NoneType"))
# PEP 440, appendix B, without epochs; what matches is left to the build to normalise.
_VERSION: Final = re.compile(
    r"v?\d+(\.\d+)*([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?\d*)?"
    r"(-\d+|[-_.]?(post|rev|r)[-_.]?\d*)?([-_.]?dev[-_.]?\d*)?(\+[a-z0-9]+([-_.][a-z0-9]+)*)?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Project:
    """
    Renders what is no module of the package.

    Attributes:
        api: What it is about.
        environment: The templates, with the filters of Python source.
        context: What every template is given.
        package: The package's import name.
        usages: How each operation is called.
        reference: What the pages say.
        suite: What the tests expect.
    """

    api: Api
    environment: Environment
    context: Mapping[str, Any]
    package: str
    usages: Sequence[Usage]
    reference: Reference
    suite: Suite

    def programs(self) -> dict[str, str]:
        """What pages show, as modules that are to be formatted, by path."""
        files = {}
        for usage in self.usages:
            if not usage.reason:
                for kind in ("call", "call_async"):
                    name = f"{_PROGRAMS}/{usage.name}.{kind}.py"
                    files[name] = self._fill(f"examples/{kind}.py", it=usage)
        first = self._first()
        for kind in _shown(first):
            files[f"{_PROGRAMS}/{kind}.py"] = self._fill(f"examples/{kind}.py", it=first)
        return files

    def tests(self) -> dict[str, str]:
        """The test-suite's modules, by path; they are to be formatted."""
        return {
            f"{TESTS}/test_operations.py": self._fill(
                "test_operations.py",
                by_name={usage.name: usage for usage in self.usages},
                cases={it.name: self.suite.case(it) for it in self.api.operations},
                usages=self.usages,
            )
        }

    def pages(self, modules: Mapping[str, str]) -> dict[str, str]:
        """
        The pages and the project's file, by path.

        Args:
            modules: The package's modules and the programs, formatted.
        """
        programs = {
            name.removeprefix(f"{_PROGRAMS}/").removesuffix(".py"): text
            for name, text in modules.items()
            if name.startswith(_PROGRAMS)
        }
        signatures = self.reference.signatures(modules["_generated/client.py"])
        files = {
            PROJECT: self._fill(PROJECT, **self._metadata()),
            README: self._fill(
                README,
                programs=programs,
                first=self._first(),
                pages=REFERENCE,
                usages=self.usages,
            ),
        }
        for usage in self.usages:
            page = self.reference.page(usage.operation, usage.chain)
            files[f"{REFERENCE}/{usage.name}.md"] = _markdown.tidy(
                self._fill(
                    "reference.md",
                    it=usage,
                    page=page,
                    programs=programs,
                    signatures=signatures[usage.name],
                )
            )
        files[README] = _markdown.tidy(files[README])
        return files

    def _fill(self, template: str, **more: Any) -> str:
        found = self.environment.get_template(f"project/{template}.jinja2")
        return found.render({**self.context, **more})

    def _first(self) -> Usage | None:
        """What the README shows: an asynchronous operation that is not deprecated, if it can."""
        shown = [usage for usage in self.usages if not usage.reason]
        return min(shown, key=lambda it: (it.operation.deprecated, it.chain is None), default=None)

    def _metadata(self) -> dict[str, str]:
        version, title = self.api.version.strip(), _markdown.one_line(self.api.title)
        valid = _VERSION.fullmatch(version) is not None
        said = "" if valid else f", version {version}"
        return {
            "distribution": re.sub(r"[^A-Za-z0-9]+", "-", self.package).strip("-") or "sdk",
            "version": version if valid else "0.0.0",
            "description": f"Typed Python SDK, sync and async, of {title}{said}.",
        }


def importable(names: Iterable[str]) -> list[str]:
    """The models that programs and tests can import beside what else they import."""
    return [name for name in names if name not in _IMPORTED]


def with_timeout(arguments: str) -> str:
    """The arguments of a call that ends after half a minute."""
    return f"{arguments}, timeout=30" if arguments else "timeout=30"


def title(operation: Operation) -> str:
    """What an operation does, in a line."""
    return operation.summary or f"Call `{operation.method} {operation.path}`."


def toml(text: Json) -> str:
    """A text as TOML's basic string: JSON's, without DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def filters(docstrings: Docstrings, reference: Reference) -> dict[str, Any]:
    """The filters of pages and of the project's file."""
    return {
        "block": _markdown.block,
        "cell": _markdown.cell,
        "code": _markdown.code,
        "comment_line": _markdown.one_line,
        "comment": lambda text: text.replace("--", "- -"),
        "fence": _markdown.fence,
        "inline": _markdown.inline,
        "plain": _markdown.plain,
        "public": reference.type,
        "raised": docstrings.error,
        "title": title,
        "toml": toml,
        "with_timeout": with_timeout,
    }


def _shown(first: Usage | None) -> list[str]:
    if first is None:
        return ["authentication"]
    chained = ["resume", "polling"] if first.chain is not None else []
    return ["errors", "authentication", "testing", *chained]
