"""The whole chain, put together."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from deploy.contract import Entity
from deploy.local.engine import ROOT, Engine
from deploy.local.resources import Access
from deploy.local.runtime import LocalRuntime, LocalRuntimeError
from tests.deploy.local.processes import children, runs

ADA = {
    "name": "Ada O'Brien & é\n",
    "email": "ada@example.com",
    "address": {"street": "12 St James's Square", "city": "London", "country": "GB"},
    "tags": ["a=b", '"quoted"'],
}


ORDERS = """\
openapi: 3.0.1
info: {title: Orders}
paths:
  /orders:
    post:
      responses: {'200': {}}
      x-amazon-apigateway-integration:
        type: aws
        httpMethod: POST
        uri: arn:aws:apigateway:${AWS::Region}:sqs:path/${AWS::AccountId}/orders
        credentials: arn:aws:iam::${AWS::AccountId}:role/api
        requestParameters:
          integration.request.header.Content-Type: "'application/x-www-form-urlencoded'"
        requestTemplates:
          application/json: Action=SendMessage&MessageBody=$util.urlEncode($input.body)
        responses:
          default:
            statusCode: '200'
            responseTemplates:
              application/json: >-
                {"id": $input.json('$.SendMessageResponse.SendMessageResult.MessageId')}
"""


def send(
    runtime: LocalRuntime, method: str, path: str, body: object = None, **headers: str
) -> httpx.Response:
    """Send a request, signed by botocore."""
    content = b"" if body is None else json.dumps(body).encode()
    request = AWSRequest(
        method, runtime.url + path, data=content, headers={"Content-Type": "application/json"}
    )
    for name, value in headers.items():
        request.headers[name.replace("_", "-")] = value
    credentials = Credentials(runtime.key.access_key_id, runtime.key.secret_access_key)
    SigV4Auth(credentials, "execute-api", runtime.region).add_auth(request)
    return httpx.request(
        method, runtime.url + path, content=content, headers=dict(request.headers.items())
    )


def create(runtime: LocalRuntime, body: object = ADA, **headers: str) -> str:
    """Post a user; its message ID."""
    response = send(runtime, "POST", "/users", body, **headers)
    assert response.status_code == 202, response.text
    return str(response.json()["messageId"])


def final_status(runtime: LocalRuntime, message_id: str, within: float = 30.0) -> dict[str, Any]:
    """Ask for the status until it is final."""
    deadline = time.monotonic() + within
    while True:
        status: dict[str, Any] = send(runtime, "GET", f"/status/{message_id}").json()
        if status["status"] != "PENDING":
            return status
        assert time.monotonic() < deadline, "the message was lost"
        time.sleep(0.02)


def test_a_signed_post_becomes_a_user(runtime: LocalRuntime) -> None:
    """Through gateway, queue, consumer and table, and back, character for character."""
    status = final_status(runtime, create(runtime))
    assert status["status"] == "SUCCEEDED"
    user = send(runtime, "GET", f"/users/{status['userId']}").json()
    assert user.pop("createdAt").endswith("Z")
    assert user == {**ADA, "userId": status["userId"]}


def test_clients_are_told_when_to_ask_again(runtime: LocalRuntime) -> None:
    """The stage's variable says how long they wait between polls."""
    response = send(runtime, "POST", "/users", ADA)
    assert response.headers["Retry-After-Ms"] == "20"
    assert response.headers["Location"] == f"/local/status/{response.json()['messageId']}"


def test_a_repeated_request_resolves_to_the_same_user(runtime: LocalRuntime) -> None:
    """The key travels through the queue; both messages end with one user."""
    key = str(uuid.uuid4())
    first, second = (create(runtime, Idempotency_Key=key) for _ in range(2))
    statuses = [final_status(runtime, message_id) for message_id in (first, second)]
    assert first != second
    assert len({status["userId"] for status in statuses}) == 1


