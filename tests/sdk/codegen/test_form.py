"""The form of documents: references of the right kind, schemas that can be, and paths."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from codegen._diagnostics import Problem
from tests.sdk.codegen.documents import Edit

Problems = Callable[..., list[Problem]]

PAGE = "schema: {$ref: '#/components/schemas/page'}"
COPY = "copy: {type: integer}"
JOB = "job: {$ref: '#/components/links/Job'}"
ANSWER = "{$ref: '#/components/responses/Accepted'}"
ACCEPTED = f"'202': {ANSWER}"
TIMEOUT = "- {name: timeout, in: query, schema: {type: integer, minimum: 1, default: 5}}"
JOB_ID = "name: job-id, in: path, required: true, schema"
PROPERTIES = "#/components/schemas/new-document/properties"


@pytest.mark.parametrize(
    ("edit", "pointer", "said"),
    [
        ((PAGE, PAGE.replace("schemas/page", "links/Job")), f"{PROPERTIES}/schema/$ref", "Schema"),
        ((PAGE, PAGE.replace("/page", "/page/properties")), f"{PROPERTIES}/schema/$ref", "Schema"),
        ((PAGE, "schema: {$ref: '#/info/title'}"), f"{PROPERTIES}/schema/$ref", "Schema"),
        ((PAGE, "schema: {$ref: '#'}"), f"{PROPERTIES}/schema/$ref", "Schema"),
        (
            (JOB, JOB.replace("links/Job", "schemas/page")),
            "#/components/responses/Accepted/links/job/$ref",
            "Link",
        ),
        (
            (ACCEPTED, ACCEPTED.replace("responses/Accepted", "schemas/page")),
            "#/paths/~1documents/post/responses/202/$ref",
            "Response",
        ),
        (
            (TIMEOUT, "- {$ref: '#/components/schemas/page'}"),
            "#/paths/~1documents/post/parameters/0/$ref",
            "Parameter",
        ),
        (
            ("requestBody:\n", f"requestBody: {ANSWER}\n      x-body:\n"),
            "#/paths/~1documents/post/requestBody/$ref",
            "RequestBody",
        ),
    ],
)
def test_a_reference_leads_to_what_is_wanted(
    problems_of: Problems, edit: Edit, pointer: str, said: str
) -> None:
    """An object of another kind is refused where it is referred to, whatever both look like."""
    told = {problem.pointer: problem.what for problem in problems_of(edit)}
    assert told[pointer].endswith(f"is no {said}")


@pytest.mark.parametrize(
    ("schema", "pointer", "said"),
    [
        ("{type: string, default: 5}", "/default", "5 is not of type 'string'"),
        ("{type: string, enum: [a], default: b}", "/default", "'b' is not one of ['a']"),
        ("{type: string, enum: [a, b, a]}", "/enum/2", "`a` is there twice"),
        ("{type: string, pattern: '['}", "/pattern", "`[` is no regular expression"),
        (
            "{oneOf: [{$ref: '#COPY'}, {type: string}]}",
            "/oneOf/0/$ref",
            "leads back here",
        ),
        ("{anyOf: [{$ref: '#COPY'}]}", "/anyOf/0/$ref", "leads back here"),
        ("{type: int}", "/type", "'int' is not one of"),
        ("{typ: string}", "/typ", "'typ' does not match"),
    ],
)
def test_a_schema_that_cannot_be_is_refused(
    problems_of: Problems, schema: str, pointer: str, said: str
) -> None:
    """What is wrong with a schema is told once, and where it stands."""
    schema = schema.replace("#COPY", f"{PROPERTIES}/copy")
    (problem,) = problems_of((COPY, f"copy: {schema}"))
    assert problem.pointer == f"{PROPERTIES}/copy{pointer}"
    assert said in problem.what


@pytest.mark.parametrize("pattern", [r"^\p{L}+$", "^(?<n>a)$", "^(?=a)"])
def test_patterns_of_other_dialects_are_taken(
    read_edited: Callable[..., object], pattern: str
) -> None:
    """Expressions of ECMA-262 that Python or pydantic knows are no fault."""
    read_edited(
        (COPY, f"copy: {{type: string, nullable: true, default: null, pattern: '{pattern}'}}")
    )


@pytest.mark.parametrize(
    ("edit", "pointer", "said"),
    [
        (("/documents:", "documents:"), "#/paths/documents", "'documents' does not match"),
        (("/documents:", "/documents/{:"), "#/paths/~1documents~1{", "a brace is left alone"),
        (
            ("  /documents/{number}:", "  /documents/{other}: {}\n  /documents/{number}:"),
            "#/paths/~1documents~1{number}",
            "are the same path",
        ),
        (
            ("name: timeout, in: query", "name: timeout, in: qery"),
            "#/paths/~1documents/post/parameters/0/in",
            "'qery' is not one of ['path', 'query', 'header', 'cookie']",
        ),
        (
            ("in: query, schema: {type: array", "in: query, style: matrix, schema: {type: array"),
            "#/paths/~1documents/post/parameters/1/style",
            "'matrix' is not one of ['form', ",
        ),
        (
            ("operationRef: '#/paths", "operationId: get-document\n      operationRef: '#/paths"),
            "#/components/links/Job",
            "Operation Id and Operation Ref are mutually exclusive",
        ),
    ],
)
def test_a_fault_is_told_at_its_place(
    problems_of: Problems, edit: Edit, pointer: str, said: str
) -> None:
    """The innermost place that is wrong is named, and what is wrong of it."""
    told = [problem.what for problem in problems_of(edit) if problem.pointer == pointer]
    assert any(said in what for what in told), told


def test_a_path_item_that_is_another_one_makes_no_second_method(problems_of: Problems) -> None:
    """The operations of a path that refers to another have the same names."""
    more, path = "  /more: {$ref: '#/paths/~1documents'}", "  /print-jobs/{job-id}:"
    (problem,) = problems_of((path, f"{more}\n{path}"))
    assert "are both called `add_document`" in problem.what


def test_a_type_that_is_none_is_told_where_a_link_needs_it(problems_of: Problems) -> None:
    """Reading on, by a schema of no known form, breaks nothing."""
    pointer = "#/paths/~1print-jobs~1{job-id}/get/parameters/0/schema/type"
    problems = problems_of(
        (f"{JOB_ID}: {{type: string}}", f"{JOB_ID}: {{type: 1.5}}"),
        ("$response.header.X-Job-Id}", "seven}"),
    )
    assert {problem.pointer for problem in problems} == {pointer}


def test_what_is_required_for_security_is_described(problems_of: Problems) -> None:
    """The name of a scheme that is not there is refused."""
    (problem,) = problems_of(("\nsecurity: []", "\nsecurity: [{gone: []}]"))
    assert (problem.pointer, problem.what) == (
        "#/security/0/gone",
        "there is no security scheme `gone`",
    )
