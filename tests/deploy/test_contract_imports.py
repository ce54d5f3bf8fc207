"""What API Gateway's import refuses, and what it leaves out, of any document."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.contract import Contract, ContractError, derive, ignored, load, refused

ROOT = Path(__file__).parents[2]
MINIMAL = """\
openapi: 3.0.1
info: {title: t, version: '1'}
paths:
  /x:
    get:
      responses: {}
      x-amazon-apigateway-integration: {type: mock}
"""


def contract_of(tmp_path: Path, text: str, name: str = "foreign.yaml") -> Contract:
    """Load a text as a contract."""
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return load(path)


def test_our_contract_is_imported() -> None:
    """Nothing in it is refused, and none of its keys are unknown."""
    contract = load(ROOT / "openapi.yaml")
    assert refused(contract) == []
    assert "integration-key" not in {finding.rule for finding in ignored(contract)}


def test_a_document_need_not_be_ours(tmp_path: Path) -> None:
    """Rules of this project, such as who may call, are no matter of the import."""
    contract = contract_of(tmp_path, MINIMAL)
    assert refused(contract) == []
    assert ignored(contract) == []


def test_a_document_may_be_json_with_tabs(tmp_path: Path) -> None:
    """AWS exports JSON; tools indent it as they like, and lines are still known."""
    text = '{\n\t"openapi": "3.0.1",\n\t"info": {"title": "a\\/b"},\n\t"paths": {"/x": []}\n}'
    contract = contract_of(tmp_path, text, "export.json")
    assert contract.document["info"] == {"title": "a/b"}
    assert [finding.line for finding in refused(contract)] == [4]


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        ("3.0.1", "3.1.0", 1, "OpenAPI 3.1.0 is not imported"),
        ("openapi: 3.0.1", "swagger: '2.0'", 1, "Swagger 2.0"),
        ("openapi: 3.0.1", "x-none: 1", 1, "`openapi` is missing"),
        ("responses: {}", "responses: []", 6, "where a mapping belongs"),
        (
            "info: {title: t, version: '1'}",
            "components: {schemas: {my_model: {}}}",
            2,
            "Model name must be alphanumeric: `my_model`",
        ),
    ],
)
def test_what_is_refused_is_told_with_its_line(
    old: str, new: str, line: int, text: str, tmp_path: Path
) -> None:
    """One finding, at the line that has to be mended."""
    (finding,) = refused(contract_of(tmp_path, MINIMAL.replace(old, new)))
    assert finding.line == line
    assert text in finding.message


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        (
            "type: mock",
            "type: mock, requestParameters: {integration.request.header.a: true}",
            7,
            "the mapping to `integration.request.header.a` is no text",
        ),
        ("type: mock", "type: mock, passthroughBehaviour: never", 7, "passthroughBehaviour"),
        ("responses: {}", "callbacks: {}\n      responses: {}", 6, "`callbacks` is left out"),
        ("    get:", "    trace:", 5, "there is no method TRACE"),
        (
            "responses: {}",
            "parameters: [{name: a, in: cookie}]\n      responses: {}",
            6,
            "cookie parameters are left out",
        ),
        (
            "responses: {}",
            """parameters: [{name: a, in: query, schema: {type: string, enum: [b]}}]
      responses: {}""",
            6,
            "checked for presence only",
        ),
        (
            "responses: {}",
            "responses: {'200': {content: {a/b: {schema: {items: {nullable: true}}}}}}",
            6,
            "`nullable` is left out, so that null is refused",
        ),
    ],
)
def test_what_is_ignored_is_told_with_its_line(
    old: str, new: str, line: int, text: str, tmp_path: Path
) -> None:
    """One finding, at the line that has no effect."""
    (finding,) = ignored(contract_of(tmp_path, MINIMAL.replace(old, new)))
    assert finding.line == line
    assert text in finding.message


def test_shared_responses_and_links_are_named(tmp_path: Path) -> None:
    """Only references to schemas are documented to be imported; links are for clients."""
    responses = "responses: {'200': {$ref: '#/components/responses/R'}}"
    shared = "\ncomponents: {responses: {R: {description: d, links: {l: {operationId: o}}}}}\n"
    text = MINIMAL.replace("responses: {}", responses) + shared
    messages = [finding.message for finding in ignored(contract_of(tmp_path, text))]
    assert messages == [
        "only references to schemas are documented to work",
        "`links` are left out",
    ]


def test_placeholders_of_other_tools_are_filled(tmp_path: Path) -> None:
    """CloudFormation's and Terraform's; in a template a name in lower case is a variable."""
    integration = (
        "{type: aws, uri: 'arn:${AWS::Partition}:apigateway:${region}:sqs:path/${Queue}',"
        " requestTemplates: {a/b: '#set($Own = 1)${Own} ${Table} ${name}'}}"
    )
    contract = contract_of(tmp_path, MINIMAL.replace("{type: mock}", integration))
    values = {"AWS::Partition": "aws", "region": "r", "Queue": "q", "Table": "t"}
    operation = derive(contract, values)["paths"]["/x"]["get"]
    filled = operation["x-amazon-apigateway-integration"]
    assert filled["uri"] == "arn:aws:apigateway:r:sqs:path/q"
    assert filled["requestTemplates"]["a/b"] == "#set($Own = 1)${Own} t ${name}"


def test_missing_placeholders_are_named_at_once(tmp_path: Path) -> None:
    """One line says which, and where the first of them is."""
    text = MINIMAL.replace("{type: mock}", "{type: http, uri: '${Base}/${path}'}")
    with pytest.raises(ContractError) as caught:
        derive(contract_of(tmp_path, text), {"Regoin": "x"})
    missing, unknown = str(caught.value).splitlines()
    assert missing.startswith(f"{tmp_path / 'foreign.yaml'}:7: placeholder: ")
    assert "no value for ${Base}, ${path}." in missing
    assert "unknown placeholders ${Regoin}" in unknown
