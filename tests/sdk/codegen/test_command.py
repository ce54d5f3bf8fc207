"""The command: what it writes, checks and refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.__main__ import main
from codegen._generator import Places, generate
from tests.sdk.codegen.documents import PRINTING, ROOT, SHIPMENTS, edited


def _tree(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }


def _arguments(out: Path, *more: str) -> list[str]:
    return [str(PRINTING), "--package", "printing", "--out", str(out), *more]


@pytest.fixture
def printing(tmp_path: Path) -> Path:
    """The folder of the package made of printing.yaml."""
    assert main(_arguments(tmp_path)) == 0
    return tmp_path


def test_output_is_the_golden_one(printing: Path) -> None:
    """The small document makes exactly the files that were read and agreed to."""
    golden = PRINTING.parent / "printing"
    generated = _tree(printing / "printing" / "_generated")
    if os.environ.get("UPDATE_GOLDEN"):
        for name, content in generated.items():
            (golden / f"{name}.txt").write_bytes(content)
    assert {f"{name}.txt": content for name, content in generated.items()} == _tree(golden)


def test_package_has_the_runtime(printing: Path) -> None:
    """A package that is not the runtime's home gets a copy of the runtime, byte for byte."""
    runtime = _runtime(ROOT / "sdk" / "users_sdk")
    copied = _tree(printing / "printing")
    assert {name: copied.get(name) for name in runtime} == runtime
    others = {name.partition("/")[0] for name in copied.keys() - runtime.keys()}
    assert others == {
        *("README.md", "__init__.py", "_generated", "pyproject.toml", "reference", "tests")
    }


def _runtime(home: Path) -> dict[str, bytes]:
    """The hand-written modules of the package, with those of its folders."""
    tree = _tree(home)
    generated = {name for name in tree if name.startswith("_generated/")} | {"__init__.py"}
    return {name: content for name, content in tree.items() if name not in generated}


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_output_does_not_depend_on_the_hash_seed(printing: Path, tmp_path: Path, seed: str) -> None:
    """The same document makes the same bytes in every process."""
    out = tmp_path / "again"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "sdk")}
    command = [sys.executable, "-m", "codegen", *_arguments(out)]
    subprocess.run(command, check=True, env=environment, cwd=ROOT)
    assert _tree(out / "printing") == _tree(printing / "printing")


