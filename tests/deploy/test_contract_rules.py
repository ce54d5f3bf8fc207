"""Every rule of the contract: what breaks it is found, in the right line."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.contract import Contract, Finding, lint, load
from deploy.contract.lint import RULES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "openapi.yaml").read_text(encoding="utf-8")
JUNK = [None, 1, "", "x", [], [1], {}, {"x": 1}, {"x-a": None}, {"$ref": "#/x"}, {"$ref": 1}, True]
SECURITY = "      security: [{sigv4: []}]\n"

# A rule, what is written instead of what, where the finding is (the line in which this text ends;
# by default that of the new text), and a part of its message.
MUTATIONS = [
    ("security", SECURITY, "", "    post:", "anybody may call createUser"),
    ("security", SECURITY, "      security: []\n", "    post:", "anybody may call createUser"),
    ("security", "[{sigv4: []}]", "[{sigv4: []}, {}]", "[{sigv4: []}, {}]", "without awsSigv4"),
    ("security", "[{sigv4: []}]", "[{other: []}]", "[{other: []}]", "without awsSigv4"),
    ("security", "authtype: awsSigv4", "authtype: custom", "components:", "no security scheme"),
    (
        "security",
        SECURITY,
        SECURITY + "      x-amazon-apigateway-auth: {type: NONE}\n",
        "{type: NONE}",
        "replaces",
    ),
    ("validator", "request-validator: all", "request-validator: al", "validator: al", "no valid"),
    (
        "validator",
        "      x-amazon-apigateway-request-validator: all\n",
        "",
        "    post:",
        "nothing validates createUser",
    ),
    (
        "validator",
        "validateRequestBody: true",
        "validateRequestBody: false",
        "request-validator: all",
        "leaves out",
    ),
    (
        "passthrough",
        "passthroughBehavior: never",
        "passthroughBehavior: when_no_match",
        "",
        "unmapped",
    ),
    (
        "passthrough",
        "        passthroughBehavior: never\n",
        "",
        "apigateway-integration:",
        "default",
    ),
    ("integration-key", "timeoutInMillis", "timeoutinMillis", "timeoutinMillis", "timeoutinMillis"),
    ("integration-key", "statusCode: '202'", "statuscode: '202'", "", "statuscode"),
    (
        "integration-key",
        "x-amazon-apigateway-gateway-responses",
        "x-amazon-apigateway-gateway-response",
        "x-amazon-apigateway-gateway-response:",
        "does not know",
    ),
    ("integration", "        credentials: ${ApiRoleArn}\n", "", "y-integration:", "`credentials`"),
    ("integration", "httpMethod: POST", "httpMethod: GET", "httpMethod: GET", "called by POST"),
    ("integration", "timeoutInMillis: 10000", "timeoutInMillis: 60000", "", "60000"),
    (
        "integration",
        "'application/x-www-form-urlencoded'",
        "'application/json'",
        "        requestParameters:",
        "a form only if",
    ),
    (
        "parameter-mapping",
        "integration.request.header.Accept:",
        "integration.header.Accept:",
        "integration.header.Accept:",
        "is no target",
    ),
    (
        "parameter-mapping",
        "method.response.header.Retry-After-Ms: stageVariables.retryAfterMs",
        "method.response.header.Retry-After-Ms: '500'",
        "",
        "is no source",
    ),
    (
        "response-status",
        "statusCode: '202'",
        "statusCode: '201'",
        "statusCode: '201'",
        "status 201",
    ),
    (
        "response-status",
        "            statusCode: '202'\n",
        "",
        r"'2\d{2}':",
        "`statusCode` is missing",
    ),
    (
        "response-status",
        "          default:\n",
        "          '6\\d{2}':\n",
        "#end\n        responses:",
        "no `default`",
    ),
    (
        "response-status",
        "          default:\n            statusCode: '500'",
        "          default:\n            statusCode: '202'",
        "          default:",
        "a success",
    ),
    ("response-status", r"'4\d{2}':", r"'4(\d{2}':", "'4(", "not a regular expression"),
    ("response-status", r"'4\d{2}':", r"'4\d{3}':", r"'4\d{3}':", "matches no status"),
    ("response-status", r"'4\d{2}':", r"'[24]\d{2}':", r"'[24]\d{2}':", "both match 200"),
    ("response-status", r"'2\d{2}':", r"'[23]\d{2}':", r"'[23]\d{2}':", "errors of the backend"),
    (
        "override-status",
        "#set($status = 413)",
        "#set($status = 418)",
        "larger than a message can be.')\n    #end\n    #set($context",
        "status 418",
    ),
    (
        "override-status",
        "#set($context.responseOverride.status = 404)",
        "#set($context.responseOverride.status = $id.length())",
        "status = $id.length())",
        "computed",
    ),
    (
        "response-template",
        "            responseTemplates: {application/json: *sqsError}\n",
        "",
        r"          '4\d{2}':",
        "the backend's own text",
    ),
    (
        "response-media-type",
        "  application/json:\n              schema: {$ref: '#/components/schemas/AcceptedMessage",
        "  application/xml:\n              schema: {$ref: '#/components/schemas/AcceptedMessage",
        r"          '2\d{2}':",
        "status 202 declares application/xml",
    ),
    (
        "response-media-type",
        "method.response.header.Content-Type: \"'application/problem+json'\"",
        "method.response.header.Content-Type: \"'text/plain'\"",
        r"          '4\d{2}':",
        "a client that accepts it gets text/plain",
    ),
    (
        "taint",
        "$util.urlEncode($input.body)",
        "$input.body",
        "&MessageBody=$input.body",
        "$input.body is printed in a form without $util.urlEncode",
    ),
    (
        "template-member",
        "$util.urlEncode($input.body)",
        "$util.urlencode($input.body)",
        "$util.urlencode($input.body)",
        "there is no `$util.urlencode`",
    ),
    (
        "template-member",
        "#if($key.length() > 0)",
        "#if($input.param('k'))",
        "#if($input.param('k'))",
        "there is no `$input.param`",
    ),
    (
        "template-member",
        "#set($key = '')",
        '#set($key = "x$input.bodi")',
        "$input.bodi",
        "there is no `$input.bodi`",
    ),
    (
        "template-member",
        "$util.urlEncode($key)",
        "$util.urlEncode",
        (
            "idempotencyKey##\n            &MessageAttribute.3.Value.DataType=String##\n"
            "            &MessageAttribute.3.Value.StringValue=$util.urlEncode"
        ),
        "without parentheses",
    ),
    (
        "template-member",
        "$util.urlEncode($input.body)",
        "$util.urlEncode($input.body())",
        "$input.body()",
        "`$input.body(…)` prints nothing",
    ),
    (
        "schema-keyword",
        "minLength: 1\n",
        "minLenght: 1\n",
        "minLenght",
        "`minLenght` is no keyword",
    ),
    (
        "schema-keyword",
        "schema: {type: string, minLength: 1, maxLength: 255}",
        "schema: {type: string, maxLengt: 255}",
        "maxLengt",
        "`maxLengt` is no keyword",
    ),
    (
        "schema",
        "  schemas:\n",
        "  schemas:\n    New_User: {type: object}\n",
        "New_User",
        "name of a model",
    ),
    (
        "schema",
        "minLength: 1\n          maxLength: 200",
        "nullable: true",
        "nullable: true",
        "nullable",
    ),
    (
        "schema",
        "address: {$ref: '#/components/schemas/Address'}",
        "address: {allOf: [{$ref: '#/components/schemas/Address'}]}",
        "allOf: [",
        "`$ref` in `allOf`",
    ),
    (
        "response-schema",
        "schema: {$ref: '#/components/schemas/AcceptedMessage'}",
        "schema: {type: string}",
        "application/json:\n              schema: {type: string}",
        "bare string",
    ),
    ("openapi-version", "openapi: 3.0.1", "openapi: 3.1.0", "openapi: 3.1.0", "3.1.0"),
    ("placeholder", ":path/${AccountId}", ":path/${Account}", "${Account}", "${Account}"),
    (
        "placeholder",
        '"TableName":"${TableName}"',
        '"TableName":"${tableName}"',
        "${tableName}",
        "${tableName}",
    ),
    (
        "template-text",
        "unavailable: &unavailable |-",
        "unavailable: &unavailable |",
        '"code":"SERVICE_UNAVAILABLE"',
        "ends in",
    ),
    (
        "template-text",
        "Version=2012-11-05##",
        "Version=2012-11-05",
        "Version=2012-11-05",
        "the form",
    ),
    (
        "template-syntax",
        "#if($key.length() > 0)",
        "#if($key.length() >)",
        "#if($key.length() >)",
        "not VTL",
    ),
    (
        "response-header",
        "method.response.header.Retry-After: \"'1'\"",
        "method.response.header.Retry-Later: \"'1'\"",
        "Retry-Later",
        "header Retry-Later is not declared in the response 202",
    ),
    (
        "response-header",
        "#set($context.responseOverride.header.Location =",
        "#set($context.responseOverride.header.Place =",
        "header.Place",
        "header Place is not declared in the response 202",
    ),
    (
        "override-once",
        "                #set($context.responseOverride.status = 404)\n",
        "                #set($context.responseOverride.status = 404)\n" * 2,
        "status = 404)\n                #set($context.responseOverride.status = 404)",
        "the status may be set twice",
    ),
    (
        "gateway-response",
        "  EXPIRED_TOKEN:",
        "  TOKEN_EXPIRED:",
        "  TOKEN_EXPIRED:",
        "TOKEN_EXPIRED",
    ),
    (
        "gateway-response",
        "  DEFAULT_4XX:\n",
        "  DEFAULT_4XX:\n    statusCode: 400\n",
        "statusCode: 400",
        "replaces",
    ),
    (
        "gateway-response",
        '"title":"Request refused"',
        '"title":$input.body',
        'title":$input.body',
        "not VTL",
    ),
    ("path", "  /status/{messageId}:", "  /status/id-{messageId}:", "/status/id-", "the segment"),
    (
        "path",
        "  /status/{messageId}:",
        "  /status/{id}:",
        "  /status/{id}:\n    get:",
        "`id` is not declared",
    ),
    (
        "path",
        "          in: path\n          required: true",
        "          in: path",
        "  /status/{messageId}:\n    get:",
        "is not required",
    ),
    (
        "link",
        "operationId: getStatus\n              parameters",
        "operationId: getState\n              parameters",
        "            status:",
        "no operation `getState`",
    ),
    (
        "link",
        "messageId: $response.body#/messageId",
        "id: $response.body#/messageId",
        "id: $response",
        "no parameter `id`",
    ),
    (
        "link",
        "$response.body#/messageId",
        "$response.body#/messageID",
        "#/messageID",
        "the body of the response has no `/messageID`",
    ),
    (
        "link",
        "$response.body#/messageId",
        "'{$request.body#/address/town}'",
        "/address/town",
        "the body of the request has no `/address/town`",
    ),
    (
        "link",
        "operationId: getUser\n      tags",
        "operationId: getStatus\n      tags",
        "get:\n      operationId: getStatus",
        "two operations",
    ),
    (
        "structure",
        "      responses:\n        '202'",
        "      answers:\n        '202'",
        "    post:",
        "`responses` is missing",
    ),
    (
        "structure",
        "schema: {$ref: '#/components/schemas/NewUser'}",
        "schema: {$ref: '#/components/schemas/Nobody'}",
        "schemas/Nobody",
        "leads nowhere",
    ),
    (
        "structure",
        "{$ref: '#/components/responses/BadRequest'}",
        "{$ref: '#/components/schemas/User'}",
        "schemas/User'}",
        "another kind",
    ),
    (
        "structure",
        "requestTemplates:\n",
        "requestTemplates: none\n        x-was:\n",
        "requestTemplates: none",
        "where a mapping belongs",
    ),
    (
        "entity",
        "        phone:\n          type",
        "        outcome:\n          type",
        "        outcome:",
        "the item in the table has a `outcome` of its own",
    ),
]


def mutated(tmp_path: Path, old: str, new: str) -> Contract:
    """Load the contract with one place of it rewritten."""
    assert old in TEXT
    file = tmp_path / "openapi.yaml"
    file.write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    return load(file)


def line_of(contract: Contract, needle: str) -> int:
    text = Path(contract.file).read_text(encoding="utf-8")
    return text.count("\n", 0, text.index(needle) + len(needle)) + 1


@pytest.mark.parametrize(
    ("rule", "old", "new", "where", "message"),
    MUTATIONS,
    ids=[f"{case[0]}-{number}" for number, case in enumerate(MUTATIONS)],
)
def test_a_broken_rule_is_found_where_it_is_broken(
    tmp_path: Path, rule: str, old: str, new: str, where: str, message: str
) -> None:
    """One change that breaks a rule gives a finding of that rule, in its line."""
    contract = mutated(tmp_path, old, new)
    expected = (rule, line_of(contract, where or new.strip().splitlines()[0]))
    findings = lint(contract)
    assert expected in {(finding.rule, finding.line) for finding in findings}, findings
    assert any(message in finding.message for finding in findings if finding.rule == rule)


def test_every_rule_has_a_mutation() -> None:
    """No rule is there that nothing shows to work."""
    assert Counter(case[0] for case in MUTATIONS).keys() == RULES.keys()


def test_the_contract_has_no_findings() -> None:
    """Our own contract keeps every rule."""
    assert lint(load(ROOT / "openapi.yaml")) == []


def test_a_finding_prints_its_place_and_how_to_mend_it() -> None:
    """A finding reads as compilers' messages do, so that editors can jump to it."""
    finding = Finding("openapi.yaml", 7, "/paths/~1users", "path", "it is wrong", "Mend it")
    assert str(finding) == "openapi.yaml:7: path: /paths/~1users: it is wrong. Mend it."


