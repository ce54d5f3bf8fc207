"""The contract as a file: loading it, its lines, and the command."""

import json
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from deploy.contract import ContractError, lint, load
from deploy.contract.__main__ import main
from deploy.contract.document import join

ROOT = Path(__file__).parents[2]
FILE = ROOT / "openapi.yaml"


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "contract.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_document_is_what_yaml_reads() -> None:
    """Anchors and aliases give the same values as PyYAML's own loader."""
    assert load(FILE).document == yaml.safe_load(FILE.read_text(encoding="utf-8"))


def test_a_key_has_the_line_where_it_is_written() -> None:
    """A pointer leads to the line of the key."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    contract = load(FILE)
    assert lines[contract.line("/paths/~1users/post") - 1] == "    post:"
    assert lines[contract.line("/paths/~1users/post/nothing/there") - 1] == "    post:"


def test_an_alias_has_the_line_of_its_definition(tmp_path: Path) -> None:
    """What is shared is mended where it is defined."""
    contract = load(written(tmp_path, "a: &a\n  b: 1\nc: *a\nd:\n  <<: *a\n  e: 2\n"))
    assert contract.document == {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}
    assert (contract.line("/c"), contract.line("/c/b"), contract.line("/d/e")) == (1, 2, 6)
    assert contract.line("/d/b") == 2


def test_aliases_are_copies(tmp_path: Path) -> None:
    """Changing one use of an alias leaves the others alone."""
    document = load(written(tmp_path, "a: &a {b: 1}\nc: *a\n")).document
    document["c"]["b"] = 2
    assert document["a"] == {"b": 1}


def test_a_line_of_a_text_is_a_line_of_the_file(tmp_path: Path) -> None:
    """In a literal block the text begins on the next line; other texts have one line."""
    contract = load(written(tmp_path, "a:\n  b: |-\n    x\n    y\nc: 'z'\n"))
    assert (contract.text_line("/a/b", 2), contract.text_line("/c", 2)) == (4, 5)


def test_keys_and_dates_are_text(tmp_path: Path) -> None:
    """An unquoted status code is the same key as a quoted one, and a date stays as written."""
    document = load(written(tmp_path, "200: x\nversion: 2026-01-02\n")).document
    assert document == {"200": "x", "version": "2026-01-02"}


# Nine aliases of nine aliases, and so on: 43 million values in a few lines.
BOMB = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 8)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", ":3: 'a' is here and in line 1"),
        ("a:\n  b: 1\n  b: 2\n", ":3: 'b' is here and in line 2"),
        ("a: [1\nb: 2\n", "not YAML"),
        ("a: 'x\n", "not YAML"),
        ("- a\n", ":1: not a mapping"),
        ("", ":1: not a mapping"),
        ("a: !!python/object:os.system x\n", ":1: not a plain value"),
        ("a: &a\n  b: *a\n", "contains itself"),
        (BOMB, "aliases make more than 500,000 values"),
        ("[a]: 1\n", "a key must be plain text"),
        ("a:\n  <<: 1\n", "Merge mappings only"),
        ("a: " + "[" * 900 + "]" * 900 + "\n", "nested too deeply"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else None,
)
def test_what_cannot_be_read_is_one_clear_error(tmp_path: Path, text: str, message: str) -> None:
    """The error names the file and, where there is one, the line."""
    file = written(tmp_path, text)
    with pytest.raises(ContractError) as caught:
        load(file)
    assert str(caught.value).startswith(f"{file}:")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    """Missing files and other encodings are errors of the same kind."""
    with pytest.raises(ContractError, match="No such file"):
        load(tmp_path / "missing.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xe9\n")
    with pytest.raises(ContractError, match=r"latin.yaml:2: not UTF-8"):
        load(tmp_path / "latin.yaml")


@given(st.lists(st.text(max_size=5), min_size=1, max_size=4))
def test_pointers_can_be_taken_apart_again(parts: list[str]) -> None:
    """Any key can be part of a pointer (RFC 6901)."""
    taken = join("", *parts).split("/")[1:]
    assert [part.replace("~1", "/").replace("~0", "~") for part in taken] == parts


def test_loading_and_linting_is_quick() -> None:
    """An editor can lint on every save: less than 1.5 s."""
    start = time.process_time()
    lint(load(FILE))
    assert time.process_time() - start < 1.5


def test_the_command_says_that_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and exit status 0."""
    assert main([str(FILE)]) == 0
    assert "no findings in 3 operations and 15 mapping templates" in capsys.readouterr().out


def test_the_command_prints_findings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, and exit status 1; with --deployable not among the output."""
    file = written(tmp_path, FILE.read_text(encoding="utf-8").replace("3.0.1", "3.1.0", 1))
    line = next(
        number
        for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if text == "openapi: 3.1.0"
    )
    assert main([str(file)]) == 1
    expected = f"{file}:{line}: openapi-version: /openapi: OpenAPI 3.1.0 is not imported. Write"
    assert capsys.readouterr().out.startswith(expected)
    assert main([str(file), "--deployable"]) == 1
    assert capsys.readouterr().out == ""


def test_the_command_cannot_read_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2, the reason on standard error."""
    assert main(["missing.yaml"]) == 2
    assert "missing.yaml: cannot be read" in capsys.readouterr().err


def test_the_command_prints_the_deployable_copy(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON, its placeholders not filled."""
    assert main([str(FILE), "--deployable"]) == 0
    copy = json.loads(capsys.readouterr().out)
    assert "x-templates" not in copy
    integration = copy["paths"]["/users"]["post"]["x-amazon-apigateway-integration"]
    assert integration["credentials"] == "${ApiRoleArn}"
