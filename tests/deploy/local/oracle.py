"""
Runs the recorded cases of tests/data/aws-oracle-public.jsonl against the gateway.

The backends are stubs on the loopback interface; DynamoDB and SQS are as much of them as the cases
need. Lambda and S3 are stubbed at the integration's HTTP call, so no case is left out.
"""

import asyncio
import hashlib
import json
import re
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from deploy.local.credentials import KeyStore
from deploy.local.definition import ApiImportError, ImportProblem
from deploy.local.gateway import RAW_HEADERS_EXTENSION, Gateway, Stage, create_app
from deploy.local.integrations.aws import Backend
from deploy.local.stages.gateway_response import DEFAULT_STATUSES, import_gateway_responses
from deploy.local.templates import render_mapping
from deploy.local.vtl import VtlError, render

Case = dict[str, Any]

_DATA = Path(__file__).parents[2] / "data" / "aws-oracle-public.jsonl"
_ACCOUNT = "111111111111"
_REGION = "us-east-1"


def recorded() -> list[Case]:
    """Return all cases, each read anew."""
    return [json.loads(line) for line in _DATA.read_text("utf-8").splitlines()]


def check(case: Case) -> None:
    """
    Run a case of any kind.

    Raises:
        AssertionError: The answer is not the recorded one.
    """
    _CHECKS[case["kind"]](case)


class Stub:
    """A backend that does what a case's `backend` says, and keeps what it received."""

    def __init__(self, backend: Mapping[str, Any]) -> None:
        self.backend = backend
        self.received: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.items: list[dict[str, Any]] = list(backend.get("items", ()))

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        body = await request.text()
        self.received.append(
            {
                "method": request.method,
                "path": request.path,
                "query": dict(request.query),
                "headers": {name.lower(): value for name, value in request.headers.items()},
                "body": body,
            }
        )
        answers = {
            "http": self._http,
            "sqs": self._sqs,
            "dynamodb": self._dynamodb,
            "s3": self._s3,
            "lambda": self._lambda,
        }
        return answers[self.backend["type"]](request, body)

    def _http(self, request: web.BaseRequest, body: str) -> web.Response:
        respond = self.backend["respond"]
        return web.Response(
            status=respond["status"], headers=respond["headers"], text=respond["body"]
        )

    def _s3(self, request: web.BaseRequest, body: str) -> web.Response:
        key = request.path.rpartition("/")[2]
        text = f"<Error><Code>NoSuchKey</Code><Key>{key}</Key></Error>"
        return web.Response(status=404, text=text, content_type="application/xml")

    def _lambda(self, request: web.BaseRequest, body: str) -> web.Response:
        result = self.backend.get("raises", self.backend.get("returns"))
        return web.Response(text=json.dumps(result), content_type="application/json")

    def _sqs(self, request: web.BaseRequest, body: str) -> web.Response:
        if request.content_type == "application/x-amz-json-1.0":
            message = json.loads(body)
            self.messages.append({"body": message["MessageBody"], "attributes": {}})
            return web.Response(text=json.dumps({"MessageId": str(uuid.uuid4())}))
        form = dict(parse_qsl(body, keep_blank_values=True))
        self.messages.append({"body": form["MessageBody"], "attributes": _message_attributes(form)})
        result = {
            "MessageId": str(uuid.uuid4()),
            "MD5OfMessageBody": hashlib.md5(form["MessageBody"].encode()).hexdigest(),
        }
        members = "".join(f"<{name}>{value}</{name}>" for name, value in result.items())
        return web.Response(
            content_type="application/xml",
            text=f"<SendMessageResponse><SendMessageResult>{members}</SendMessageResult>"
            f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
            "</SendMessageResponse>",
        )

    def _dynamodb(self, request: web.BaseRequest, body: str) -> web.Response:
        call = json.loads(body)
        answer: dict[str, Any] = {}
        if request.headers["X-Amz-Target"].endswith(".PutItem"):
            self.items.append(call["Item"])
        else:
            key = self.backend["table"]["hash_key"][0]
            wanted = next(iter(call["ExpressionAttributeValues"].values()))
            found = [item for item in self.items if item[key] == wanted]
            answer = {"Count": len(found), "Items": found, "ScannedCount": len(found)}
        return web.Response(text=json.dumps(answer), content_type="application/x-amz-json-1.0")


