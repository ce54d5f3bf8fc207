"""The stacks: what CloudFormation is told. Synthesised once, without an AWS account."""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint as cfn_lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from codegen._init import entity_names, render_document
from deploy import app as deploy_app
from deploy.contract import ContractError, entity, load
from deploy.settings import STAGES

# Starting the CDK and synthesising takes ten seconds, on a busy machine many times as long.
pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).parents[2]
Resource = dict[str, Any]


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly of all stages, made by the first worker that needs it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    outdir = shared / "assembly"
    with (shared / "assembly.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (outdir / "manifest.json").exists():
            deploy_app.build(outdir).synth()
    return outdir


@pytest.fixture(params=sorted(STAGES))
def template(assembly: Path, request: pytest.FixtureRequest) -> Resource:
    """The template of each stage."""
    return read(assembly, request.param)


@pytest.fixture
def dev(assembly: Path) -> Resource:
    return read(assembly, "dev")


@pytest.fixture
def prod(assembly: Path) -> Resource:
    return read(assembly, "prod")


def read(assembly: Path, stage: str) -> Resource:
    loaded: Resource = json.loads((assembly / f"users-{stage}.template.json").read_text())
    return loaded


def resources(template: Resource, kind: str) -> list[Resource]:
    found = template["Resources"].values()
    return [resource for resource in found if resource["Type"] == f"AWS::{kind}"]


def properties(template: Resource, kind: str, prefix: str = "") -> Resource:
    """Return the properties of the only resource of a kind whose logical ID starts so."""
    (found,) = (
        resource
        for name, resource in template["Resources"].items()
        if resource["Type"] == f"AWS::{kind}" and name.startswith(prefix)
    )
    result: Resource = found["Properties"]
    return result


def body(template: Resource) -> Resource:
    result: Resource = properties(template, "ApiGateway::RestApi")["Body"]
    return result


def texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for value in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
    ):
        yield from texts(value)


def logical_id(template: Resource, kind: str, prefix: str) -> str:
    name: str
    (name,) = (
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] == f"AWS::{kind}" and name.startswith(prefix)
    )
    return name


def arn(template: Resource, kind: str, prefix: str) -> Resource:
    return {"Fn::GetAtt": [logical_id(template, kind, prefix), "Arn"]}