def test_a_shared_text_has_one_finding(tmp_path: Path) -> None:
    """What is written once and used often is reported once."""
    contract = mutated(tmp_path, "    #set($status = 500)\n", "    #set($status = 599)\n")
    lines = Counter((finding.line, finding.message) for finding in lint(contract))
    assert set(lines.values()) == {1}


def test_an_operation_for_all_methods_needs_no_id(tmp_path: Path) -> None:
    """Two operations without one are not two of the same."""
    operation = "\n      x-amazon-apigateway-integration: {type: mock}\n      responses: {}\n"
    file = tmp_path / "openapi.yaml"
    file.write_text(
        "openapi: 3.0.1\ninfo: {title: t, version: '1'}\npaths:\n  /a:\n"
        f"    x-amazon-apigateway-any-method:{operation}    get:{operation}",
        encoding="utf-8",
    )
    messages = [each.message for each in lint(load(file)) if each.rule == "link"]
    assert messages == ["there is no `operationId`"]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("passThroughBehavior: never", "passthroughBehavior"),
        ("passthroughBehaviour: never", "passthroughBehavior"),
        ("integrationResponses: {}", "Remove it"),
    ],
)
def test_an_unknown_key_is_told_its_right_spelling(tmp_path: Path, wrong: str, right: str) -> None:
    """Case and slips of the pen are recognised; keys that are like none are to be removed."""
    contract = mutated(tmp_path, "timeoutInMillis: 10000", wrong)
    (remedy,) = {each.remedy for each in lint(contract) if each.rule == "integration-key"}
    assert right in remedy


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("minLength: 1\n", "x-note: 1\n"),
        ("$response.body#/messageId", "$request.body#/tags/0"),
        ("$response.body#/messageId", "$response.header.Location"),
        ("$response.body#/messageId", "$request.body#/address/city"),
        ("schema: {$ref: '#/components/schemas/AcceptedMessage'}", "schema: {type: object}"),
    ],
)
def test_what_is_right_is_no_finding(tmp_path: Path, old: str, new: str) -> None:
    """Extensions in schemas, and members that are there or may be, are left alone."""
    assert lint(mutated(tmp_path, old, new)) == []


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("$util.urlencode(", "`urlEncode`"), ("$util.escapeJavascript(", "`escapeJavaScript`")],
)
def test_a_misspelt_member_is_told_its_right_spelling(
    tmp_path: Path, wrong: str, right: str
) -> None:
    """The near one is named."""
    contract = mutated(tmp_path, "$util.urlEncode(", wrong)
    (remedy,) = {each.remedy for each in lint(contract) if each.rule == "template-member"}
    assert remedy.endswith(f", or write {right}")


