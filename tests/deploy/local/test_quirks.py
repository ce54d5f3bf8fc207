"""What stand-ins for SQS need; shapes recorded from ministack 1.5.33 on 2026-11-23."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import boto3
import pytest

from deploy.local.credentials import KeyStore
from deploy.local.exchange import Request
from deploy.local.gateway import Stage, create_app
from deploy.local.integrations.aws import Backend
from deploy.local.quirks import (
    ServiceAnswer,
    ServiceCall,
    json_answer,
    json_protocol_call,
    query_protocol_answer,
)

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
TRACE = "Root=1-6afd0000-0123456789abcdef01234567"


def call(form: dict[str, str], **headers: str) -> ServiceCall:
    """Return a form posted to a queue."""
    url = "http://127.0.0.1:4566/000000000000/users"
    return ServiceCall("POST", url, {**FORM, **headers}, urlencode(form).encode())


def test_send_message_becomes_json() -> None:
    """Body, attributes and system attributes arrive unchanged in the JSON protocol."""
    body = "& = + % \" ' é 😀 \n"
    resent = json_protocol_call(
        call(
            {
                "Action": "SendMessage",
                "MessageBody": body,
                "DelaySeconds": "3",
                "MessageAttribute.1.Name": "origin",
                "MessageAttribute.1.Value.DataType": "String",
                "MessageAttribute.1.Value.StringValue": "a&b",
                "MessageAttributes.2.Name": "plural",
                "MessageAttributes.2.Value.DataType": "Number",
                "MessageAttributes.2.Value.StringValue": "1",
                "MessageSystemAttribute.1.Name": "AWSTraceHeader",
                "MessageSystemAttribute.1.Value.DataType": "String",
                "MessageSystemAttribute.1.Value.StringValue": TRACE,
            },
            **{"X-Mine": "1"},
        )
    )
    assert resent is not None
    assert resent.url == "http://127.0.0.1:4566/"
    assert resent.headers["X-Amz-Target"] == "AmazonSQS.SendMessage"
    assert resent.headers["Content-Type"] == "application/x-amz-json-1.0"
    assert resent.headers["X-Mine"] == "1"
    assert json.loads(resent.body) == {
        "QueueUrl": "http://127.0.0.1:4566/000000000000/users",
        "MessageBody": body,
        "DelaySeconds": 3,
        "MessageAttributes": {
            "origin": {"DataType": "String", "StringValue": "a&b"},
            "plural": {"DataType": "Number", "StringValue": "1"},
        },
        "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}},
    }


@pytest.mark.parametrize(
    "other",
    [
        call({"Action": "ReceiveMessage"}),
        call({"Action": "SendMessage", "MessageBody": "x"}, Accept="application/xml"),
        ServiceCall("POST", "http://h/q", {"Content-Type": "application/x-amz-json-1.0"}, b"{}"),
    ],
    ids=["action", "xml", "json"],
)
def test_other_calls_stay(other: ServiceCall) -> None:
    """What is not a form with SendMessage that wants JSON is sent as it is."""
    assert json_protocol_call(other) is None


def answer(status: int, body: object, **headers: str) -> ServiceAnswer:
    """Return an answer; text is sent as it is, anything else as JSON."""
    text = body if isinstance(body, str) else json.dumps(body)
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return ServiceAnswer(status, fields, text.encode())


def test_json_success_becomes_that_of_the_query_protocol() -> None:
    """The flat answer is wrapped as API Gateway gets it, absent members null."""
    flat = {"MessageId": "m-1", "MD5OfMessageBody": "d5"}
    wrapped = query_protocol_answer(answer(200, flat, x_amzn_requestid="r-1"))
    assert json.loads(wrapped.body) == {
        "SendMessageResponse": {
            "SendMessageResult": {
                "MD5OfMessageAttributes": None,
                "MD5OfMessageBody": "d5",
                "MD5OfMessageSystemAttributes": None,
                "MessageId": "m-1",
                "SequenceNumber": None,
            },
            "ResponseMetadata": {"RequestId": "r-1"},
        }
    }
    assert wrapped.header("content-type") == "application/json"


@pytest.mark.parametrize(
    ("headers", "kind", "code"),
    [
        (
            {"x_amzn_query_error": "AWS.SimpleQueueService.NonExistentQueue;Sender"},
            "QueueDoesNotExist",
            "AWS.SimpleQueueService.NonExistentQueue",
        ),
        ({}, "com.amazonaws.sqs#InvalidMessageContents", "InvalidMessageContents"),
    ],
)
def test_json_error_becomes_that_of_the_query_protocol(
    headers: dict[str, str], kind: str, code: str
) -> None:
    """The query protocol's error code stands in a header, or else in the type."""
    body = {"__type": kind, "message": "Because."}
    wrapped = query_protocol_answer(answer(400, body, **headers))
    assert wrapped.status == 400
    assert json.loads(wrapped.body)["Error"] == {
        "Code": code,
        "Message": "Because.",
        "Type": "Sender",
    }


