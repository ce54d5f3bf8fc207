"""The whole gateway with the project's own contract, in front of stub backends."""

import asyncio
import copy
import json
import logging
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from deploy import contract
from deploy.local.credentials import KeyStore, LocalKey
from deploy.local.gateway import MAX_BODY_BYTES, Gateway, Stage, create_app
from deploy.local.integrations.aws import Backend

BASE = "http://api.example.test/local"
MESSAGE_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
USER_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
CONTRACT = Path(__file__).parents[3] / "openapi.yaml"
VALUES = {
    "Partition": "aws",
    "Region": "us-east-1",
    "AccountId": "000000000000",
    "QueueName": "users",
    "TableName": "users",
    "ApiRoleArn": "arn:aws:iam::000000000000:role/api",
}
ACCEPTED = {
    "SendMessageResponse": {
        "SendMessageResult": {"MessageId": MESSAGE_ID},
        "ResponseMetadata": {"RequestId": "r"},
    }
}
JSON = {"Content-Type": "application/json"}
ADA = b'{"name":"Ada & \\"Co\\"","email":"ada@example.com"}'


@dataclass
class Stub:
    """SQS and DynamoDB at one address: the next answer is set, the last call is kept."""

    status: int = 200
    body: Any = None
    delay: float = 0.0
    url: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one call."""
        self.text = await request.text()
        self.path = request.path
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        await asyncio.sleep(self.delay)
        return web.Response(status=self.status, text=json.dumps(self.body))


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    """A stub on a free port."""
    stub = Stub()
    runner = web.ServerRunner(web.Server(stub.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stub.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield stub
    await runner.cleanup()


@pytest.fixture(scope="session")
def document() -> dict[str, Any]:
    """The deployable copy of the contract."""
    return contract.deployable(contract.load(CONTRACT), VALUES)


Call = Callable[..., Any]


@pytest.fixture
def keys() -> KeyStore:
    """A store without keys."""
    return KeyStore()


def deployed(document: dict[str, Any], url: str, keys: KeyStore) -> Gateway:
    """Return the gateway of a document, with both backends at one address."""
    backend = Backend(url, "key", "secret")
    return create_app(
        document,
        stage=Stage("local", {"retryAfterMs": "50"}),
        backends={"sqs": backend, "dynamodb": backend},
        keys=keys,
        account_id="000000000000",
        region="us-east-1",
    )


def public(document: dict[str, Any], timeout: int = 10_000) -> dict[str, Any]:
    """Return a copy in which no operation has to be signed, with another integration timeout."""
    copied: dict[str, Any] = copy.deepcopy(document)
    for path in copied["paths"].values():
        for operation in path.values():
            operation["security"] = []
            operation["x-amazon-apigateway-integration"]["timeoutInMillis"] = timeout
    return copied


@pytest.fixture
async def app(stub: Stub, document: dict[str, Any], keys: KeyStore) -> AsyncIterator[Gateway]:
    """The gateway of the contract."""
    gateway = deployed(document, stub.url, keys)
    yield gateway
    await gateway.aclose()


async def plain_get(app: Gateway, path: str) -> httpx.Response:
    """Send one unsigned GET."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        return await client.get(BASE + path)