def test_extensions_of_paths_and_responses_are_left_alone(tmp_path: Path) -> None:
    """OpenAPI lets both hold `x-` members of any form; they are no paths and no statuses."""
    old = "      responses:\n        '202'"
    new = "      responses:\n        x-note: [1]\n        '202'"
    assert lint(mutated(tmp_path, old, new)) == []
    assert lint(mutated(tmp_path, "paths:\n", "paths:\n  x-note: [1]\n")) == []


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_stands_in_the_document_is_a_finding_not_a_crash(
    tmp_path: Path, data: st.DataObject
) -> None:
    """A node of the wrong kind anywhere is judged like any other mistake."""
    contract = load(ROOT / "openapi.yaml")
    junk = data.draw(st.sampled_from(JUNK))
    pointers = sorted(pointer for pointer in contract.lines if pointer)
    *parents, last = data.draw(st.sampled_from(pointers)).split("/")[1:]
    node: object = contract.document
    for part in [*parents]:
        node = child(node, part)
    if isinstance(node, list):
        node[int(last)] = junk
    elif isinstance(node, dict):
        node[unescaped(last)] = junk
    assert all(finding.line > 0 and finding.remedy for finding in lint(contract))


def child(node: object, part: str) -> object:
    return node[int(part)] if isinstance(node, list) else node[unescaped(part)]  # type: ignore[index]


def unescaped(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