def test_xml_success_becomes_json() -> None:
    """An engine that ignores Accept answers XML; the members are the same."""
    xml = (
        '<?xml version="1.0"?><SendMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/">'
        "<SendMessageResult><MessageId>m-1</MessageId><MD5OfMessageBody>d5</MD5OfMessageBody>"
        "</SendMessageResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>"
        "</SendMessageResponse>"
    )
    document = json.loads(json_answer(answer(200, xml)).body)["SendMessageResponse"]
    assert document["SendMessageResult"]["MessageId"] == "m-1"
    assert document["SendMessageResult"]["SequenceNumber"] is None
    assert document["ResponseMetadata"] == {"RequestId": "r-1"}


def test_xml_error_becomes_json() -> None:
    """Errors have Error and RequestId at the top."""
    xml = (
        "<ErrorResponse><Error><Type>Sender</Type><Code>MissingAction</Code>"
        "<Message>Missing Action</Message></Error><RequestId>r-1</RequestId></ErrorResponse>"
    )
    assert json.loads(json_answer(answer(400, xml)).body) == {
        "Error": {"Code": "MissingAction", "Message": "Missing Action", "Type": "Sender"},
        "RequestId": "r-1",
    }


@pytest.mark.parametrize("body", ["<broken", "plain text", '{"a":1}', ""])
def test_what_is_no_answer_of_sqs_stays(body: str) -> None:
    """Anything else is passed on as it is."""
    assert json_answer(answer(502, body)).body == body.encode()


@pytest.fixture
def ministack(tmp_path: Path) -> Iterator[str]:
    """A real ministack in a process of its own; yields its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "ministack"],
        env={
            **os.environ,
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "LOG_LEVEL": "ERROR",
            "STATE_DIR": str(tmp_path),
        },
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/_ministack/health")
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


async def test_trace_header_arrives_in_ministack(ministack: str) -> None:
    """A message sent as API Gateway sends it keeps AWSTraceHeader, and the answer is AWS's JSON."""
    sqs = boto3.client(
        "sqs",
        endpoint_url=ministack,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    queue_url = sqs.create_queue(QueueName="users")["QueueUrl"]
    integration = {
        "type": "aws",
        "httpMethod": "POST",
        "uri": "arn:aws:apigateway:us-east-1:sqs:path/000000000000/users",
        "requestParameters": {
            "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"
        },
        "requestTemplates": {
            "application/json": "Action=SendMessage&MessageBody=hello"
            "&MessageSystemAttribute.1.Name=AWSTraceHeader"
            "&MessageSystemAttribute.1.Value.DataType=String"
            f"&MessageSystemAttribute.1.Value.StringValue={TRACE.replace('=', '%3D')}"
        },
        "responses": {"default": {"statusCode": "200"}},
    }
    operation = {"responses": {"200": {}}, "x-amazon-apigateway-integration": integration}
    app = create_app(
        {"openapi": "3.0.1", "info": {"title": "t"}, "paths": {"/send": {"post": operation}}},
        stage=Stage("dev"),
        backends={"sqs": Backend(ministack, "test", "test", quirks="ministack")},
        keys=KeyStore(),
        account_id="000000000000",
        region="us-east-1",
    )
    request = Request("POST", "/dev/send", "", [("Host", "h")], b"{}", "127.0.0.1", "1.1")
    response = await app.respond(request)
    await app.aclose()
    received = sqs.receive_message(
        QueueUrl=queue_url, MessageSystemAttributeNames=["All"], WaitTimeSeconds=5
    )["Messages"][0]
    sqs.close()
    result = json.loads(response.body)["SendMessageResponse"]["SendMessageResult"]
    assert received["Body"] == "hello"
    assert received["Attributes"]["AWSTraceHeader"] == TRACE
    assert result["MessageId"] == received["MessageId"]