@pytest.fixture
def call(app: Gateway, keys: KeyStore) -> Call:
    """Return a function that sends one signed request; `key=None` leaves it unsigned."""
    own = keys.issue(account_id="123456789012", user_name="ada")

    async def send(
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        key: LocalKey | None = own,
    ) -> httpx.Response:
        request = AWSRequest(method, BASE + path, data=body, headers=headers or {})
        if key is not None:
            credentials = Credentials(key.access_key_id, key.secret_access_key)
            SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
            signed = dict(request.headers.items())
            return await client.request(method, BASE + path, content=body, headers=signed)

    return send


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that a response is a problem (RFC 9457), and return it."""
    found: dict[str, Any] = response.json()
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert found["code"] == code
    assert found["type"] == "about:blank"
    assert found["instance"] == f"urn:request:{response.headers['x-amz-apigw-id']}"
    return found


async def test_create_is_accepted(call: Call, stub: Stub) -> None:
    """202 with the message ID, where to ask, and how long to wait."""
    stub.body = ACCEPTED
    response = await call("POST", "/users", ADA, JSON)
    assert response.status_code == 202, response.text
    assert response.json() == {"messageId": MESSAGE_ID}
    assert response.headers["location"] == f"/local/status/{MESSAGE_ID}"
    assert response.headers["retry-after"] == "1"
    assert response.headers["retry-after-ms"] == "50"
    assert response.headers["x-amzn-trace-id"].startswith("Root=1-")


async def test_queue_gets_the_bytes_of_the_client(call: Call, stub: Stub) -> None:
    """One message with the body as it came, the caller's account, the key and the trace."""
    stub.body = ACCEPTED
    trace = "Root=1-6afd0000-0123456789abcdef01234567;Sampled=1"
    await call(
        "POST", "/users", ADA, {**JSON, "idempotency-key": "k&1=2", "X-Amzn-Trace-Id": trace}
    )
    form = {name: values[0] for name, values in parse_qs(stub.text, strict_parsing=True).items()}
    attributes = {
        form[f"MessageAttribute.{n}.Name"]: form[f"MessageAttribute.{n}.Value.StringValue"]
        for n in (1, 2, 3)
    }
    assert form["MessageBody"].encode() == ADA
    assert attributes == {
        "schemaVersion": "1",
        "callerAccount": "123456789012",
        "idempotencyKey": "k&1=2",
    }
    assert form["MessageSystemAttribute.1.Value.StringValue"] == trace
    assert stub.path == "/000000000000/users"
    assert stub.headers["content-type"] == "application/x-www-form-urlencoded"
    assert stub.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=key/")
    assert "/us-east-1/sqs/aws4_request" in stub.headers["authorization"]


async def test_trace_is_made_where_there_is_none(call: Call, stub: Stub) -> None:
    """Every message carries a trace header."""
    stub.body = ACCEPTED
    response = await call("POST", "/users", ADA, JSON)
    form = parse_qs(stub.text)
    assert form["MessageSystemAttribute.1.Value.StringValue"] == [
        response.headers["x-amzn-trace-id"]
    ]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], {"status": "PENDING"}),
        ([{"userId": {"S": USER_ID}}], {"status": "SUCCEEDED", "userId": USER_ID}),
        (
            [
                {
                    "userId": {"S": "receipt#1"},
                    "outcome": {"S": "FAILED"},
                    "failure": {"M": {"code": {"S": "BAD"}, "message": {"S": 'Say "no"'}}},
                }
            ],
            {"status": "FAILED", "error": {"code": "BAD", "message": 'Say "no"'}},
        ),
    ],
)
async def test_status_tells_what_became_of_it(
    call: Call, stub: Stub, items: list[Any], expected: dict[str, Any]
) -> None:
    """PENDING with how long to wait, or the outcome."""
    stub.body = {"Count": len(items), "Items": items, "ScannedCount": len(items)}
    response = await call("GET", f"/status/{MESSAGE_ID}")
    assert response.status_code == 200, response.text
    assert response.json() == {"messageId": MESSAGE_ID, **expected}
    pending = expected["status"] == "PENDING"
    assert response.headers.get("retry-after-ms") == ("50" if pending else None)
    assert stub.headers["x-amz-target"] == "DynamoDB_20120810.Query"
    query = json.loads(stub.text)
    assert query["ExpressionAttributeValues"] == {":id": {"S": MESSAGE_ID}}


