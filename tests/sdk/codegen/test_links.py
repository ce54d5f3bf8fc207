"""The rules of asynchronous operations, one by one, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from codegen._diagnostics import Problem
from codegen._ir import Api, Binding, Chain, Embedded, Fetched
from tests.sdk.codegen.documents import SHIPMENTS, Edit

Read = Callable[..., Api]
Problems = Callable[..., list[Problem]]

START_LINK = "operationRef: '#/paths/~1print-jobs~1%7Bjob-id%7D/get'"
START = f"{START_LINK}\n      parameters: {{path.job-id: $response.header.X-Job-Id}}"
RESULT = """\
            document:
              operationId: get-document
              parameters: {number: $response.body#/location}
"""
SECOND_START = """\
paths:
  /labels:
    post:
      operationId: addLabel
      responses: {'202': {$ref: '#/components/responses/Accepted'}}
  /labels/{text}:
    get:
      operationId: getLabel
      parameters: [{name: text, in: path, required: true, schema: {type: string}}]
      responses:
        '200': {description: Yes., content: {application/json: {schema: {type: string}}}}
"""
SECOND_RESULT = f"""{RESULT}\
            label:
              operationId: getLabel
              parameters: {{text: $response.body#/location}}
"""


def _async(*lines: str) -> Edit:
    extension = "".join(f"\n        {line}" for line in lines)
    return START, f"{START}\n      x-async:{extension}"


def _only(api: Api) -> Chain:
    (chain,) = api.chains
    return chain


def test_a_link_from_202_to_a_get_makes_an_operation_asynchronous(read_edited: Read) -> None:
    """Rules 1 and 2: response and link may be references, the target an encoded `operationRef`."""
    chain = _only(read_edited())
    assert (chain.start.name, chain.status.name) == ("add_document", "get_print_jobs_job_id")


def test_a_202_without_such_a_link_is_plain(read_edited: Read) -> None:
    """A link to another method starts nothing, and is no error."""
    api = read_edited((START, "operationId: add.document"))
    assert api.chains == ()


def test_arguments_come_from_where_the_link_says(read_edited: Read) -> None:
    """Rule 3: names may be qualified; values come from headers, bodies and the request."""
    chain = _only(read_edited())
    assert chain.status_arguments == (Binding("job_id", "response.header", "X-Job-Id"),)
    shipments = read_edited(source=SHIPMENTS).chains[1]
    assert shipments.status_arguments == (
        Binding("shipment_id", "request.path", "shipmentId"),
        Binding("job_id", "response.body", "/id"),
    )


@pytest.mark.parametrize(
    ("expression", "binding"),
    [
        ("$request.query.timeout", Binding("job_id", "request.query", "timeout")),
        ("$request.body#/class", Binding("job_id", "request.body", "/class")),
        ("$request.body#/schema/next/size", Binding("job_id", "request.body", "/schema/next/size")),
        ("$response.header.x-job-id", Binding("job_id", "response.header", "x-job-id")),
        ("seven", Binding("job_id", "constant", "seven")),
        ("true", Binding("job_id", "constant", True)),
        ("my request.body is here", Binding("job_id", "constant", "my request.body is here")),
        ("7", Binding("job_id", "constant", 7)),
    ],
)
def test_each_kind_of_argument(read_edited: Read, expression: str, binding: Binding) -> None:
    """Rule 3: a runtime expression, or else a constant."""
    api = read_edited(("{path.job-id: $response.header.X-Job-Id}", f"{{job-id: {expression}}}"))
    assert _only(api).status_arguments == (binding,)


def test_the_result_is_what_the_status_links_to(read_edited: Read) -> None:
    """Rule 4: one link to a `GET` operation leads to the result, whatever its path."""
    result = _only(read_edited()).result
    assert isinstance(result, Fetched)
    assert (result.operation.name, result.type) == ("get_document", "models.Document")
    assert result.arguments == (Binding("number", "response.body", "/location"),)


def test_a_shared_status_leads_to_the_result_of_each_start(read_edited: Read) -> None:
    """Rule 4: of several links, the one is meant whose path is the start's plus one parameter."""
    chains = read_edited(("paths:\n", SECOND_START), (RESULT, SECOND_RESULT)).chains
    results = {chain.start.name: chain.result for chain in chains}
    assert {
        name: result.operation.name
        for name, result in results.items()
        if isinstance(result, Fetched)
    } == {"add_document": "get_document", "add_label": "get_label"}


def test_an_embedded_result_is_a_part_of_the_status(read_edited: Read) -> None:
    """Rule 4: without a link, `x-async.result` says where the value is, its schema what it is."""
    chain = _only(
        read_edited((f"          links:\n{RESULT}", ""), _async("result: $response.body#/problem"))
    )
    assert chain.result == Embedded("/problem", "str")


def test_words_classify_states(read_edited: Read) -> None:
    """Rule 5: case, hyphens, underscores do not count; the first reason-like name is the error."""
    states = _only(read_edited()).states
    assert (states.pending, states.succeeded, states.failed) == (
        ("queued", "In-Progress"),
        ("done",),
        ("timed_out",),
    )
    assert (states.pointer, states.error) == ("/state", "/problem")


def test_the_extension_says_what_words_do_not(read_edited: Read) -> None:
    """Rule 6: lists win over words; `state` and `error` name places."""
    states = read_edited(source=SHIPMENTS).chains[1].states
    assert (states.pointer, states.error) == ("/phase", "/fault")
    assert (states.pending, states.succeeded, states.failed) == (
        ("spooled", "printing"),
        ("printed",),
        ("jammed",),
    )
    states = _only(read_edited(_async("failed: [done]", "succeeded: [queued]"))).states
    assert (states.succeeded, states.failed) == (("queued",), ("done", "timed_out"))


def test_a_state_without_enum_takes_the_lists(read_edited: Read) -> None:
    """Rule 6: where the document lists no values, the extension's lists are all that is known."""
    states = _only(
        read_edited(
            _async("state: $response.body#/problem", "succeeded: [ok]"),
        )
    ).states
    assert (states.pointer, states.pending, states.succeeded) == ("/problem", (), ("ok",))
    assert states.error is None


TO_JOB = "operationRef: '#/paths"
STATES = "[queued, In-Progress, done, timed_out]"
ARGUMENT = "{path.job-id: $response.header.X-Job-Id}"
ACCEPTED = "{$ref: '#/components/responses/Accepted'}"
UNNAMED = "operationId: GET /print-jobs/{job-id}"
INTEGER = "name: job-id, in: path, required: true, schema: {type: integer"
UNUSED = "{operationId: get-document, parameters: {x: 1}}"
TWO_STATUS_LINKS = (
    "{description: A, links: {a: {operationId: get-document, parameters: {number: a}},"
    " b: {operationId: get-document, parameters: {number: b}}}}"
)


@pytest.mark.parametrize(
    ("edits", "line", "said"),
    [
        ([(START_LINK, "operationId: gone")], "operationId: gone", "no operation `gone`"),
        ([(TO_JOB, "operationRef: '#/x")], "operationRef: '#/x", "no operation `#/x"),
        (
            [(TO_JOB, "operationRef: 'b.yaml#/paths")],
            "operationRef: 'b.yaml",
            "no operation `b.yaml",
        ),
        ([(START_LINK, "description: None")], "    Job:", "names no operation"),
        ([("{path.job-id:", "{job:")], "{job:", "no parameters `job`"),
        ([("{path.job-id:", "{query.job-id:")], "{query.job-id:", "no parameters `query.job-id`"),
        ([(ARGUMENT, "{}")], "    Job:", "nothing gives `job-id`"),
        ([("header.X-Job-Id}", "header.X-Job}")], "header.X-Job}", "no header `X-Job`"),
        ([("response.header.X-Job-Id}", "request.path.id}")], "path.id}", "path parameter `id`"),
        ([("response.header.X-Job-Id}", "request.body#/gone}")], "body#/gone}", "no `/gone`"),
        ([("header.X-Job-Id}", "body#/id}")], "body#/id}", "response has no JSON body"),
        ([("header.X-Job-Id}", "query.id}")], "query.id}", "no runtime expression"),
        ([("$response.header.X-Job-Id}", "$url}")], "$url}", "no runtime expression"),
        ([("{number: $response.body#/location}", "{}")], "document:", "nothing gives `number`"),
        ([(RESULT, RESULT.replace("get-document", "no"))], "operationId: no", "no operation `no`"),
        ([(f"          links:\n{RESULT}", "")], "    Job:", "where the result"),
        ([(STATES, "[queued, odd, done]")], "[queued, odd", "`odd`"),
        ([(STATES, "[queued, failed]")], "[queued, failed", "means success"),
        ([(f", enum: {STATES}", "")], "    Job:", "but none"),
        (
            [("problem: {type: string}", "b: {type: string, enum: [done]}")],
            "    Job:",
            "`state` `b`",
        ),
        ([_async("state: $response.body#/gone")], "state: $", "has no `$response.body#/gone`"),
        ([_async("state: gone")], "state: gone", "has no `gone`"),
        ([_async("error: $response.body#/gone")], "error: $", "has no `$response.body#/gone`"),
        ([_async("succeded: [done]")], "succeded:", "no key `succeded`"),
        (
            [
                ("state: {type: string, enum", "state: {type: object, enum"),
                _async("state: $response.body#/state"),
            ],
            "state: $",
            "is of type object",
        ),
        (
            [("parameters: {path.job-id:", "parameters: {job-id: '1', path.job-id:")],
            "parameters: {job-id:",
            "`job-id` is given twice",
        ),
        (
            [
                (
                    "- {name: timeout, in: query",
                    "- {name: timeout, in: query, schema: {}}\n        - {name: timeout, in: query",
                )
            ],
            "timeout, in: query, schema: {type",
            "`timeout` is there twice",
        ),
        ([_async("[queued]")], "x-async:", "is no object"),
        (
            [
                (
                    "application/json:\n            schema: {$ref: '#/components/schemas/new-d",
                    "multipart/form-data:\n            schema: {type: string, title: '",
                )
            ],
            "schema: {type: string, title",
            "no object with properties",
        ),
        (
            [
                (
                    "    get:\n      param",
                    "    get:\n      operationId: resumeAddDocument\n      param",
                )
            ],
            "    get:",
            "as a method of #/paths/~1documents/post",
        ),
        ([_async("failed: done")], "failed: done", "is no list"),
        ([_async("pending: [gone]")], "pending: [gone]", "no value `gone`"),
        ([_async("pending: [done]", "failed: [done]")], "failed: [done]", "in two lists"),
        ([(f"          links:\n{RESULT}", ""), _async("result: x")], "result: x", "has no `x`"),
        (
            [("operationId: get-document\n      dep", "operationId: add_document\n      dep")],
            "    get:",
            "called `add_document`",
        ),
        (
            [
                (
                    RESULT,
                    SECOND_RESULT.replace("getLabel", "get-document").replace("text:", "number:"),
                )
            ],
            "          links:",
            "which of 2 links",
        ),
        (
            [("    new-document:\n", "    NewDocument: {type: string}\n    new-document:\n")],
            "    new-document:",
            "called `NewDocument`",
        ),
        ([("        copy:", "        copy_: {}\n        copy:")], "copy: {type", "called `copy_`"),
        ([("{name: self, in", "{name: timeout_, in")], "{name: timeout_", "called `timeout_`"),
        ([(ACCEPTED, TWO_STATUS_LINKS)], "'202':", "2 links lead to `GET`"),
        ([(START_LINK, UNNAMED)], UNNAMED, "no operation `GET /print-jobs/{job-id}`"),
        ([("$response.header.X-Job-Id}", "null}")], "null}", "takes no `null`"),
        ([("$response.header.X-Job-Id}", "''}")], "''}", "takes no ``"),
        ([("$response.header.X-Job-Id}", "'..'}")], "'..'}", "takes no `..`"),
        ([("$response.header.X-Job-Id}", "{a: 1}}")], "{a: 1}}", 'takes no `{"a": 1}`'),
        (
            [
                ("name: job-id, in: path, required: true, schema: {type: string", INTEGER),
                ("$response.header.X-Job-Id}", "seven}"),
            ],
            "seven}",
            "takes no `seven`",
        ),
        ([("$response.header", "response.header")], "response.header", "no runtime expression"),
        ([("$response.header.X-Job-Id", "' $url'")], "' $url'", "no runtime expression"),
        (
            [("$response.header.X-Job-Id", "'a{$response.header.X-Job-Id}'")],
            "'a{$response",
            "no runtime expression",
        ),
        (
            [("  schemas:\n    new", "    Unused: {operationId: gone}\n  schemas:\n    new")],
            "    Unused:",
            "no operation `gone`",
        ),
        (
            [("  schemas:\n", f"    Unused: {UNUSED}\n  schemas:\n")],
            "    Unused:",
            "no parameters `x`",
        ),
    ],
)
def test_what_is_not_said_is_refused(
    problems_of: Problems, tmp_path: Path, edits: list[Edit], line: str, said: str
) -> None:
    """The generator stops where the document leaves something open, and names the line."""
    problems = problems_of(*edits)
    lines = (tmp_path / "edited.yaml").read_text("utf-8").splitlines()
    assert any(said in p.what and line in lines[p.line - 1] for p in problems), [
        (lines[p.line - 1], str(p)) for p in problems
    ]


def test_a_problem_says_what_why_and_how_to_mend(problems_of: Problems) -> None:
    """A problem is one line: line, pointer, what, why, remedy."""
    (problem,) = problems_of((ARGUMENT, "{}"))
    assert str(problem) == (
        f"{problem.line}: #/components/links/Job: nothing gives `job-id` to "
        "`GET /print-jobs/{job-id}`; the parameter is required; "
        "add it to the link: `job-id: $response.body#/…`"
    )


def test_a_state_may_be_a_number(read_edited: Read) -> None:
    """States are compared as text: a number as JSON writes it."""
    words = "type: string, enum: [queued, In-Progress, done, timed_out]"
    numbers = words, "type: integer, enum: [0, 1, 2, 3]"
    said = _async("pending: [0, 1]", "succeeded: [2]", "failed: [3]")
    states = _only(read_edited(numbers, said)).states
    assert (states.pending, states.succeeded, states.failed) == (("0", "1"), ("2",), ("3",))


def test_an_extension_that_nothing_reads_is_refused(problems_of: Problems) -> None:
    """`x-async` counts on the link from the 202 answer only; elsewhere it is a mistake."""
    operation = "      operationId: get-document\n      deprecated"
    [problem] = problems_of(
        (operation, operation.replace("\n", "\n      x-async: {pending: [queued]}\n"))
    )
    assert problem.pointer.endswith("/get/x-async")
    assert "does not stand on a link" in problem.what


BODY = """\
              schema:
                type: object
                properties:
                  state: {type: string, enum: [queued, In-Progress, done, timed_out]}
                  location: {type: string, nullable: true}
                  problem: {type: string}
"""
MEMBERS = "location: {type: string}, problem: {type: string}"


def _body(schema: str) -> Edit:
    return BODY, f"              schema: {schema}\n"


@pytest.mark.parametrize(
    "schema",
    [
        (
            "{allOf: [{type: object, properties: {state: {type: string}}}, {type: object,"
            f" properties: {{state: {{type: string, enum: [new, done]}}, {MEMBERS}}}}}]}}"
        ),
        (
            "{type: object, allOf: [{type: object, properties: {state: {type: string,"
            f" enum: [new, done]}}}}}}], properties: {{state: {{type: string}}, {MEMBERS}}}}}"
        ),
        (
            f"{{type: object, properties: {{{MEMBERS}, state: {{allOf: [{{type: string,"
            " enum: [new, done]}, {description: How far it is.}]}}}"
        ),
        (
            f"{{oneOf: [{{properties: {{state: {{type: string, enum: [new]}}, {MEMBERS}}}}},"
            " {type: object, properties: {state: {type: string, enum: [done]}}}]}"
        ),
    ],
)
def test_a_state_may_be_told_in_parts(read_edited: Read, schema: str) -> None:
    """Rule 5: parts of `allOf` say the same of one member, those of `oneOf` each its values."""
    states = _only(read_edited(_body(schema))).states
    assert (states.pointer, states.pending, states.succeeded) == ("/state", ("new",), ("done",))
    assert states.error == "/problem"


def test_an_argument_may_be_of_every_alternative(read_edited: Read) -> None:
    """Rule 3: a part of a body with `oneOf` is one that an alternative describes."""
    accepted = (
        "{description: A, content: {application/json: {schema: {oneOf: ["
        "{type: object, properties: {a: {type: string}}},"
        " {type: object, properties: {id: {type: string}}}]}}},"
        " links: {s: {operationRef: '#/paths/~1print-jobs~1%7Bjob-id%7D/get',"
        " parameters: {job-id: $response.body#/id}}}}"
    )
    chain = _only(read_edited((ACCEPTED, accepted)))
    assert chain.status_arguments == (Binding("job_id", "response.body", "/id"),)


def test_a_result_that_several_schemas_describe_is_refused(problems_of: Problems) -> None:
    """Rule 4: of which type the result is must be said."""
    schema = (
        "{oneOf: [{type: object, properties: {state: {type: string, enum: [new, done]},"
        " r: {type: string}}}, {type: object, properties: {r: {type: integer}}}]}"
    )
    (problem,) = problems_of(
        _body(schema), (f"          links:\n{RESULT}", ""), _async("result: $response.body#/r")
    )
    assert "`$response.body#/r` is described by" in problem.what


def test_two_operations_of_one_id_are_told_once(problems_of: Problems) -> None:
    """A link to either brings no problem beside theirs."""
    (problem,) = problems_of(
        ("    get:\n      param", "    get:\n      operationId: get-document\n      param"),
    )
    assert "are both called `get_document`" in problem.what
