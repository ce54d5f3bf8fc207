"""From a document to the files of a package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jsonschema.exceptions import UnknownType

from codegen import _names
from codegen._diagnostics import DocumentError, Problem
from codegen._directions import Directed, direct
from codegen._document import Document
from codegen._emit import Target, render
from codegen._form import examine
from codegen._ir import Api
from codegen._links import LinkReader
from codegen._operations import OperationReader
from codegen._project import PROJECT, README, REFERENCE, TESTS
from codegen._schemas import Schemas

_RUNTIME_MARK: Final = "_operation.py"
_GENERATED: Final = "_generated"
_CACHES: Final = frozenset(("__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"))


@dataclass(frozen=True, slots=True)
class Places:
    """
    Where what is generated goes.

    Attributes:
        package: The package's folder, which is called like the package.
        reference: The folder of the pages of operations, which holds nothing else; by default in
            the package's, unless that is where the runtime lives, which is part of a project.
        tests: The folder of the test-suite, likewise.
    """

    package: Path
    reference: Path | None = None
    tests: Path | None = None

    @property
    def is_home(self) -> bool:
        """Whether the package is where the hand-written modules live."""
        return self.package.resolve() == runtime()

    def of(self, name: str) -> Path | None:
        """Where a file goes, by its path in a package; `None` leaves it out."""
        folder, _, rest = name.partition("/")
        chosen = {REFERENCE: self.reference, TESTS: self.tests}.get(folder)
        if chosen is not None:
            return chosen / rest
        is_project = folder in (PROJECT, README, REFERENCE, TESTS)
        return None if is_project and self.is_home else self.package / name


def generate(path: Path, places: Places) -> dict[Path, bytes]:
    """
    Generate a package; nothing is written.

    Args:
        path: The document.
        places: Where it is to go.

    Returns:
        Content by path.

    Raises:
        DocumentError: With everything that is wrong with the document.
    """
    document, api, directed = read_file(path)
    home = runtime()
    target = Target(places.package.name, home, places.is_home)
    files = render(api, directed, document, target)
    written = {
        place: text.encode("utf-8")
        for name, text in files.items()
        if (place := places.of(name)) is not None
    }
    if not places.is_home:
        for module in _runtime_modules(home):
            written[places.package / module.relative_to(home)] = module.read_bytes()
    return written


def _runtime_modules(home: Path) -> Iterator[Path]:
    """The hand-written modules, those of folders included, and the mark that they are typed."""
    yield home / "py.typed"
    for module in sorted(home.rglob("*.py")):
        if module != home / "__init__.py" and module.relative_to(home).parts[0] != _GENERATED:
            yield module


def read_file(path: Path) -> tuple[Document, Api, Directed]:
    """
    Read a document as an API and its shapes.

    Raises:
        DocumentError: With the faults of its form and everything that is wrong beyond.
    """
    document, problems = examine(path)
    try:
        api, directed = read(document)
    except DocumentError as error:
        raise DocumentError(error.source, [*problems, *beyond(error.problems, problems)]) from None
    except (AttributeError, KeyError, RecursionError, TypeError, UnknownType, ValueError):
        # Readers rely on the form: without it they may stop anywhere, and its faults are told.
        if not problems:
            raise
    if problems:
        raise DocumentError(document.source, problems)
    return document, api, directed


def beyond(problems: Iterable[Problem], form: Sequence[Problem]) -> list[Problem]:
    """The problems that are not where the form is faulty already."""
    places = [f"{fault.pointer}/" for fault in form]
    return [
        problem
        for problem in problems
        if not any(
            place.startswith(f"{problem.pointer}/") or f"{problem.pointer}/".startswith(place)
            for place in places
        )
    ]


def read(document: Document) -> tuple[Api, Directed]:
    """
    Read a document as an API and its shapes.

    Raises:
        DocumentError: With everything that is wrong beyond the form of OpenAPI.
    """
    schemas = Schemas(document)
    reader = OperationReader(document, schemas)
    operations = reader.read()
    links = LinkReader(document, schemas, operations)
    chains = links.read()
    problems = [*schemas.problems, *reader.problems, *links.problems]
    if problems:
        raise DocumentError(document.source, problems)
    info = document.root["info"]
    api = Api(
        title=info["title"],
        version=str(info["version"]),
        description=str(info.get("description", "")).strip(),
        client=_names.client_name(info["title"]),
        url_variable=_names.url_variable(info["title"]),
        operations=operations,
        chains=chains,
    )
    return api, direct(schemas)


def runtime() -> Path:
    """The folder of the hand-written modules: beside this package, and told by what it holds."""
    beside = Path(__file__).resolve().parents[1]
    return next(mark.parent for mark in sorted(beside.glob(f"*/{_RUNTIME_MARK}")))


def is_generated(content: bytes) -> bool:
    """Whether a file's header says that this tool wrote it."""
    return b"@generated" in content.partition(b"\n")[0]


def owned(places: Places) -> dict[Path, bytes]:
    """What is there of what a run would write or remove."""
    home = [places.package / _GENERATED, places.package / "__init__.py"]
    roots = home if places.is_home else [places.package]
    roots += [place for place in (places.reference, places.tests) if place is not None]
    return {path: path.read_bytes() for root in roots for path in _files(root)}


def _files(root: Path) -> Iterator[Path]:
    """A file, or all of a folder's, those of caches aside."""
    if root.is_file():
        yield root
    for path in root.rglob("*"):
        if path.is_file() and _CACHES.isdisjoint(path.relative_to(root).parts):
            yield path