def test_the_environment_is_what_clients_need(runtime: LocalRuntime) -> None:
    """URL, key and region, under the names that the SDK and boto3 read."""
    assert runtime.environment() == {
        "USERS_API_URL": runtime.url,
        "AWS_ACCESS_KEY_ID": runtime.key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": runtime.key.secret_access_key,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def test_invocations_are_timed(runtime: LocalRuntime) -> None:
    """The consumer's time can be told apart from the rest of the chain."""
    final_status(runtime, create(runtime))
    assert 0 < min(runtime.consumer_durations()) < 5


def test_an_engine_by_url_takes_the_place_of_the_embedded_one(engine: Engine) -> None:
    """With both endpoints given no engine is started; queue and table are made there."""
    names = {"QueueName": "elsewhere", "TableName": "elsewhere", "Region": "eu-west-1"}
    endpoints = {"sqs": engine.url, "dynamodb": engine.url}
    with LocalRuntime(
        endpoints=endpoints, placeholders=names, stage="test", stage_variables={"retryAfterMs": "7"}
    ) as runtime:
        assert runtime.engine_url == ""
        assert runtime.url.endswith("/test")
        response = send(runtime, "POST", "/users", ADA)
        assert response.headers["Retry-After-Ms"] == "7"
        status = final_status(runtime, response.json()["messageId"])
    key = {"userId": {"S": status["userId"]}}
    table = Access(engine.url, engine.url, region="eu-west-1").dynamodb
    assert table.get_item(TableName="elsewhere", Key=key)["Item"]["email"] == {"S": ADA["email"]}


def test_a_message_that_keeps_failing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """After five attempts the recorder writes the receipt, with the message in it."""
    plain = LocalRuntime._function

    def with_missing_table(self: LocalRuntime, handler: str, access: Access, entity: Entity) -> Any:
        function = plain(self, handler, access, entity)
        if handler == "consumer.handler.handler":
            function._variables["TABLE_NAME"] = "not-there"
        return function

    monkeypatch.setattr(LocalRuntime, "_function", with_missing_table)
    with LocalRuntime(visibility_timeout=1) as runtime:
        message_id = create(runtime, Idempotency_Key="k")
        status = final_status(runtime, message_id)
        table = Access(runtime.engine_url, runtime.engine_url).dynamodb
        key = {"userId": {"S": f"receipt#{message_id}"}}
        receipt = table.get_item(TableName="users", Key=key)["Item"]
    assert (status["status"], status["error"]["code"]) == ("FAILED", "PROCESSING_FAILED")
    assert json.loads(receipt["message"]["M"]["body"]["S"]) == ADA
    assert receipt["message"]["M"]["attributes"]["M"]["idempotencyKey"] == {"S": "k"}


def test_a_stop_leaves_no_process() -> None:
    """Everything is gone two seconds after the stop is asked for."""
    runtime = LocalRuntime()
    before = set(children(os.getpid()))
    runtime.start()
    started = set(children(os.getpid())) - before
    assert len(started) >= 2
    began = time.monotonic()
    runtime.stop()
    runtime.stop()
    assert time.monotonic() - began < 2
    assert not any(runs(pid) for pid in started)
    with pytest.raises(httpx.ConnectError):
        httpx.get(runtime.url)


def test_a_crashed_engine_ends_the_wait() -> None:
    """Whoever waits for the runtime is told that it cannot go on, and why."""
    with LocalRuntime() as runtime:
        (pid,) = [pid for pid in children(os.getpid()) if is_engine_of(runtime, pid)]
        threading.Timer(0.1, os.kill, (pid, signal.SIGKILL)).start()
        with pytest.raises(LocalRuntimeError, match="crashed: signal 9"):
            runtime.wait()


def is_engine_of(runtime: LocalRuntime, pid: int) -> bool:
    """Tell whether a process is the runtime's engine: its environment names its port."""
    port = runtime.engine_url.rpartition(":")[2]
    return f"GATEWAY_PORT={port}\0" in Path(f"/proc/{pid}/environ").read_text()


def broken_contract(tmp_path: Path, change: Callable[[str], str]) -> Path:
    """Write a copy of the contract, changed."""
    path = tmp_path / "openapi.yaml"
    path.write_text(change((ROOT / "openapi.yaml").read_text()))
    return path


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: "paths: [", "not YAML"),
        (lambda text: text.replace("#set($key = '')", "#set($key = "), "does not parse"),
        (lambda text: text.replace("${QueueName}", "${Unknown}"), "Unknown"),
    ],
)
def test_a_contract_that_cannot_be_used_says_why(
    tmp_path: Path, change: Callable[[str], str], complaint: str
) -> None:
    """The start fails with what is wrong where, and leaves no process."""
    path = broken_contract(tmp_path, change)
    before = children(os.getpid())
    with pytest.raises(LocalRuntimeError, match=complaint) as caught:
        LocalRuntime(contract=path).start()
    assert str(path) in str(caught.value)
    assert children(os.getpid()) == before


def test_a_style_of_ones_own_is_a_warning(tmp_path: Path) -> None:
    """What breaks this project's rules only, runs, and is reported."""
    path = broken_contract(tmp_path, lambda text: text.replace("passthroughBehavior: never", ""))
    with LocalRuntime(contract=path) as runtime:
        assert runtime.entity is not None
        assert send(runtime, "POST", "/users", ADA).status_code == 202
    (warning,) = [line for line in runtime.report if ": warning: " in line]
    assert "3 findings" in warning
    assert "passthrough 3" in warning


def test_another_contract_gets_the_engine_and_its_queue(tmp_path: Path) -> None:
    """The queue that a URI names is made; no consumer takes from it."""
    path = tmp_path / "orders.yaml"
    path.write_text(ORDERS, "utf-8")
    with LocalRuntime(contract=path) as runtime:
        assert runtime.consumer is None
        response = httpx.post(f"{runtime.url}/orders", json={"id": 7})
        sqs = Access(runtime.engine_url, runtime.engine_url).sqs
        url = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
        (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert response.json() == {"id": message["MessageId"]}
    assert json.loads(message["Body"]) == {"id": 7}


def test_a_busy_port_says_so() -> None:
    """The start fails before anything else is started."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(LocalRuntimeError, match=f"port {port} .* in use"):
            LocalRuntime(port=port).start()
