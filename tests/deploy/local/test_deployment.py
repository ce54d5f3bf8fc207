"""Any contract, made ready to run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.contract import ContractError, entity, load
from deploy.local.deployment import Deployment, deploy
from deploy.local.report import notices, report
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
    assert deployment.entity is not None
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
    assert deployment.entity is None
    assert not deployment.signed


def test_queue_and_table_are_named_after_the_entity() -> None:
    """Two contracts in one engine do not share them; what is given wins."""
    made = replace(entity(load(ROOT / "openapi.yaml")), path="/teams/{team}/purchase-orders")
    assert with_defaults({"TableName": "mine"}, made)["TableName"] == "mine"
    assert with_defaults({}, made)["QueueName"] == "purchase-orders"


def test_without_a_way_to_read_it_nothing_is_made(tmp_path: Path) -> None:
    """A contract that sends to the queue and gets no item runs, without the consumer."""
    text = (ROOT / "openapi.yaml").read_text("utf-8").replace("action/GetItem", "action/Scan")
    deployment = deployed(tmp_path, text)
    assert deployment.entity is None
    assert deployment.queues == ["users"]


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


ALL_KINDS = """\
openapi: 3.0.1
info: {title: t}
x-amazon-apigateway-gateway-responses:
  DEFAULT_4XX:
    statusCode: 9
    responseParameters: {gatewayresponse.header.X: nope}
  NOT_A_TYPE: {}
x-amazon-apigateway-request-validator: nobody
components: {schemas: {my_model: {}}}
paths:
  /a/{p+}/x:
    get:
      responses: {'200': {}}
      security: [{nobody: []}]
      x-amazon-apigateway-integration:
        type: http
        httpMethod: GET
        uri: 'no url'
        passthroughBehavior: maybe
        timeoutInMillis: 1
        typo: 1
        requestParameters: {integration.request.header.X: abc, integration.request.header.Y: 5}
        requestTemplates: {a/b: '#if('}
        responses:
          '4(': {statusCode: '200'}
          '5..':
            statusCode: '502'
            responseTemplates: {a/b: '#set('}
  /b:
    x-amazon-apigateway-any-method:
      responses: []
      x-amazon-apigateway-integration: {type: aws, httpMethod: POST, uri: 'arn:x:no'}
    get:
      x-amazon-apigateway-integration:
        type: aws
        httpMethod: POST
        uri: 'arn:aws:apigateway:us-east-1:athena:action/${Missing}'
    put: {}
"""


def test_one_run_tells_everything(tmp_path: Path) -> None:
    """Types, import, templates, placeholders, services: no mistake hides another one."""
    told = [
        (int(line.split(":")[1]), line.split(": ", 1)[1])
        for line in refusal(tmp_path, ALL_KINDS).splitlines()
    ]
    expected = [
        (5, "Invalid status code 9"),
        (6, "Invalid mapping expression specified: nope"),
        (7, "Invalid gateway response type 'NOT_A_TYPE'"),
        (8, "Invalid Request Validator name 'nobody'"),
        (9, "Model name must be alphanumeric: `my_model`"),
        (11, "a greedy parameter such as {p+} stands last"),
        (14, "GET /a/{p+}/x: no security scheme 'nobody'"),
        (18, "Invalid HTTP endpoint specified for URI"),
        (19, "Invalid passthrough behavior 'maybe'"),
        (20, "Timeout should be between 50 ms and 29000 ms"),
        (22, "Invalid mapping expression specified: abc"),
        (23, "the mapping template does not parse"),
        (25, "Invalid selection pattern '4('"),
        (28, "the mapping template does not parse"),
        (31, "where a mapping belongs"),
        (32, "ANY /b: AWS ARN for integration must contain path or action"),
        (37, "no value for ${Missing}"),
        (37, "nothing here answers for the service 'athena'"),
        (38, "PUT /b: No integration defined for method"),
    ]
    assert [line for line, _ in told] == [line for line, _ in expected]
    for line, text in expected:
        assert any(at == line and text in reason for at, reason in told), text


def test_notices_are_told_of_what_is_refused(tmp_path: Path) -> None:
    """The next run need not bring what this one could have said."""
    path = tmp_path / "api.yaml"
    path.write_text(ALL_KINDS, "utf-8")
    lines = [line.removeprefix(f"{tmp_path}/") for line in notices(load(path))]
    assert [(line.split(": ")[0], line.split(": ")[2]) for line in lines] == [
        ("api.yaml:21", "AWS's import"),
        ("api.yaml:22", "AWS's import"),
        ("api.yaml:24", "when AWS runs it"),
        ("api.yaml:27", "when AWS runs it"),
    ]


def test_a_path_may_have_more_than_methods(tmp_path: Path) -> None:
    """What is no operation is no matter of its rules."""
    path = tmp_path / "api.yaml"
    path.write_text(MOCK.replace("    get:", "    x-owner: 5\n    summary: s\n    get:"), "utf-8")
    assert notices(load(path)) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        ("statusCode: 200", "statusCode: 201", 14, "status 201 is not in the `responses` of getX"),
        ("default:", "'4..':", 12, "there is no `default` for statuses that no pattern matches"),
        ("default:", "'4xx': {statusCode: 200}\n          default:", 13, "`4xx` matches no status"),
        ("$input.params", "$util.toJson", 18, "there is no `$util.toJson`"),
        ("type: mock", "type: http_proxy", 11, "`requestTemplates` of a proxy integration"),
    ],
)
def test_what_fails_at_run_time_has_its_line(
    old: str, new: str, line: int, text: str, tmp_path: Path
) -> None:
    """The import takes it, so a notice says what becomes of it; advice on style is one line."""
    path = tmp_path / "api.yaml"
    path.write_text(MOCK.replace(old, new), "utf-8")
    found = [line for line in report(load(path)) if ": notice: when AWS runs it: " in line]
    assert any(
        each.startswith(f"{path}:") and text in each and f":{line}: " in each for each in found
    ), found


def test_ours_of_another_contract_is_summarised(tmp_path: Path) -> None:
    """What has a line of its own is not counted again."""
    path = tmp_path / "api.yaml"
    text = MOCK.replace("statusCode: 200", "statusCode: 201").replace("{}}", "{description: d}}")
    path.write_text(text.replace("title: t", "title: t, version: '1'"), "utf-8")
    *_, summary = report(load(path))
    assert ": warning: " in summary
    assert "response-status 1" in summary, "`default` is a success; the status has its own line"


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
        "type: mock", "type: mock\n        cacheKeyParameters: [x]\n        typo: 1"
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
    assert "cacheKeyParameters" in lines[2]
    assert lines[3].startswith("api.yaml:2: warning: ")
    assert "findings of the rules for this project's own contract" in lines[3]


def test_our_contract_has_notices_and_no_warning() -> None:
    """What AWS ignores of it is told; its own rules it keeps."""
    lines = report(load(ROOT / "openapi.yaml"))
    assert lines
    assert all(": notice: " in line for line in lines)
    (presence,) = [line for line in lines if "presence only" in line]
    assert "(also in line " in presence


def test_an_endpoint_has_to_be_of_use(tmp_path: Path) -> None:
    """A misspelt service would leave its calls with the embedded engine, without a word."""
    assert deployed(tmp_path, contract_with(SQS), ["sqs"]).services == {"sqs"}
    for text, services in ((contract_with(SQS), "sqs"), (MOCK, "none")):
        with pytest.raises(ContractError, match=f"service 'sns'.*these are called: {services}"):
            deployed(tmp_path, text, ["sns"])
