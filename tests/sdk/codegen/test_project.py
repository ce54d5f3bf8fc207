"""What a package has besides its modules: it installs, its tests pass, its pages are true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from codegen.__main__ import main
from tests.sdk.codegen.conftest import imported
from tests.sdk.codegen.documents import (
    BILLING,
    CATALOGUE,
    CORNERS,
    MEDIA,
    PRINTING,
    ROOT,
    SHIPMENTS,
    edited,
)
from tests.sdk.codegen.pages import programs, rows

USERS = ROOT / "openapi.yaml"


class Generated(NamedTuple):
    """A package, and the folder that it is in."""

    module: ModuleType
    folder: Path


@pytest.fixture(
    scope="module",
    params=[SHIPMENTS, BILLING, CATALOGUE, CORNERS, MEDIA, USERS],
    ids=lambda path: path.stem,
)
def package(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Generated]:
    """The package of each document, imported."""
    name, out = f"{request.param.stem}_sdk", tmp_path_factory.mktemp("out")
    with imported(request.param, name, out) as module:
        yield Generated(module, out / name)


@pytest.fixture(scope="module")
def shipments_folder(shipments: ModuleType) -> Path:
    """The folder of the package made of shipments.yaml."""
    return Path(str(shipments.__file__)).parent


def test_its_own_tests_pass(package: Generated) -> None:
    """The tests of a package pass by its own settings, wherever pytest was started."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-p", "pytest_asyncio.plugin", str(package.folder / "tests")]
    # Other plugins of this environment, which a package does not need, take longer than the tests.
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=alone)
    assert done.returncode == 0, done.stdout


def test_it_is_formatted_and_without_lint(package: Generated) -> None:
    """Ruff finds nothing, by the package's own settings."""
    for command in (["check"], ["format", "--check"]):
        arguments = [sys.executable, "-m", "ruff", *command, "--no-cache", str(package.folder)]
        done = subprocess.run(arguments, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.filterwarnings("ignore:.*is deprecated by the API:DeprecationWarning")
def test_the_programs_of_its_pages_run(
    package: Generated, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every program of the README and of the pages runs against the package's fake."""
    testing = __import__(f"{package.module.__name__}.testing", fromlist=["FakeServer"])
    server = testing.FakeServer()
    (name,) = (
        it
        for it in package.module.__all__
        if f"Async{it}" in package.module.__all__ and it.endswith("Client")
    )
    monkeypatch.setattr(package.module, name, server.client)
    monkeypatch.setattr(package.module, f"Async{name}", server.async_client)
    pages = [package.folder / "README.md", *sorted((package.folder / "reference").iterdir())]
    for page in pages:
        found = programs(page.read_text("utf-8"))
        assert found, page
        for number, source in enumerate(found):
            try:
                exec(compile(source, f"{page.name}:{number}", "exec"), {"__name__": "program"})
            except package.module.NotFoundError:
                # What only an accepted request makes is not there where none was.
                assert page.name != "README.md"
    assert capsys.readouterr().out


def test_every_operation_has_a_page(package: Generated) -> None:
    """The README lists the operations, and each leads to its page; so do pages' own links."""
    readme = (package.folder / "README.md").read_text("utf-8")
    listed = re.findall(r"^\| \[`(\w+)`\]\(reference/\1\.md\) \|", readme, re.MULTILINE)
    pages = sorted((package.folder / "reference").iterdir())
    assert sorted(f"{name}.md" for name in listed) == [page.name for page in pages]
    for page in pages:
        for target in re.findall(r"\]\((\w+\.md)\)", page.read_text("utf-8")):
            assert (page.parent / target).is_file()


def test_tables_of_its_pages_are_whole(package: Generated) -> None:
    """No text of a document makes a cell more or less."""
    pages = [package.folder / "README.md", *(package.folder / "reference").iterdir()]
    for page in pages:
        for widths in rows(page.read_text("utf-8")):
            assert len(set(widths)) == 1, page.name


def test_what_links_may_leave_out_needs_no_example(corners: ModuleType) -> None:
    """Every operation has a test, also where an argument of a link is given by nothing."""
    folder = Path(str(corners.__file__)).parent
    text = (folder / "tests/test_operations.py").read_text("utf-8")
    assert "def test_build()" in text
    assert "has no test" not in text


def test_constants_of_links_are_shown_as_json(corners: ModuleType) -> None:
    """Values of the document are no Python."""
    folder = Path(str(corners.__file__)).parent
    page = (folder / "reference/build.md").read_text("utf-8")
    assert '`verbose` from `true`, `tags` from `["a", "b"]`' in page


def test_names_that_look_like_digits_are_allowed_where_they_are(corners: ModuleType) -> None:
    """The document's names stay; only modules that have such ones say so."""
    folder = Path(str(corners.__file__)).parent / "_generated"
    said = {it.name for it in folder.iterdir() if b"# ruff: noqa: E741" in it.read_bytes()}
    assert said == {"client.py", "models.py", "sent.py"}


def test_it_is_installed_under_its_name(shipments_folder: Path, tmp_path: Path) -> None:
    """The wheel has every module, and neither tests nor pages."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, check=True, cwd=shipments_folder, capture_output=True)
    (path,) = tmp_path.glob("shipments_sdk-2.1.0-*.whl")
    with zipfile.ZipFile(path) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        wheel.extractall(tmp_path / "site")
    modules = {
        f"shipments_sdk/{it.relative_to(shipments_folder).as_posix()}"
        for it in shipments_folder.rglob("*.py")
        if it.parent.name != "tests"
    }
    assert names == {*modules, "shipments_sdk/py.typed"}
    program = "from shipments_sdk import ShipmentsClient as it; print(it.__module__)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path / "site")
    assert done.stdout == "shipments_sdk._generated.client\n", done.stderr


def test_it_needs_what_the_runtime_needs(shipments_folder: Path) -> None:
    """Dependencies and extras are those of the runtime's own distribution."""
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    its = tomllib.loads((shipments_folder / "pyproject.toml").read_text("utf-8"))["project"]
    for key in ("requires-python", "dependencies"):
        assert its[key] == ours[key]
    extras = its["optional-dependencies"]
    for name in ("opentelemetry", "progress"):
        assert extras[name] == ours["optional-dependencies"][name]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.2", "1.2"),
        ("v2.0.0-beta.1", "v2.0.0-beta.1"),
        ("1.0.post2+build.5", "1.0.post2+build.5"),
        ("2026-11-23", "0.0.0"),
        ("next \U0001f600 \\ \x7f", "0.0.0"),
    ],
)
def test_a_version_that_python_does_not_know_is_told(
    tmp_path: Path, version: str, expected: str
) -> None:
    """What is no version of PEP 440 stands in the description, and the version is 0.0.0."""
    text = edited(PRINTING.read_text("utf-8"), ("version: '1'", f"version: {_quoted(version)}"))
    (tmp_path / "api.yaml").write_text(text, "utf-8")
    assert main([str(tmp_path / "api.yaml"), "--package", "p_", "--out", str(tmp_path)]) == 0
    project = tomllib.loads((tmp_path / "p_/pyproject.toml").read_text("utf-8"))["project"]
    assert (project["name"], project["version"]) == ("p", expected)
    assert (version in project["description"]) == (expected == "0.0.0")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("\x7f", "\\x7f")
    return f'"{escaped}"'