async def test_user_is_plain_json(call: Call, stub: Stub) -> None:
    """Nested members and lists come out plain; what else the item holds does not."""
    stub.body = {
        "Item": {
            "userId": {"S": USER_ID},
            "name": {"S": 'Ada é \u2028 "x"'},
            "email": {"S": "ada@example.com"},
            "createdAt": {"S": "2026-11-23T21:00:00.000Z"},
            "address": {
                "M": {"street": {"S": "1 Way"}, "city": {"S": "X"}, "country": {"S": "GB"}}
            },
            "tags": {"L": [{"S": "a"}, {"S": "b"}]},
            "callerAccount": {"S": "123456789012"},
        }
    }
    response = await call("GET", f"/users/{USER_ID}")
    assert response.json() == {
        "userId": USER_ID,
        "name": 'Ada é \u2028 "x"',
        "email": "ada@example.com",
        "createdAt": "2026-11-23T21:00:00.000Z",
        "address": {"street": "1 Way", "city": "X", "country": "GB"},
        "tags": ["a", "b"],
    }


@pytest.mark.parametrize("path", [f"/users/{USER_ID}", "/users/x%22%7D", "/status/x%22%7D,%22a"])
async def test_unknown_and_malformed_ids_are_404(call: Call, stub: Stub, path: str) -> None:
    """An ID that is none never reaches a key of the table."""
    stub.body = {"Items": []} if "status" in path else {}
    problem(await call("GET", path), 404, "NOT_FOUND")
    assert "x" not in json.loads(stub.text).get("Key", {}).get("userId", {}).get("S", "")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"name":"Ada"}', 'missing required properties (["email"])'),
        (b"{", "[Unknown error parsing request body]"),
        (b"nope", "[Unknown error parsing request body]"),
        (b"", "[Unknown error parsing request body]"),
        (b'{"name":"Ada","email":"a@b","x":1}', 'not allowed by the schema: ["x"]'),
    ],
)
async def test_bad_body_is_400(call: Call, stub: Stub, body: bytes, detail: str) -> None:
    """A body against the model is refused before the queue, with the reason in a header."""
    response = await call("POST", "/users", body, JSON)
    problem(response, 400, "INVALID_BODY")
    assert detail in response.headers["x-validation-error"]
    assert response.headers["x-amzn-errortype"] == "BadRequestException"
    assert stub.text == ""


async def test_other_media_types_are_415(call: Call, stub: Stub) -> None:
    """Only JSON has a template."""
    response = await call("POST", "/users", ADA, {"Content-Type": "text/plain"})
    problem(response, 415, "UNSUPPORTED_MEDIA_TYPE")
    assert stub.text == ""


async def test_unsigned_and_unknown_are_403(call: Call) -> None:
    """An unsigned request and an unknown route look the same."""
    for response in (
        await call("POST", "/users", ADA, JSON, key=None),
        await call("GET", "/nowhere"),
        await call("DELETE", "/users"),
    ):
        problem(response, 403, "MISSING_AUTHENTICATION_TOKEN")
        assert response.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"


async def test_wrong_key_is_403(call: Call, keys: KeyStore) -> None:
    """A signature by a key that was never issued is refused; nothing of AWS's text is shown."""
    response = await call("GET", f"/users/{USER_ID}", key=KeyStore().issue())
    problem(response, 403, "INVALID_SIGNATURE")
    assert "token" not in response.json()["detail"]


async def test_denied_key_is_403(call: Call, keys: KeyStore) -> None:
    """A key that may not invoke the method is refused without naming ARNs."""
    response = await call("POST", "/users", ADA, JSON, key=keys.issue(may_invoke=("GET/*",)))
    problem(response, 403, "ACCESS_DENIED")
    assert "arn:" not in response.text


@pytest.mark.parametrize(
    ("status", "body", "code", "expected"),
    [
        (400, {"Error": {"Code": "InvalidMessageContents"}}, "INVALID_BODY", 400),
        (400, {"Error": {"Code": "InvalidParameterValue"}}, "BODY_TOO_LARGE", 413),
        (400, {"Error": {"Code": "RequestThrottled"}}, "SERVICE_UNAVAILABLE", 503),
        (
            403,
            {"Error": {"Code": "AccessDenied", "Message": "arn:aws:sqs:us-east-1:0:q"}},
            "INTERNAL_ERROR",
            500,
        ),
        (500, "<html>", "SERVICE_UNAVAILABLE", 503),
    ],
)
async def test_errors_of_the_queue_are_mapped(
    call: Call, stub: Stub, status: int, body: Any, code: str, expected: int
) -> None:
    """Each error has its own status, and its text does not get out."""
    stub.status, stub.body = status, body
    response = await call("POST", "/users", ADA, JSON)
    problem(response, expected, code)
    assert "arn:" not in response.text
    assert response.headers.get("retry-after") == ("1" if expected == 503 else None)