def test_check_is_silent_when_current(printing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was just generated is current."""
    assert main(_arguments(printing, "--check")) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["models.py", "operations.py", "client.py"])
def test_check_shows_a_changed_file(
    printing: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A change by hand is shown as a diff, and nothing is written."""
    path = printing / "printing/_generated" / name
    path.write_text(path.read_text("utf-8") + "# by hand\n", "utf-8")
    assert main(_arguments(printing, "--check")) == 1
    assert "\n-# by hand\n" in capsys.readouterr().out
    assert path.read_text("utf-8").endswith("# by hand\n")


def test_check_names_missing_and_extra_files(
    printing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files that should be there and files that should not are drift too."""
    generated = printing / "printing/_generated"
    (generated / "received.py").unlink()
    (generated / "extra.py").write_text("", "utf-8")
    assert main(_arguments(printing, "--check")) == 1
    out = capsys.readouterr().out
    assert f"+++ {generated / 'received.py'} (generated)" in out
    assert f"{generated / 'extra.py'}: extra" in out


def test_caches_are_no_drift(printing: Path) -> None:
    """What tools leave in a package's folders is nobody's."""
    for cache in ("__pycache__", "tests/__pycache__", ".pytest_cache/v", ".ruff_cache"):
        (printing / "printing" / cache).mkdir(parents=True, exist_ok=True)
        (printing / "printing" / cache / "left").write_text("", "utf-8")
    assert main(_arguments(printing, "--check")) == 0


def test_pages_and_tests_go_where_they_are_wanted(
    printing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Folders of their own take them out of the package, and are compared like it."""
    pages, tests = printing / "docs/operations", printing / "checks"
    places = ("--reference", str(pages), "--tests", str(tests))
    assert main(_arguments(printing, *places)) == 0
    inside = _tree(printing / "printing")
    assert not [name for name in inside if name.startswith(("reference/", "tests/"))]
    assert _tree(pages).keys() == {
        *("add_document.md", "get_document.md", "get_print_jobs_job_id.md")
    }
    (tests / "test_operations.py").unlink()
    (pages / "extra.md").write_text("", "utf-8")
    assert main(_arguments(printing, *places, "--check")) == 1
    out = capsys.readouterr().out
    assert f"+++ {tests / 'test_operations.py'} (generated)" in out
    assert f"{pages / 'extra.md'}: extra" in out


def test_the_home_of_the_runtime_gets_no_project(tmp_path: Path) -> None:
    """Where the hand-written modules live, pages and tests are made where they are asked for."""
    home = ROOT / "sdk" / "users_sdk"
    package = generate(ROOT / "openapi.yaml", Places(home))
    assert {path.relative_to(home).parts[0] for path in package} == {"__init__.py", "_generated"}
    more = generate(ROOT / "openapi.yaml", Places(home, tmp_path / "r", tmp_path / "t"))
    added = {path.parent.name for path in more.keys() - package.keys()}
    assert added == {"r", "t"}


def test_stale_generated_files_are_removed_and_others_kept(printing: Path) -> None:
    """A run removes what an earlier one wrote and it would not, and never what people wrote."""
    stale = printing / "printing/_generated/stale.py"
    stale.write_text("# @generated by codegen\n", "utf-8")
    kept = printing / "printing/_generated/kept.py"
    kept.write_text("# by hand\n", "utf-8")
    assert main(_arguments(printing)) == 0
    assert (stale.exists(), kept.exists()) == (False, True)


def test_a_faulty_document_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Problems go to standard error, one a line, as `file:line: pointer: …`; the exit code is 2."""
    path = tmp_path / "faulty.yaml"
    text = edited(PRINTING.read_text("utf-8"), ("{path.job-id:", "{x:"), ("number: $", "y: $"))
    path.write_text(text, "utf-8")
    out = tmp_path / "out"
    assert main([str(path), "--package", "printing", "--out", str(out)]) == 2
    problems = [line.split(":", 2) for line in capsys.readouterr().err.splitlines()]
    assert {source for source, _, _ in problems} == {str(path)}
    places = [text.splitlines()[int(line) - 1].strip() for _, line, _ in problems]
    assert places == [
        "document:",
        "parameters: {y: $response.body#/location}",
        "Job:",
        "parameters: {x: $response.header.X-Job-Id}",
    ]
    assert all(said.startswith(" #/") for _, _, said in problems)
    assert not out.exists()


def test_settings_come_from_pyproject(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without arguments, `[tool.codegen]` of the working folder says what to do; it must."""
    (tmp_path / "api.yaml").write_bytes(PRINTING.read_bytes())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2
    assert "[tool.codegen]" in capsys.readouterr().err
    (tmp_path / "pyproject.toml").write_text(
        '[tool.codegen]\ndocument = "api.yaml"\npackage = "p"\nout = "o"\nreference = "r"\n',
        "utf-8",
    )
    assert main([]) == 0
    assert (tmp_path / "o/p/_generated/client.py").is_file()
    assert list((tmp_path / "r").glob("*.md"))


def test_the_repository_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    """The committed package is what the committed document makes."""
    monkeypatch.chdir(ROOT)
    assert main(["--check"]) == 0


# The new word is as long as the old one and sorts like it, so that lines and lists stay alike.
RENAMING = (("shipment", "shipwork"), ("Shipment", "Shipwork"), ("SHIPMENT", "SHIPWORK"))


def _renamed(text: str) -> str:
    for before, after in RENAMING:
        text = text.replace(before, after)
    return text


def _comparable(root: Path, runtime: dict[str, bytes]) -> dict[str, list[str]]:
    """What was generated, without the document's hash."""
    return {
        name: [line for line in content.decode().splitlines() if "sha256 of the doc" not in line]
        for name, content in _tree(root / "sdk").items()
        if name not in runtime
    }


def test_output_follows_a_renaming(tmp_path: Path) -> None:
    """The generator knows no entity: a renamed document makes the same package, renamed."""
    runtime = _runtime(ROOT / "sdk" / "users_sdk")
    renamed = tmp_path / _renamed(SHIPMENTS.name)
    renamed.write_text(_renamed(SHIPMENTS.read_text("utf-8")), "utf-8")
    for document, name in ((SHIPMENTS, "one"), (renamed, "two")):
        assert main([str(document), "--package", "sdk", "--out", str(tmp_path / name)]) == 0
    before = _comparable(tmp_path / "one", runtime)
    after = _comparable(tmp_path / "two", runtime)
    assert {
        _renamed(name): [_renamed(line) for line in lines] for name, lines in before.items()
    } == after
    assert {"README.md", "reference/get_shipwork.md", "tests/test_operations.py"} <= after.keys()
