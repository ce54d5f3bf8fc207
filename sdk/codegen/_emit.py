"""Writes an API as Python files: templates filled, then formatted."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from codegen._directions import Directed
from codegen._docstrings import Docstrings, escape
from codegen._document import Document
from codegen._examples import Examples
from codegen._ir import Api, Operation, Parameter
from codegen._literals import Literals
from codegen._models import render_models
from codegen._names import class_name, many_name, shared_name
from codegen._project import Project, filters, importable
from codegen._reference import Reference
from codegen._schemas import Shape, is_class, is_enumeration, is_object
from codegen._suite import Suite
from codegen._usages import is_demanded, is_key, read_usages

_TEMPLATES: Final = Path(__file__).parent / "templates"
_RUFF_SETTINGS: Final = """\
line-length = 100
target-version = "py311"
[lint]
select = ["F401", "I", "RUF022"]
[lint.isort]
combine-as-imports = true
known-first-party = ["{package}"]
[format]
skip-magic-trailing-comma = true
"""
_CLASS: Final = re.compile(r"\bmodels\.(\w+)")
_MAPPING: Final = "Mapping[str, object]"
_RUNTIME_NAMES: Final = frozenset(
    {
        *("AsyncHandle", "Auth", "BatchOptions", "BearerToken", "Credentials", "Handle"),
        *("Outcome", "Polling", "Request", "Response"),
    }
)
# Names that look like 1 or 0, which pycodestyle asks to avoid, and its rules by what is so called.
_DIGITS: Final = frozenset("lIO")
_AMBIGUOUS: Final = {
    ast.arg: "E741",
    ast.Name: "E741",
    ast.ClassDef: "E742",
    ast.FunctionDef: "E743",
    ast.AsyncFunctionDef: "E743",
}
_TOOLS: Final = ("datamodel-code-generator", "ruff")


@dataclass(frozen=True, slots=True)
class Target:
    """
    Where the code goes.

    Attributes:
        package: The package's import name.
        runtime: The folder of the hand-written modules that the code needs.
        own_runtime: Whether the package is where those modules live; elsewhere they are copied.
    """

    package: str
    runtime: Path
    own_runtime: bool


def render(api: Api, directed: Directed, document: Document, target: Target) -> dict[str, str]:
    """
    Render the package.

    Returns:
        The files' text by their path inside the package.
    """
    docstrings = Docstrings(document.name, _error_classes(target.runtime / "errors.py"), api)
    reference = Reference(api, directed)
    environment = _environment(directed, docstrings)
    environment.filters.update(filters(docstrings, reference))
    exports = _exports(api, directed, target)
    context: dict[str, Any] = {
        "api": api,
        "package": target.package,
        "imported": importable(exports["model_names"]),
        "chains": {chain.start.name: chain for chain in api.chains},
        "source": document.name,
        "sha256": document.sha256,
        "tools": ", ".join(f"{tool} {metadata.version(tool)}" for tool in _TOOLS),
        **exports,
        "many": _many_names(api),
        "limits": _limit_names(api),
    }

    def fill(template: str) -> str:
        return environment.get_template(template).render(context)

    usages = read_usages(api, Examples(document), Literals(directed.shapes, context["imported"]))
    suite = Suite(api, directed.shapes, docstrings)
    project = Project(api, environment, context, target.package, usages, reference, suite)
    files = {
        "__init__.py": fill("package.py.jinja2"),
        "_generated/__init__.py": fill("generated.py.jinja2"),
        "_generated/client.py": fill("client.py.jinja2"),
        "_generated/models.py": fill("models.py.jinja2") + render_models(directed, target.package),
        "_generated/operations.py": fill("operations.py.jinja2"),
        "_generated/testing.py": fill("testing.py.jinja2"),
    }
    if context["limits"]:
        files["_generated/sent.py"] = fill("sent.py.jinja2")
    if directed.lenient:
        files["_generated/received.py"] = fill("received.py.jinja2")
    shown = project.programs()
    formatted = _formatted({**files, **project.tests(), **shown}, target.package)
    pages = project.pages(formatted)
    return {name: text for name, text in formatted.items() if name not in shown} | pages


def _many_names(api: Api) -> dict[str, str]:
    """The name of each asynchronous operation's method for many items, by the operation's."""
    started = [chain.start.name for chain in api.chains]
    taken = {operation.name for operation in api.operations}
    taken |= {f"{name}_and_wait" for name in started} | {f"resume_{name}" for name in started}
    names: dict[str, str] = {}
    for name in started:
        names[name] = many_name(name, taken)
        taken.add(names[name])
    return names


def _limit_names(api: Api) -> dict[tuple[str, str], str]:
    """What each limited type of a parameter is called, by the type and the parameter's name."""
    names: dict[tuple[str, str], str] = {}
    for operation in api.operations:
        for parameter in operation.parameters:
            if parameter.limited_type not in (None, "str"):
                name = parameter.name.upper()
                if name in names.values():
                    name = f"{operation.constant}_{name}"
                names.setdefault((parameter.limited_type, parameter.name), name)
    return names