HOSTILE = """\
openapi: 3.0.0
info: {title: '# <Odd> | API `', version: '1', description: "Text.\\n\\n```\\nnot closed | <!-- "}
paths:
  /a|b/{x}:
    get:
      operationId: look
      summary: A | `b | c` | <!-- ` d
      description: "# Heading\\n\\n<script>alert(1)</script> and `<kept>`\\n\\n| a | b |"
      parameters:
        - {name: x, in: path, required: true, schema: {type: string, pattern: '^(?=z)q|w$'},
           description: 'One | two `three | four` </table> `'}
      responses:
        '200':
          description: '`|`'
          content: {application/json: {schema: {$ref: '#/components/schemas/S'}}}
  /unknown:
    get:
      operationId: guess
      parameters:
        - {name: x, in: query, required: true, schema: {type: string, pattern: '(?=a)b(?<=c)'}}
      responses: {'204': {description: "\\"\\"\\" \\\\"}}
components:
  schemas:
    S:
      type: object
      properties:
        'a|b': {type: string, nullable: true, enum: ['|', '`'], description: '|\\n`'}
"""


def test_texts_do_not_break_out(tmp_path: Path) -> None:
    """Bars, fences, tags and quotes of a document stay what they are: its text."""
    (tmp_path / "api.yaml").write_text(HOSTILE, "utf-8")
    assert main([str(tmp_path / "api.yaml"), "--package", "p", "--out", str(tmp_path)]) == 0
    readme = (tmp_path / "p/README.md").read_text("utf-8")
    page = (tmp_path / "p/reference/look.md").read_text("utf-8")
    for text in (readme, page):
        assert all(len(set(widths)) == 1 for widths in rows(text))
        assert text.count("```") % 2 == 0
    assert page.count("<!--") == 1  # the header's
    assert "# \\# \\<Odd\\> \\| API \\`\n" in readme
    assert "\n### Heading\n" in page
    assert "&lt;script>alert(1)&lt;/script> and `<kept>`" in page


def test_what_has_no_example_is_said(tmp_path: Path) -> None:
    """Where no value is known that fits, tests and page say so, and what to do."""
    (tmp_path / "api.yaml").write_text(HOSTILE, "utf-8")
    assert main([str(tmp_path / "api.yaml"), "--package", "p", "--out", str(tmp_path)]) == 0
    tests = (tmp_path / "p/tests/test_operations.py").read_text("utf-8")
    assert "# `guess` has no test, because it has no example: give it one" in tests
    assert "def test_guess" not in tests
    page = (tmp_path / "p/reference/guess.md").read_text("utf-8")
    assert "There is none: no value is known that fits #/paths/~1unknown/get" in page
