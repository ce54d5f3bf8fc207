"""Reading and validating documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from codegen._diagnostics import DocumentError, Problem
from codegen._document import Document, join, tokens
from codegen._form import load

Problems = Callable[..., list[Problem]]

MINIMAL = """\
openapi: 3.0.3
info: {title: T, version: '1'}
paths:
  /a:
    get:
      responses:
        200:
          description: &text Yes.
        404: {description: *text}
  /b/{c d}~: &shared
    summary: no
    parameters: [{name: c d, in: path, required: true, schema: {type: string}}]
    get:
      responses: {'200': {description: 2026-01-31}}
  /e/{c d}:
    <<: *shared
    description: maybe
"""


def _load(tmp_path: Path, text: str) -> Document:
    path = tmp_path / "a.yaml"
    path.write_text(text, "utf-8")
    return load(path)


def test_values_are_those_of_json(tmp_path: Path) -> None:
    """Keys are strings; `no` and dates are texts, as in YAML 1.2; merge keys and aliases count."""
    root = _load(tmp_path, MINIMAL).root
    assert list(root["paths"]["/a"]["get"]["responses"]) == ["200", "404"]
    assert root["paths"]["/e/{c d}"]["summary"] == "no"
    assert root["paths"]["/e/{c d}"]["get"]["responses"]["200"]["description"] == "2026-01-31"


def test_a_place_knows_its_line(tmp_path: Path) -> None:
    """A pointer leads to the line of its key, or to that of the nearest place around it."""
    document = _load(tmp_path, MINIMAL)
    assert document.line("#/paths/~1a/get/responses/404") == 9
    assert document.line("#/paths/~1a/get/responses/404/content/x") == 9
    assert document.line("#/paths/~1b~1{c d}~0/get") == 13


def test_pointer_tokens_survive_escaping() -> None:
    """Slashes and tildes in names are escaped, in the order of RFC 6901."""
    assert join("#", "a/b~1", 0) == "#/a~1b~01/0"
    assert tokens("/a~1b~01/0") == ["a/b~1", "0"]


def test_reference_is_percent_decoded(tmp_path: Path) -> None:
    """A reference's fragment is decoded before it is read as a pointer."""
    document = _load(tmp_path, MINIMAL)
    found = document.find("#/paths/~1b~1%7Bc%20d%7D~0/get")
    assert found is not None
    assert found[1] == "#/paths/~1b~1{c d}~0/get"


def test_json_is_read_as_well(tmp_path: Path) -> None:
    """JSON is YAML but for tabs and characters in two escapes, which are read all the same."""
    title = json.dumps("a\\\U0001f642")
    text = (
        f'{{"openapi": "3.0.0",\n\t"info": {{"title": {title}, "version": "1"}},\n\t"paths": {{}}}}'
    )
    document = _load(tmp_path, text)
    assert document.line("#/paths") == 3
    assert document.root == json.loads(text)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: [", 2, "no YAML"),
        ("- a", 1, "no object"),
        ("openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {}", 1, "this is OpenAPI 3.1.0"),
        ("openapi: 3.0.3\npaths: {}\n", 1, "'info' is a required property"),
        ("openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {}\ninfo: {}", 4, "twice"),
        ("openapi: &a\n  b: *a", 2, "contains itself"),
        (
            "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
            + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 8)),
            1,
            "more than 500,000 values",
        ),
        ("openapi: 3.0.3\ninfo: {title: !!python/name:x y}", 2, "no value of JSON"),
    ],
)
def test_what_is_no_document_is_refused(tmp_path: Path, text: str, line: int, said: str) -> None:
    """A file of another form is refused with its line."""
    with pytest.raises(DocumentError) as caught:
        _load(tmp_path, text)
    assert any(said in p.what and p.line == line for p in caught.value.problems), caught.value


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A file that is not there is a problem like any other."""
    with pytest.raises(DocumentError, match=r"gone.yaml:1: #: the document cannot be read"):
        load(tmp_path / "gone.yaml")


def test_all_problems_are_named_at_once(problems_of: Problems) -> None:
    """One run names every broken reference, each with its own line."""
    problems = problems_of(
        ("'#/components/schemas/document'", "'#/components/schemas/gone'"),
        ("'#/components/schemas/page'", "'other.yaml#/page'"),
    )
    assert [(p.line, p.pointer.rpartition("/")[2]) for p in problems] == [
        (55, "$ref"),
        (76, "$ref"),
    ]
    assert ["another file" in p.what for p in problems] == [False, True]


def test_an_invalid_document_is_refused_with_its_place(problems_of: Problems) -> None:
    """What OpenAPI 3.0 does not allow is named where it stands."""
    (problem,) = problems_of(("summary: Add a document", "summary: [Add]"))
    assert (problem.line, problem.pointer) == (8, "#/paths/~1documents/post/summary")


@pytest.mark.parametrize(
    ("schemas", "lines"),
    [
        ("A: {$ref: '#/components/schemas/B'}\n    B: {$ref: '#/components/schemas/A'}", [6, 7]),
        ("A: {allOf: [{$ref: '#/components/schemas/A'}]}", [6]),
    ],
)
def test_what_leads_back_to_itself_is_refused(
    tmp_path: Path, schemas: str, lines: list[int]
) -> None:
    """A chain of references or of `allOf` without an end is told, each at its place."""
    text = (
        "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {}\n"
        f"components:\n  schemas:\n    {schemas}\n"
    )
    with pytest.raises(DocumentError) as caught:
        _load(tmp_path, text)
    told = [p.line for p in caught.value.problems if "leads back here" in p.what]
    assert told == lines


def test_a_schema_may_hold_itself(tmp_path: Path) -> None:
    """A member of the same schema is no circle: a value has an end."""
    schema = "{type: object, properties: {a: {allOf: [{$ref: '#/components/schemas/A'}]}}}"
    _load(
        tmp_path,
        "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths: {}\n"
        f"components:\n  schemas:\n    A: {schema}\n",
    )