def _message_attributes(form: Mapping[str, str]) -> dict[str, dict[str, str]]:
    attributes = {}
    for key, name in form.items():
        match = re.fullmatch(r"MessageAttributes?\.(\d+)\.Name", key)
        if match:
            prefix = f"{key.removesuffix('.Name')}.Value."
            attributes[name] = {
                member.removeprefix(prefix): value
                for member, value in form.items()
                if member.startswith(prefix)
            }
    return attributes


@asynccontextmanager
async def serving(stub: Stub) -> AsyncIterator[str]:
    """Serve a stub on a free port, and give its address."""
    runner = web.ServerRunner(web.Server(stub.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def filled(case: Case, address: str) -> Case:
    """Return a case with its placeholders filled."""
    values = {
        "region": _REGION,
        "account": _ACCOUNT,
        "role_arn": f"arn:aws:iam::{_ACCOUNT}:role/api",
        "queue": "q",
        "queue_url": f"http://{address}/{_ACCOUNT}/q",
        "lambda_arn": f"arn:aws:lambda:{_REGION}:{_ACCOUNT}:function:f",
        "bucket": "b",
        "backend_url": f"http://{address}",
        "backend_host": address,
    }
    text = json.dumps(case).replace(
        "https://${stageVariables.Host}", "http://${stageVariables.Host}"
    )
    for name, value in values.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    filled_case: Case = json.loads(text)
    return filled_case


def app_for(case: Case, address: str) -> Gateway:
    """Import and deploy the document of a case."""
    backend = Backend(f"http://{address}", "key", "secret")
    base_path: Any = (re.findall(r"basepath=(\w+);", case.get("note", "")) or ["ignore"])[0]
    usable = [k["value"] for k in case.get("backend", {}).get("keys", ()) if k["enabled"]]
    return create_app(
        case["openapi"],
        stage=Stage(case["stage"]["name"], case["stage"]["variables"]),
        backends=dict.fromkeys(("sqs", "dynamodb", "s3", "lambda"), backend),
        keys=KeyStore(api_keys=usable if case["id"] != "api-key-missing" else ()),
        account_id=_ACCOUNT,
        region=_REGION,
        base_path=base_path,
    )


async def answer_of(app: Gateway, case: Case) -> tuple[int, dict[str, str], str]:
    """Send the request of a case by ASGI; return status, headers by lower-case name, and body."""
    request = case["request"]
    body = (request["body"] or "").encode()
    headers = [(b"Host", b"a1b2c3.example.test")]
    headers += [(name.encode(), value.encode()) for name, value in request["headers"].items()]
    path = f"/{case['stage']['name']}{request['path']}"
    scope = {
        "type": "http",
        "method": request["method"],
        "path": path,
        "raw_path": path.encode(),
        "query_string": urlencode(request["query"]).encode(),
        "headers": [(name.lower(), value) for name, value in headers],
        "extensions": {RAW_HEADERS_EXTENSION: headers},
        "client": ("192.0.2.7", 50000),
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    received = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], received, sent[1]["body"].decode()


def check_answer(
    expect: Mapping[str, Any], status: int, headers: Mapping[str, str], body: str
) -> None:
    """Check status, headers and body."""
    if "status" in expect:
        assert status == expect["status"], body
    if "status_class" in expect:
        assert status // 100 == expect["status_class"], body
    for name, value in expect.get("headers", {}).items():
        assert headers.get(name.lower()) == value
    assert {name.lower() for name in expect.get("headers_present", ())} <= headers.keys()
    assert not {name.lower() for name in expect.get("headers_absent", ())} & headers.keys()
    if "body" in expect:
        assert body == expect["body"]
    if "body_json" in expect:
        assert json.loads(body) == expect["body_json"]
    for name, value in expect.get("body_json_subset", {}).items():
        assert json.loads(body)[name] == value
    for text in expect.get("body_contains", ()):
        assert text in body


def check_backend(expect: Mapping[str, Any], stub: Stub) -> None:
    """Check what came to the backend."""
    if "queue_bodies" in expect:
        assert [message["body"] for message in stub.messages] == expect["queue_bodies"]
    if "queue_attributes" in expect:
        assert [message["attributes"] for message in stub.messages] == expect["queue_attributes"]
    for item in expect.get("table_has", ()):
        assert item in stub.items
    wanted = expect.get("backend_received")
    if wanted is None:
        return
    [received] = stub.received
    for member in ("method", "path", "query", "body"):
        if member in wanted:
            assert received[member] == wanted[member]
    headers = received["headers"]
    for name, value in wanted.get("headers", {}).items():
        assert headers.get(name.lower()) == value
    for name, prefix in wanted.get("header_prefixes", {}).items():
        assert headers[name.lower()].startswith(prefix)
    assert {name.lower() for name in wanted.get("headers_present", ())} <= headers.keys()
    assert not {name.lower() for name in wanted.get("headers_absent", ())} & headers.keys()


async def check_gateway(case: Case) -> None:
    """Check that a request gets the answer, and the backend the call, that is expected."""
    stub = Stub(case.get("backend", {"type": "http"}))
    async with serving(stub) as address:
        case = filled(case, address)
        app = app_for(case, address)
        try:
            status, headers, body = await answer_of(app, case)
        finally:
            await app.aclose()
    check_answer(case["expect"], status, headers, body)
    check_backend(case["expect"], stub)


def check_config(case: Case) -> None:
    """Check that an integration is refused at import with AWS's message, which is the first."""
    operation = {
        "responses": {"200": {"description": "ok"}},
        "x-amazon-apigateway-integration": case["integration"],
    }
    document = {"openapi": "3.0.1", "info": {"title": "t"}, "paths": {"/x": {"post": operation}}}
    problems: tuple[ImportProblem, ...] = ()
    try:
        create_app(
            document,
            stage=Stage("dev"),
            backends={"dynamodb": Backend("http://127.0.0.1:9", "key", "secret")},
            keys=KeyStore(),
            account_id=_ACCOUNT,
            region=_REGION,
        )
    except ApiImportError as error:
        problems = error.problems
    assert [problem.reason for problem in problems[:1]] == [case["expect"]["message"]]


def check_table(case: Case) -> None:
    """Check the statuses of the gateway responses, inheritance of the defaults included."""
    if case["id"] == "gateway-response-default-statuses":
        assert case["table"] == DEFAULT_STATUSES
        return
    document = {
        "x-amazon-apigateway-gateway-responses": {
            "DEFAULT_5XX": {"statusCode": 599},
            "AUTHORIZER_FAILURE": {"responseParameters": {"gatewayresponse.header.tag": "'x'"}},
        }
    }
    effective = import_gateway_responses(document)
    statuses = {name: response.status for name, response in effective.items()}
    assert case["table"].items() <= statuses.items()


def check_template(case: Case) -> None:
    """Check a template that real API Gateway has rendered, or refused to."""
    expect = case["expect"]
    try:
        printed = _printed(case)
    except VtlError:
        assert "error" in expect
        return
    if "output_json" in expect:
        assert json.loads(printed) == expect["output_json"]
    else:
        assert printed == expect.get("output")


def _printed(case: Case) -> str:
    if "vars" in case:
        names = {key: "" if value is None else value for key, value in case["vars"].items()}
        return render(case["template"], names)
    return render_mapping(
        case["template"],
        phase=case["phase"],
        body=case["input"]["body"],
        params=case["input"]["params"],
        context=case["context"],
        stage_variables=case["stageVariables"],
    ).output


_CHECKS: Mapping[str, Callable[[Case], None]] = {
    "gateway": lambda case: asyncio.run(check_gateway(case)),
    "config": check_config,
    "table": check_table,
    "template": check_template,
}