def allowed(template: Resource, prefix: str) -> list[tuple[set[str], object]]:
    """Return actions and resource of each statement of a role."""
    (policy,) = properties(template, "IAM::Role", prefix)["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    assert all(statement["Effect"] == "Allow" for statement in statements)
    return [(as_set(statement["Action"]), statement["Resource"]) for statement in statements]


def as_set(value: str | list[str]) -> set[str]:
    return {value} if isinstance(value, str) else set(value)


def test_the_api_may_do_three_things(template: Resource) -> None:
    """API Gateway sends to the queue, queries the index and reads the table, nothing more."""
    queue = arn(template, "SQS::Queue", "MessagesQueue")
    table = arn(template, "DynamoDB::GlobalTable", "Users")
    assert allowed(template, "ApiRole") == [
        ({"sqs:SendMessage"}, queue),
        ({"dynamodb:Query"}, {"Fn::Join": ["", [table, "/index/messageId-index"]]}),
        ({"dynamodb:GetItem"}, table),
    ]


@pytest.mark.parametrize(
    ("name", "queue", "table_actions"),
    [
        ("Consumer", "MessagesQueue", {"dynamodb:PutItem"}),
        ("Recorder", "MessagesDeadLetters", {"dynamodb:GetItem", "dynamodb:PutItem"}),
    ],
)
def test_a_function_may_do_what_it_does(
    template: Resource, name: str, queue: str, table_actions: set[str]
) -> None:
    """Its log, its queue, the table, and traces, which know no resource."""
    assert allowed(template, f"{name}Role") == [
        ({"logs:CreateLogStream", "logs:PutLogEvents"}, arn(template, "Logs::LogGroup", name)),
        (
            {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"},
            arn(template, "SQS::Queue", queue),
        ),
        (table_actions, arn(template, "DynamoDB::GlobalTable", "Users")),
        ({"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, "*"),
    ]


def test_nothing_else_grants_anything(template: Resource) -> None:
    """No policy is added by the CDK; only API Gateway's role for logs has one of AWS's."""
    assert resources(template, "IAM::Policy") == []
    roles = resources(template, "IAM::Role")
    managed = [role for role in roles if "ManagedPolicyArns" in role["Properties"]]
    assert len(roles) == 4
    assert "AmazonAPIGatewayPushToCloudWatchLogs" in json.dumps(managed[0])
    assert len(managed) == 1


def test_every_operation_demands_a_signature(template: Resource) -> None:
    """The body as deployed, not only the contract, has IAM authorization on every operation."""
    schemes = body(template)["components"]["securitySchemes"]
    assert schemes["sigv4"]["x-amazon-apigateway-authtype"] == "awsSigv4"
    operations = [
        operation for item in body(template)["paths"].values() for operation in item.values()
    ]
    assert len(operations) == 3
    assert all(operation["security"] == [{"sigv4": []}] for operation in operations)


def test_every_operation_is_validated(template: Resource) -> None:
    """Each selects the validator that checks body and parameters, and lets nothing pass through."""
    validators = body(template)["x-amazon-apigateway-request-validators"]
    for item in body(template)["paths"].values():
        for operation in item.values():
            chosen = validators[operation["x-amazon-apigateway-request-validator"]]
            assert chosen == {"validateRequestBody": True, "validateRequestParameters": True}
            integration = operation["x-amazon-apigateway-integration"]
            assert integration["passthroughBehavior"] == "never"


def test_no_placeholder_is_left(template: Resource) -> None:
    """Every placeholder became a reference of CloudFormation; what is left is VTL's."""
    left = {name for text in texts(body(template)) for name in re.findall(r"\$\{(\w+)", text)}
    assert left == {"field"}
    operation = body(template)["paths"]["/users"]["post"]["x-amazon-apigateway-integration"]
    assert operation["credentials"] == arn(template, "IAM::Role", "ApiRole")
    assert {"Fn::GetAtt": [logical_id(template, "SQS::Queue", "MessagesQueue"), "QueueName"]} in (
        operation["uri"]["Fn::Join"][1]
    )


def test_the_api_is_regional_and_speaks_new_tls(template: Resource) -> None:
    """Warnings of the import fail the deployment; old TLS is refused."""
    api = properties(template, "ApiGateway::RestApi")
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert api["FailOnWarnings"] is True
    assert api["SecurityPolicy"] == "SecurityPolicy_TLS13_1_2_2021_06"
    assert api["EndpointAccessMode"] == "BASIC"


@pytest.mark.parametrize("name", sorted(STAGES))
def test_a_stage_has_its_settings(assembly: Path, name: str) -> None:
    """Throttling, logs, traces and the waiting time of clients come from the settings."""
    settings = STAGES[name]
    stage = properties(read(assembly, name), "ApiGateway::Stage")
    assert stage["StageName"] == name
    assert stage["Variables"] == {"retryAfterMs": str(settings.retry_after_ms)}
    assert stage["TracingEnabled"] is True
    (method,) = stage["MethodSettings"]
    assert method["ThrottlingRateLimit"] == settings.throttle_rate
    assert method["ThrottlingBurstLimit"] == settings.throttle_burst
    assert (method["LoggingLevel"], method["DataTraceEnabled"]) == ("ERROR", False)


def test_the_access_log_is_json_without_paths(template: Resource) -> None:
    """Each line is JSON, names the request, and holds no path: paths hold IDs of users."""
    access_log = properties(template, "ApiGateway::Stage")["AccessLogSetting"]
    values = set(json.loads(access_log["Format"]).values())
    assert {"$context.requestId", "$context.extendedRequestId", "$context.xrayTraceId"} <= values
    assert "$context.path" not in values


def test_queues_are_encrypted_and_refuse_plain_http(template: Resource) -> None:
    """Both queues have encryption and a policy that denies what comes without TLS."""
    queues = resources(template, "SQS::Queue")
    assert [queue["Properties"]["SqsManagedSseEnabled"] for queue in queues] == [True, True]
    policies = resources(template, "SQS::QueuePolicy")
    for policy in policies:
        (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Action"]) == ("Deny", "sqs:*")
        assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(policies) == 2


def test_the_queue_gives_up_after_five_receives(template: Resource) -> None:
    """Dead letters live longer than messages, and come from this queue alone."""
    queue = properties(template, "SQS::Queue", "MessagesQueue")
    dead_letters = properties(template, "SQS::Queue", "MessagesDeadLetters")
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": arn(template, "SQS::Queue", "MessagesDeadLetters"),
        "maxReceiveCount": 5,
    }
    assert (queue["MessageRetentionPeriod"], dead_letters["MessageRetentionPeriod"]) == (
        4 * 86_400,
        14 * 86_400,
    )
    policy = dead_letters["RedriveAllowPolicy"]
    assert policy["redrivePermission"] == "byQueue"
    assert policy["sourceQueueArns"][0]["Fn::Join"][1][-1] == f":{queue['QueueName']}"


def test_a_message_stays_hidden_for_six_timeouts(template: Resource) -> None:
    """A batch that is throttled or slow is not delivered twice at once."""
    timeouts = {
        function["Properties"]["Timeout"] for function in resources(template, "Lambda::Function")
    }
    hidden = {
        queue["Properties"]["VisibilityTimeout"] for queue in resources(template, "SQS::Queue")
    }
    assert (timeouts, hidden) == ({30}, {180})


@pytest.mark.parametrize("name", sorted(STAGES))
def test_queues_feed_the_functions(assembly: Path, name: str) -> None:
    """Ten at a time, failures one by one, and not more at once than the settings say."""
    template = read(assembly, name)
    sources = {"Consumer": "MessagesQueue", "Recorder": "MessagesDeadLetters"}
    for function, queue in sources.items():
        mapping = properties(template, "Lambda::EventSourceMapping", function)
        assert mapping["EventSourceArn"] == arn(template, "SQS::Queue", queue)
        assert mapping["BatchSize"] == 10
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["ScalingConfig"] == {"MaximumConcurrency": STAGES[name].max_concurrency}


def test_functions_run_the_consumer(template: Resource) -> None:
    """Both run our code, traced, with a JSON log of their own."""
    for name, handler in (("Consumer", "handler"), ("Recorder", "recorder")):
        function = properties(template, "Lambda::Function", name)
        assert function["Handler"] == f"consumer.{handler}.handler"
        assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
        assert (function["MemorySize"], function["TracingConfig"]) == (256, {"Mode": "Active"})
        log = {"Ref": logical_id(template, "Logs::LogGroup", name)}
        assert function["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": log}
        table = {"Ref": logical_id(template, "DynamoDB::GlobalTable", "Users")}
        assert function["Environment"]["Variables"] == {
            "ENTITY": entity(load(ROOT / "openapi.yaml")).text,
            "RECEIPT_DAYS": "30",
            "TABLE_NAME": table,
        }


def test_the_code_is_the_consumer_and_nothing_else(assembly: Path) -> None:
    """The asset has the handlers' package, at the path by which they are named, without caches."""
    (asset,) = assembly.glob("asset.*")
    files = {path.relative_to(asset).as_posix() for path in asset.rglob("*") if path.is_file()}
    source = {path.relative_to(ROOT).as_posix() for path in (ROOT / "consumer").rglob("*.py")}
    assert files == source


def test_the_table_has_its_keys_and_index(template: Resource) -> None:
    """Users by their ID; by message ID only what a status shows; receipts expire."""
    table = properties(template, "DynamoDB::GlobalTable")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["KeySchema"] == [{"AttributeName": "userId", "KeyType": "HASH"}]
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "messageId-index"
    assert index["KeySchema"] == [{"AttributeName": "messageId", "KeyType": "HASH"}]
    assert index["Projection"]["ProjectionType"] == "INCLUDE"
    assert set(index["Projection"]["NonKeyAttributes"]) == {"outcome", "resultUserId", "failure"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}


def test_production_cannot_lose_its_table(prod: Resource, dev: Resource) -> None:
    """In production the table is protected and can be restored; in development it goes."""
    (kept,) = properties(prod, "DynamoDB::GlobalTable")["Replicas"]
    assert kept["DeletionProtectionEnabled"] is True
    assert kept["PointInTimeRecoverySpecification"]["RecoveryPeriodInDays"] == 35
    (thrown_away,) = properties(dev, "DynamoDB::GlobalTable")["Replicas"]
    assert thrown_away["DeletionProtectionEnabled"] is False
    assert thrown_away["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is False


@pytest.mark.parametrize(("name", "policy"), [("dev", "Delete"), ("prod", "Retain")])
def test_data_outlives_the_stack_in_production_only(assembly: Path, name: str, policy: str) -> None:
    """Tables, queues and logs are kept in production and removed in development."""
    template = read(assembly, name)
    kinds = ("DynamoDB::GlobalTable", "SQS::Queue", "Logs::LogGroup")
    policies = {
        resource["DeletionPolicy"] for kind in kinds for resource in resources(template, kind)
    }
    assert policies == {policy}


@pytest.mark.parametrize("name", sorted(STAGES))
def test_every_log_ends_some_day(assembly: Path, name: str) -> None:
    """Access, execution and function logs have a retention; none is left to AWS's for ever."""
    groups = [group["Properties"] for group in resources(read(assembly, name), "Logs::LogGroup")]
    assert len(groups) == 4
    assert {group["RetentionInDays"] for group in groups} == {STAGES[name].log_retention_days}


def test_the_execution_log_is_there_before_the_stage(template: Resource) -> None:
    """API Gateway makes that log itself if it comes first, and keeps it for ever."""
    (stage,) = resources(template, "ApiGateway::Stage")
    log = logical_id(template, "Logs::LogGroup", "ApiExecutionLog")
    assert log in stage["DependsOn"]
    name = properties(template, "Logs::LogGroup", "ApiExecutionLog")["LogGroupName"]
    assert name["Fn::Join"][1][0] == "API-Gateway-Execution-Logs_"


def test_alarms_are_for_production(prod: Resource, dev: Resource) -> None:
    """Old messages, dead letters and server errors are noticed where it matters."""
    metrics = {alarm["Properties"]["MetricName"] for alarm in resources(prod, "CloudWatch::Alarm")}
    assert metrics == {
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesVisible",
        "5XXError",
    }
    assert resources(dev, "CloudWatch::Alarm") == []


def test_outputs_say_where_everything_is(template: Resource) -> None:
    """What a client and an operator need, and no more."""
    assert template["Outputs"].keys() == {
        "ApiUrl",
        "DeadLetterQueueUrl",
        "QueueUrl",
        "Region",
        "TableName",
    }


def test_cfn_lint_finds_nothing(template: Resource) -> None:
    """CloudFormation's own linter agrees."""
    # W3005: the CDK writes a DependsOn from function to role that a GetAtt implies already.
    config = ManualArgs(regions=["us-east-1"], ignore_checks=["W3005"])
    assert cfn_lint(json.dumps(template), config=config) == []


def test_synthesis_is_reproducible(assembly: Path, tmp_path: Path) -> None:
    """The same source gives the same bytes, so that a diff of templates is a diff of the source."""
    deploy_app.build(tmp_path).synth()
    for name in STAGES:
        file = f"users-{name}.template.json"
        assert (tmp_path / file).read_bytes() == (assembly / file).read_bytes()


def test_the_context_of_cdk_json_is_applied(tmp_path: Path) -> None:
    """Without the CDK's command too: feature flags change templates."""
    context = json.loads((ROOT / "deploy" / "cdk.json").read_text())["context"]
    node = deploy_app.build(tmp_path, {"stage": "dev"}).node
    assert {key: node.try_get_context(key) for key in context} == context


def test_a_stage_can_be_chosen(tmp_path: Path) -> None:
    """Context `stage` builds one stack, and `logRole=false` leaves the account's settings alone."""
    deploy_app.build(tmp_path, {"stage": "prod", "logRole": "false"}).synth()
    assert [path.name for path in tmp_path.glob("*.template.json")] == ["users-prod.template.json"]
    assert resources(read(tmp_path, "prod"), "ApiGateway::Account") == []


def test_another_contract_can_be_chosen(tmp_path: Path) -> None:
    """Context `contract` builds its stack as it is: names, key, index and consumer are its own."""
    file = tmp_path / "openapi.yaml"
    file.write_text(render_document(entity_names("purchase-orders")), "utf-8")
    deploy_app.build(tmp_path, {"stage": "dev", "contract": str(file)}).synth()
    template = json.loads((tmp_path / "purchase-orders-dev.template.json").read_text())
    table = properties(template, "DynamoDB::GlobalTable", "PurchaseOrders")
    assert table["KeySchema"] == [{"AttributeName": "purchaseOrderId", "KeyType": "HASH"}]
    (index,) = table["GlobalSecondaryIndexes"]
    assert "resultPurchaseOrderId" in index["Projection"]["NonKeyAttributes"]
    assert properties(template, "SQS::Queue", "MessagesQueue")["QueueName"] == "purchase-orders-dev"
    function = properties(template, "Lambda::Function", "Consumer")
    assert function["Environment"]["Variables"]["ENTITY"] == entity(load(file)).text
    assert set(body(template)["paths"]) == {
        "/purchase-orders",
        "/purchase-orders/{purchaseOrderId}",
        "/status/{messageId}",
    }
    assert "user" not in json.dumps(template).lower()


def test_a_contract_that_makes_nothing_is_refused(tmp_path: Path) -> None:
    """What the linter or the consumer does not take is told before anything is written."""
    text = (ROOT / "openapi.yaml").read_text("utf-8")
    file = tmp_path / "openapi.yaml"
    for edit in (("action/GetItem", "action/Scan"), ("passthroughBehavior: never", "")):
        file.write_text(text.replace(*edit), "utf-8")
        with pytest.raises(ContractError, match=f"{re.escape(str(file))}:\\d+: "):
            deploy_app.build(tmp_path, {"contract": str(file)})


def test_an_unknown_stage_is_refused(tmp_path: Path) -> None:
    """A slip of the pen builds nothing."""
    with pytest.raises(ValueError, match="no stage 'pord'"):
        deploy_app.build(tmp_path, {"stage": "pord"})


def test_the_pinned_node_goes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The CDK gets the Node.js beside Python, whatever the PATH says; without any it says so."""
    monkeypatch.delenv("JSII_NODE", raising=False)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RuntimeError, match=r"needs Node\.js"):
        deploy_app.provide_node()
    node = tmp_path / "node"
    node.touch(mode=0o755)
    deploy_app.provide_node()
    assert os.environ["JSII_NODE"] == str(node)
