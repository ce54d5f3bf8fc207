"""Any contract, made ready to run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from deploy.contract import ContractError, load
from deploy.local.deployment import Deployment, deploy
from deploy.local.report import report
from deploy.local.runtime import with_defaults

ROOT = Path(__file__).parents[3]
MOCK = """\
openapi: 3.0.1
info: {title: t}
paths:
  /x/{id}:
    get:
      operationId: getX
      parameters: [{name: id, in: path, required: true}]
      responses: {'200': {}}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses:
          default:
            statusCode: 200
            responseTemplates:
              application/json: |
                {
                  "id": "$input.params('id')"
                }
"""
HTTP = "{type: http_proxy, httpMethod: GET, uri: 'http://127.0.0.1:9/'}"
SQS = "{type: aws, httpMethod: POST, uri: 'arn:aws:apigateway:us-east-1:sqs:path/0/orders'}"


def contract_with(integration: str) -> str:
    """Return a document with one integration."""
    head = MOCK[: MOCK.index("\n        type: mock")]
    return f"{head} {integration}\n"


def deployed(tmp_path: Path, text: str, endpoints: Iterable[str] = (), **values: str) -> Deployment:
    """Make a text ready to run."""
    path = tmp_path / "api.yaml"
    path.write_text(text, "utf-8")
    return deploy(load(path), with_defaults(values), endpoints=endpoints)


def refusal(tmp_path: Path, text: str) -> str:
    """Return why a text does not run."""
    with pytest.raises(ContractError) as caught:
        deployed(tmp_path, text)
    return str(caught.value).replace(f"{tmp_path}/", "")


def test_our_contract_is_the_whole_chain() -> None:
    """It sends to the queue and reads the table that the consumer works with."""
    deployment = deploy(load(ROOT / "openapi.yaml"), with_defaults({}))
    assert deployment.whole_chain
    assert deployment.signed
    assert deployment.services == {"sqs", "dynamodb"}
    assert deployment.queues == ["users"]


@pytest.mark.parametrize(
    ("text", "services", "queues"),
    [
        (MOCK, set(), []),
        (contract_with(HTTP), set(), []),
        (contract_with(SQS), {"sqs"}, ["orders"]),
    ],
    ids=["mock", "http_proxy", "sqs"],
)
def test_a_contract_needs_what_it_calls(
    text: str, services: set[str], queues: list[str], tmp_path: Path
) -> None:
    """Services and queues are read off its URIs; none belong to the consumer."""
    deployment = deployed(tmp_path, text)
    assert deployment.services == services
    assert deployment.queues == queues
    assert not deployment.whole_chain
    assert not deployment.signed


def test_a_template_that_does_not_parse_is_located(tmp_path: Path) -> None:
    """With file, line, operation, and line and column of the template."""
    text = refusal(tmp_path, MOCK.replace('"id": "$', '"id": #if($x} "$'))
    assert text.startswith("api.yaml:18: getX: the mapping template does not parse: ")
    assert text.endswith("at line 2, column 15")


def test_all_that_is_refused_is_told_at_once(tmp_path: Path) -> None:
    """Every operation's every problem has its line."""
    second = MOCK[MOCK.index("  /x/{id}:") :].replace("/x/", "/y/").replace("getX", "getY")
    broken = MOCK.replace("statusCode: 200\n", "statusCode: OK\n").replace(
        "type: mock", "type: mock\n        requestParameters: {a: b}"
    )
    lines = refusal(tmp_path, broken + second.replace("type: mock", "type: MAGIC")).splitlines()
    assert [line.partition(" ")[0] for line in lines] == [
        "api.yaml:11:",
        "api.yaml:15:",
        "api.yaml:27:",
    ]
    assert "getY: Invalid integration type 'magic'" in lines[2]


def test_lambda_is_refused_clearly() -> None:
    """A document of aws_proxy integrations says so for each operation."""
    with pytest.raises(ContractError) as caught:
        deploy(load(ROOT / "tests/data/shipments.yaml"), with_defaults({}))
    lines = str(caught.value).splitlines()
    assert len(lines) == 6
    assert all("runs no aws_proxy integrations" in line for line in lines)
    assert "shipments.yaml:47: listShipments: " in lines[0]


def test_a_document_without_methods_is_refused(tmp_path: Path) -> None:
    """As AWS refuses to deploy it."""
    text = "openapi: 3.0.1\ninfo: {title: t}\npaths: {}\n"
    assert refusal(tmp_path, text) == "api.yaml:3: The REST API doesn't contain any methods"


def test_a_service_needs_somebody_who_answers(tmp_path: Path) -> None:
    """What the engine does not have must be given by --endpoint."""
    text = contract_with(SQS.replace("sqs:path", "athena:path"))
    assert "getX: nothing here answers for the service 'athena'" in refusal(tmp_path, text)
    assert deployed(tmp_path, text, ["athena"]).services == {"athena"}


def test_the_report_groups_what_is_alike(tmp_path: Path) -> None:
    """One line for each kind of notice, with all its lines, and one warning."""
    text = MOCK.replace(
        "type: mock", "type: mock\n        contentHandling: CONVERT_TO_TEXT\n        typo: 1"
    )
    text = text.replace("required: true}", "required: true, schema: {type: string, pattern: a}}")
    contract = deployed(tmp_path, text).contract
    lines = [line.replace(f"{tmp_path}/", "") for line in report(contract)]
    assert [line.split(": ")[:3] for line in lines[:3]] == [
        ["api.yaml:7", "notice", "AWS's import"],
        ["api.yaml:12", "notice", "AWS's import"],
        ["api.yaml:11", "notice", "not as on AWS"],
    ]
    assert "`typo`" in lines[1]
    assert "contentHandling" in lines[2]
    assert lines[3].startswith("api.yaml:2: warning: ")
    assert "findings of the rules for this project's own contract" in lines[3]


def test_our_contract_has_notices_and_no_warning() -> None:
    """What AWS ignores of it is told; its own rules it keeps."""
    lines = report(load(ROOT / "openapi.yaml"))
    assert lines
    assert all(": notice: " in line for line in lines)
    (presence,) = [line for line in lines if "presence only" in line]
    assert "(also in line " in presence