@pytest.mark.parametrize(
    ("kind", "code", "expected"),
    [
        ("ProvisionedThroughputExceededException", "SERVICE_UNAVAILABLE", 503),
        ("ResourceNotFoundException", "INTERNAL_ERROR", 500),
    ],
)
async def test_errors_of_the_table_are_mapped(
    call: Call, stub: Stub, kind: str, code: str, expected: int
) -> None:
    """Throttling is worth another try, the rest is ours."""
    stub.status = 400
    stub.body = {"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": "arn:aws:x"}
    problem(await call("GET", f"/users/{USER_ID}"), expected, code)


async def test_backend_out_of_reach_is_504(document: dict[str, Any], keys: KeyStore) -> None:
    """Nobody at the endpoint is INTEGRATION_FAILURE."""
    app = deployed(public(document), "http://127.0.0.1:9", keys)
    response = await plain_get(app, f"/users/{USER_ID}")
    await app.aclose()
    problem(response, 504, "GATEWAY_TIMEOUT")


async def test_slow_backend_is_504(document: dict[str, Any], keys: KeyStore, stub: Stub) -> None:
    """After `timeoutInMillis` the gateway gives up."""
    stub.delay = 1.0
    app = deployed(public(document, timeout=60), stub.url, keys)
    response = await plain_get(app, f"/users/{USER_ID}")
    await app.aclose()
    problem(response, 504, "GATEWAY_TIMEOUT")


async def test_payload_quota_is_kept(call: Call) -> None:
    """More than 10 MB is 413, which cannot be customised."""
    response = await call("POST", "/users", b"x" * (MAX_BODY_BYTES + 1), JSON)
    assert response.status_code == 413
    assert response.json() == {"message": "HTTP content length exceeded 10485760 bytes."}


async def test_every_answer_has_its_ids(call: Call, stub: Stub) -> None:
    """Both ids are there, and no two answers share them."""
    stub.body = ACCEPTED
    answers = [await call("POST", "/users", ADA, JSON) for _ in range(5)]
    assert len({answer.headers["x-amzn-requestid"] for answer in answers}) == 5
    assert len({answer.headers["x-amz-apigw-id"] for answer in answers}) == 5
    for answer in answers:
        assert re.fullmatch(r"[\w-]{15}=", answer.headers["x-amz-apigw-id"])


async def test_cause_of_a_500_is_logged_once(
    keys: KeyStore, caplog: pytest.LogCaptureFixture
) -> None:
    """A template that fails answers 500, and its place is logged the first time."""
    integration = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {
            "default": {
                "statusCode": "200",
                "responseTemplates": {
                    "application/json": "\n#set($context.responseOverride.status = 201)"
                    "\n#set($context.responseOverride.status = 202)"
                },
            }
        },
    }
    operation = {"responses": {"200": {}}, "x-amazon-apigateway-integration": integration}
    document = {"openapi": "3.0.1", "info": {"title": "t"}, "paths": {"/x": {"get": operation}}}
    broken = deployed(document, "http://127.0.0.1:9", keys)
    with caplog.at_level(logging.ERROR):
        answers = [await plain_get(broken, "/x") for _ in range(3)]
    for answer in answers:
        assert answer.status_code == 500
        assert answer.json() == {"message": "Internal server error"}
        assert answer.headers["x-amzn-errortype"] == "InternalServerErrorException"
    [record] = caplog.records
    assert "/responses/default/responseTemplates, application/json" in record.getMessage()
    assert "line 3" in record.getMessage()
