"""From a document to the files of a package."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from codegen import _names
from codegen._diagnostics import DocumentError, Problem
from codegen._directions import Directed, direct
from codegen._document import Document, examine
from codegen._emit import Target, render
from codegen._ir import Api
from codegen._links import LinkReader
from codegen._operations import OperationReader
from codegen._schemas import Schemas

_RUNTIME_MARK: Final = "_operation.py"
_MESSAGES: Final = "_messages.py"


def generate(path: Path, package: str, out: Path, messages: Path | None) -> dict[Path, bytes]:
    """
    Generate a package; nothing is written.

    Args:
        path: The document.
        package: Import name of the package.
        out: The folder that holds, or will hold, the package's folder.
        messages: Where the types of accepted requests go; `None` leaves them out.

    Returns:
        Content by path.

    Raises:
        DocumentError: With everything that is wrong with the document.
    """
    document, api, directed = read_file(path)
    home = runtime()
    target = Target(package, home, (out / package).resolve() == home)
    files = render(api, directed, document, target)
    written: dict[Path, bytes] = {}
    for name, text in files.items():
        place = messages if name == _MESSAGES else out / package / name
        if place is not None:
            written[place] = text.encode("utf-8")
    if not target.own_runtime:
        for module in (*sorted(home.glob("*.py")), home / "py.typed"):
            if module.name != "__init__.py":
                written[out / package / module.name] = module.read_bytes()
    return written


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
    except (AttributeError, KeyError, TypeError, ValueError):
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


def owned(package: Path, messages: Path | None) -> dict[Path, bytes]:
    """
    What is there of what a run would write or remove: all of a package, or of its generated part.

    Args:
        package: The package's folder.
        messages: The messages module, if it is generated.
    """
    root = package / "_generated" if package.resolve() == runtime() else package
    paths = [path for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    paths += [
        path for path in (package / "__init__.py", messages) if path is not None and path.is_file()
    ]
    return {path: path.read_bytes() for path in paths}