def _environment(directed: Directed, docstrings: Docstrings) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # the output is Python: values pass through `py`, texts through `doc`
    )

    def received(annotation: str) -> str:
        """What answers are read as: classes with a lenient form by that form."""
        return _CLASS.sub(
            lambda match: f"models.{directed.lenient.get(match[1], match[1])}", annotation
        )

    environment.filters.update(
        py=repr,
        doc=lambda text, width=0: escape(text.strip()).replace("\n", "\n" + " " * width),
        docstring=docstrings.method,
        client_docstring=lambda is_async: docstrings.client(is_async=is_async),
        received=received,
        accepted=lambda parameter, it: _accepted(parameter, it, directed.shapes),
        accepted_body=_accepted_body,
        required_first=lambda parameters: sorted(parameters, key=lambda p: not p.required),
        demanded=is_demanded,
        shared=lambda parameters, it: [p for p in parameters if not is_key(p, it)],
        shared_name=lambda parameter: shared_name(parameter.name),
        item_type=lambda chain: f"_{class_name(chain.start.name)}Item",
    )
    return environment


def _accepted_body(annotation: str) -> str:
    """A body may be a model or the same as a mapping; a list, any sequence of them."""
    return _CLASS.sub(rf"models.\1 | {_MAPPING}", annotation).replace("list[", "Sequence[")


def _accepted(parameter: Parameter, operation: Operation, shapes: Mapping[str, Shape]) -> str:
    """A parameter may be the plain text of an enumeration, or an object as a mapping."""

    def widened(match: re.Match[str]) -> str:
        schema = shapes[match[1]].schema
        if is_enumeration(schema):
            return f"{match[0]} | str"
        return f"{match[0]} | {_MAPPING}" if is_object(schema) else match[0]

    text = _CLASS.sub(widened, parameter.type).replace("list[", "Sequence[")
    given = is_demanded(parameter, operation) or text.endswith("| None")
    return text if given else f"{text} | None"


def _exports(api: Api, directed: Directed, target: Target) -> dict[str, Sequence[str]]:
    """What the package offers at its top; a model called like one of ours stays in `models`."""
    errors = _public_classes(target.runtime / "errors.py")
    clients = (api.client, f"Async{api.client}")
    taken = {*errors, *clients, *_RUNTIME_NAMES}
    models = sorted(
        name
        for name in directed.shapes
        if name not in taken
        and name not in directed.lenient.values()
        and is_class(directed.shapes[name].schema)
    )
    exports = sorted((*taken, *models, "models"))
    return {"model_names": models, "error_names": sorted(errors), "exports": exports}


def _public_classes(path: Path) -> list[str]:
    tree = ast.parse(path.read_text("utf-8"))
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    return [name for name in classes if not name.startswith("_")]


def _error_classes(path: Path) -> dict[int, str]:
    """The runtime's error class by status: its table, read as text, and its class for 5xx."""
    table = next(
        node.value
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "BY_STATUS"
    )
    entries = zip(table.keys, table.values, strict=True) if isinstance(table, ast.Dict) else ()
    listed = {
        int(HTTPStatus[key.attr]): ast.unparse(value)
        for key, value in entries
        if isinstance(key, ast.Attribute)
    }
    return dict.fromkeys(range(500, 600), "ServerError") | listed


def _formatted(files: Mapping[str, str], package: str) -> dict[str, str]:
    """The files as the pinned ruff writes them, whatever settings are around."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "ruff.toml")
        settings.write_text(_RUFF_SETTINGS.format(package=package), "utf-8")
        root = Path(folder, package)
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        for command in (["check", "--fix-only", "--quiet"], ["format", "--quiet"]):
            _ruff([*command, "--no-cache", "--config", str(settings), str(root)])
        return {name: _without_lint((root / name).read_text("utf-8")) for name in files}


def _without_lint(code: str) -> str:
    """A module that says which names of the document linters take for a digit."""
    found = {
        _AMBIGUOUS[type(node)]
        for node in ast.walk(ast.parse(code))
        if type(node) in _AMBIGUOUS and _name_of(node) in _DIGITS
    }
    if not found:
        return code
    header, mark, rest = code.partition('"""')
    return f"{header}# ruff: noqa: {', '.join(sorted(found))}\n{mark}{rest}"


def _name_of(node: ast.AST) -> str:
    """The name that a definition, an argument or an assignment gives; empty for a mere use."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
        return ""
    return next((getattr(node, key) for key in ("name", "arg", "id") if hasattr(node, key)), "")


def _ruff(arguments: Sequence[str]) -> None:
    subprocess.run([sys.executable, "-m", "ruff", *arguments], check=True)
