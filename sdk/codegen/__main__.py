"""
The command: `python -m codegen [FILE] [--package NAME] [--out DIR] [--check]`.

Its other forms: `python -m codegen diff OLD NEW` tells what users would notice of a new document,
and `python -m codegen init NAME` writes a first document.
What is not given comes from the table `[tool.codegen]` of pyproject.toml in the working folder.
Exit codes: 0 done or current, 1 not current (`--check`), 2 a fault of the document or of the
arguments.
"""

from __future__ import annotations

import argparse
import keyword
import shlex
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codegen._check import drift
from codegen._compare import Release, compare
from codegen._diagnostics import DocumentError
from codegen._generator import Places, generate, is_generated, owned, read_file
from codegen._init import InitError, entity_names, write_document


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Generate, or check what was generated.

    Args:
        arguments: The command line; `None` takes the process's.

    Returns:
        The exit code.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["diff"]:
        return _diff(given[1:])
    if given[:1] == ["init"]:
        return _init(given[1:])
    options = _options(given)
    places = Places(options.out / options.package, options.reference, options.tests)
    try:
        files = generate(options.document, places)
    except DocumentError as error:
        print(error, file=sys.stderr)
        return 2
    present = owned(places)
    if options.check:
        return _report(files, present)
    try:
        _write(files, present)
    except OSError as error:
        print(f"{error.filename} cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    return 0


def _diff(arguments: Sequence[str]) -> int:
    """Print what a user would notice between two documents, and the release that it makes."""
    parser = argparse.ArgumentParser(
        prog="python -m codegen diff", description="Tell what users of the SDK would notice."
    )
    parser.add_argument("old", metavar="OLD", type=Path, help="the document of the last release")
    parser.add_argument("new", metavar="NEW", type=Path, help="the document of the next one")
    options = parser.parse_args(arguments)
    try:
        before, after = (read_file(path)[1:] for path in (options.old, options.new))
    except DocumentError as error:
        print(error, file=sys.stderr)
        return 2
    changes = compare(before, after)
    for change in changes:
        print(change)
    print(f"release: {(changes[0].release if changes else Release.PATCH).name.lower()}")
    return 0


def _init(arguments: Sequence[str]) -> int:
    """Write the document of an entity, and print what can be done with it."""
    parser = argparse.ArgumentParser(
        prog="python -m codegen init", description="Write a complete document for an entity."
    )
    parser.add_argument("name", metavar="NAME", help="the entity, such as order or purchase-orders")
    parser.add_argument("--plural", metavar="NAME", help="its plural, if NAME + s is wrong")
    parser.add_argument(
        "--out", metavar="DIR", type=Path, help="a new folder (default: the plural)"
    )
    options = parser.parse_args(arguments)
    try:
        names = entity_names(options.name, options.plural)
        file = write_document(names, options.out or Path(names.plural))
    except InitError as error:
        print(error, file=sys.stderr)
        return 2
    shown = shlex.quote(str(file))
    print(f"{file} is written. Its SDK, and the service on this machine:\n")
    out = shlex.quote(str(file.parent))
    print(f"python -m codegen {shown} --package {names.package} --out {out}")
    print(f"python -m deploy.local --contract {shown}")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    settings = _settings(Path("pyproject.toml"))
    parser = argparse.ArgumentParser(
        prog="python -m codegen", description="Generate a Python SDK from an OpenAPI document."
    )
    parser.add_argument("document", metavar="FILE", nargs="?", help="the OpenAPI 3.0 document")
    parser.add_argument("--package", metavar="NAME", help="import name of the package")
    parser.add_argument("--out", metavar="DIR", help="folder of the package's folder")
    parser.add_argument("--reference", metavar="DIR", help="where pages of operations go")
    parser.add_argument("--tests", metavar="DIR", help="where the package's tests go")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 if not current")
    options = parser.parse_args(arguments)
    # These belong to the document that the settings name.
    inherits = options.document is None
    for name in ("document", "package", "out"):
        given = getattr(options, name) or settings.get(name)
        if not given:
            parser.error(f"no {name}: give it, or write it in [tool.codegen] of pyproject.toml")
        setattr(options, name, given)
    if not options.package.isidentifier() or keyword.iskeyword(options.package):
        parser.error(f"--package {options.package}: an import name is an identifier, no keyword")
    options.document, options.out = Path(options.document), Path(options.out)
    for name in ("reference", "tests"):
        place = getattr(options, name) or (settings.get(name) if inherits else None)
        setattr(options, name, Path(place) if place else None)
    return options


def _settings(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    table = tomllib.loads(path.read_text("utf-8")).get("tool", {}).get("codegen", {})
    return table if isinstance(table, dict) else {}


def _report(files: Mapping[Path, bytes], present: Mapping[Path, bytes]) -> int:
    lines = list(drift(files, present))
    sys.stdout.writelines(lines)
    if lines:
        remedy = "run `python -m codegen`, and move what is not generated out of the way"
        print(f"generated files are not current: {remedy}", file=sys.stderr)
    return 1 if lines else 0


def _write(files: Mapping[Path, bytes], present: Mapping[Path, bytes]) -> None:
    for path in present.keys() - files.keys():
        # What somebody wrote is never removed; `--check` goes on naming it.
        if is_generated(present[path]):
            path.unlink()
    for path, content in files.items():
        if present.get(path) != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())
