"""Each error path of the contract, produced for real."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import httpx
import pytest

from deploy.local.runtime import LocalRuntime
from tests.contract.signing import send
from users_sdk import ForbiddenError, NewUser, UsersClient

VALID = {"name": "Ada", "email": "ada@example.com"}


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem details of an answer, checked against RFC 9457 and for leaks."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-amzn-requestid"]
    body: dict[str, Any] = response.json()
    assert body["code"] == code
    assert body.get("status", status) == status
    assert body["title"]
    assert body["instance"].startswith("urn:request:")
    for secret in ("arn:", "000000000000", "amazonaws", "Traceback"):
        assert secret not in response.text
    return body


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "Unknown error parsing request body"),
        (b"{}", "name"),
        (b"[]", "array"),
        (b"not json", ""),
        (b'{"name": "Ada"}', "email"),
        (b'{"name": 7, "email": "ada@example.com"}', "integer"),
        (b'{"name": " ", "email": "ada@example.com"}', ""),
        (b'{"name": "Ada", "email": "nowhere"}', ""),
        (json.dumps({**VALID, "phone": "0163"}).encode(), ""),
        (json.dumps({**VALID, "tags": ["x" * 65]}).encode(), ""),
        (json.dumps({**VALID, "address": {"street": "1", "city": "X"}}).encode(), "country"),
        (json.dumps({**VALID, "emial": "typo"}).encode(), "emial"),
        (json.dumps({**VALID, "name": "x" * 201}).encode(), ""),
    ],
    ids=lambda value: value.decode()[:30] if isinstance(value, bytes) else "",
)
def test_a_bad_body_is_refused(runtime: LocalRuntime, body: bytes, complaint: str) -> None:
    """A body that does not fit the model is 400, nothing is queued, and the header says why."""
    response = send(runtime, "POST", "/users", body=body)
    problem(response, 400, "INVALID_BODY")
    assert complaint in response.headers["x-validation-error"]


def test_another_media_type_is_refused(runtime: LocalRuntime) -> None:
    """Only JSON reaches the template."""
    form = "Action=PurgeQueue"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = send(runtime, "POST", "/users", body=form.encode(), headers=headers)
    problem(response, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("kind", ["users", "status"])
@pytest.mark.parametrize(
    "identifier",
    [
        "x",
        "receipt%23c0ffee00-0000-4000-8000-000000000000",
        "%22%7D%7D",
        "C0FFEE00-0000-4000-8000-000000000000",
        "-",
        "malformed",
    ],
)
def test_a_bad_id_is_not_found(runtime: LocalRuntime, kind: str, identifier: str) -> None:
    """An ID of another form is 404, receipts included."""
    problem(send(runtime, "GET", f"/{kind}/{identifier}"), 404, "NOT_FOUND")


def test_an_unsigned_request_is_refused(runtime: LocalRuntime) -> None:
    """Without a signature there is nothing but 403."""
    response = httpx.post(f"{runtime.url}/users", json=VALID)
    problem(response, 403, "MISSING_AUTHENTICATION_TOKEN")


def test_an_unknown_route_is_refused(runtime: LocalRuntime) -> None:
    """A route that does not exist answers like an unsigned request."""
    problem(send(runtime, "GET", "/groups"), 403, "MISSING_AUTHENTICATION_TOKEN")
    problem(send(runtime, "DELETE", "/users"), 403, "MISSING_AUTHENTICATION_TOKEN")


def test_a_wrong_signature_is_refused(runtime: LocalRuntime) -> None:
    """A signature made with another secret is 403."""
    response = send(runtime, "POST", "/users", body=json.dumps(VALID).encode(), secret="wrong")
    problem(response, 403, "INVALID_SIGNATURE")


def test_a_signature_for_another_region_is_refused(runtime: LocalRuntime) -> None:
    """A signature is good for one Region."""
    body = json.dumps(VALID).encode()
    response = send(runtime, "POST", "/users", body=body, region="eu-west-1")
    problem(response, 403, "INVALID_SIGNATURE")


@pytest.mark.parametrize("age", [timedelta(minutes=20), timedelta(minutes=-20)])
def test_an_expired_signature_is_refused(runtime: LocalRuntime, age: timedelta) -> None:
    """A signature is good for five minutes, in both directions of the clock."""
    signed_at = datetime.now(UTC) - age
    response = send(runtime, "GET", f"/users/{uuid.uuid4()}", signed_at=signed_at)
    problem(response, 403, "INVALID_SIGNATURE")


def test_a_body_changed_on_the_way_is_refused(runtime: LocalRuntime) -> None:
    """The signature covers the body."""
    captured = send(runtime, "GET", f"/users/{uuid.uuid4()}").request
    headers = dict(captured.headers)
    response = httpx.request("GET", captured.url, headers=headers, content=b"{}")
    problem(response, 403, "INVALID_SIGNATURE")


def test_the_sdk_says_what_to_check(environment: dict[str, str]) -> None:
    """A wrong secret key reaches the SDK's user as one clear error."""
    wrong = boto3.Session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"], aws_secret_access_key="wrong"
    ).get_credentials()
    with UsersClient(credentials=wrong) as client, pytest.raises(ForbiddenError) as caught:
        client.create_user(NewUser.model_validate(VALID))
    assert caught.value.code == "INVALID_SIGNATURE"
    assert "secret key" in str(caught.value)


def queue_client(runtime: LocalRuntime) -> Any:
    """A client of the queue behind the gateway."""
    return boto3.client(
        "sqs",
        endpoint_url=runtime.engine_url,
        region_name=runtime.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def put_message(runtime: LocalRuntime, body: str, **attributes: str) -> str:
    """Put a message into the queue behind the gateway's back; its ID."""
    queue = queue_client(runtime)
    url = queue.get_queue_url(QueueName="users")["QueueUrl"]
    typed = {
        name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
    }
    sent = queue.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=typed)
    return str(sent["MessageId"])


def final_status(client: UsersClient, message_id: str, within: float = 20.0) -> Any:
    """Ask for the status until it is final."""
    until = time.monotonic() + within
    while (state := client.get_status(message_id=message_id)).status == "PENDING":
        assert time.monotonic() < until, "the message was lost"
        time.sleep(0.05)
    return state


@pytest.mark.parametrize(
    ("body", "attributes", "code"),
    [
        ("not json", {}, "INVALID_MESSAGE"),
        ('{"name": 7}', {}, "INVALID_MESSAGE"),
        (json.dumps({**VALID, "name": "\ud800"}), {}, "INVALID_MESSAGE"),
        (json.dumps(VALID), {"schemaVersion": "99"}, "UNSUPPORTED_SCHEMA_VERSION"),
        (json.dumps(VALID), {"idempotencyKey": "x" * 256}, "INVALID_IDEMPOTENCY_KEY"),
    ],
)
def test_a_poison_message_fails_visibly(
    runtime: LocalRuntime, client: UsersClient, body: str, attributes: dict[str, str], code: str
) -> None:
    """A message that can never become a user ends as FAILED, at once and with its reason."""
    sent = {"schemaVersion": "1", "callerAccount": "000000000000", **attributes}
    state = final_status(client, put_message(runtime, body, **sent))
    assert (state.status, state.error.code) == ("FAILED", code)
    assert state.error.message
