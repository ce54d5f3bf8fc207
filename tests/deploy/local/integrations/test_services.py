"""Services at endpoints of one's own, end to end: one of each family of protocols."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from deploy.local.runtime import LocalRuntime

KEY_ID, SECRET, TOKEN = "AKIDEXAMPLE", "secret", "token"


class Received(NamedTuple):
    """A request as a service received it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Recorder(BaseHTTPRequestHandler):
    """Keeps what it receives on its server, and answers the same to all."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        """Answer one request."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.received.append((self.command, self.path, dict(self.headers.items()), body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b'{"id":"i"}')

    do_POST = do_PUT = answer  # noqa: N815 - http.server looks them up by these names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def recorder() -> Iterator[Any]:
    """A stub of any service."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    server.daemon_threads = True
    server.received = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What calls to endpoints of one's own are signed with."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)


def contract(tmp_path: Path, integration: dict[str, Any]) -> Path:
    """Write a contract of one operation that calls a service."""
    mapped = {"statusCode": "200", "responseTemplates": {"application/json": "$input.json('$.id')"}}
    operation = {
        "operationId": "call",
        "parameters": [{"name": "name", "in": "path", "required": True}],
        "responses": {"200": {"description": "Called."}},
        "x-amazon-apigateway-integration": {
            "type": "aws",
            "responses": {"default": mapped},
            **integration,
        },
    }
    document = {
        "openapi": "3.0.1",
        "info": {"title": "t", "version": "1"},
        "paths": {"/call/{name}": {"post": operation}},
    }
    path = tmp_path / "contract.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


def called(tmp_path: Path, recorder: Any, service: str, **integration: Any) -> Received:
    """Call the operation through a runtime; return what the service received."""
    url = f"http://127.0.0.1:{recorder.server_address[1]}"
    path = contract(tmp_path, integration)
    with LocalRuntime(contract=path, endpoints={service: url}) as runtime:
        assert runtime.engine_url == ""
        answer = httpx.post(f"{runtime.url}/call/a%20b", json={"detail": "x & y"})
        assert (answer.status_code, answer.text) == (200, '"i"')
    [received] = recorder.received
    return Received(*received)


def assert_signed(received: Received, service: str) -> None:
    """Assert that botocore signs the request as it was received in the same way."""
    method, target, headers, body = received
    lower = {name.lower(): value for name, value in headers.items()}
    names = lower["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"host", "x-amz-date", "x-amz-security-token"} <= set(names)
    assert all(name in names for name in lower if name.startswith("x-amz-"))
    signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(
        Credentials(KEY_ID, SECRET, TOKEN), service, "eu-west-1"
    )
    covered = {name: lower[name] for name in names}
    request = AWSRequest(method, f"http://{lower['host']}{target}", data=body, headers=covered)
    request.context["timestamp"] = lower["x-amz-date"]
    moment = datetime.strptime(lower["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 60
    signature = signer.signature(
        signer.string_to_sign(request, signer.canonical_request(request)), request
    )
    assert lower["authorization"].endswith(f"Signature={signature}")
    scope = f"{KEY_ID}/{moment:%Y%m%d}/eu-west-1/{service}/aws4_request"
    assert f"Credential={scope}," in lower["authorization"]


@pytest.mark.parametrize(
    ("service", "action", "target", "content_type"),
    [
        ("events", "PutEvents", "AWSEvents.PutEvents", "application/x-amz-json-1.1"),
        ("kinesis", "PutRecord", "Kinesis_20131202.PutRecord", "application/x-amz-json-1.1"),
        (
            "states",
            "StartExecution",
            "AWSStepFunctions.StartExecution",
            "application/x-amz-json-1.0",
        ),
    ],
)
def test_json_protocols(
    tmp_path: Path, recorder: Any, service: str, action: str, target: str, content_type: str
) -> None:
    """An action is posted to `/`; the target names it, and the template makes its input."""
    received = called(
        tmp_path,
        recorder,
        service,
        httpMethod="POST",
        uri=f"arn:aws:apigateway:eu-west-1:{service}:action/{action}",
        requestTemplates={"application/json": "{\"Input\": $input.json('$.detail')}"},
    )
    method, path, headers, body = received
    assert (method, path, body) == ("POST", "/", b'{"Input": "x & y"}')
    assert headers["X-Amz-Target"] == target
    assert headers["Content-Type"] == content_type
    assert_signed(received, service)


def test_query_protocols(tmp_path: Path, recorder: Any) -> None:
    """An action and its version are parameters of the query string, mapped ones follow."""
    received = called(
        tmp_path,
        recorder,
        "sns",
        httpMethod="POST",
        uri="arn:aws:apigateway:eu-west-1:sns:action/Publish",
        requestParameters={
            "integration.request.querystring.TopicArn": "'arn:aws:sns:eu-west-1:0:t'",
            "integration.request.querystring.Message": "method.request.body.detail",
        },
    )
    method, path, headers, body = received
    query = "Action=Publish&Version=2010-03-31"
    mapped = "TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A0%3At&Message=x%20%26%20y"
    assert (method, path) == ("POST", f"/?{query}&{mapped}")
    assert json.loads(body) == {"detail": "x & y"}
    assert headers["Accept"] == "application/json"
    assert "X-Amz-Target" not in headers
    assert_signed(received, "sns")


def test_rest_protocols(tmp_path: Path, recorder: Any) -> None:
    """A path is the resource itself, with its parameters encoded; S3 wants the body's hash, too."""
    received = called(
        tmp_path,
        recorder,
        "s3",
        httpMethod="PUT",
        uri="arn:aws:apigateway:eu-west-1:s3:path/bucket/{key}",
        requestParameters={
            "integration.request.path.key": "method.request.path.name",
            "integration.request.header.Content-Type": "'text/plain'",
        },
        requestTemplates={"application/json": "$input.path('$.detail')"},
    )
    method, path, headers, body = received
    assert (method, path, body) == ("PUT", "/bucket/a%20b", b"x & y")
    assert headers["Content-Type"] == "text/plain"
    assert len(headers["X-Amz-Content-Sha256"]) == 64
    assert_signed(received, "s3")
